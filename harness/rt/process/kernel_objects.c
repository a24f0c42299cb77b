/* kernel_objects.c - see kernel_objects.h
 *
 * The server's own are never used by the program again, so that taking the contents out of a pipe
 * is a way of looking at them. Those of a socket are looked at in place: descriptors may be among
 * them.
 */
#include "kernel_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "core/control.h"
#include "core/real.h"
#include "noting.h"

#define TFD_SET_TICKS _IOW('T', 0, uint64_t) /* of linux/timerfd.h, which defines struct timespec */

static long control(int fd, int command, long value)
{
    return hdi_real.syscall(SYS_fcntl, fd, command, value);
}

/* The value of a line "NAME: VALUE" of fdinfo. */
static bool value_of(const char *info, const char *name, int base, uint64_t *value)
{
    const char *at = strstr(info, name);

    if (!at)
        return false;
    *value = strtoull(at + strlen(name), NULL, base);
    return true;
}

static struct rt_message **keep(struct rt_message **end, const char *data, size_t bytes)
{
    struct rt_message *m = hdi_alloc(sizeof *m + bytes);

    m->bytes = bytes;
    memcpy(m->data, data, bytes);
    *end = m;
    return &m->next;
}

/* ---- pipes ---- */

static bool note_pipe(struct rt_object *o, char *info)
{
    struct rt_message **end = &o->waiting[0];
    const struct rt_descriptor *d;
    long got;

    (void)info;
    o->pipe.capacity = (int)control(o->first->fd, F_GETPIPE_SZ, 0);
    for (d = o->first; d; d = d->next)
        o->pipe.packets |= (d->flags & O_DIRECT) != 0;
    for (d = o->first; d && (d->flags & O_ACCMODE) == O_WRONLY; d = d->next)
        ;
    if (!d)
        return true; /* what is in it cannot be read any more */
    control(d->fd, F_SETFL, d->flags | O_NONBLOCK);
    while ((got = hdi_real.syscall(SYS_read, d->fd, rt_scratch, RT_SCRATCH_BYTES)) > 0)
        end = keep(end, rt_scratch, (size_t)got);
    return true;
}

static bool make_pipe(const struct rt_object *o, int fd[2])
{
    if (hdi_real.syscall(SYS_pipe2, fd, O_NONBLOCK | (o->pipe.packets ? O_DIRECT : 0)) != 0)
        return false;
    if (control(fd[1], F_GETPIPE_SZ, 0) != o->pipe.capacity)
        control(fd[1], F_SETPIPE_SZ, o->pipe.capacity);
    for (const struct rt_message *m = o->waiting[0]; m; m = m->next)
        if (hdi_real.syscall(SYS_write, fd[1], m->data, m->bytes) != (long)m->bytes)
            return false;
    return true;
}

const struct rt_object_kind rt_pipe = {"a pipe", note_pipe, make_pipe, NULL};

/* ---- socket pairs ---- */

static int option(int fd, int name)
{
    int value = 0;
    socklen_t bytes = sizeof value;

    hdi_real.syscall(SYS_getsockopt, fd, SOL_SOCKET, name, &value, &bytes);
    return value;
}

static void set_option(int fd, int name, int value)
{
    hdi_real.syscall(SYS_setsockopt, fd, SOL_SOCKET, name, &value, sizeof value);
}

static const int patience[] = {SO_RCVTIMEO, SO_SNDTIMEO};

static void note_patience(int fd, struct timeval of[2])
{
    for (int i = 0; i < 2; i++) {
        socklen_t bytes = sizeof of[i];
        hdi_real.syscall(SYS_getsockopt, fd, SOL_SOCKET, patience[i], &of[i], &bytes);
    }
}

static void set_patience(int fd, const struct timeval of[2])
{
    for (int i = 0; i < 2; i++)
        hdi_real.syscall(SYS_setsockopt, fd, SOL_SOCKET, patience[i], &of[i], sizeof of[i]);
}

static bool has_ended(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    return hdi_real.syscall(SYS_poll, &p, 1, 0) > 0 && (p.revents & POLLRDHUP);
}

