/* process.c - assertions, _exit, child processes.
 *
 * A child of the program runs without us and takes real time: while one lives, time that nobody
 * needs passes as on the clock on the wall.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "core/handler_calls.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "children.h"
#include "identity.h"
#include "kernel_order.h"
#include "raw_calls.h"
#include "scheduling.h"
#include "signals.h"

HDI_EXPORT void __assert_fail(const char *text, const char *file, unsigned line,
                              const char *function)
{
    if (hdi_enter()) {
        char what[HDP_TEXT];
        struct hdp_finding *f;
        snprintf(what, sizeof what, "%s (%s:%u, %s)", text, file, line, function ? function : "?");
        f = hdi_finding_begin(HD_FK_ASSERTION, what);
        hdi_note(f, HD_ROLE_HERE, hdi_self(), HD_EV_NONE, NULL, HDI_SITE(), hdi_stack());
        hdi_finding_end(f, hdi_in_process());
        hdi_crash_expected();
    }
    hdi_real.__assert_fail(text, file, line, function);
    abort();
}

/* Called by the program, and not when main returns. */
HDI_EXPORT void exit(int code)
{
    if (hdi_enter()) {
        hdi_library_called("exit", true, HDI_SITE());
        hdi_leaves_in_the_middle();
        hdi_ending(HDI_SITE());
    }
    hdi_real.exit(code);
    __builtin_unreachable();
}

static int quick_code;

static void quick_exit_handlers_ran(void)
{
    if (!hdi_enter())
        return;
    hdi_ending(0);
    hdi_program_stops(quick_code);
}

HDI_EXPORT void quick_exit(int code)
{
    quick_code = code;
    if (hdi_enter())
        hdi_ending(HDI_SITE());
    hdi_real.quick_exit(code);
    __builtin_unreachable();
}

HDI_EXPORT void _exit(int code)
{
    if (hdi_enter()) {
        hdi_ending(HDI_SITE());
        hdi_look_for_unreachable();
        hdi_program_stops(code);
    }
    hdi_real._exit(code);
    __builtin_unreachable();
}

HDI_EXPORT void _Exit(int code)
{
    _exit(code);
}

/* ---- children ---- */

/* The child has one thread and runs without us; libc runs this first of all that is to run in it.
 */
void hdi_in_child(void)
{
    hdi_children_forget();
    hdi_tell(FORKED, .thread = hdi_self());
    hdi_scheduling_forked();
    hdi_forked();
}

void hdi_process_start(void)
{
    at_quick_exit(quick_exit_handlers_ran);
    pthread_atfork(NULL, NULL, hdi_in_child);
}

HDI_EXPORT pid_t fork(void)
{
    uint64_t mask;
    pid_t pid;

    if (!hdi_may_fork()) {
        errno = EAGAIN;
        return -1;
    }
    if (!hdi_enter())
        return hdi_real.fork();
    hdi_first_thread(); /* a schedule's children are its own */
    hdi_unmodelled("fork", HDI_SITE());
    hdi_told_kernel();
    hdi_masks_note();
    /* No handler in a child that still takes itself for the program. */
    mask = hdi_mask_all(true);
    pid = hdi_real.fork();
    hdi_child_made(pid);
    hdi_mask_back(mask);
    return pid;
}

/* Children of before the first thread would belong to the process that schedules are forked from.
 */
static void child_begins(void)
{
    hdi_first_thread();
    hdi_told_kernel();
    hdi_masks_note();
    hdi_scheduling_release_cpu();
}

static void child_began(pid_t pid)
{
    hdi_scheduling_pin();
    hdi_child_made(pid);
}

#define SPAWNS(name)                                                                               \
    HDI_EXPORT int name(pid_t *restrict pid, const char *restrict path,                            \
                        const posix_spawn_file_actions_t *fa, const posix_spawnattr_t *restrict a, \
                        char *const argv[restrict], char *const envp[restrict])                    \
    {                                                                                              \
        pid_t child = 0;                                                                           \
        int error;                                                                                 \
        if (!hdi_may_fork())                                                                       \
            return EAGAIN;                                                                         \
        if (!hdi_enter())                                                                          \
            return hdi_real.name(pid, path, fa, a, argv, envp);                                    \
        child_begins();                                                                            \
        error = hdi_real.name(&child, path, fa, a, argv, envp);                                    \
        child_began(error ? 0 : child);                                                            \
        if (pid && !error)                                                                         \
            *pid = child;                                                                          \
        return error;                                                                              \
    }

SPAWNS(posix_spawn)
SPAWNS(posix_spawnp)

/* As the C library lays it out, which has no call that tells. */
struct popened {
    FILE stream;
    const void *operations;
    pid_t child;
};

HDI_EXPORT FILE *popen(const char *command, const char *mode)
{
    FILE *made;

    if (!hdi_may_fork()) {
        errno = EAGAIN;
        return NULL;
    }
    if (!hdi_enter())
        return hdi_real.popen(command, mode);
    child_begins();
    made = hdi_real.popen(command, mode);
    child_began(made ? ((const struct popened *)made)->child : 0);
    return made;
}

