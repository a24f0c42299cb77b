/* io.c - system calls that may block.
 *
 * A read that finds nothing would keep the turn for ever. Where poll can tell, the call waits in
 * the model until it is ready, and is then made with the turn held: so hand-over between the
 * program's own threads through pipes and sockets is under control. Any other call that may block
 * leaves control and queues to come back. Regular files never block.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "clock.h"
#include "io.h"
#include "core/observers.h"
#include "core/real.h"
#include "signals.h"
#include "beside/other_tool.h"
#include "core/thread.h"

#define MS 1000000LL

static bool polled(struct pollfd *fds, nfds_t n)
{
    int saved = errno, rc = (int)hdi_real.syscall(SYS_poll, fds, n, 0);
    errno = saved;
    return rc != 0;
}

static bool fd_ready(const struct hdi_op *op)
{
    struct pollfd p = *(const struct pollfd *)op->data;
    return polled(&p, 1);
}

static bool are_own(const struct pollfd *fds, nfds_t n)
{
    for (nfds_t i = 0; i < n; i++)
        if (fds[i].fd >= 0 && !hdi_descriptor_is_own(fds[i].fd))
            return false;
    return n > 0;
}

static bool never_blocks(int fd)
{
    struct stat st;
    int saved = errno;
    bool regular = fstat(fd, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
    errno = saved;
    return regular;
}

/* Who reads what another wrote comes after it. The ends of a pipe are one inode; which sockets
 * belong together the kernel does not say, so all others are taken for one: too much order, never
 * too little. */
static const void *clock_of(int fd)
{
    static const char others;
    struct stat st;
    int saved = errno;
    bool is_pipe = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);

    errno = saved;
    return is_pipe ? (const void *)(1ull << 63 | (uint64_t)st.st_ino) : &others;
}

/* Whoever is told by poll, select or epoll that something is ready comes after all that was
 * sent. */
static const char ready_clock;

static void sends(int fd)
{
    hdi_tell(SENT, .clock = clock_of(fd));
    hdi_tell(SENT, .clock = &ready_clock);
}

static void receives(int fd)
{
    hdi_tell(RECEIVED, .clock = clock_of(fd));
}

static int hears(int ready)
{
    if (ready > 0)
        hdi_tell(RECEIVED, .clock = &ready_clock);
    return ready;
}

static struct hdi_object *fd_object(int fd, uint64_t site)
{
    return hdi_object_get((const void *)(uintptr_t)(unsigned)(fd + 1), HD_OB_FD,
                          sizeof(struct hdi_object), site);
}

/* How long a call may wait at a socket (SO_RCVTIMEO, SO_SNDTIMEO), in ns; 0: for ever. */
static int64_t patience_of(int fd, short events)
{
    struct timeval t = {0, 0};
    socklen_t bytes = sizeof t;

    if (hdi_real.syscall(SYS_getsockopt, fd, SOL_SOCKET,
                         events & POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO, &t, &bytes) != 0)
        return 0;
    return t.tv_sec * 1000 * MS + t.tv_usec * 1000LL;
}

bool hdi_await(int fd, short events, uint64_t site)
{
    struct pollfd p = {.fd = fd, .events = events};
    struct hdi_op op = {.kind = HD_EV_FD_WAIT,
                        .site = site,
                        .ready = fd_ready,
                        .data = &p,
                        .outside = true,
                        .interrupt = HDI_RESTARTS,
                        .cancellable = true};
    enum hdi_wake wake = HDI_READY;
    int flags;

    if (fd < 0 || never_blocks(fd))
        return true;
    hdi_tool_hide(&p, sizeof p); /* others look at it: it is the scheduler's */
    op.object = fd_object(fd, site);
    flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK))
        hdi_point(HD_EV_FD_WAIT, op.object, site);
    else {
        if (!polled(&p, 1)) {
            int64_t patience = patience_of(fd, events);
            op.until_ns = patience > 0 ? hdi_deadline_in(patience) : 0;
            op.elastic = patience > 0;
            op.own = are_own(&p, 1);
        }
        wake = hdi_perform(&op);
    }
    if (wake == HDI_CANCELLED)
        hdi_cancel_self();
    if (wake == HDI_INTERRUPTED || wake == HDI_TIMED_OUT) {
        errno = wake == HDI_INTERRUPTED ? EINTR : EAGAIN;
        return false;
    }
    if (events & POLLOUT)
        sends(fd);
    if (events & POLLIN)
        receives(fd);
    return true;
}

