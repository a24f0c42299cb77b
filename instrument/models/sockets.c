/* sockets.c - connections, and the calls that only sockets have. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "clock.h"
#include "core/control.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "memory/access.h"
#include "memory/descriptor_race.h"
#include "io.h"
#include "kernel_order.h"

/* A connection is not made anew for each schedule: each makes its own. */
static bool enter_to_connect(void)
{
    if (!hdi_enter())
        return false;
    hdi_first_thread();
    return true;
}

HDI_EXPORT int accept(int fd, __SOCKADDR_ARG addr, socklen_t *restrict length)
{
    if (enter_to_connect() && !hdi_await(fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_descriptor_opened(hdi_real.accept(fd, addr.__sockaddr__, length), HDI_SITE());
}

HDI_EXPORT int accept4(int fd, __SOCKADDR_ARG addr, socklen_t *restrict length, int flags)
{
    if (enter_to_connect() && !hdi_await(fd, POLLIN, HDI_SITE()))
        return -1;
    return hdi_descriptor_opened(hdi_real.accept4(fd, addr.__sockaddr__, length, flags),
                                 HDI_SITE());
}

HDI_EXPORT int listen(int fd, int backlog)
{
    if (hdi_enter())
        hdi_told_kernel();
    return hdi_real.listen(fd, backlog);
}

/* Without waiting first. One that has to wait can be waited for, but where the queue of a local
 * socket is full. */
static int connect_in_turn(int fd, const struct sockaddr *address, socklen_t length, uint64_t site)
{
    int flags = hdi_real.fcntl(fd, F_GETFL), rc;

    hdi_touch(fd, POLLOUT, site);
    if (flags < 0 || (flags & O_NONBLOCK)) {
        hdi_heard(false);
        return hdi_real.connect(fd, address, length);
    }
    hdi_real.syscall(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
    rc = hdi_real.connect(fd, address, length);
    hdi_real.syscall(SYS_fcntl, fd, F_SETFL, flags);
    hdi_heard(false); /* that somebody listens */
    /* When it has ended, the same call says how, and leaves the socket as after that. */
    if (rc != 0 && (errno == EINPROGRESS || errno == EALREADY))
        return hdi_await(fd, POLLOUT, site) ? hdi_real.connect(fd, address, length) : -1;
    if (rc != 0 && errno == EAGAIN)
        HDI_OUTSIDE(int, fd, site, hdi_real.connect(fd, address, length));
    return rc;
}

HDI_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t length)
{
    return enter_to_connect() ? connect_in_turn(fd, addr.__sockaddr__, length, HDI_SITE())
                              : hdi_real.connect(fd, addr.__sockaddr__, length);
}

HDI_EXPORT int socketpair(int family, int type, int protocol, int fd[2])
{
    int rc = hdi_real.socketpair(family, type, protocol, fd);

    if (rc == 0) {
        hdi_descriptor_opened(fd[0], HDI_SITE());
        hdi_descriptor_opened(fd[1], HDI_SITE());
        hdi_pair_made(fd);
    }
    return rc;
}

/* MSG_WAITALL: as it comes, each part when it is there. */
static ssize_t receive_all(int fd, char *to, size_t bytes, int flags, uint64_t site)
{
    size_t got = 0;
    ssize_t n = 0;

    while (got < bytes) {
        if (!hdi_await(fd, POLLIN, site)) {
            n = -1;
            break;
        }
        n = hdi_real.recv(fd, to + got, bytes - got, (flags & ~MSG_WAITALL) | MSG_DONTWAIT);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0 || errno != EAGAIN)
            break;
    }
    hdi_call_writes(to, got, site);
    return got ? (ssize_t)got : n;
}

static bool is_for_all(int fd, int flags)
{
    return (flags & (MSG_WAITALL | MSG_DONTWAIT | MSG_PEEK)) == MSG_WAITALL && hdi_enter() &&
           hdi_comes_in_parts(fd);
}

/* in_parts: the call could as well be several. */
#define RECEIVES(name, params, args, in_parts)                                                     \
    HDI_EXPORT ssize_t name params                                                                 \
    {                                                                                              \
        if (hdi_enter())                                                                           \
            bytes = hdi_fewer(fd, bytes, HDP_FAULT_READ, HDI_SITE());                              \
        if ((in_parts) && is_for_all(fd, flags))                                                   \
            return receive_all(fd, buffer, bytes, flags, HDI_SITE());                              \
        if (hdi_enter() && !hdi_await_unless(flags & MSG_DONTWAIT, fd, POLLIN, HDI_SITE()))        \
            return -1;                                                                             \
        ssize_t n = hdi_real.name args;                                                            \
        hdi_call_writes(buffer, n > 0 ? (size_t)n : 0, HDI_SITE());                                \
        return n;                                                                                  \
    }

RECEIVES(recv, (int fd, void *buffer, size_t bytes, int flags), (fd, buffer, bytes, flags), true)
RECEIVES(__recv_chk, (int fd, void *buffer, size_t bytes, size_t room, int flags),
         (fd, buffer, bytes, room, flags), bytes <= room)
RECEIVES(recvfrom,
         (int fd, void *restrict buffer, size_t bytes, int flags, __SOCKADDR_ARG addr,
          socklen_t *restrict length),
         (fd, buffer, bytes, flags, addr.__sockaddr__, length), !addr.__sockaddr__)
RECEIVES(__recvfrom_chk,
         (int fd, void *restrict buffer, size_t bytes, size_t room, int flags, __SOCKADDR_ARG addr,
          socklen_t *restrict length),
         (fd, buffer, bytes, room, flags, addr.__sockaddr__, length),
         bytes <= room && !addr.__sockaddr__)

static bool has_rights(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            return true;
    return false;
}

/* MSG_WAITALL: see receive_all(). Whoever sent it and what came beside the bytes is told with the first part that has
 * it; behind descriptors the kernel waits for no more. */
static ssize_t receive_message_in_parts(int fd, struct msghdr *message, int flags, uint64_t site)
{
    struct msghdr part = *message;
    const size_t room = message->msg_controllen;
    size_t got = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++) {
        struct iovec rest = message->msg_iov[i];
        while (rest.iov_len) {
            if (!hdi_await(fd, POLLIN, site))
                return got ? (ssize_t)got : -1;
            part.msg_iov = &rest;
            part.msg_iovlen = 1;
            ssize_t n = hdi_real.recvmsg(fd, &part, (flags & ~MSG_WAITALL) | MSG_DONTWAIT);
            if (n < 0 && errno == EAGAIN)
                continue;
            if (n >= 0 && !got)
                message->msg_namelen = part.msg_namelen;
            if (n >= 0 && (!got || part.msg_control)) {
                message->msg_controllen = part.msg_controllen;
                message->msg_flags = part.msg_flags;
            }
            if (n <= 0 || (part.msg_control && has_rights(&part)))
                return got || n > 0 ? (ssize_t)(got + (size_t)(n > 0 ? n : 0)) : n;
            got += (size_t)n;
            rest.iov_base = (char *)rest.iov_base + n;
            rest.iov_len -= (size_t)n;
            part.msg_name = NULL;
            part.msg_namelen = 0;
            if (part.msg_controllen)
                part.msg_control = NULL;
            part.msg_controllen = part.msg_control ? room : 0;
        }
    }
    return (ssize_t)got;
}

