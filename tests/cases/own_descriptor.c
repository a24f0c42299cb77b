/* A thread waits for a descriptor that only this process can make ready, and in a wrong one nobody
 * does: own_descriptor KIND CALL TWIN. */
#include "case.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

static int ends[2]; /* what is written to [1] can be read from [0] */

static void make_pipe(void)
{
    assert(pipe(ends) == 0);
}

static void make_pair(void)
{
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
}

static void make_eventfd(void)
{
    ends[0] = ends[1] = eventfd(0, 0);
    assert(ends[0] >= 0);
}

static void wait_read(void)
{
    uint64_t value;

    assert(read(ends[0], &value, sizeof value) == sizeof value);
}

static void wait_poll(void)
{
    struct pollfd p = {.fd = ends[0], .events = POLLIN};

    assert(poll(&p, 1, -1) == 1);
}

static void wait_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    assert(select(ends[0] + 1, &set, NULL, NULL, NULL) == 1);
}

static void wait_epoll(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    int set = epoll_create1(0);

    assert(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &e) == 0);
    assert(epoll_wait(set, &e, 1, -1) == 1);
    close(set);
}

static const struct variant makes[] = {VARIANT(make, pipe), VARIANT(make, pair),
                                       VARIANT(make, eventfd)};
static const struct variant waits[] = {VARIANT(wait, read), VARIANT(wait, poll),
                                       VARIANT(wait, select), VARIANT(wait, epoll)};

static void *waiter(void *how)
{
    run(how);
    return how;
}

int main(int argc, char **argv)
{
    uint64_t one = 1;
    pthread_t t;

    arguments(argc, argv, 2);
    PICK(makes, argv[1])->run();
    t = start(waiter, PICK(waits, argv[2]));
    if (!wrong)
        assert(write(ends[1], &one, sizeof one) == sizeof one);
    finish(t);
    return 0;
}
