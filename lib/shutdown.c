/* shutdown.c - see shutdown.h.
 *
 * A signal's handler may do next to nothing: it writes the signal's number into the pipe of the
 * notify that watches it, and a goroutine that reads there does the rest. Number 0 tells it to end.
 */
#include <heddle/shutdown.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <heddle/atomic.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>

#include "context_inside.h"
#include "graveyard.h"
#include "inner_lock.h"
#include "misuse.h"

#define SIGNALS 65

struct hd_notify {
    struct hd_context *ctx;
    struct hd_atomic_int32 first;
    struct hd_wg reading;
    int pipe[2]; /* read, write */
    struct sigaction before[SIGNALS];
    bool watched[SIGNALS];
    const void *gone; /* where it was stopped */
};

static void need_alive(const struct hd_notify *notify, const void *site)
{
    hdi_need_alive(notify->gone, "use of a notify after its end", notify, site);
}

static _Atomic int pipe_of[SIGNALS]; /* 1 + write end of the pipe; 0: not watched */

static void on_signal(int number)
{
    int saved = errno, end = atomic_load(&pipe_of[number]);
    unsigned char byte = (unsigned char)number;

    /* The bare call: this may interrupt a thread that is inside a hook of the runtime. */
    if (end > 0)
        (void)!syscall(SYS_write, end - 1, &byte, 1);
    errno = saved;
}

/* The next number, or 0 when there will be none. */
static int next_signal(struct hd_notify *notify)
{
    unsigned char byte = 0;
    ssize_t got;

    if (hdi_seam)
        hdi_seam->external_enter(HDI_SITE());
    do
        got = read(notify->pipe[0], &byte, 1);
    while (got < 0 && errno == EINTR);
    if (hdi_seam)
        hdi_seam->external_leave();
    return got == 1 ? byte : 0;
}

static void watch(void *arg)
{
    struct hd_notify *notify = arg;
    int number;

    while ((number = next_signal(notify)) != 0)
        if (hd_int32_cas(&notify->first, 0, number))
            hd_context_cancel_cause(notify->ctx,
                                    hd_errorf(HD_ERR_CANCELLED, "signal: %s", strsignal(number)));
}

static bool claim(struct hd_notify *notify, int number)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    int free_slot = 0;

    if (number < 1 || number >= SIGNALS ||
        !atomic_compare_exchange_strong(&pipe_of[number], &free_slot, notify->pipe[1] + 1))
        return false;
    sigfillset(&act.sa_mask);
    if (sigaction(number, &act, &notify->before[number]) != 0) {
        atomic_store(&pipe_of[number], 0);
        return false;
    }
    notify->watched[number] = true;
    return true;
}

static void unclaim_all(struct hd_notify *notify)
{
    for (int number = 1; number < SIGNALS; number++)
        if (notify->watched[number]) {
            sigaction(number, &notify->before[number], NULL);
            atomic_store(&pipe_of[number], 0);
        }
}

static void dispose(struct hd_notify *notify, const void *site)
{
    close(notify->pipe[0]);
    close(notify->pipe[1]);
    hd_context_end(notify->ctx);
    notify->gone = site;
    hdi_bury(notify, sizeof *notify);
}

hd_err hd_notify_start(struct hd_notify **notify, struct hd_context *parent, const int *signals,
                       size_t count)
{
    struct hd_notify *made = calloc(1, sizeof *made);
    hd_err err = count > 0 ? NULL : hd_invalid;

    if (!made)
        return hd_out_of_memory;
    if (pipe2(made->pipe, O_CLOEXEC) != 0) {
        free(made);
        return hd_errorf(HD_ERR_OTHER, "cannot make a pipe for signals");
    }
    made->ctx = hdi_context_within(parent, HDI_SITE());
    for (size_t i = 0; i < count && !err; i++)
        if (!claim(made, signals[i]))
            err = hd_invalid;
    if (!err)
        err = hd_wg_go(&made->reading, watch, made);
    if (err) {
        unclaim_all(made);
        dispose(made, HDI_SITE());
        return err;
    }
    *notify = made;
    return NULL;
}

struct hd_context *hd_notify_context(struct hd_notify *notify)
{
    need_alive(notify, HDI_SITE());
    return notify->ctx;
}

int hd_notify_signal(struct hd_notify *notify)
{
    need_alive(notify, HDI_SITE());
    return hd_int32_load(&notify->first);
}

void hd_notify_stop(struct hd_notify *notify)
{
    unsigned char end = 0;

    need_alive(notify, HDI_SITE());
    unclaim_all(notify);
    (void)!write(notify->pipe[1], &end, 1);
    hd_wg_wait(&notify->reading);
    dispose(notify, HDI_SITE());
}

void hd_drain_init(struct hd_drain *drain)
{
    *drain = (struct hd_drain){.idle = hd_chan_make_named("drain", 0, 0)};
}

void hd_drain_destroy(struct hd_drain *drain)
{
    hd_chan_unref(drain->idle);
    drain->idle = NULL;
    drain->closing = true;
}

static void lock(struct hd_drain *drain, const void *site)
{
    struct hdi_why why = {HD_EV_HD_OTHER, drain, site};

    hdi_point(&why);
    hdi_hide(drain, sizeof *drain);
    hdi_inner_lock(&drain->lock);
    if (HDI_UNLIKELY(drain->closing && !drain->idle)) {
        hdi_inner_unlock(&drain->lock);
        hdi_misuse_late("use of a drain after its end", drain, site, NULL);
    }
}

bool hd_drain_enter(struct hd_drain *drain)
{
    bool in;

    lock(drain, HDI_SITE());
    in = !drain->closing;
    drain->inside += in;
    hdi_inner_unlock(&drain->lock);
    return in;
}

void hd_drain_leave(struct hd_drain *drain)
{
    struct hd_chan *idle = NULL;
    int64_t left;

    hdi_release(drain);
    lock(drain, HDI_SITE());
    left = drain->inside - 1;
    if (left >= 0)
        drain->inside = left;
    if (left == 0 && drain->closing)
        idle = hd_chan_ref(drain->idle);
    hdi_inner_unlock(&drain->lock);
    if (left < 0)
        hdi_misuse("drain: leave without enter", drain, HDI_SITE());
    if (idle) {
        hd_chan_close(idle);
        hd_chan_unref(idle);
    }
}

hd_err hd_drain_wait(struct hd_drain *drain, struct hd_context *ctx)
{
    bool empty;

    lock(drain, HDI_SITE());
    empty = !drain->closing && drain->inside == 0;
    drain->closing = true;
    hdi_inner_unlock(&drain->lock);
    if (empty)
        hd_chan_close(drain->idle);
    if (HD_SELECT(HD_RECV(drain->idle, NULL), HD_RECV(hd_context_done(ctx), NULL)) == 1)
        return hd_context_err(ctx);
    hdi_acquire(drain);
    return NULL;
}