/* Descriptors that came with a message; looking at it has made copies of them. */
static bool had_descriptors(struct msghdr *h)
{
    bool some = (h->msg_flags & MSG_CTRUNC) != 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        some = true;
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
            int fd;
            memcpy(&fd, (char *)c + at, sizeof fd);
            hdi_real.syscall(SYS_close, fd);
        }
    }
    return some;
}

/* False: descriptors wait to be received at fd, which are no bytes to be sent again. */
static bool note_waiting(int fd, bool ended, struct rt_message **end)
{
    int before = option(fd, SO_PEEK_OFF);
    bool sound = true;

    set_option(fd, SO_PEEK_OFF, 0);
    while (sound) {
        char ancillary[1024] __attribute__((aligned(16)));
        struct iovec v = {rt_scratch, RT_SCRATCH_BYTES};
        struct msghdr h = {.msg_iov = &v,
                           .msg_iovlen = 1,
                           .msg_control = ancillary,
                           .msg_controllen = sizeof ancillary};
        long got = hdi_real.syscall(SYS_recvmsg, fd, &h, MSG_PEEK | MSG_DONTWAIT);
        if (got < 0 || (got == 0 && ended))
            break;
        sound = !had_descriptors(&h);
        end = keep(end, rt_scratch, (size_t)got);
    }
    set_option(fd, SO_PEEK_OFF, before);
    return sound;
}

static bool note_pair(struct rt_object *o, char *info)
{
    bool sound = true;

    (void)info;
    o->pair.end[0].closed = o->pair.end[1].closed = true;
    for (const struct rt_descriptor *d = o->first; d; d = d->next) {
        if (!o->pair.end[d->end].closed)
            continue;
        o->pair.end[d->end].closed = false;
        o->pair.end[d->end].ended = has_ended(d->fd);
        o->pair.end[d->end].sends = option(d->fd, SO_SNDBUF);
        o->pair.end[d->end].takes = option(d->fd, SO_RCVBUF);
        o->pair.end[d->end].credentials = option(d->fd, SO_PASSCRED);
        note_patience(d->fd, o->pair.end[d->end].patience);
        o->pair.type = option(d->fd, SO_TYPE);
        sound &= note_waiting(d->fd, o->pair.end[d->end].ended, &o->waiting[d->end]);
    }
    return sound;
}

static bool make_pair(const struct rt_object *o, int fd[2])
{
    bool sound = true;

    if (hdi_real.syscall(SYS_socketpair, AF_UNIX, o->pair.type | SOCK_NONBLOCK, 0, fd) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        const struct rt_message *m;
        /* The kernel doubles what it is asked for. */
        if (!o->pair.end[i].closed && option(fd[i], SO_SNDBUF) != o->pair.end[i].sends)
            set_option(fd[i], SO_SNDBUF, o->pair.end[i].sends / 2);
        if (!o->pair.end[i].closed && option(fd[i], SO_RCVBUF) != o->pair.end[i].takes)
            set_option(fd[i], SO_RCVBUF, o->pair.end[i].takes / 2);
        set_option(fd[i], SO_PASSCRED, o->pair.end[i].credentials);
        set_patience(fd[i], o->pair.end[i].patience);
        for (m = o->waiting[!i]; m; m = m->next)
            sound &= hdi_real.syscall(SYS_sendto, fd[i], m->data, m->bytes, MSG_NOSIGNAL, NULL,
                                      0) == (long)m->bytes;
    }
    for (int i = 0; i < 2; i++)
        if (o->pair.end[i].ended && !o->pair.end[!i].closed)
            hdi_real.syscall(SYS_shutdown, fd[i], SHUT_RD);
    return sound;
}

const struct rt_object_kind rt_pair = {"a socket pair", note_pair, make_pair, NULL};

/* ---- sockets that are neither bound nor connected ---- */