void hdi_touch(int fd, short events, uint64_t site)
{
    if (fd < 0 || never_blocks(fd))
        return;
    hdi_point(HD_EV_FD_WAIT, fd_object(fd, site), site);
    if (events & POLLOUT)
        sends(fd);
    if (events & POLLIN)
        receives(fd);
}

static bool await_unless(bool at_once, int fd, short events, uint64_t site)
{
    if (!at_once)
        return hdi_await(fd, events, site);
    hdi_touch(fd, events, site);
    return true;
}

/* A write of more than a pipe takes at once may block half way. It is about to be made. */
static bool long_write(int fd, size_t bytes)
{
    if (bytes <= PIPE_BUF || never_blocks(fd))
        return false;
    sends(fd);
    return true;
}

static size_t total(const struct iovec *v, int n)
{
    size_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += v[i].iov_len;
    return sum;
}

#define OUTSIDE(type, call)                                                                        \
    do {                                                                                           \
        type rc_;                                                                                  \
        hdi_external_enter(HDI_SITE());                                                            \
        rc_ = (call);                                                                              \
        {                                                                                          \
            int saved_ = errno;                                                                    \
            hdi_external_leave();                                                                  \
            errno = saved_;                                                                        \
        }                                                                                          \
        return rc_;                                                                                \
    } while (0)

