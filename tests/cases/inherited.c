/* What was made before the first thread is used by the threads, and some of it is used up: every
 * schedule starts from the same. inherited WHAT TWIN; a wrong one asks for more than there is. */
#include "case.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int fd[2];
static atomic_int ready;

static void *writes_and_closes(void *arg)
{
    assert(write(fd[1], "hello", 5) == 5);
    close(fd[1]); /* the last one: the reader sees the end */
    return arg;
}

static void inherited_pipe_eof(void)
{
    pthread_t t;
    char c[64];
    size_t got = 0;
    ssize_t n;

    assert(pipe(fd) == 0);
    t = start(writes_and_closes, NULL);
    while ((n = read(fd[0], c, sizeof c)) > 0)
        got += (size_t)n;
    finish(t);
    assert(got == (wrong ? 6 : 5));
}

static void *wakes(void *arg)
{
    ready++;
    assert(write(fd[1], "w", 1) == 1);
    return arg;
}

/* Two bytes are written and one is read: the other goes with the pipe, and does not wake the next.
 */
static void inherited_pipe_wake(void)
{
    pthread_t t, u;
    char c;

    assert(pipe(fd) == 0);
    t = start(wakes, NULL);
    u = start(wakes, NULL);
    assert(read(fd[0], &c, 1) == 1);
    assert(ready > (wrong ? 1 : 0));
    finish(t);
    finish(u);
}

static void *adds(void *arg)
{
    uint64_t one = 1;

    assert(write(fd[1], &one, sizeof one) == sizeof one);
    return arg;
}

/* A set whose only member is taken out at the end: it is in again for the next. */
static void inherited_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN}, out;
    pthread_t t;
    uint64_t v;
    int set = epoll_create1(0);

    fd[1] = eventfd(0, EFD_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, fd[1], &event);
    t = start(adds, NULL);
    assert(epoll_wait(set, &out, 1, -1) == 1);
    assert(read(fd[1], &v, sizeof v) == sizeof v);
    assert(v == (wrong ? 2 : 1));
    assert(epoll_ctl(set, EPOLL_CTL_DEL, fd[1], NULL) == 0);
    finish(t);
}

static const struct variant all[] = {VARIANT(inherited, pipe_eof), VARIANT(inherited, pipe_wake),
                                     VARIANT(inherited, epoll)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(all, argv[1])->run();
    return 0;
}
