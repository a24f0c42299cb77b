/* io.c - see io.h. In a fibre each call tries not to wait in the kernel: sockets are asked not to,
 * anything else is looked at first, which its turn makes certain enough (poller.h). Elsewhere nothing
 * stands between the caller and POSIX's function, so that reports name the caller's place. */
#include <heddle/io.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "fibre.h"
#include "operation.h"
#include "poller.h"

struct call {
    int fd;
    bool to_write;
    /* What came of it, or -errno; -EAGAIN: not yet. And what POSIX's function itself comes to, also
     * after a part was done. */
    ssize_t (*attempt)(struct call *call);
    ssize_t (*itself)(struct call *call);
    void *to;
    const void *from;
    size_t bytes, done;
    struct sockaddr *address;
    socklen_t *length;
    int late; /* errno when the descriptor's time limit is over */
};

static bool is_in_fibre(void)
{
    return !hdi_seam && hdi_fibre_self();
}

/* Out of line, as is all that looks at errno: the thread may be another after a wait. */
static __attribute__((noinline)) ssize_t told(ssize_t result)
{
    return result < 0 ? -errno : result;
}

static __attribute__((noinline)) ssize_t tell(ssize_t result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

static bool is_ready(const struct call *call)
{
    struct pollfd one = {.fd = call->fd, .events = call->to_write ? POLLOUT : POLLIN};
    ssize_t ready;

    do
        ready = told(poll(&one, 1, 0));
    while (ready == -EINTR);
    return ready != 0;
}

static bool may_not_wait(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || (flags & O_NONBLOCK);
}

/* When the descriptor's own time limit for one wait is over. */
static int64_t time_limit(const struct call *call)
{
    struct timeval limit;
    socklen_t length = sizeof limit;

    if (getsockopt(call->fd, SOL_SOCKET, call->to_write ? SO_SNDTIMEO : SO_RCVTIMEO, &limit,
                   &length) != 0 ||
        (limit.tv_sec == 0 && limit.tv_usec == 0))
        return HD_SEAM_FOREVER;
    return hdi_now_ns() + limit.tv_sec * INT64_C(1000000000) + limit.tv_usec * INT64_C(1000);
}

static ssize_t wait_for(struct call *call, struct hdi_turn *turn)
{
    int64_t until = time_limit(call);
    enum hdi_ready ready;
    ssize_t result = -EAGAIN;

    do {
        ready = hdi_turn_wait(turn, until);
        if (ready == HDI_READY)
            result = call->attempt(call);
    } while (ready == HDI_READY && result == -EAGAIN);
    if (ready == HDI_TOO_LATE)
        return -call->late;
    return ready == HDI_UNKNOWN ? call->itself(call) : result;
}

static ssize_t make(struct call *call)
{
    struct hdi_turn turn;
    ssize_t result;

    hdi_turn_take(&turn, call->fd, call->to_write);
    result = call->attempt(call);
    if (result == -EAGAIN && !may_not_wait(call->fd))
        result = wait_for(call, &turn);
    hdi_turn_give(&turn);
    return tell(result < 0 && call->done > 0 ? (ssize_t)call->done : result);
}

/* ---- reading ---- */

static ssize_t read_itself(struct call *call)
{
    return told(read(call->fd, call->to, call->bytes));
}

static ssize_t try_to_read(struct call *call)
{
    ssize_t got = told(recv(call->fd, call->to, call->bytes, MSG_DONTWAIT));

    if (got != -ENOTSOCK)
        return got;
    return is_ready(call) ? read_itself(call) : -EAGAIN;
}

static __attribute__((noinline)) ssize_t read_in_fibre(int fd, void *to, size_t bytes)
{
    struct call call = {.fd = fd,
                        .attempt = try_to_read,
                        .itself = read_itself,
                        .to = to,
                        .bytes = bytes,
                        .late = EAGAIN};

    return make(&call);
}

ssize_t hd_read(int fd, void *to, size_t bytes)
{
    return is_in_fibre() && bytes > 0 ? read_in_fibre(fd, to, bytes) : read(fd, to, bytes);
}

/* ---- writing ---- */

static ssize_t went(struct call *call, ssize_t result)
{
    if (result < 0)
        return result;
    call->done += (size_t)result;
    return call->done < call->bytes ? -EAGAIN : (ssize_t)call->done;
}

static const void *rest(const struct call *call, size_t *bytes)
{
    *bytes = call->bytes - call->done;
    return (const char *)call->from + call->done;
}

/* A write that has come part of the way raises no SIGPIPE at a socket. */
static ssize_t send_rest(const struct call *call, int flags)
{
    size_t bytes;
    const void *from = rest(call, &bytes);

    return told(send(call->fd, from, bytes, flags | (call->done > 0 ? MSG_NOSIGNAL : 0)));
}

static ssize_t write_itself(struct call *call)
{
    size_t bytes;
    const void *from = rest(call, &bytes);
    ssize_t result = send_rest(call, 0);

    if (result == -ENOTSOCK)
        result = told(write(call->fd, from, bytes));
    return result < 0 ? result : result + (ssize_t)call->done;
}

/* What a pipe that is ready takes at once. */
static ssize_t write_to_pipe(struct call *call)
{
    size_t bytes;
    const void *from = rest(call, &bytes);

    return went(call, told(write(call->fd, from, bytes < PIPE_BUF ? bytes : PIPE_BUF)));
}

static ssize_t try_to_write(struct call *call)
{
    ssize_t result = send_rest(call, MSG_DONTWAIT);
    struct stat file;

    if (result != -ENOTSOCK)
        return went(call, result);
    if (fstat(call->fd, &file) != 0 || !S_ISFIFO(file.st_mode))
        return is_ready(call) ? write_itself(call) : -EAGAIN;
    do
        result = is_ready(call) ? write_to_pipe(call) : -EAGAIN;
    while (result == -EAGAIN && is_ready(call));
    return result;
}

static __attribute__((noinline)) ssize_t write_in_fibre(int fd, const void *from, size_t bytes)
{
    struct call call = {.fd = fd,
                        .to_write = true,
                        .attempt = try_to_write,
                        .itself = write_itself,
                        .from = from,
                        .bytes = bytes,
                        .late = EAGAIN};

    return make(&call);
}

ssize_t hd_write(int fd, const void *from, size_t bytes)
{
    return is_in_fibre() && bytes > 0 ? write_in_fibre(fd, from, bytes) : write(fd, from, bytes);
}

/* ---- connections ---- */

static ssize_t accept_itself(struct call *call)
{
    return told(accept(call->fd, call->address, call->length));
}

static ssize_t try_to_accept(struct call *call)
{
    return is_ready(call) ? accept_itself(call) : -EAGAIN;
}

static __attribute__((noinline)) int accept_in_fibre(int fd, struct sockaddr *address,
                                                     socklen_t *length)
{
    struct call call = {.fd = fd,
                        .attempt = try_to_accept,
                        .itself = accept_itself,
                        .address = address,
                        .length = length,
                        .late = EAGAIN};

    return (int)make(&call);
}

int hd_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return is_in_fibre() ? accept_in_fibre(fd, address, length) : accept(fd, address, length);
}