static size_t room_of(const struct msghdr *message)
{
    size_t bytes = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++)
        bytes += message->msg_iov[i].iov_len;
    return bytes;
}

static ssize_t receive(int fd, struct msghdr *message, int flags, uint64_t site)
{
    if (is_for_all(fd, flags) && room_of(message)) {
        ssize_t n = receive_message_in_parts(fd, message, flags, site);
        hdi_bytes_came(message->msg_iov, message->msg_iovlen, n, site);
        return n;
    }
    if (!hdi_await_unless(flags & MSG_DONTWAIT, fd, POLLIN, site))
        return -1;
    ssize_t n = hdi_real.recvmsg(fd, message, flags);
    hdi_bytes_came(message->msg_iov, message->msg_iovlen, n, site);
    return n;
}

HDI_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return hdi_enter() ? receive(fd, message, flags, HDI_SITE())
                       : hdi_real.recvmsg(fd, message, flags);
}

/* One by one; it looks at the time after each. */
HDI_EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags,
                        struct timespec *timeout)
{
    int64_t until = 0;
    unsigned i;

    if (!hdi_enter() || (timeout && !hdi_interval_valid(timeout)))
        return hdi_real.recvmmsg(fd, messages, n, flags, timeout);
    if (timeout)
        until = hdi_deadline_for(timeout);
    for (i = 0; i < n && (!timeout || i == 0 || hdi_now() < until); i++) {
        bool at_once = i > 0 && flags & MSG_WAITFORONE;
        ssize_t bytes =
            receive(fd, &messages[i].msg_hdr,
                    (flags & ~MSG_WAITFORONE) | (at_once ? MSG_DONTWAIT : 0), HDI_SITE());
        if (bytes < 0)
            break;
        messages[i].msg_len = (unsigned)bytes;
    }
    return i || !n ? (int)i : -1;
}

