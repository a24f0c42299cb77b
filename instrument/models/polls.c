/* polls.c - waiting for several descriptors: poll, select, epoll. */
#include <errno.h>
#include <sys/syscall.h>

#include "beside/other_tool.h"
#include "clock.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "io.h"
#include "kernel_order.h"
#include "memory/descriptor_race.h"
#include "reach/sent_pointers.h"
#include "signals.h"

#define MS 1000000LL

/* What is waited for: of poll and epoll; of select. */
struct waited {
    struct pollfd *fds;
    nfds_t count;
    int n;
    fd_set *r, *w, *e;
    bool longer;      /* none was ready at once */
    nfds_t signalfd;  /* the first one among fds, + 1; 0: there is none */
    uint64_t signals; /* that it is told of */
};

/* A signalfd shows to whoever asks what is pending for that thread, and it is another that asks. */
static bool any_polled(const struct hdi_op *op)
{
    const struct waited *w = op->data;
    nfds_t at = w->signalfd;

    if (!at || !op->self)
        return hdi_polled(w->fds, w->count);
    return hdi_polled(w->fds, at - 1) || hdi_polled(w->fds + at, w->count - at) ||
           hdi_signal_pends_for(op->self, w->signals);
}

static void look_for_signalfd(struct waited *w)
{
    for (nfds_t i = 0; i < w->count && !w->signals; i++)
        if (w->fds[i].events & POLLIN && (w->signals = hdi_signalfd_mask(w->fds[i].fd)))
            w->signalfd = i + 1;
    if (w->signalfd)
        hdi_self()->signals.pending_hint |= w->signals; /* it was sent before, perhaps */
}

static bool any_selected(const struct hdi_op *op)
{
    const struct waited *s = op->data;
    fd_set r, w, e;
    struct timeval zero = {0, 0};
    int saved = errno, rc;

    if (s->r)
        r = *s->r;
    if (s->w)
        w = *s->w;
    if (s->e)
        e = *s->e;
    rc = (int)hdi_real.syscall(SYS_select, s->n, s->r ? &r : NULL, s->w ? &w : NULL,
                               s->e ? &e : NULL, &zero);
    errno = saved;
    return rc != 0;
}

static bool is_among(const struct waited *s, int fd)
{
    return (s->r && FD_ISSET(fd, s->r)) || (s->w && FD_ISSET(fd, s->w)) ||
           (s->e && FD_ISSET(fd, s->e));
}

/* How many of them are so. */
static nfds_t those(const struct waited *s, bool (*are)(int fd), nfds_t *of)
{
    nfds_t n = 0;

    *of = 0;
    for (nfds_t i = 0; i < s->count; i++)
        if (s->fds[i].fd >= 0 && ++*of)
            n += are(s->fds[i].fd);
    for (int fd = 0; fd < s->n; fd++)
        if (is_among(s, fd) && ++*of)
            n += are(fd);
    return n;
}

static bool is_waited_for(const struct hdi_op *op, int fd)
{
    const struct waited *w = op->data;

    for (nfds_t i = 0; i < w->count; i++)
        if (w->fds[i].fd == fd)
            return true;
    return fd < w->n && is_among(w, fd);
}

static void note_use(const struct waited *w, uint64_t site)
{
    for (nfds_t i = 0; i < w->count; i++)
        hdi_descriptor_used(w->fds[i].fd, site);
    for (int fd = 0; fd < w->n; fd++)
        if (is_among(w, fd))
            hdi_descriptor_used(fd, site);
}

/* Until one of them is ready, or the time-out in ns (< 0: none) has passed. False, with errno: a
 * handler ran. */
