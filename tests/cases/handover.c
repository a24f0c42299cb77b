/* x is written before something is handed over by the kernel, and read by who has got it: handover GIVE TAKE
 * TWIN. A wrong one writes x after that. Built with heddle-cc. */
#include "naps.h"
#include <aio.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

static int x, fd[2];

/* What it goes through. */
static void through_socket(void)
{
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
}

static void through_datagram(void)
{
    assert(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
}

static void through_pipe(void)
{
    assert(pipe(fd) == 0);
}

static void through_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int s = socket(AF_INET, SOCK_STREAM, 0);

    assert(bind(s, (struct sockaddr *)&address, bytes) == 0 && listen(s, 1) == 0);
    assert(getsockname(s, (struct sockaddr *)&address, &bytes) == 0);
    fd[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert(connect(fd[1], (struct sockaddr *)&address, bytes) == 0);
    fd[0] = accept(s, NULL, NULL);
    close(s);
}

static void through_udp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;

    fd[0] = socket(AF_INET, SOCK_DGRAM, 0);
    fd[1] = socket(AF_INET, SOCK_DGRAM, 0);
    assert(bind(fd[0], (struct sockaddr *)&address, bytes) == 0);
    assert(getsockname(fd[0], (struct sockaddr *)&address, &bytes) == 0);
    assert(connect(fd[1], (struct sockaddr *)&address, bytes) == 0);
}

static void through_eventfd(void)
{
    fd[0] = fd[1] = eventfd(0, 0);
}

static const struct variant throughs[] = {VARIANT(through, socket), VARIANT(through, datagram),
                                          VARIANT(through, pipe),   VARIANT(through, tcp),
                                          VARIANT(through, udp),    VARIANT(through, eventfd)};

/* Eight bytes, so that they are an eventfd's one, too. */
static uint64_t given = 1;

static struct iovec given_parts[] = {{&given, 4}, {(char *)&given + 4, 4}};

static void give_write(void)
{
    assert(write(fd[1], &given, sizeof given) == sizeof given);
}

static void give_writev(void)
{
    assert(writev(fd[1], given_parts, 2) == sizeof given);
}

static void give_send(void)
{
    assert(send(fd[1], &given, sizeof given, 0) == sizeof given);
}

static void give_dontwait(void)
{
    assert(send(fd[1], &given, sizeof given, MSG_DONTWAIT) == sizeof given);
}

static void give_nosignal(void)
{
    assert(send(fd[1], &given, sizeof given, MSG_NOSIGNAL) == sizeof given);
}

static void give_more(void)
{
    assert(send(fd[1], &given, sizeof given, MSG_EOR | MSG_DONTWAIT | MSG_NOSIGNAL) ==
           sizeof given);
}

static void give_sendto(void)
{
    assert(sendto(fd[1], &given, sizeof given, MSG_DONTWAIT, NULL, 0) == sizeof given);
}

static void give_sendmsg(void)
{
    struct msghdr message = {.msg_iov = given_parts, .msg_iovlen = 2};

    assert(sendmsg(fd[1], &message, 0) == sizeof given);
}

static void give_sendmsg_dontwait(void)
{
    struct msghdr message = {.msg_iov = given_parts, .msg_iovlen = 2};

    assert(sendmsg(fd[1], &message, MSG_DONTWAIT) == sizeof given);
}

static void give_sendmmsg(void)
{
    struct mmsghdr message = {.msg_hdr = {.msg_iov = given_parts, .msg_iovlen = 2}};

    assert(sendmmsg(fd[1], &message, 1, 0) == 1);
}

static void give_nonblocking(void)
{
    assert(fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0);
    give_write();
}

static void give_sendfile(void)
{
    FILE *file = tmpfile();

    assert(file && fwrite(&given, sizeof given, 1, file) == 1 && fflush(file) == 0);
    rewind(file);
    assert(sendfile(fd[1], fileno(file), NULL, sizeof given) == sizeof given);
    fclose(file);
}

static void give_splice(void)
{
    int from[2];

    assert(pipe(from) == 0);
    assert(write(from[1], &given, sizeof given) == sizeof given);
    assert(splice(from[0], NULL, fd[1], NULL, sizeof given, 0) == sizeof given);
    close(from[0]);
    close(from[1]);
}

static void give_vmsplice(void)
{
    struct iovec all = {&given, sizeof given};

    assert(vmsplice(fd[1], &all, 1, 0) == sizeof given);
}