struct child_wait {
    idtype_t type;
    id_t id;
    int options;
};

static bool child_ready(const struct hdi_op *op)
{
    const struct child_wait *w = op->data;
    siginfo_t info = {.si_pid = 0};
    int saved = errno;
    bool ready = hdi_real.syscall(SYS_waitid, w->type, w->id, &info, w->options | WNOHANG | WNOWAIT,
                                  NULL) != 0 ||
                 info.si_pid != 0;

    errno = saved;
    return ready;
}

enum awaited { CHILD_ENDED /* or the kernel knows */, CHILD_NOT_YET, WAIT_INTERRUPTED };

static bool handler_may_run(void)
{
    return hdi_disposition(SIGCHLD) == HDI_SIG_HANDLED && hdi_signal_gets_through(SIGCHLD);
}

bool hdi_children_live(void)
{
    return hdi_child_left(handler_may_run);
}

/* By SIGCHLD: it has a handler, or the calling thread blocks it (for a signalfd, sigwait). */
static bool end_is_told(void)
{
    uint64_t blocked = 0;
    int saved = errno;
    bool told = hdi_disposition(SIGCHLD) == HDI_SIG_HANDLED;

    hdi_real.syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof blocked);
    errno = saved;
    return told || (blocked >> (SIGCHLD - 1) & 1);
}

/* Who only asks (WNOHANG) is somebody whose time is over at once: which of both it was is recorded, as a child
 * of another replay is faster or slower. Not where SIGCHLD tells of it: of two ends that come together it is
 * told once, and who waits for another one must see both. */
static enum awaited await_child(struct child_wait w, uint64_t site)
{
    struct hdi_op op = {.kind = HD_EV_CHILD_WAIT,
                        .site = site,
                        .ready = child_ready,
                        .data = &w,
                        .until_ns = w.options & WNOHANG ? hdi_now() : 0,
                        .outside = true,
                        .interrupt = HDI_RESTARTS,
                        .cancellable = !(w.options & WNOHANG)};

    if (w.options & WNOHANG && end_is_told()) {
        hdi_point(HD_EV_CHILD_WAIT, NULL, site);
        return CHILD_ENDED;
    }
    switch (hdi_perform(&op)) {
    case HDI_CANCELLED:
        hdi_cancel_self();
        return CHILD_ENDED;
    case HDI_INTERRUPTED: /* a handler without SA_RESTART ran */
        return w.options & WNOHANG ? CHILD_NOT_YET : WAIT_INTERRUPTED;
    case HDI_TIMED_OUT:
        return CHILD_NOT_YET;
    default:
        return CHILD_ENDED;
    }
}

/* 1: ask the kernel. Else what the call returns. */
static int before_wait(struct child_wait w, uint64_t site)
{
    enum awaited awaited = await_child(w, site);

    if (awaited == WAIT_INTERRUPTED)
        errno = EINTR;
    return awaited == CHILD_ENDED ? 1 : awaited == CHILD_NOT_YET ? 0 : -1;
}

static struct child_wait by_pid(pid_t pid, int options)
{
    int what = WEXITED | (options & (WNOHANG | WCONTINUED)) | (options & WUNTRACED ? WSTOPPED : 0);

    if (pid > 0)
        return (struct child_wait){P_PID, (id_t)pid, what};
    if (pid == -1)
        return (struct child_wait){P_ALL, 0, what};
    return (struct child_wait){P_PGID, (id_t)(pid ? hdi_process(-pid) : 0), what};
}

/* Who sees a child end comes after what was done before it was made, or that was brought about. */
static pid_t seen(pid_t ended)
{
    if (ended > 0 && hdi_enter())
        hdi_heard(false);
    return ended;
}

HDI_EXPORT pid_t wait(int *status)
{
    if (hdi_enter() && before_wait(by_pid(-1, 0), HDI_SITE()) < 0)
        return -1;
    return seen(hdi_real.wait(status));
}

HDI_EXPORT pid_t waitpid(pid_t pid, int *status, int options)
{
    int ask = hdi_enter() ? before_wait(by_pid(pid, options), HDI_SITE()) : 1;

    return ask == 1 ? seen(hdi_real.waitpid(hdi_process_or_group(pid), status, options)) : ask;
}

HDI_EXPORT pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    int ask = hdi_enter() ? before_wait(by_pid(pid, options), HDI_SITE()) : 1;

    return ask == 1 ? seen(hdi_real.wait4(hdi_process_or_group(pid), status, options, usage)) : ask;
}

HDI_EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    siginfo_t none;
    int rc = 1;

    if (!info)
        info = &none;
    if (hdi_enter())
        rc = before_wait((struct child_wait){type, id, options & ~WNOWAIT}, HDI_SITE());
    if (rc >= 0)
        info->si_pid = 0;
    if (rc != 1)
        return rc;
    rc = hdi_real.waitid(type, id, info, options);
    if (rc == 0)
        seen(info->si_pid);
    return rc;
}
