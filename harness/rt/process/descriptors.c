/* descriptors.c - the open descriptors of the program: what they refer to, and the same numbers
 * referring to other objects of that kind, in the same state, in each schedule.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "core/control.h"
#include "core/real.h"
#include "kernel_objects.h"
#include "models/signals.h"
#include "noting.h"
#include "turn/rt.h"
#include "world.h"

/* Open when the program was started. */
static struct inherited {
    struct inherited *next;
    int fd;
    dev_t dev;
    ino_t ino;
    bool anonymous;
} * inherited;

/* Two sockets that were made for each other. */
static struct pair {
    struct pair *next;
    ino_t ino[2];
} * pairs;

/* Listening: whoever a schedule left waiting there is not to be met by the next. */
static struct listening {
    struct listening *next;
    int fd;
} * listening;

static struct rt_object *objects, **last = &objects;

static long control(int fd, int command, long value)
{
    return hdi_real.syscall(SYS_fcntl, fd, command, value);
}

/* ---- whose it is ---- */

static void inherit(int fd)
{
    struct inherited *i;
    struct stat st;

    if (fstat(fd, &st) != 0)
        return;
    i = hdi_alloc(sizeof *i);
    *i = (struct inherited){inherited, fd, st.st_dev, st.st_ino, !(st.st_mode & S_IFMT)};
    inherited = i;
}

void rt_descriptors_inherit(void)
{
    rt_each_descriptor(inherit);
}

bool rt_was_open(int fd, const struct stat *st)
{
    for (const struct inherited *i = inherited; i; i = i->next)
        if (i->dev == st->st_dev && i->ino == st->st_ino && (!i->anonymous || i->fd == fd))
            return true; /* all that is anonymous has one inode */
    return false;
}

void hdi_pair_made(const int fd[2])
{
    struct stat st[2];
    struct pair *p;

    if (!rt.active || rt.started || fstat(fd[0], &st[0]) != 0 || fstat(fd[1], &st[1]) != 0)
        return;
    p = hdi_alloc(sizeof *p);
    *p = (struct pair){pairs, {st[0].st_ino, st[1].st_ino}};
    pairs = p;
}

/* ---- what it is ---- */

/* A device that keeps nothing of what is done to it: of memory, or the terminal. */
static bool is_stateless(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && (major(st->st_rdev) == 1 || major(st->st_rdev) == 5);
}

union address {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int option_of(int fd, int name)
{
    int value = 0;
    socklen_t bytes = sizeof value;

    hdi_real.syscall(SYS_getsockopt, fd, SOL_SOCKET, name, &value, &bytes);
    return value;
}

static bool address_of(int fd, long call, union address *to)
{
    socklen_t bytes = sizeof *to;

    memset(to, 0, sizeof *to);
    return hdi_real.syscall(call, fd, to, &bytes) == 0;
}

/* Neither bound nor connected. */
static bool is_unused_socket(int fd)
{
    union address name, peer;

    if (!address_of(fd, SYS_getsockname, &name) || address_of(fd, SYS_getpeername, &peer))
        return false;
    switch (name.any.sa_family) {
    case AF_INET:
        return name.v4.sin_port == 0;
    case AF_INET6:
        return name.v6.sin6_port == 0;
    default:
        return name.any.sa_family == AF_UNIX && name.local.sun_path[0] == 0 &&
               name.local.sun_path[1] == 0;
    }
}

/* NULL: it is none that can be made anew, and *what says what it is; NULL as well: no matter. */
static const struct rt_object_kind *kind_of(int fd, const struct stat *st, const char **what)
{
    static const struct {
        const char *link;
        const struct rt_object_kind *kind;
    } anonymous[] = {{"anon_inode:[eventfd]", &rt_eventfd},
                     {"anon_inode:[timerfd]", &rt_timerfd},
                     {"anon_inode:[signalfd]", &rt_signalfd},
                     {"anon_inode:[eventpoll]", &rt_epoll}};
    static char link[48];
    char path[48];
    long n;

    *what = NULL;
    if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode) || is_stateless(st))
        return NULL;
    rt_descriptor_path(path, "fd", fd);
    n = hdi_real.syscall(SYS_readlink, path, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    *what = n > 0 ? link : "of a kind that cannot be told";
    if (S_ISFIFO(st->st_mode) && strncmp(link, "pipe:", 5) == 0)
        return &rt_pipe;
    if (S_ISSOCK(st->st_mode)) {
        for (const struct pair *p = pairs; p; p = p->next)
            if (p->ino[0] == st->st_ino || p->ino[1] == st->st_ino)
                return &rt_pair;
        if (is_unused_socket(fd))
            return &rt_socket;
        *what = option_of(fd, SO_ACCEPTCONN) ? NULL : "a socket";
    }
    for (size_t i = 0; i < sizeof anonymous / sizeof *anonymous; i++)
        if (strcmp(link, anonymous[i].link) == 0)
            return anonymous[i].kind;
    return NULL;
}

