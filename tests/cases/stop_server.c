/* A server waits for a descriptor and looks at a flag: stop_server DESCRIPTOR TWIN. Nobody else is there when it is to
 * stop. A wrong one writes before it sets the flag, a right one after. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

static atomic_bool stop;
static int from, to, set;
static const char *way;

static void wait_for_it(void)
{
    if (strcmp(way, "poll") == 0) {
        struct pollfd p = {.fd = from, .events = POLLIN};
        poll(&p, 1, -1);
    } else if (strcmp(way, "epoll") == 0) {
        struct epoll_event e;
        epoll_wait(set, &e, 1, -1);
    } else if (strcmp(way, "select") == 0) {
        fd_set in;
        FD_ZERO(&in);
        FD_SET(from, &in);
        select(from + 1, &in, NULL, NULL, NULL);
    }
}

static void *serve(void *arg)
{
    char byte[8];

    while (!atomic_load(&stop)) {
        wait_for_it();
        if (read(from, byte, sizeof byte) <= 0)
            break;
    }
    return arg;
}

static void make(const char *descriptor)
{
    int pair[2] = {0};

    if (strcmp(descriptor, "eventfd") == 0) {
        from = to = eventfd(0, 0);
    } else {
        if (strcmp(descriptor, "socketpair") == 0)
            socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        else if (pipe(pair))
            exit(2);
        from = pair[0];
        to = pair[1];
    }
    set = epoll_create1(0);
    epoll_ctl(set, EPOLL_CTL_ADD, from, &(struct epoll_event){.events = EPOLLIN});
}

int main(int argc, char **argv)
{
    pthread_t t;
    uint64_t one = 1;
    int right = argc > 3 && strcmp(argv[3], "right") == 0;

    if (argc < 4)
        return 2;
    way = argv[2];
    make(argv[1]);
    pthread_create(&t, NULL, serve, NULL);
    usleep(10000);
    if (right)
        atomic_store(&stop, true);
    if (write(to, &one, sizeof one) < 0)
        return 2;
    atomic_store(&stop, true);
    pthread_join(t, NULL);
    return 0;
}