static const struct {
    int level, name;
    bool doubled; /* by the kernel, when it is set */
} kept[RT_SOCKET_OPTIONS] = {
    {SOL_SOCKET, SO_SNDBUF, true},      {SOL_SOCKET, SO_RCVBUF, true},
    {SOL_SOCKET, SO_REUSEADDR, false},  {SOL_SOCKET, SO_REUSEPORT, false},
    {SOL_SOCKET, SO_KEEPALIVE, false},  {SOL_SOCKET, SO_BROADCAST, false},
    {SOL_SOCKET, SO_PASSCRED, false},   {IPPROTO_TCP, TCP_NODELAY, false},
    {IPPROTO_IPV6, IPV6_V6ONLY, false},
};

/* -1: it has no such option. */
static int kept_option(int fd, size_t i)
{
    int value = -1;
    socklen_t bytes = sizeof value;

    hdi_real.syscall(SYS_getsockopt, fd, kept[i].level, kept[i].name, &value, &bytes);
    return value;
}

static bool note_socket(struct rt_object *o, char *info)
{
    int fd = o->first->fd;

    (void)info;
    o->socket.family = option(fd, SO_DOMAIN);
    o->socket.type = option(fd, SO_TYPE);
    o->socket.protocol = option(fd, SO_PROTOCOL);
    for (size_t i = 0; i < RT_SOCKET_OPTIONS; i++)
        o->socket.option[i] = kept_option(fd, i);
    note_patience(fd, o->socket.patience);
    return true;
}

static bool make_socket(const struct rt_object *o, int fd[2])
{
    fd[0] = (int)hdi_real.syscall(SYS_socket, o->socket.family, o->socket.type, o->socket.protocol);
    if (fd[0] < 0)
        return false;
    for (size_t i = 0; i < RT_SOCKET_OPTIONS; i++) {
        int value = o->socket.option[i];
        if (value == -1 || value == kept_option(fd[0], i))
            continue;
        value /= kept[i].doubled ? 2 : 1;
        hdi_real.syscall(SYS_setsockopt, fd[0], kept[i].level, kept[i].name, &value, sizeof value);
    }
    set_patience(fd[0], o->socket.patience);
    return true;
}

const struct rt_object_kind rt_socket = {"a socket", note_socket, make_socket, NULL};

/* ---- eventfd ---- */

static bool note_eventfd(struct rt_object *o, char *info)
{
    uint64_t semaphore, value = 2;
    int fd = o->first->fd;

    if (!value_of(info, "eventfd-count:", 16, &o->event.count))
        return false;
    if (value_of(info, "eventfd-semaphore:", 10, &semaphore)) {
        o->event.semaphore = semaphore != 0;
        return true;
    }
    /* An older kernel does not tell: reading one that holds two or more does. */
    control(fd, F_SETFL, o->first->flags | O_NONBLOCK);
    hdi_real.syscall(SYS_write, fd, &value, sizeof value);
    hdi_real.syscall(SYS_read, fd, &value, sizeof value);
    o->event.semaphore = value == 1;
    return true;
}

static bool make_eventfd(const struct rt_object *o, int fd[2])
{
    /* eventfd2 takes the flag by which its value is read one by one: EFD_SEMAPHORE. */
    fd[0] = (int)hdi_real.syscall(SYS_eventfd2, 0, o->event.semaphore);
    return fd[0] >= 0 && (!o->event.count || hdi_real.syscall(SYS_write, fd[0], &o->event.count,
                                                              sizeof o->event.count) > 0);
}

const struct rt_object_kind rt_eventfd = {"an eventfd", note_eventfd, make_eventfd, NULL};

/* ---- timerfd ---- */

static bool note_timerfd(struct rt_object *o, char *info)
{
    uint64_t clock;

    if (!value_of(info, "clockid:", 10, &clock) ||
        !value_of(info, "ticks:", 10, &o->timer.expired) ||
        hdi_real.syscall(SYS_timerfd_gettime, o->first->fd, &o->timer.left) != 0)
        return false;
    o->timer.clock = (clockid_t)clock;
    return true;
}

