/* io.c - reading and writing what may block.
 *
 * A read that finds nothing would keep the turn for ever. Where poll can tell, the call waits in
 * the model until it is ready, and is then made with the turn held: so hand-over between the
 * program's own threads through pipes and sockets is under control. Any other call that may block
 * leaves control and queues to come back. Regular files never block.
 *
 * Order: who reads comes after who wrote, and who waited for room after who made it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "children.h"
#include "clock.h"
#include "io.h"
#include "kernel_order.h"
#include "file_locks.h"
#include "core/observers.h"
#include "core/real.h"
#include "signals.h"
#include "beside/other_tool.h"
#include "core/thread.h"
#include "memory/access.h"
#include "memory/descriptor_race.h"
#include "timerfd.h"

#define MS 1000000LL

bool hdi_polled(struct pollfd *fds, nfds_t n)
{
    int saved = errno, rc = (int)hdi_real.syscall(SYS_poll, fds, n, 0);
    errno = saved;
    return rc != 0;
}

static bool fd_ready(const struct hdi_op *op)
{
    struct pollfd p = *(const struct pollfd *)op->data;
    return hdi_polled(&p, 1);
}

bool hdi_never_blocks(int fd)
{
    struct stat st;
    int saved = errno;
    bool regular = fstat(fd, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
    errno = saved;
    if (regular && fd > STDERR_FILENO)
        hdi_touched_files();
    return regular;
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

/* A regular file: nobody waits, but a child may have written what is read. */
static bool passes_file(int fd, short events)
{
    if (!hdi_never_blocks(fd))
        return false;
    if (events & POLLOUT)
        hdi_to_others(true);
    if (events & POLLIN)
        hdi_from_others(true);
    return true;
}

static void touch(int fd, short events, uint64_t site)
{
    if (fd < 0 || passes_file(fd, events))
        return;
    hdi_point(HD_EV_FD_WAIT, fd_object(fd, site), site);
    if (events & POLLOUT)
        hdi_sends(fd);
    if (events & POLLIN)
        hdi_receives(fd);
}

void hdi_touch(int fd, short events, uint64_t site)
{
    hdi_descriptor_used(fd, site);
    touch(fd, events, site);
}

/* A call that does not wait, and may find no room. */
static void tries(int fd, short events, uint64_t site)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    touch(fd, events, site);
    if (events & POLLOUT && !hdi_never_blocks(fd) && !hdi_polled(&p, 1))
        hdi_found_full();
}

static bool await(int fd, short events, enum hdi_interrupt interrupt, uint64_t site)
{
    struct pollfd p = {.fd = fd, .events = events};
    struct hdi_op op = {.kind = HD_EV_FD_WAIT,
                        .site = site,
                        .ready = fd_ready,
                        .data = &p,
                        .outside = true,
                        .interrupt = (uint8_t)interrupt,
                        .cancellable = true};
    enum hdi_wake wake = HDI_READY;
    bool waits = false;
    uint64_t signals;
    int flags;

    hdi_descriptor_used(fd, site);
    if (fd < 0 || passes_file(fd, events))
        return true;
    hdi_tool_hide(&p, sizeof p); /* others look at it: it is the scheduler's */
    op.object = fd_object(fd, site);
    flags = hdi_real.fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK)) {
        tries(fd, events, site);
        return true;
    }
    if (events == POLLIN && (signals = hdi_signalfd_mask(fd)))
        return hdi_await_signal(signals, site);
    waits = !hdi_polled(&p, 1);
    if (waits) {
        int64_t patience = patience_of(fd, events);
        op.until_ns = patience > 0 ? hdi_deadline_in(patience) : 0;
        op.elastic = patience > 0;
        op.own = hdi_descriptor_is_own(fd);
        op.timed = hdi_descriptor_is_timed(fd);
    }
    wake = hdi_perform(&op);
    if (wake == HDI_CANCELLED)
        hdi_cancel_self();
    if (wake == HDI_INTERRUPTED || wake == HDI_TIMED_OUT) {
        errno = wake == HDI_INTERRUPTED ? EINTR : EAGAIN;
        return false;
    }
    if (waits && events & POLLOUT)
        hdi_found_full();
    if (events & POLLOUT)
        hdi_sends(fd);
    if (events & POLLIN)
        hdi_receives(fd);
    return true;
}

bool hdi_await(int fd, short events, uint64_t site)
{
    return await(fd, events, HDI_RESTARTS, site);
}

void hdi_await_stream(int fd, uint64_t site)
{
    await(fd, POLLIN, HDI_GOES_ON, site);
}

bool hdi_await_unless(bool at_once, int fd, short events, uint64_t site)
{
    if (!at_once)
        return hdi_await(fd, events, site);
    hdi_descriptor_used(fd, site);
    tries(fd, events, site);
    return true;
}