static ssize_t connect_itself(struct call *call)
{
    return told(connect(call->fd, call->from, (socklen_t)call->bytes));
}

/* It is under way. When it has ended the same call says how, and leaves the socket as after that. */
static ssize_t try_to_end(struct call *call)
{
    return is_ready(call) ? connect_itself(call) : -EAGAIN;
}

/* Only these wait for an answer. And a Unix socket's connect is over at once, or waits for room that
 * nobody tells of. */
static bool waits_for_an_answer(int fd)
{
    int type = 0, domain = AF_UNIX;
    socklen_t length = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
           (type == SOCK_STREAM || type == SOCK_SEQPACKET) &&
           getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain != AF_UNIX;
}

/* The socket does not wait while this is asked of it. */
static ssize_t begin(struct call *call)
{
    int flags = fcntl(call->fd, F_GETFL);
    ssize_t result;

    if (fcntl(call->fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return told(-1);
    result = connect_itself(call);
    flags = fcntl(call->fd, F_GETFL); /* others may have set some meanwhile */
    (void)fcntl(call->fd, F_SETFL, flags & ~O_NONBLOCK);
    return result;
}

static __attribute__((noinline)) int connect_in_fibre(int fd, const struct sockaddr *address,
                                                      socklen_t length)
{
    struct call call = {.fd = fd,
                        .to_write = true,
                        .attempt = try_to_end,
                        .itself = connect_itself,
                        .from = address,
                        .bytes = length,
                        .late = EINPROGRESS};
    struct hdi_turn turn;
    ssize_t result;

    if (!waits_for_an_answer(fd))
        return connect(fd, address, length);
    hdi_turn_take(&turn, fd, true);
    if (may_not_wait(fd)) {
        result = connect_itself(&call);
    } else {
        result = begin(&call);
        if (result == -EINPROGRESS || result == -EALREADY)
            result = wait_for(&call, &turn);
    }
    hdi_turn_give(&turn);
    return (int)tell(result);
}

int hd_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return is_in_fibre() ? connect_in_fibre(fd, address, length) : connect(fd, address, length);
}
