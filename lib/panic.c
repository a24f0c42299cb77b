/* panic.c - see panic.h.
 *
 * Each thread has a stack of what is deferred and a stack of boundaries, both linked through the
 * frames that own them. Leaving runs the deferred functions above the boundary and longjmps to it;
 * a panic in a deferred function takes the place of the one that runs it.
 */
#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <heddle/go.h>
#include <heddle/panic.h>

#include "fibre.h"
#include "happens_before.h"
#include "misuse.h"
#include "unwind.h"

#define FRAMES_SHOWN 64

struct boundary {
    struct boundary *outer;
    struct hd_deferred *deferred; /* the top when the boundary was made */
    jmp_buf resume;
    enum hdi_ending ending;
    hd_err err;
    bool exits_only; /* a panic does not stop here */
};

/* An error on its way to its boundary, while what is deferred runs; in the frame that runs it. */
struct flight {
    struct flight *below;
    struct boundary *to;
    hd_err err;
};

void hdi_panic_locals(const struct hd_seam *seam)
{
    seam->local((void **)&hdi_mine.deferred);
    seam->local((void **)&hdi_mine.innermost);
}

void hdi_defer_push(struct hd_deferred *one)
{
    one->below = hdi_mine.deferred;
    hdi_mine.deferred = one;
}

void hdi_defer_pop(struct hd_deferred *one)
{
    hdi_mine.deferred = one->below;
    one->fn(one->arg);
}

static void run_down_to(struct hd_deferred *floor)
{
    while (hdi_mine.deferred != floor)
        hdi_defer_pop(hdi_mine.deferred);
}

static _Noreturn void unwind(struct boundary *to, enum hdi_ending ending, hd_err err)
{
    struct flight self = {.below = hdi_mine.flying, .to = to, .err = err};

    hdi_mine.flying = &self;
    run_down_to(to->deferred);
    hdi_mine.flying = self.below;
    while (hdi_mine.flying &&
           hdi_mine.flying->to == to) { /* panics that this one takes the place of */
        hd_err_unref(hdi_mine.flying->err);
        hdi_mine.flying = hdi_mine.flying->below;
    }
    if (ending == HDI_PANICKED && hdi_seam)
        hdi_seam->panic("", NULL, NULL); /* it is recovered: what aborts later is something else */
    to->ending = ending;
    to->err = err;
    hdi_mine.innermost = to->outer;
    longjmp(to->resume, 1);
}

static enum hdi_ending catch (void (*fn)(void *arg), void *arg, bool exits_only, hd_err *err) {
    struct boundary here = {.outer = hdi_mine.innermost,
                            .deferred = hdi_mine.deferred,
                            .exits_only = exits_only};

    hdi_mine.innermost = &here;
    if (setjmp(here.resume) == 0){fn(arg); hdi_mine.innermost = here.outer; return HDI_RETURNED;}
*err = here.err;
return here.ending;
}

enum hdi_ending hdi_catch(void (*fn)(void *arg), void *arg, hd_err *err)
{
    return catch (fn, arg, false, err);
}

void hdi_catch_exit(void (*fn)(void *arg), void *arg)
{
    hd_err none;

    catch (fn, arg, true, &none);
}

void hdi_carry_on(enum hdi_ending ending, hd_err err)
{
    if (ending == HDI_PANICKED)
        hd_panic_err(err);
    if (ending == HDI_EXITED)
        hdi_leave();
}

_Noreturn void hdi_leave(void)
{
    unwind(hdi_mine.innermost, HDI_EXITED, NULL);
}

hd_err hd_recover(void (*fn)(void *arg), void *arg)
{
    hd_err err = NULL;
    enum hdi_ending ending = hdi_catch(fn, arg, &err);

    if (ending == HDI_EXITED)
        hdi_leave();
    return err;
}

static _Noreturn void die(const char *message)
{
    void *frames[FRAMES_SHOWN];
    int count;

    fprintf(stderr, "panic: %s\n\ngoroutine %s:\n", message, hd_go_name());
    fflush(stderr);
    if (!hdi_seam) { /* under Heddle the finding has the stack; taking one here would be more steps
                      */
        count = backtrace(frames, FRAMES_SHOWN);
        backtrace_symbols_fd(frames, count, STDERR_FILENO);
        if (hdi_mine.gone_at) {
            fprintf(stderr, "\nwhat it used was given up at:\n");
            fflush(stderr);
            backtrace_symbols_fd((void *[]){(void *)(uintptr_t)hdi_mine.gone_at}, 1, STDERR_FILENO);
        }
    }
    abort();
}

static _Noreturn void panic_with(hd_err err, const void *object, const void *site)
{
    struct boundary *to = hdi_mine.innermost;

    if (hdi_seam)
        hdi_seam->panic(hd_err_message(err), object, site);
    while (to && to->exits_only)
        to = to->outer;
    if (!to) {
        run_down_to(NULL); /* as Go does, before the program dies */
        die(hd_err_message(err));
    }
    unwind(to, HDI_PANICKED, err);
}

_Noreturn void hd_panic_err(hd_err err)
{
    hdi_mine.gone_at = NULL;
    panic_with(err ? err : hd_panicked, NULL, __builtin_return_address(0));
}

void hd_must(hd_err err)
{
    hdi_mine.gone_at = NULL;
    if (err)
        panic_with(err, NULL, __builtin_return_address(0));
}

_Noreturn void hd_panic(const char *format, ...)
{
    va_list args;
    hd_err err;

    va_start(args, format);
    hdi_mine.gone_at = NULL;
    err = hd_errorv(HD_ERR_PANIC, format, args);
    va_end(args);
    panic_with(err, NULL, __builtin_return_address(0));
}

_Noreturn void hdi_misuse(const char *message, const void *object, const void *site)
{
    hdi_mine.gone_at = NULL;
    panic_with(hd_errorf(HD_ERR_PANIC, "%s", message), object, site);
}

_Noreturn void hdi_misuse_late(const char *message, const void *object, const void *site,
                               const void *gone)
{
    hdi_mine.gone_at = gone;
    panic_with(hd_errorf(HD_ERR_PANIC, "%s", message), object, site);
}