static bool may_block(int fd)
{
    int flags = hdi_real.fcntl(fd, F_GETFL);

    return flags >= 0 && !(flags & O_NONBLOCK) && !hdi_never_blocks(fd);
}

bool hdi_long_write(int fd, size_t bytes, uint64_t site)
{
    if (bytes <= PIPE_BUF || !may_block(fd))
        return false;
    hdi_descriptor_used(fd, site);
    hdi_sends(fd);
    return true;
}

static bool is_stream_socket(int fd)
{
    int type = 0;
    socklen_t bytes = sizeof type;

    return hdi_real.syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 &&
           type == SOCK_STREAM;
}

bool hdi_takes_parts(int fd, size_t bytes)
{
    struct stat st;
    int saved = errno;
    bool takes = bytes > PIPE_BUF && may_block(fd) && fstat(fd, &st) == 0 &&
                 (S_ISFIFO(st.st_mode) || is_stream_socket(fd));

    errno = saved;
    return takes;
}

bool hdi_comes_in_parts(int fd)
{
    int saved = errno;
    bool comes = may_block(fd) && is_stream_socket(fd);

    errno = saved;
    return comes;
}

/* A pipe takes what fits into it whole, or not at all; what is read of one may be any part. */
static bool may_be_short(int fd, size_t bytes, enum hdp_fault_kind kind)
{
    struct stat st;
    int saved = errno;
    bool may = bytes > 1 && fstat(fd, &st) == 0 &&
               (S_ISREG(st.st_mode) || is_stream_socket(fd) ||
                (S_ISFIFO(st.st_mode) && (kind == HDP_FAULT_READ || bytes > PIPE_BUF)));

    errno = saved;
    return may;
}

size_t hdi_fewer(int fd, size_t bytes, enum hdp_fault_kind kind, uint64_t site)
{
    return hdi_faults >> kind & 1 && may_be_short(fd, bytes, kind) && hdi_fault(kind, site)
               ? bytes / 2
               : bytes;
}

const struct iovec *hdi_fewer_pieces(int fd, const struct iovec *v, int *n, struct iovec *piece,
                                     enum hdp_fault_kind kind, uint64_t site)
{
    size_t bytes = 0;

    if (!(hdi_faults >> kind & 1))
        return v;
    for (int i = 0; i < *n; i++)
        bytes += v[i].iov_len;
    if (hdi_fewer(fd, bytes, kind, site) == bytes)
        return v;
    while (!v->iov_len)
        v++;
    *piece = (struct iovec){v->iov_base, v->iov_len < bytes / 2 ? v->iov_len : bytes / 2};
    *n = 1;
    return piece;
}

ssize_t hdi_write_parts(int fd, const struct iovec *v, size_t n, int flags, uint64_t site)
{
    bool socket = is_stream_socket(fd), waits = true;
    ssize_t done = 0;

    for (size_t i = 0; i < n; i++) {
        const char *from = v[i].iov_base;
        size_t left = v[i].iov_len;
        while (left) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            ssize_t part;
            if (waits && !hdi_await(fd, POLLOUT, site))
                return done ? done : -1;
            /* What has come part of the way raises no SIGPIPE at a socket. */
            part = socket ? hdi_real.send(fd, from, left,
                                          flags | MSG_DONTWAIT | (done > 0 ? MSG_NOSIGNAL : 0))
                          : hdi_real.write(fd, from, left < PIPE_BUF ? left : PIPE_BUF);
            if (part < 0 && (!socket || errno != EAGAIN))
                return done ? done : -1;
            waits = part < 0 || !hdi_polled(&p, 1);
            if (part < 0)
                continue;
            done += part;
            from += part;
            left -= (size_t)part;
        }
    }
    return done;
}

/* The call has left control, and comes back with what it had to wait for. */
void hdi_returns(int fd)
{
    int saved = errno;

    hdi_external_leave();
    if (fd >= 0)
        hdi_finds_room(fd);
    errno = saved;
}

ssize_t hdi_handed_on(ssize_t rc, uint64_t site)
{
    int saved = errno;

    if (rc >= 0 && hdi_controlled())
        hdi_released(NULL, site);
    errno = saved;
    return rc;
}

/* What is read of a timerfd or signalfd is the model's to say. */
static ssize_t took(int fd, void *buffer, ssize_t n, uint64_t site)
{
    hdi_timerfd_taken(fd, buffer, n);
    hdi_signalfd_taken(fd, buffer, n);
    hdi_call_writes(buffer, n > 0 ? (size_t)n : 0, site);
    return n;
}

void hdi_bytes_came(const struct iovec *v, size_t n, ssize_t bytes, uint64_t site)
{
    for (size_t i = 0; i < n && bytes > 0; i++) {
        size_t part = (size_t)bytes < v[i].iov_len ? (size_t)bytes : v[i].iov_len;
        hdi_call_writes(v[i].iov_base, part, site);
        bytes -= (ssize_t)part;
    }
}

