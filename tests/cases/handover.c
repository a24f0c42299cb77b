/* x is written before something is handed over by the kernel, and read by who has got it: handover
 * BY TWIN. A wrong one writes x after that. */
#include "case.h"
#include <poll.h>
#include <sys/socket.h>

static int x, fd[2];

static void give_send(void)
{
    assert(send(fd[1], "a", 1, 0) == 1);
}

static void give_dontwait(void)
{
    assert(send(fd[1], "a", 1, MSG_DONTWAIT) == 1);
}

static void give_close(void)
{
    close(fd[1]);
}

static void give_shutdown(void)
{
    shutdown(fd[1], SHUT_WR);
}

static void give_stdio(void)
{
    FILE *f = fdopen(dup(fd[1]), "w");

    fputs("a", f);
    fclose(f);
}

static void take_read(void)
{
    char c;

    assert(read(fd[0], &c, 1) >= 0);
}

static void take_poll_dontwait(void)
{
    struct pollfd ready = {fd[0], POLLIN, 0};
    char c;

    assert(poll(&ready, 1, -1) == 1);
    assert(recv(fd[0], &c, 1, MSG_DONTWAIT) == 1);
}

static const struct variant gives[] = {VARIANT(give, send), VARIANT(give, dontwait),
                                       VARIANT(give, close), VARIANT(give, shutdown),
                                       VARIANT(give, stdio)};
static const struct variant takes[] = {VARIANT(take, read), VARIANT(take, poll_dontwait)};

static void *producer(void *give)
{
    if (!wrong)
        x = 42;
    run(give);
    if (wrong)
        x = 42;
    return give;
}

int main(int argc, char **argv)
{
    pthread_t t;

    arguments(argc, argv, 2);
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    t = start(producer, PICK(gives, argv[1]));
    PICK(takes, argv[2])->run();
    printf("%d\n", x);
    finish(t);
    return 0;
}