static bool await_any(struct waited *w, int64_t timeout_ns, uint64_t site)
{
    bool any = w->count > 0 || (w->n > 0 && (w->r || w->w || w->e));
    struct hdi_op op = {.kind = any ? HD_EV_FD_WAIT : HD_EV_SLEEP,
                        .site = site,
                        .ready = w->count ? any_polled : any_selected,
                        .data = w,
                        .uses = is_waited_for,
                        .until_ns = timeout_ns < 0 ? 0 : hdi_deadline_in(timeout_ns),
                        .elastic = any,
                        .interrupt = HDI_STOPS,
                        .cancellable = true};
    enum hdi_wake wake;
    nfds_t all;

    hdi_tool_hide(w, sizeof *w);
    note_use(w, site);
    if (timeout_ns == 0) {
        op.ready = NULL;
    } else {
        look_for_signalfd(w);
        op.outside = any || timeout_ns < 0;
        w->longer = any && !op.ready(&op);
        op.own = w->longer && those(w, hdi_descriptor_is_own, &all) == all;
        op.timed = w->longer && those(w, hdi_descriptor_is_timed, &all) > 0;
    }
    wake = hdi_perform(&op);
    if (wake == HDI_CANCELLED)
        hdi_cancel_self();
    if (wake != HDI_INTERRUPTED)
        return true;
    errno = EINTR;
    return false;
}

/* The same while `mask`, if it is not NULL, is in force. */
static bool await_masked(struct waited *w, int64_t timeout_ns, const sigset_t *mask, uint64_t site)
{
    uint64_t old = 0;
    bool stopped;

    if (!mask)
        return await_any(w, timeout_ns, site);
    stopped = hdi_mask_replace(mask, &old) || !await_any(w, timeout_ns, site);
    hdi_mask_restore(old);
    if (stopped)
        errno = EINTR;
    return !stopped;
}

/* So many are ready. */
static int found(const struct waited *w, int64_t timeout_ns, int ready)
{
    if (ready > 0)
        hdi_heard(w->longer);
    if (ready == 0 && timeout_ns == 0)
        hdi_retry();
    return ready;
}

static int64_t ns_of_ms(int ms)
{
    return ms < 0 ? -1 : ms * MS;
}

static int64_t ns_of(const struct timespec *timeout)
{
    return timeout ? hdi_deadline_for(timeout) - hdi_now() : -1;
}

static int polls(struct pollfd *fds, nfds_t n, int timeout, uint64_t site)
{
    struct waited w = {.fds = fds, .count = n};

    if (!hdi_enter())
        return hdi_real.poll(fds, n, timeout);
    if (hdi_real_clock())
        HDI_OUTSIDE(int, -1, site, hdi_real.poll(fds, n, timeout));
    if (!await_any(&w, ns_of_ms(timeout), site))
        return -1;
    return found(&w, timeout, hdi_real.poll(fds, n, 0));
}

static int polls_masked(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                        const sigset_t *mask, uint64_t site)
{
    struct waited w = {.fds = fds, .count = n};
    int64_t ns;

    if (!hdi_enter() || (timeout && !hdi_interval_valid(timeout)))
        return hdi_real.ppoll(fds, n, timeout, mask);
    if (hdi_real_clock())
        HDI_OUTSIDE(int, -1, site, hdi_real.ppoll(fds, n, timeout, mask));
    ns = ns_of(timeout);
    if (!await_masked(&w, ns, mask, site))
        return -1;
    return found(&w, ns, hdi_real.poll(fds, n, 0));
}

/* What is in front of a fortified call: there must be room for n of them. */
static void check_room(nfds_t n, size_t room)
{
    if (room / sizeof(struct pollfd) < n)
        hdi_real.__chk_fail();
}

HDI_EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    return polls(fds, n, timeout, HDI_SITE());
}

HDI_EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
    check_room(n, room);
    return polls(fds, n, timeout, HDI_SITE());
}

HDI_EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                     const sigset_t *mask)
{
    return polls_masked(fds, n, timeout, mask, HDI_SITE());
}

HDI_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                           const sigset_t *mask, size_t room)
{
    check_room(n, room);
    return polls_masked(fds, n, timeout, mask, HDI_SITE());
}

HDI_EXPORT int select(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict e,
                      struct timeval *restrict timeout)
{
    struct waited s = {.n = n, .r = r, .w = w, .e = e};
    struct timeval zero = {0, 0};
    int64_t ns;