#define READS(name, params, args)                                                                  \
    HDI_EXPORT ssize_t name params                                                                 \
    {                                                                                              \
        if (hdi_enter() && !hdi_await(fd, POLLIN, HDI_SITE()))                                     \
            return -1;                                                                             \
        bytes = hdi_fewer(fd, bytes, HDP_FAULT_READ, HDI_SITE());                                  \
        return took(fd, buffer, hdi_real.name args, HDI_SITE());                                   \
    }

READS(read, (int fd, void *buffer, size_t bytes), (fd, buffer, bytes))
READS(__read_chk, (int fd, void *buffer, size_t bytes, size_t room), (fd, buffer, bytes, room))

HDI_EXPORT ssize_t readv(int fd, const struct iovec *v, int n)
{
    struct iovec piece;

    if (hdi_enter() && !hdi_await(fd, POLLIN, HDI_SITE()))
        return -1;
    v = hdi_fewer_pieces(fd, v, &n, &piece, HDP_FAULT_READ, HDI_SITE());
    if (n == 1)
        return took(fd, v->iov_base, hdi_real.readv(fd, v, n), HDI_SITE());
    ssize_t bytes = hdi_real.readv(fd, v, n);
    hdi_bytes_came(v, n < 0 ? 0 : (size_t)n, bytes, HDI_SITE());
    return bytes;
}

HDI_EXPORT ssize_t write(int fd, const void *buffer, size_t bytes)
{
    bytes = hdi_fewer(fd, bytes, HDP_FAULT_WRITE, HDI_SITE());
    hdi_tell(BYTES_LEFT, .clock = buffer, .n = (int64_t)bytes, .site = HDI_SITE());
    if (hdi_enter()) {
        if (hdi_takes_parts(fd, bytes)) {
            struct iovec all = {(void *)(uintptr_t)buffer, bytes};
            return hdi_handed_on(hdi_write_parts(fd, &all, 1, 0, HDI_SITE()), HDI_SITE());
        }
        if (hdi_long_write(fd, bytes, HDI_SITE()))
            HDI_OUTSIDE(ssize_t, fd, HDI_SITE(), hdi_real.write(fd, buffer, bytes));
        if (!hdi_await(fd, POLLOUT, HDI_SITE()))
            return -1;
        if (!hdi_never_blocks(fd))
            return hdi_handed_on(hdi_real.write(fd, buffer, bytes), HDI_SITE());
    }
    return hdi_real.write(fd, buffer, bytes);
}

size_t hdi_bytes_left(const struct iovec *v, size_t n, uint64_t site)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        hdi_tell(BYTES_LEFT, .clock = v[i].iov_base, .n = (int64_t)v[i].iov_len, .site = site);
        sum += v[i].iov_len;
    }
    return sum;
}

HDI_EXPORT ssize_t writev(int fd, const struct iovec *v, int n)
{
    struct iovec piece;
    v = hdi_fewer_pieces(fd, v, &n, &piece, HDP_FAULT_WRITE, HDI_SITE());
    size_t bytes = hdi_bytes_left(v, n < 0 ? 0 : (size_t)n, HDI_SITE());

    if (hdi_enter()) {
        if (n <= IOV_MAX && hdi_takes_parts(fd, bytes))
            return hdi_handed_on(hdi_write_parts(fd, v, (size_t)n, 0, HDI_SITE()), HDI_SITE());
        if (hdi_long_write(fd, bytes, HDI_SITE()))
            HDI_OUTSIDE(ssize_t, fd, HDI_SITE(), hdi_real.writev(fd, v, n));
        if (!hdi_await(fd, POLLOUT, HDI_SITE()))
            return -1;
        if (!hdi_never_blocks(fd))
            return hdi_handed_on(hdi_real.writev(fd, v, n), HDI_SITE());
    }
    return hdi_real.writev(fd, v, n);
}

/* ---- ends, counters, and what is handed on by the kernel ---- */

/* Whoever reads the end of the file comes after what was done before it was closed; whoever gets a
 * lock of the file, too. */
static void closes(int fd, uint64_t site)
{
    touch(fd, POLLOUT, site);
    hdi_makes_room(fd);
    hdi_file_unlocks(fd, site);
}

HDI_EXPORT int close(int fd)
{
    bool handed = hdi_enter() && !hdi_never_blocks(fd);

    if (hdi_enter()) {
        closes(fd, HDI_SITE());
        hdi_descriptor_closes(fd, HDI_SITE());
    }
    return handed ? (int)hdi_handed_on(hdi_real.close(fd), HDI_SITE()) : hdi_real.close(fd);
}