/* ---- who can make it ready ---- */

#define MEMBERS_BYTES 16384u

/* Two nameless ends that this process made: nobody else has one. */
static bool is_own_socket(int fd)
{
    struct sockaddr address[2];
    socklen_t length[2] = {sizeof address[0], sizeof address[1]};
    struct ucred peer = {0};
    socklen_t bytes = sizeof peer;

    return hdi_real.syscall(SYS_getsockname, fd, &address[0], &length[0]) == 0 &&
           hdi_real.syscall(SYS_getpeername, fd, &address[1], &length[1]) == 0 &&
           address[0].sa_family == AF_UNIX && length[0] == sizeof(sa_family_t) &&
           length[1] == sizeof(sa_family_t) &&
           hdi_real.syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
           (peer.pid == rt.pid || peer.pid == rt.region->server);
}

/* An address of this machine that no other machine reaches. */
static bool is_loopback(const union address *a)
{
    return a->any.sa_family == AF_INET
               ? ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
               : a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static bool are_same(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    return a->any.sa_family == AF_INET
               ? a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr
               : a->v6.sin6_port == b->v6.sin6_port &&
                     memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

/* The other end of the connection that is_own_connection() asks for. */
static struct {
    union address name, peer;
    bool found;
} other_end;

static void look_for_other_end(int fd)
{
    union address name, peer;

    other_end.found |= address_of(fd, SYS_getsockname, &name) &&
                       address_of(fd, SYS_getpeername, &peer) && are_same(&name, &other_end.name) &&
                       are_same(&peer, &other_end.peer);
}

/* Both ends are open in this process, and no other machine is between them. */
static bool is_own_connection(int fd)
{
    other_end.found = false;
    if (option_of(fd, SO_TYPE) != SOCK_STREAM ||
        !address_of(fd, SYS_getsockname, &other_end.peer) ||
        !address_of(fd, SYS_getpeername, &other_end.name) || !is_loopback(&other_end.name))
        return false;
    rt_each_descriptor(look_for_other_end);
    return other_end.found;
}

static bool is_own_object(int fd, bool is_member);

static bool is_own_member(int fd)
{
    return is_own_object(fd, true);
}

/* Are all members of an epoll set so? fdinfo has a line "tfd: NUMBER ..." for each. */
static bool are_members(int fd, bool (*so)(int fd))
{
    char path[48], text[MEMBERS_BYTES];
    const char *at = text;
    size_t have = 0;
    long got;
    int info;

    rt_descriptor_path(path, "fdinfo", fd);
    info = (int)hdi_real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (info < 0)
        return false;
    while (have < sizeof text - 1 &&
           (got = hdi_real.syscall(SYS_read, info, text + have, sizeof text - 1 - have)) > 0)
        have += (size_t)got;
    hdi_real.syscall(SYS_close, info);
    text[have] = 0;
    if (have == sizeof text - 1)
        return false; /* too many to be sure of all */
    while ((at = strstr(at, "tfd:"))) {
        at += strlen("tfd:");
        if (!so((int)strtol(at, NULL, 10)))
            return false;
    }
    return true;
}

static bool is_own_object(int fd, bool is_member)
{
    const struct rt_object_kind *kind;
    const char *what;
    struct stat st;

    if (fstat(fd, &st) != 0 || rt_was_open(fd, &st))
        return false;
    kind = kind_of(fd, &st, &what);
    if (kind == &rt_pipe || kind == &rt_eventfd)
        return true;
    if (kind == &rt_timerfd)
        return hdi_timerfd_is_virtual(fd);
    if (kind == &rt_signalfd)
        return hdi_signalfd_mask(fd) && hdi_signals_are_own(hdi_signalfd_mask(fd));
    if (kind == &rt_epoll)
        return !is_member && are_members(fd, is_own_member);
    return S_ISSOCK(st.st_mode) && (is_own_socket(fd) || is_own_connection(fd));
}

bool hdi_descriptor_is_own(int fd)
{
    int saved = errno;
    bool own = rt.started && !rt.in_process && !hdi_has_forked() && is_own_object(fd, false);

    errno = saved;
    return own;
}

static bool is_untimed(int fd)
{
    return !hdi_timerfd_is_armed(fd);
}

bool hdi_descriptor_is_timed(int fd)
{
    const char *what;
    struct stat st;
    int saved = errno;
    bool timed = hdi_timerfd_is_armed(fd) ||
                 (hdi_timer_next() && fstat(fd, &st) == 0 && !(st.st_mode & S_IFMT) &&
                  kind_of(fd, &st, &what) == &rt_epoll && !are_members(fd, is_untimed));

    errno = saved;
    return timed;
}

static bool is_of_object(const struct rt_object *o, const struct rt_object_kind *kind, ino_t ino)
{
    return o->kind == kind && (kind == &rt_pipe || kind == &rt_pair || kind == &rt_socket) &&
           (o->ino[0] == ino || o->ino[1] == ino);
}

/* They do if a flag that is set through one shows through the other. */
bool rt_share_description(int a, int b)
{
    long flags = control(a, F_GETFL, 0);
    bool shown;

    if (flags != control(b, F_GETFL, 0))
        return false;
    control(a, F_SETFL, flags ^ O_NONBLOCK);
    shown = control(b, F_GETFL, 0) != flags;
    control(a, F_SETFL, flags);
    return shown;
}

static void add(struct rt_object *o, struct rt_descriptor *d)
{
    struct rt_descriptor **end = &o->first;

    for (; *end; end = &(*end)->next) {
        if ((*end)->end != d->end)
            continue;
        d->opened_again = true;
        if (!(*end)->same && rt_share_description((*end)->fd, d->fd))
            d->same = *end;
    }
    *end = d;
}

static struct rt_object *object_of(const struct rt_object_kind *kind, const struct stat *st,
                                   const struct rt_descriptor *d)
{
    struct rt_object *o;

    for (o = objects; o; o = o->next)
        if (is_of_object(o, kind, st->st_ino) || (!(st->st_mode & S_IFMT) && o->kind == kind &&
                                                  rt_share_description(o->first->fd, d->fd)))
            return o;
    o = hdi_alloc(sizeof *o);
    o->kind = kind;
    o->ino[0] = o->ino[1] = st->st_ino;
    for (const struct pair *p = pairs; p && kind == &rt_pair; p = p->next)
        if (p->ino[0] == st->st_ino || p->ino[1] == st->st_ino) {
            o->ino[0] = p->ino[0];
            o->ino[1] = p->ino[1];
            break;
        }
    *last = o;
    last = &o->next;
    return o;
}

bool hdi_listens_for_all(int fd)
{
    for (const struct listening *l = listening; l; l = l->next)
        if (l->fd == fd)
            return true;
    return false;
}

static void note_listening(int fd)
{
    struct listening *l = hdi_alloc(sizeof *l);

    *l = (struct listening){listening, fd};
    listening = l;
}

void rt_descriptors_set_back(void)
{
    struct pollfd p = {.events = POLLIN};

    for (const struct listening *l = listening; l; l = l->next)
        for (p.fd = l->fd; hdi_real.syscall(SYS_poll, &p, 1, 0) > 0 && p.revents == POLLIN;) {
            long client = hdi_real.syscall(SYS_accept4, l->fd, NULL, NULL, SOCK_CLOEXEC);
            if (client < 0)
                break;
            hdi_real.syscall(SYS_close, client);
        }
}

static void note(int fd)
{
    const struct rt_object_kind *kind;
    struct rt_descriptor *d;
    struct rt_object *o;
    const char *what;
    struct stat st;

    if (fstat(fd, &st) != 0 || rt_was_open(fd, &st))
        return;
    kind = kind_of(fd, &st, &what);
    if (!kind) {
        if (what)
            rt_shared(fd, what);
        else if (S_ISSOCK(st.st_mode))
            note_listening(fd);
        return;
    }
    d = hdi_alloc(sizeof *d);
    d->fd = fd;
    d->flags = (int)control(fd, F_GETFL, 0);
    d->close_on_exec = (control(fd, F_GETFD, 0) & FD_CLOEXEC) != 0;
    if (d->flags & O_ASYNC) {
        d->owner = (int)control(fd, F_GETOWN, 0);
        d->signal = (int)control(fd, F_GETSIG, 0);
    }
    o = object_of(kind, &st, d);
    if (kind == &rt_pipe) {
        d->end = (d->flags & O_ACCMODE) == O_WRONLY;
        d->opened_again = (d->flags & O_ACCMODE) == O_RDWR;
    } else {
        d->end = o->ino[0] != st.st_ino;
    }
    add(o, d);
}

void rt_descriptors_note(void)
{
    rt_each_descriptor(note);
    for (struct rt_object **p = &objects, *o; (o = *p);) {
        char path[48];
        rt_descriptor_path(path, "fdinfo", o->first->fd);
        rt_scratch_read(path);
        if (o->kind->note(o, rt_scratch)) {
            p = &o->next;
        } else {
            rt_shared(o->first->fd, o->kind->name);
            *p = o->next;
        }
    }
}

/* ---- in each schedule ---- */

static void put(const struct rt_descriptor *d, int made)
{
    int from = d->same ? d->same->fd : made;

    if (d->opened_again && !d->same) {
        char path[48];
        rt_descriptor_path(path, "fd", made);
        from = (int)hdi_real.syscall(SYS_openat, AT_FDCWD, path,
                                     (d->flags & (O_ACCMODE | O_DIRECT)) | O_NONBLOCK | O_CLOEXEC);
    }
    if (hdi_real.syscall(SYS_dup3, from, d->fd, d->close_on_exec ? O_CLOEXEC : 0) < 0)
        rt_shared(d->fd, "a descriptor");
    if (d->opened_again && !d->same)
        hdi_real.syscall(SYS_close, from);
    if (d->same)
        return;
    if (d->flags & O_ASYNC) {
        control(d->fd, F_SETSIG, d->signal);
        control(d->fd, F_SETOWN,
                d->owner == rt.region->server ? hdi_real.syscall(SYS_getpid) : d->owner);
    }
    control(d->fd, F_SETFL, d->flags);
}

void rt_descriptors_make(void)
{
    for (const struct rt_object *o = objects; o; o = o->next) {
        int fd[2] = {-1, -1};
        bool made = o->kind->make(o, fd);
        if (made)
            for (const struct rt_descriptor *d = o->first; d; d = d->next)
                put(d, fd[d->end]);
        else
            rt_shared(o->first->fd, o->kind->name);
        for (int i = 0; i < 2; i++)
            if (fd[i] >= 0)
                hdi_real.syscall(SYS_close, fd[i]);
    }
    for (const struct rt_object *o = objects; o; o = o->next)
        if (o->kind->finish && !o->kind->finish(o))
            rt_shared(o->first->fd, o->kind->name);
}
