/* Threads that wait for each other through pipes alone: pipes HOW TWIN. */
#include "case.h"
#include <sys/socket.h>
#include <sys/uio.h>

static int there[2], back[2];
static char block[1 << 17]; /* more than a pipe holds */

static void take(int fd)
{
    char c;

    assert(read(fd, &c, 1) == 1);
}

static void give(int fd)
{
    assert(write(fd, "x", 1) == 1);
}

static void *answers(void *arg)
{
    take(there[0]);
    give(back[1]);
    return arg;
}

/* Each waits for the other's word before it gives its own. */
static void pipes_circle(void)
{
    pthread_t t = start(answers, NULL);

    if (!wrong)
        give(there[1]);
    take(back[0]);
    if (wrong)
        give(there[1]);
    finish(t);
}

static void *drains(void *arg)
{
    if (wrong)
        take(there[0]);
    for (size_t left = sizeof block; left > 0;) {
        ssize_t n = read(back[0], block, left);

        assert(n > 0);
        left -= (size_t)n;
    }
    return arg;
}

/* A pipe is full, and its reader waits for a word that comes after it. */
static void pipes_full(void)
{
    pthread_t t = start(drains, NULL);

    for (size_t i = 0; i < sizeof block; i += 4096)
        assert(write(back[1], block, 4096) == 4096);
    give(there[1]);
    finish(t);
}

static void give_block(ssize_t (*gives)(int))
{
    pthread_t t = start(drains, NULL);

    assert(gives(back[1]) == sizeof block);
    give(there[1]);
    finish(t);
}

static ssize_t by_write(int fd)
{
    return write(fd, block, sizeof block);
}

static ssize_t by_writev(int fd)
{
    struct iovec parts[] = {{block, 10}, {block + 10, sizeof block - 10}};

    return writev(fd, parts, 2);
}

static ssize_t by_send(int fd)
{
    return send(fd, block, sizeof block, 0);
}

/* The same in one call, which waits half way. */
static void pipes_full_at_once(void)
{
    give_block(by_write);
}

static void pipes_full_of_parts(void)
{
    give_block(by_writev);
}

static void through_small_socket(void)
{
    int bytes = 8192;

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, back) == 0);
    assert(setsockopt(back[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
}

static void pipes_full_socket(void)
{
    through_small_socket();
    give_block(by_write);
}

static void pipes_full_send(void)
{
    through_small_socket();
    give_block(by_send);
}

/* The reader waits for the end, and has the other end itself. */
static void *reads_to_end(void *arg)
{
    char c;

    if (!wrong)
        close(there[1]);
    while (read(there[0], &c, 1) > 0)
        ;
    return arg;
}

static void pipes_own_end(void)
{
    pthread_t t;

    give(there[1]);
    t = start(reads_to_end, NULL);
    finish(t);
    if (wrong)
        close(there[1]);
}

static const struct variant all[] = {VARIANT(pipes, circle),       VARIANT(pipes, full),
                                     VARIANT(pipes, full_at_once), VARIANT(pipes, full_of_parts),
                                     VARIANT(pipes, full_socket),  VARIANT(pipes, full_send),
                                     VARIANT(pipes, own_end)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    assert(pipe(there) == 0 && pipe(back) == 0);
    PICK(all, argv[1])->run();
    return 0;
}