HDI_EXPORT ssize_t read(int fd, void *buffer, size_t bytes)
{
    if (hdi_enter() && !hdi_await(fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_real.read(fd, buffer, bytes);
}

HDI_EXPORT ssize_t readv(int fd, const struct iovec *v, int n)
{
    if (hdi_enter() && !hdi_await(fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_real.readv(fd, v, n);
}

HDI_EXPORT ssize_t write(int fd, const void *buffer, size_t bytes)
{
    hdi_tell(BYTES_LEFT, .clock = buffer, .n = (int64_t)bytes);
    if (hdi_enter()) {
        if (long_write(fd, bytes))
            OUTSIDE(ssize_t, hdi_real.write(fd, buffer, bytes));
        if (!hdi_await(fd, POLLOUT, HDI_SITE()))
            return -1;
    }
    return hdi_real.write(fd, buffer, bytes);
}

static void all_sent(const struct iovec *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hdi_tell(BYTES_LEFT, .clock = v[i].iov_base, .n = (int64_t)v[i].iov_len);
}

HDI_EXPORT ssize_t writev(int fd, const struct iovec *v, int n)
{
    all_sent(v, n < 0 ? 0 : (size_t)n);
    if (hdi_enter()) {
        if (long_write(fd, total(v, n)))
            OUTSIDE(ssize_t, hdi_real.writev(fd, v, n));
        if (!hdi_await(fd, POLLOUT, HDI_SITE()))
            return -1;
    }
    return hdi_real.writev(fd, v, n);
}

HDI_EXPORT int accept(int fd, __SOCKADDR_ARG addr, socklen_t *restrict length)
{
    if (hdi_enter() && !hdi_await(fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_real.accept(fd, addr.__sockaddr__, length);
}

HDI_EXPORT int accept4(int fd, __SOCKADDR_ARG addr, socklen_t *restrict length, int flags)
{
    if (hdi_enter() && !hdi_await(fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_real.accept4(fd, addr.__sockaddr__, length, flags);
}

HDI_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t length)
{
    if (hdi_enter())
        OUTSIDE(int, hdi_real.connect(fd, addr.__sockaddr__, length));
    return hdi_real.connect(fd, addr.__sockaddr__, length);
}

HDI_EXPORT int socketpair(int family, int type, int protocol, int fd[2])
{
    int rc = hdi_real.socketpair(family, type, protocol, fd);

    if (rc == 0)
        hdi_pair_made(fd);
    return rc;
}

HDI_EXPORT ssize_t recv(int fd, void *buffer, size_t bytes, int flags)
{
    if (hdi_enter() && !await_unless(flags & MSG_DONTWAIT, fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_real.recv(fd, buffer, bytes, flags);
}

HDI_EXPORT ssize_t recvfrom(int fd, void *restrict buffer, size_t bytes, int flags,
                            __SOCKADDR_ARG addr, socklen_t *restrict length)
{
    if (hdi_enter() && !await_unless(flags & MSG_DONTWAIT, fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_real.recvfrom(fd, buffer, bytes, flags, addr.__sockaddr__, length);
}

HDI_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    if (hdi_enter() && !await_unless(flags & MSG_DONTWAIT, fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_real.recvmsg(fd, message, flags);
}

HDI_EXPORT ssize_t send(int fd, const void *buffer, size_t bytes, int flags)
{
    hdi_tell(BYTES_LEFT, .clock = buffer, .n = (int64_t)bytes);
    if (hdi_enter()) {
        if (!(flags & MSG_DONTWAIT) && long_write(fd, bytes))
            OUTSIDE(ssize_t, hdi_real.send(fd, buffer, bytes, flags));
        if (!await_unless(flags & MSG_DONTWAIT, fd, POLLOUT, HDI_SITE()))
            return -1;
    }
    return hdi_real.send(fd, buffer, bytes, flags);
}

HDI_EXPORT ssize_t sendto(int fd, const void *buffer, size_t bytes, int flags,
                          __CONST_SOCKADDR_ARG addr, socklen_t length)
{
    hdi_tell(BYTES_LEFT, .clock = buffer, .n = (int64_t)bytes);
    if (hdi_enter()) {
        if (!(flags & MSG_DONTWAIT) && long_write(fd, bytes))
            OUTSIDE(ssize_t, hdi_real.sendto(fd, buffer, bytes, flags, addr.__sockaddr__, length));
        if (!await_unless(flags & MSG_DONTWAIT, fd, POLLOUT, HDI_SITE()))
            return -1;
    }
    return hdi_real.sendto(fd, buffer, bytes, flags, addr.__sockaddr__, length);
}

HDI_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    all_sent(message->msg_iov, message->msg_iovlen);
    if (hdi_enter()) {
        if (!(flags & MSG_DONTWAIT) &&
            long_write(fd, total(message->msg_iov, (int)message->msg_iovlen)))
            OUTSIDE(ssize_t, hdi_real.sendmsg(fd, message, flags));
        if (!await_unless(flags & MSG_DONTWAIT, fd, POLLOUT, HDI_SITE()))
            return -1;
    }
    return hdi_real.sendmsg(fd, message, flags);
}

/* ---- ends, counters, and what is handed on by the kernel ---- */

/* Whoever reads the end of the file comes after what was done before it was closed. */
HDI_EXPORT int close(int fd)
{
    if (hdi_enter())
        hdi_touch(fd, POLLOUT, HDI_SITE());
    return hdi_real.close(fd);
}

HDI_EXPORT int shutdown(int fd, int how)
{
    if (hdi_enter())
        hdi_touch(fd, POLLOUT, HDI_SITE());
    return hdi_real.shutdown(fd, how);
}

HDI_EXPORT int eventfd_read(int fd, eventfd_t *value)
{
    if (hdi_enter() && !hdi_await(fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_real.read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}

HDI_EXPORT int eventfd_write(int fd, eventfd_t value)
{
    if (hdi_enter() && !hdi_await(fd, POLLOUT, HDI_SITE()))
        return -1;
    return hdi_real.write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}

HDI_EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t bytes)
{
    if (hdi_enter() && (!hdi_await(in, POLLIN, HDI_SITE()) || !hdi_await(out, POLLOUT, HDI_SITE())))
        return -1;
    return hdi_real.sendfile(out, in, offset, bytes);
}

HDI_EXPORT ssize_t splice(int in, off64_t *from, int out, off64_t *to, size_t bytes, unsigned flags)
{
    bool at_once = flags & SPLICE_F_NONBLOCK;

    if (hdi_enter() && (!await_unless(at_once, in, POLLIN, HDI_SITE()) ||
                        !await_unless(at_once, out, POLLOUT, HDI_SITE())))
        return -1;
    return hdi_real.splice(in, from, out, to, bytes, flags);
}

/* ---- waiting for several ---- */

static bool waited(enum hdi_wake wake)
{
    if (wake == HDI_CANCELLED)
        hdi_cancel_self();
    if (wake != HDI_INTERRUPTED)
        return true;
    errno = EINTR;
    return false;
}

struct poll_wait {
    struct pollfd *fds;
    nfds_t n;
};

static bool any_ready(const struct hdi_op *op)
{
    const struct poll_wait *w = op->data;
    return polled(w->fds, w->n);
}

/* Until one of them is ready, or the time-out in ns (< 0: none) has passed. False, with errno: a
 * handler ran. */
static bool await_any(struct pollfd *fds, nfds_t n, int64_t timeout_ns, uint64_t site)
{
    struct poll_wait w = {fds, n};
    struct hdi_op op = {.kind = n ? HD_EV_FD_WAIT : HD_EV_SLEEP,
                        .site = site,
                        .ready = any_ready,
                        .data = &w,
                        .until_ns = timeout_ns < 0 ? 0 : hdi_deadline_in(timeout_ns),
                        .elastic = n > 0,
                        .outside = n > 0 || timeout_ns < 0,
                        .interrupt = HDI_STOPS,
                        .cancellable = true};

    hdi_tool_hide(&w, sizeof w);
    op.own = n > 0 && !polled(fds, n) && are_own(fds, n);
    return waited(hdi_perform(&op));
}

HDI_EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    if (hdi_enter() && !hdi_real_clock()) {
        if (!await_any(fds, n, timeout < 0 ? -1 : timeout * MS, HDI_SITE()))
            return -1;
        return hears(hdi_real.poll(fds, n, 0));
    }
    if (hdi_self() && hdi_enter())
        OUTSIDE(int, hdi_real.poll(fds, n, timeout));
    return hdi_real.poll(fds, n, timeout);
}

static int64_t ns_of(const struct timespec *timeout)
{
    return timeout ? hdi_deadline_for(timeout) - hdi_now() : -1;
}

HDI_EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                     const sigset_t *mask)
{
    struct timespec zero = {0, 0};
    uint64_t old = 0;
    bool stopped;

    if (!hdi_enter() || (timeout && !hdi_interval_valid(timeout)))
        return hdi_real.ppoll(fds, n, timeout, mask);
    if (hdi_real_clock())
        OUTSIDE(int, hdi_real.ppoll(fds, n, timeout, mask));
    stopped = mask && hdi_mask_replace(mask, &old);
    stopped = stopped || !await_any(fds, n, ns_of(timeout), HDI_SITE());
    if (mask)
        hdi_mask_restore(old);
    if (stopped) {
        errno = EINTR;
        return -1;
    }
    return hears(hdi_real.ppoll(fds, n, &zero, NULL));
}

struct select_wait {
    int n;
    fd_set *r, *w, *e;
};

static bool select_ready(const struct hdi_op *op)
{
    const struct select_wait *s = op->data;
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

static bool selects_own(const struct select_wait *s)
{
    for (int fd = 0; fd < s->n; fd++)
        if (((s->r && FD_ISSET(fd, s->r)) || (s->w && FD_ISSET(fd, s->w)) ||
             (s->e && FD_ISSET(fd, s->e))) &&
            !hdi_descriptor_is_own(fd))
            return false;
    return true;
}

static bool await_select(int n, fd_set *r, fd_set *w, fd_set *e, int64_t timeout_ns, uint64_t site)
{
    struct select_wait s = {n, r, w, e};
    bool fds = n > 0 && (r || w || e);
    struct hdi_op op = {.kind = fds ? HD_EV_FD_WAIT : HD_EV_SLEEP,
                        .site = site,
                        .ready = select_ready,
                        .data = &s,
                        .until_ns = timeout_ns < 0 ? 0 : hdi_deadline_in(timeout_ns),
                        .elastic = fds,
                        .outside = fds || timeout_ns < 0,
                        .interrupt = HDI_STOPS,
                        .cancellable = true};

    hdi_tool_hide(&s, sizeof s);
    op.own = fds && !select_ready(&op) && selects_own(&s);
    return waited(hdi_perform(&op));
}

HDI_EXPORT int select(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict e,
                      struct timeval *restrict timeout)
{
    struct timeval zero = {0, 0};

    if (!hdi_enter() || n < 0 || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return hdi_real.select(n, r, w, e, timeout);
    if (hdi_real_clock())
        OUTSIDE(int, hdi_real.select(n, r, w, e, timeout));
    if (!await_select(n, r, w, e,
                      timeout ? timeout->tv_sec * 1000 * MS + timeout->tv_usec * 1000LL : -1,
                      HDI_SITE()))
        return -1;
    return hears(hdi_real.select(n, r, w, e, &zero));
}

HDI_EXPORT int pselect(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict e,
                       const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    struct timespec zero = {0, 0};
    uint64_t old = 0;
    bool stopped;

    if (!hdi_enter() || (timeout && !hdi_interval_valid(timeout)))
        return hdi_real.pselect(n, r, w, e, timeout, mask);
    if (hdi_real_clock())
        OUTSIDE(int, hdi_real.pselect(n, r, w, e, timeout, mask));
    stopped = mask && hdi_mask_replace(mask, &old);
    stopped = stopped || !await_select(n, r, w, e, ns_of(timeout), HDI_SITE());
    if (mask)
        hdi_mask_restore(old);
    if (stopped) {
        errno = EINTR;
        return -1;
    }
    return hears(hdi_real.pselect(n, r, w, e, &zero, NULL));
}

HDI_EXPORT int epoll_wait(int ep, struct epoll_event *events, int max, int timeout)
{
    struct pollfd p = {.fd = ep, .events = POLLIN};

    if (!hdi_enter())
        return hdi_real.epoll_wait(ep, events, max, timeout);
    if (hdi_real_clock())
        OUTSIDE(int, hdi_real.epoll_wait(ep, events, max, timeout));
    if (!await_any(&p, 1, timeout < 0 ? -1 : timeout * MS, HDI_SITE()))
        return -1;
    return hears(hdi_real.epoll_wait(ep, events, max, 0));
}

HDI_EXPORT int epoll_pwait(int ep, struct epoll_event *events, int max, int timeout,
                           const sigset_t *mask)
{
    struct pollfd p = {.fd = ep, .events = POLLIN};
    uint64_t old = 0;
    bool stopped;

    if (!hdi_enter())
        return hdi_real.epoll_pwait(ep, events, max, timeout, mask);
    if (hdi_real_clock())
        OUTSIDE(int, hdi_real.epoll_pwait(ep, events, max, timeout, mask));
    stopped = mask && hdi_mask_replace(mask, &old);
    stopped = stopped || !await_any(&p, 1, timeout < 0 ? -1 : timeout * MS, HDI_SITE());
    if (mask)
        hdi_mask_restore(old);
    if (stopped) {
        errno = EINTR;
        return -1;
    }
    return hears(hdi_real.epoll_wait(ep, events, max, 0));
}

/* ---- what poll cannot tell ---- */

#define LEAVES(type, name, args, call)                                                             \
    HDI_EXPORT type name args                                                                      \
    {                                                                                              \
        if (hdi_enter())                                                                           \
            OUTSIDE(type, hdi_real.name call);                                                     \
        return hdi_real.name call;                                                                 \
    }

LEAVES(int, flock, (int fd, int operation), (fd, operation))
LEAVES(int, lockf, (int fd, int command, off_t length), (fd, command, length))
LEAVES(int, system, (const char *command), (command))
LEAVES(int, pclose, (FILE * stream), (stream))