static void give_tee(void)
{
    int from[2];

    assert(pipe(from) == 0);
    assert(write(from[1], &given, sizeof given) == sizeof given);
    assert(tee(from[0], fd[1], sizeof given, 0) == sizeof given);
    close(from[0]);
    close(from[1]);
}

static void give_close(void)
{
    close(fd[1]);
}

static void give_dup2(void)
{
    int other = open("/dev/null", O_RDWR);

    assert(dup2(other, fd[1]) == fd[1]); /* closes what was there */
    close(other);
}

static void give_shutdown(void)
{
    shutdown(fd[1], SHUT_WR);
}

static void give_stdio(void)
{
    FILE *f = fdopen(dup(fd[1]), "w");

    fwrite(&given, sizeof given, 1, f);
    fclose(f);
}

static void give_fflush(void)
{
    FILE *f = fdopen(dup(fd[1]), "w");

    fwrite(&given, sizeof given, 1, f);
    fflush(f);
}

static void give_dprintf(void)
{
    assert(dprintf(fd[1], "%08d", 1) == 8);
}

static void give_puts(void)
{
    assert(dup2(fd[1], STDOUT_FILENO) == STDOUT_FILENO);
    puts("given");
    fflush(stdout);
}

static void give_aio(void)
{
    struct aiocb request = {.aio_fildes = fd[1], .aio_buf = &given, .aio_nbytes = sizeof given};
    const struct aiocb *const all[] = {&request};

    assert(aio_write(&request) == 0);
    while (aio_error(&request) == EINPROGRESS)
        aio_suspend(all, 1, NULL);
    assert(aio_return(&request) == sizeof given);
}

static void give_eventfd(void)
{
    assert(eventfd_write(fd[1], 1) == 0);
}

static void give_halves(void)
{
    assert(send(fd[1], &given, 5, 0) == 5);
    assert(send(fd[1], (char *)&given + 5, sizeof given - 5, 0) == sizeof given - 5);
}

static const struct variant gives[] = {
    VARIANT(give, write),    VARIANT(give, writev),      VARIANT(give, send),
    VARIANT(give, dontwait), VARIANT(give, nosignal),    VARIANT(give, more),
    VARIANT(give, sendto),   VARIANT(give, sendmsg),     VARIANT(give, sendmsg_dontwait),
    VARIANT(give, sendmmsg), VARIANT(give, nonblocking), VARIANT(give, sendfile),
    VARIANT(give, splice),   VARIANT(give, vmsplice),    VARIANT(give, tee),
    VARIANT(give, close),    VARIANT(give, dup2),        VARIANT(give, shutdown),
    VARIANT(give, stdio),    VARIANT(give, fflush),      VARIANT(give, dprintf),
    VARIANT(give, puts),     VARIANT(give, aio),         VARIANT(give, eventfd),
    VARIANT(give, halves)};

/* Each is over when something was given, or the end was seen. */
static char taken[64];

static void take_read(void)
{
    assert(read(fd[0], taken, sizeof taken) >= 0);
}

static void take_readv(void)
{
    struct iovec parts[] = {{taken, 4}, {taken + 4, 4}};

    assert(readv(fd[0], parts, 2) >= 0);
}

static void take_recv(void)
{
    assert(recv(fd[0], taken, sizeof taken, 0) >= 0);
}

static void take_waitall(void)
{
    assert(recv(fd[0], taken, sizeof given, MSG_WAITALL) >= 0);
}

static void take_peek(void)
{
    assert(recv(fd[0], taken, sizeof taken, MSG_PEEK) >= 0);
}

static void take_recvfrom(void)
{
    assert(recvfrom(fd[0], taken, sizeof taken, 0, NULL, NULL) >= 0);
}

static void take_recvmsg(void)
{
    struct iovec all = {taken, sizeof taken};
    struct msghdr message = {.msg_iov = &all, .msg_iovlen = 1};

    assert(recvmsg(fd[0], &message, 0) >= 0);
}

static void take_recvmmsg(void)
{
    struct iovec all = {taken, sizeof taken};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &all, .msg_iovlen = 1}};

    assert(recvmmsg(fd[0], &message, 1, 0, NULL) == 1);
}