HDI_EXPORT int dup2(int fd, int to)
{
    int rc;

    hdi_touched_files();
    if (hdi_enter())
        hdi_descriptor_used(fd, HDI_SITE());
    if (fd != to && hdi_enter())
        closes(to, HDI_SITE());
    rc = hdi_real.dup2(fd, to);
    return fd == to ? rc : hdi_descriptor_opened(rc, HDI_SITE());
}

HDI_EXPORT int dup3(int fd, int to, int flags)
{
    int rc;

    hdi_touched_files();
    if (hdi_enter())
        hdi_descriptor_used(fd, HDI_SITE());
    if (fd != to && hdi_enter())
        closes(to, HDI_SITE());
    rc = hdi_real.dup3(fd, to, flags);
    return fd == to ? rc : hdi_descriptor_opened(rc, HDI_SITE());
}

#define OPENS(name, params, args)                                                                  \
    HDI_EXPORT int name params                                                                     \
    {                                                                                              \
        return hdi_descriptor_opened(hdi_real.name args, HDI_SITE());                              \
    }

OPENS(dup, (int fd), (fd))
OPENS(socket, (int family, int type, int protocol), (family, type, protocol))
OPENS(eventfd, (unsigned value, int flags), (value, flags))
OPENS(epoll_create, (int size), (size))
OPENS(memfd_create, (const char *name, unsigned flags), (name, flags))
OPENS(epoll_create1, (int flags), (flags))

static int both_opened(int rc, const int fd[2], uint64_t site)
{
    for (int i = 0; rc == 0 && i < 2; i++)
        hdi_descriptor_opened(fd[i], site);
    return rc;
}

HDI_EXPORT int pipe(int fd[2])
{
    return both_opened(hdi_real.pipe(fd), fd, HDI_SITE());
}

HDI_EXPORT int pipe2(int fd[2], int flags)
{
    return both_opened(hdi_real.pipe2(fd, flags), fd, HDI_SITE());
}

/* How much there is to be read. */
HDI_EXPORT int ioctl(int fd, unsigned long request, ...)
{
    bool counts = request == FIONREAD && hdi_enter();
    va_list ap;
    void *arg;
    int rc;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);
    if (counts)
        hdi_point(HD_EV_FD_WAIT, fd_object(fd, HDI_SITE()), HDI_SITE());
    if (hdi_enter())
        hdi_descriptor_used(fd, HDI_SITE());
    rc = hdi_real.ioctl(fd, request, arg);
    if (counts && rc == 0 && arg && *(const int *)arg > 0)
        hdi_receives(fd);
    return rc;
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
    return hdi_handed_on(hdi_real.write(fd, &value, sizeof value), HDI_SITE()) == sizeof value ? 0
                                                                                               : -1;
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

    if (hdi_enter() && (!hdi_await_unless(at_once, in, POLLIN, HDI_SITE()) ||
                        !hdi_await_unless(at_once, out, POLLOUT, HDI_SITE())))
        return -1;
    return hdi_real.splice(in, from, out, to, bytes, flags);
}

HDI_EXPORT ssize_t vmsplice(int fd, const struct iovec *v, size_t n, unsigned flags)
{
    short events = (hdi_real.fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? POLLIN : POLLOUT;
    size_t bytes = events == POLLOUT ? hdi_bytes_left(v, n, HDI_SITE()) : 0;

    if (hdi_enter()) {
        if (!(flags & SPLICE_F_NONBLOCK) && hdi_long_write(fd, bytes, HDI_SITE()))
            HDI_OUTSIDE(ssize_t, fd, HDI_SITE(), hdi_real.vmsplice(fd, v, n, flags));
        if (!hdi_await_unless(flags & SPLICE_F_NONBLOCK, fd, events, HDI_SITE()))
            return -1;
    }
    return hdi_real.vmsplice(fd, v, n, flags);
}

HDI_EXPORT ssize_t tee(int in, int out, size_t bytes, unsigned flags)
{
    bool at_once = flags & SPLICE_F_NONBLOCK;

    if (hdi_enter() && (!hdi_await_unless(at_once, in, POLLIN, HDI_SITE()) ||
                        !hdi_await_unless(at_once, out, POLLOUT, HDI_SITE())))
        return -1;
    return hdi_real.tee(in, out, bytes, flags);
}

/* ---- what poll cannot tell ---- */

HDI_EXPORT int system(const char *command)
{
    if (hdi_enter()) {
        if (hdi_controlled())
            hdi_masks_note();
        hdi_child_passes();
        HDI_OUTSIDE(int, -1, HDI_SITE(), hdi_real.system(command));
    }
    return hdi_real.system(command);
}

HDI_EXPORT int pclose(FILE *stream)
{
    if (hdi_enter())
        HDI_OUTSIDE(int, -1, HDI_SITE(), hdi_real.pclose(stream));
    return hdi_real.pclose(stream);
}