    if (!hdi_enter() || n < 0 || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return hdi_real.select(n, r, w, e, timeout);
    if (hdi_real_clock())
        HDI_OUTSIDE(int, -1, HDI_SITE(), hdi_real.select(n, r, w, e, timeout));
    ns = timeout ? timeout->tv_sec * 1000 * MS + timeout->tv_usec * 1000LL : -1;
    if (!await_any(&s, ns, HDI_SITE()))
        return -1;
    return found(&s, ns, hdi_real.select(n, r, w, e, &zero));
}

HDI_EXPORT int pselect(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict e,
                       const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    struct waited s = {.n = n, .r = r, .w = w, .e = e};
    struct timespec zero = {0, 0};
    int64_t ns;

    if (!hdi_enter() || n < 0 || (timeout && !hdi_interval_valid(timeout)))
        return hdi_real.pselect(n, r, w, e, timeout, mask);
    if (hdi_real_clock())
        HDI_OUTSIDE(int, -1, HDI_SITE(), hdi_real.pselect(n, r, w, e, timeout, mask));
    ns = ns_of(timeout);
    if (!await_masked(&s, ns, mask, HDI_SITE()))
        return -1;
    return found(&s, ns, hdi_real.pselect(n, r, w, e, &zero, NULL));
}

static int epoll(int ep, struct epoll_event *events, int max, int64_t ns, const sigset_t *mask,
                 uint64_t site)
{
    struct pollfd p = {.fd = ep, .events = POLLIN};
    struct waited w = {.fds = &p, .count = 1};

    hdi_tool_hide(&p, sizeof p);
    if (!await_masked(&w, ns, mask, site))
        return -1;
    return found(&w, ns, hdi_real.epoll_wait(ep, events, max, 0));
}

/* What is ready when it comes into the set ends a wait for it. */
HDI_EXPORT int epoll_ctl(int ep, int operation, int fd, struct epoll_event *event)
{
    uint64_t data = event ? event->data.u64 : 0;

    if (event) /* the kernel keeps it */
        hdi_reach_sent(&data, sizeof data);
    if (hdi_enter()) {
        hdi_descriptor_used(ep, HDI_SITE());
        hdi_descriptor_used(fd, HDI_SITE());
        hdi_told_kernel();
    }
    return hdi_real.epoll_ctl(ep, operation, fd, event);
}

HDI_EXPORT int epoll_wait(int ep, struct epoll_event *events, int max, int timeout)
{
    if (!hdi_enter())
        return hdi_real.epoll_wait(ep, events, max, timeout);
    if (hdi_real_clock())
        HDI_OUTSIDE(int, -1, HDI_SITE(), hdi_real.epoll_wait(ep, events, max, timeout));
    return epoll(ep, events, max, ns_of_ms(timeout), NULL, HDI_SITE());
}

HDI_EXPORT int epoll_pwait(int ep, struct epoll_event *events, int max, int timeout,
                           const sigset_t *mask)
{
    if (!hdi_enter())
        return hdi_real.epoll_pwait(ep, events, max, timeout, mask);
    if (hdi_real_clock())
        HDI_OUTSIDE(int, -1, HDI_SITE(), hdi_real.epoll_pwait(ep, events, max, timeout, mask));
    return epoll(ep, events, max, ns_of_ms(timeout), mask, HDI_SITE());
}

HDI_EXPORT int epoll_pwait2(int ep, struct epoll_event *events, int max,
                            const struct timespec *timeout, const sigset_t *mask)
{
    if (!hdi_enter() || (timeout && !hdi_interval_valid(timeout)))
        return hdi_real.epoll_pwait2(ep, events, max, timeout, mask);
    if (hdi_real_clock())
        HDI_OUTSIDE(int, -1, HDI_SITE(), hdi_real.epoll_pwait2(ep, events, max, timeout, mask));
    return epoll(ep, events, max, ns_of(timeout), mask, HDI_SITE());
}