/* About to send: true when that can be done with the turn held, or is refused with errno. */
static bool may_send(int fd, size_t bytes, int flags, uint64_t site, bool *refused)
{
    if (!(flags & MSG_DONTWAIT) && hdi_long_write(fd, bytes, site))
        return false;
    *refused = !hdi_await_unless(flags & MSG_DONTWAIT, fd, POLLOUT, site);
    return true;
}

HDI_EXPORT ssize_t sendto(int fd, const void *buffer, size_t bytes, int flags,
                          __CONST_SOCKADDR_ARG addr, socklen_t length)
{
    bool refused = false;

    bytes = hdi_fewer(fd, bytes, HDP_FAULT_WRITE, HDI_SITE());
    hdi_tell(BYTES_LEFT, .clock = buffer, .n = (int64_t)bytes, .site = HDI_SITE());
    if (hdi_enter() && !may_send(fd, bytes, flags, HDI_SITE(), &refused))
        HDI_OUTSIDE(ssize_t, fd, HDI_SITE(),
                    hdi_real.sendto(fd, buffer, bytes, flags, addr.__sockaddr__, length));
    return refused
               ? -1
               : hdi_handed_on(hdi_real.sendto(fd, buffer, bytes, flags, addr.__sockaddr__, length),
                               HDI_SITE());
}

HDI_EXPORT ssize_t send(int fd, const void *buffer, size_t bytes, int flags)
{
    bool refused = false;

    bytes = hdi_fewer(fd, bytes, HDP_FAULT_WRITE, HDI_SITE());
    hdi_tell(BYTES_LEFT, .clock = buffer, .n = (int64_t)bytes, .site = HDI_SITE());
    if (!(flags & MSG_DONTWAIT) && hdi_enter() && hdi_takes_parts(fd, bytes)) {
        struct iovec all = {(void *)(uintptr_t)buffer, bytes};
        return hdi_handed_on(hdi_write_parts(fd, &all, 1, flags, HDI_SITE()), HDI_SITE());
    }
    if (hdi_enter() && !may_send(fd, bytes, flags, HDI_SITE(), &refused))
        HDI_OUTSIDE(ssize_t, fd, HDI_SITE(), hdi_real.send(fd, buffer, bytes, flags));
    return refused ? -1 : hdi_handed_on(hdi_real.send(fd, buffer, bytes, flags), HDI_SITE());
}

static ssize_t send_message(int fd, const struct msghdr *message, int flags, uint64_t site)
{
    size_t bytes = hdi_bytes_left(message->msg_iov, message->msg_iovlen, site);
    bool refused = false;

    if (hdi_enter() && !may_send(fd, bytes, flags, site, &refused))
        HDI_OUTSIDE(ssize_t, fd, site, hdi_real.sendmsg(fd, message, flags));
    return refused ? -1 : hdi_handed_on(hdi_real.sendmsg(fd, message, flags), site);
}

HDI_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return send_message(fd, message, flags, HDI_SITE());
}

HDI_EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
    unsigned i;

    if (!hdi_enter())
        return hdi_real.sendmmsg(fd, messages, n, flags);
    for (i = 0; i < n; i++) {
        ssize_t bytes = send_message(fd, &messages[i].msg_hdr, flags, HDI_SITE());
        if (bytes < 0)
            break;
        messages[i].msg_len = (unsigned)bytes;
    }
    return i || !n ? (int)i : -1;
}

/* The other schedules are to listen on the socket: this one goes on with another that does not. */
static int stop_listening(int fd)
{
    int domain = 0, type = 0, fresh;
    long flags = hdi_real.syscall(SYS_fcntl, fd, F_GETFD);
    socklen_t bytes = sizeof domain;

    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes);
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes);
    fresh = (int)hdi_real.syscall(SYS_socket, domain, type, 0);
    if (fresh < 0)
        return -1;
    hdi_real.syscall(SYS_dup3, fresh, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
    hdi_real.syscall(SYS_close, fresh);
    return 0;
}

HDI_EXPORT int shutdown(int fd, int how)
{
    if (hdi_enter())
        hdi_touch(fd, POLLOUT, HDI_SITE());
    if (hdi_controlled() && how != SHUT_WR && hdi_listens_for_all(fd))
        return (int)hdi_handed_on(stop_listening(fd), HDI_SITE());
    return (int)hdi_handed_on(hdi_real.shutdown(fd, how), HDI_SITE());
}
