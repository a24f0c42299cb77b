/* A thread waits for a descriptor that only this process could make ready, which in a wrong one nobody does:
 * unwritten WHAT WAIT COMPANY TWIN. */
#include "company.h"
#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

static int in, out; /* what is waited for, and where it is made ready */

static void made_pipe(void)
{
    int fd[2];

    assert(pipe(fd) == 0);
    in = fd[0];
    out = fd[1];
}

/* It is made ready once in any case. */
static void made_used_pipe(void)
{
    made_pipe();
}

static void made_socketpair(void)
{
    int fd[2];

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    in = fd[0];
    out = fd[1];
}

static void made_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int s = socket(AF_INET, SOCK_STREAM, 0);

    assert(bind(s, (struct sockaddr *)&address, bytes) == 0 && listen(s, 1) == 0);
    assert(getsockname(s, (struct sockaddr *)&address, &bytes) == 0);
    out = socket(AF_INET, SOCK_STREAM, 0);
    assert(connect(out, (struct sockaddr *)&address, bytes) == 0);
    in = accept(s, NULL, NULL);
    close(s);
}

static void made_eventfd(void)
{
    in = out = eventfd(0, 0);
}

static void made_timerfd(void)
{
    in = out = timerfd_create(CLOCK_MONOTONIC, 0); /* not armed */
}

static void made_signalfd(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    in = out = signalfd(-1, &set, 0);
}

static const struct variant mades[] = {
    VARIANT(made, pipe),    VARIANT(made, used_pipe), VARIANT(made, socketpair), VARIANT(made, tcp),
    VARIANT(made, eventfd), VARIANT(made, timerfd),   VARIANT(made, signalfd)};
static const struct variant *made;

static void make_ready(void)
{
    struct itimerspec soon = {.it_value = {0, 1}};
    uint64_t one = 1;

    if (made->run == made_timerfd)
        timerfd_settime(out, 0, &soon, NULL);
    else if (made->run == made_signalfd)
        kill(getpid(), SIGUSR1);
    else
        assert(write(out, &one, sizeof one) == sizeof one);
}

static void wait_read(void)
{
    char bytes[sizeof(struct signalfd_siginfo)];

    assert(read(in, bytes, sizeof bytes) > 0);
}

static void wait_poll(void)
{
    struct pollfd ready = {in, POLLIN, 0};

    assert(poll(&ready, 1, -1) == 1);
}

static void wait_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(in, &set);
    assert(select(in + 1, &set, NULL, NULL, NULL) == 1);
}

static void wait_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN}, which;
    int set = epoll_create1(0);

    assert(epoll_ctl(set, EPOLL_CTL_ADD, in, &event) == 0);
    assert(epoll_wait(set, &which, 1, -1) == 1);
    close(set);
}

static const struct variant waits[] = {VARIANT(wait, read), VARIANT(wait, poll),
                                       VARIANT(wait, select), VARIANT(wait, epoll)};
static const struct variant *await;

static void *waiter(void *arg)
{
    uint64_t one;

    if (made->run == made_used_pipe)
        assert(read(in, &one, sizeof one) == sizeof one);
    await->run();
    return arg;
}

static void *maker(void *arg)
{
    if (made->run == made_used_pipe)
        make_ready();
    if (!wrong)
        make_ready();
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 3);
    naps_begin();
    nap_ms = 50;
    made = PICK(mades, argv[1]);
    await = PICK(waits, argv[2]);
    made->run();
    first_body = waiter;
    second_body = maker;
    PICK(companies, argv[3])->run();
    return 0;
}