static void take_recvmsg_waitall(void)
{
    struct iovec parts[] = {{taken, 3}, {taken + 3, sizeof given - 3}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    assert(recvmsg(fd[0], &message, MSG_WAITALL) == sizeof given);
    assert(memcmp(taken, &given, sizeof given) == 0);
}

static void take_recvmmsg_waitall(void)
{
    struct iovec all = {taken, sizeof given};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &all, .msg_iovlen = 1}};

    assert(recvmmsg(fd[0], &message, 1, MSG_WAITALL, NULL) == 1);
    assert(message.msg_len == sizeof given);
    assert(memcmp(taken, &given, sizeof given) == 0);
}

/* Again and again until something is there. */
static void take_dontwait(void)
{
    while (recv(fd[0], taken, sizeof taken, MSG_DONTWAIT) < 0)
        sched_yield();
}

static void take_nonblocking(void)
{
    assert(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
    while (read(fd[0], taken, sizeof taken) < 0)
        sched_yield();
}

/* That it is ready says enough. */
static void take_poll(void)
{
    struct pollfd ready = {fd[0], POLLIN, 0};

    assert(poll(&ready, 1, -1) == 1);
}

static void take_poll_again(void)
{
    struct pollfd ready = {fd[0], POLLIN, 0};

    while (poll(&ready, 1, 0) == 0)
        sched_yield();
}

static void take_ppoll(void)
{
    struct pollfd ready = {fd[0], POLLIN, 0};

    assert(ppoll(&ready, 1, NULL, NULL) == 1);
}

static void take_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(fd[0], &set);
    assert(select(fd[0] + 1, &set, NULL, NULL, NULL) == 1);
}

static void take_pselect(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(fd[0], &set);
    assert(pselect(fd[0] + 1, &set, NULL, NULL, NULL, NULL) == 1);
}

static void take_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN}, ready;
    int set = epoll_create1(0);

    assert(epoll_ctl(set, EPOLL_CTL_ADD, fd[0], &event) == 0);
    assert(epoll_wait(set, &ready, 1, -1) == 1);
    close(set);
}

static void take_poll_dontwait(void)
{
    take_poll();
    assert(recv(fd[0], taken, sizeof taken, MSG_DONTWAIT) >= 0);
}

static void take_stdio(void)
{
    FILE *f = fdopen(dup(fd[0]), "r");

    fgetc(f);
    fclose(f);
}

static void take_splice(void)
{
    int to[2];

    assert(pipe(to) == 0);
    assert(splice(fd[0], NULL, to[1], NULL, sizeof given, 0) >= 0);
    close(to[0]);
    close(to[1]);
}

static void take_pending(void)
{
    int pending = 0;

    while (pending == 0) {
        sched_yield();
        assert(ioctl(fd[0], FIONREAD, &pending) == 0);
    }
}

static void take_aio(void)
{
    struct aiocb request = {.aio_fildes = fd[0], .aio_buf = taken, .aio_nbytes = sizeof given};
    const struct aiocb *const all[] = {&request};

    assert(aio_read(&request) == 0);
    while (aio_error(&request) == EINPROGRESS)
        aio_suspend(all, 1, NULL);
    assert(aio_return(&request) >= 0);
}

static void take_eventfd(void)
{
    eventfd_t value;

    assert(eventfd_read(fd[0], &value) == 0);
}

static const struct variant takes[] = {VARIANT(take, read),
                                       VARIANT(take, readv),
                                       VARIANT(take, recv),
                                       VARIANT(take, waitall),
                                       VARIANT(take, peek),
                                       VARIANT(take, recvfrom),
                                       VARIANT(take, recvmsg),
                                       VARIANT(take, recvmmsg),
                                       VARIANT(take, dontwait),
                                       VARIANT(take, nonblocking),
                                       VARIANT(take, poll),
                                       VARIANT(take, poll_again),
                                       VARIANT(take, ppoll),
                                       VARIANT(take, select),
                                       VARIANT(take, pselect),
                                       VARIANT(take, epoll),
                                       VARIANT(take, poll_dontwait),
                                       VARIANT(take, stdio),
                                       VARIANT(take, splice),
                                       VARIANT(take, pending),
                                       VARIANT(take, aio),
                                       VARIANT(take, eventfd),
                                       VARIANT(take, recvmsg_waitall),
                                       VARIANT(take, recvmmsg_waitall)};

static void *producer(void *give)
{
    if (!wrong)
        x = 42;
    run(give);
    if (wrong)
        x = 42;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t;
    int got;

    arguments(argc, argv, 3);
    naps_begin();
    PICK(throughs, argv[1])->run();
    t = start(producer, PICK(gives, argv[2]));
    PICK(takes, argv[3])->run();
    got = x;
    finish(t);
    return !wrong && got != 42;
}