static bool make_timerfd(const struct rt_object *o, int fd[2])
{
    struct itimerspec at_once = {.it_interval = o->timer.left.it_interval, .it_value.tv_nsec = 1};
    bool armed = o->timer.left.it_value.tv_sec || o->timer.left.it_value.tv_nsec;

    fd[0] = (int)hdi_real.syscall(SYS_timerfd_create, o->timer.clock, 0);
    if (fd[0] < 0 ||
        (armed && hdi_real.syscall(SYS_timerfd_settime, fd[0], 0, &o->timer.left, NULL) != 0))
        return false;
    if (!o->timer.expired ||
        hdi_real.syscall(SYS_ioctl, fd[0], TFD_SET_TICKS, &o->timer.expired) == 0)
        return true;
    /* A kernel without that: one that is readable is made of one that expires now. */
    return hdi_real.syscall(SYS_timerfd_settime, fd[0], 0, &at_once, NULL) == 0;
}

const struct rt_object_kind rt_timerfd = {"a timerfd", note_timerfd, make_timerfd, NULL};

/* ---- signalfd ---- */

static bool note_signalfd(struct rt_object *o, char *info)
{
    return value_of(info, "sigmask:", 16, &o->signals);
}

static bool make_signalfd(const struct rt_object *o, int fd[2])
{
    fd[0] = (int)hdi_real.syscall(SYS_signalfd4, -1, &o->signals, sizeof o->signals, 0);
    return fd[0] >= 0;
}

const struct rt_object_kind rt_signalfd = {"a signalfd", note_signalfd, make_signalfd, NULL};

/* ---- epoll sets ---- */

/* The number may stand for something else by now, while a copy keeps what was registered. */
static bool is_still(int fd, uint64_t ino)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (!ino || ino == st.st_ino);
}

/* An edge that the program was told of is not to be told again. */
static void note_told(struct rt_object *o, int registrations)
{
    struct epoll_event *ready = (struct epoll_event *)rt_scratch;
    long n = hdi_real.syscall(SYS_epoll_wait, o->first->fd, ready, registrations, 0);

    for (struct rt_registration *r = o->registered; r; r = r->next) {
        r->told = (r->events & EPOLLET) != 0;
        for (long i = 0; i < n; i++)
            r->told &= ready[i].data.u64 != r->data;
    }
}

static bool note_epoll(struct rt_object *o, char *info)
{
    struct rt_registration **end = &o->registered;
    int registrations = 0;

    for (char *at = strstr(info, "tfd:"), *next; at; at = next) {
        struct rt_registration *r = hdi_alloc(sizeof *r);
        uint64_t fd, events, ino = 0;
        next = strstr(at + 1, "tfd:");
        if (next)
            next[-1] = 0;
        value_of(at, "ino:", 16, &ino);
        if (!value_of(at, "tfd:", 10, &fd) || !value_of(at, "events:", 16, &events) ||
            !value_of(at, "data:", 16, &r->data) || !is_still((int)fd, ino))
            return false;
        r->fd = (int)fd;
        r->events = (uint32_t)events;
        *end = r;
        end = &r->next;
        registrations++;
    }
    if (registrations)
        note_told(o, registrations);
    return true;
}

static bool make_epoll(const struct rt_object *o, int fd[2])
{
    (void)o;
    fd[0] = (int)hdi_real.syscall(SYS_epoll_create1, 0);
    return fd[0] >= 0;
}

static bool register_those(const struct rt_object *o, bool told)
{
    bool all = true;

    for (const struct rt_registration *r = o->registered; r; r = r->next) {
        struct epoll_event e = {.events = r->events, .data.u64 = r->data};
        if (r->told == told)
            all &= hdi_real.syscall(SYS_epoll_ctl, o->first->fd, EPOLL_CTL_ADD, r->fd, &e) == 0;
    }
    return all;
}

static bool register_all(const struct rt_object *o)
{
    struct epoll_event ready[16];
    bool all = register_those(o, true);

    while (hdi_real.syscall(SYS_epoll_wait, o->first->fd, ready, 16, 0) > 0)
        ;
    return register_those(o, false) && all;
}

const struct rt_object_kind rt_epoll = {"an epoll set", note_epoll, make_epoll, register_all};
