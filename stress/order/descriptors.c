/* Descriptors that are closed while another thread uses them, or twice. Right twins let the users end first. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "twin.h"

static int ends[2]; /* of a pipe: what is read of, what is written to */
static sem_t ready;

static void make_pipe(void)
{
    if (pipe(ends) != 0)
        abort();
    sem_init(&ready, 0, 0);
}

static pthread_t start(void *(*body)(void *))
{
    pthread_t t;

    pthread_create(&t, NULL, body, NULL);
    return t;
}

/* What the thread waits for comes; or the descriptor is closed under it. */
static void stop(pthread_t t, int closed)
{
    if (!wrong && write(ends[1], "x", 1) != 1)
        abort();
    if (!wrong)
        pthread_join(t, NULL);
    close(closed);
    if (wrong && write(ends[1], "x", 1) != 1)
        abort();
    if (wrong)
        pthread_join(t, NULL);
}

/* ---- waits ---- */

static void *reads(void *arg)
{
    char c;

    (void)!read(ends[0], &c, 1);
    return arg;
}

static void closed_while_read(void)
{
    int other;

    make_pipe();
    other = dup(ends[0]); /* so that writing raises no signal */
    stop(start(reads), ends[0]);
    close(other);
}

static void *polls(void *arg)
{
    struct pollfd p = {.fd = ends[0], .events = POLLIN};

    poll(&p, 1, 1000);
    return arg;
}

static void closed_while_polled(void)
{
    int other;

    make_pipe();
    other = dup(ends[0]);
    stop(start(polls), ends[0]);
    close(other);
}

static void *selects(void *arg)
{
    struct timeval second = {.tv_sec = 1};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    select(ends[0] + 1, &set, NULL, NULL, &second);
    return arg;
}

static void closed_while_selected(void)
{
    int other;

    make_pipe();
    other = dup(ends[0]);
    stop(start(selects), ends[0]);
    close(other);
}

static int set;

static void *waits_for_set(void *arg)
{
    struct epoll_event e;

    epoll_wait(set, &e, 1, 1000);
    return arg;
}

static void set_closed_while_waited_for(void)
{
    struct epoll_event e = {.events = EPOLLIN};

    make_pipe();
    set = epoll_create1(0);
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &e);
    stop(start(waits_for_set), set);
}

/* ---- uses that do not wait ---- */

static int file;

static void *writes_file(void *arg)
{
    (void)!write(file, "x", 1);
    return arg;
}

static void with_file(void *(*body)(void *))
{
    pthread_t t;

    file = memfd_create("file", 0);
    t = start(body);
    if (!wrong)
        pthread_join(t, NULL);
    close(file);
    if (wrong)
        pthread_join(t, NULL);
}

static void file_closed_while_written(void)
{
    with_file(writes_file);
}

static void *duplicates(void *arg)
{
    int other = dup2(file, 100);

    if (other >= 0)
        close(other);
    return arg;
}

static void closed_while_duplicated(void)
{
    with_file(duplicates);
}

static void *locks_file(void *arg)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    fcntl(file, F_SETLK, &lock);
    return arg;
}

static void closed_while_locked(void)
{
    with_file(locks_file);
}

static void *writes_socket(void *arg)
{
    send(ends[0], "x", 1, MSG_NOSIGNAL);
    return arg;
}

static void closed_while_sent(void)
{
    pthread_t t;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        abort();
    t = start(writes_socket);
    if (!wrong)
        pthread_join(t, NULL);
    close(ends[0]);
    if (wrong)
        pthread_join(t, NULL);
    close(ends[1]);
}

/* It is told by a flag that it has been closed. */
static atomic_int closed;

static void *writes_then(void *arg)
{
    while (!atomic_load(&closed))
        sem_wait(&ready);
    (void)!write(file, "x", 1);
    return arg;
}

static void used_after_close(void)
{
    pthread_t t;

    sem_init(&ready, 0, 0);
    file = memfd_create("file", 0);
    t = start(writes_then);
    if (wrong)
        close(file);
    atomic_store(&closed, 1);
    sem_post(&ready);
    pthread_join(t, NULL);
    if (!wrong)
        close(file);
}

/* Who is last closes it. */
static atomic_int users;

static void *last_closes(void *arg)
{
    (void)!write(file, "x", 1);
    if (atomic_fetch_sub(&users, 1) == (wrong ? 2 : 1))
        close(file);
    return arg;
}

static void closed_by_the_last(void)
{
    pthread_t a, b;

    users = 2;
    file = memfd_create("file", 0);
    a = start(last_closes);
    b = start(last_closes);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* ---- twice ---- */

static void *closes(void *arg)
{
    close(file);
    return arg;
}

static void closed_by_two(void)
{
    pthread_t a, b = 0;

    file = memfd_create("file", 0);
    a = start(closes);
    if (wrong)
        b = start(closes);
    pthread_join(a, NULL);
    if (wrong)
        pthread_join(b, NULL);
}

static void closed_again_when_joined(void)
{
    file = memfd_create("file", 0);
    pthread_join(start(closes), NULL);
    if (wrong)
        close(file);
}

static void *nothing(void *arg)
{
    return arg;
}

static void *closes_both(void *arg)
{
    close(ends[0]);
    close(ends[1]);
    return arg;
}

/* All numbers from there on, whatever is open; or those that it had itself. */
static void closed_one_after_the_other(void)
{
    make_pipe();
    pthread_join(start(closes_both), NULL);
    for (int fd = ends[0]; fd < ends[0] + (wrong ? 2 : 30); fd++)
        close(fd);
}

static FILE *stream;

static void *closes_below(void *arg)
{
    if (wrong)
        close(fileno(stream));
    return arg;
}

static void stream_closed_below(void)
{
    stream = fopen("/dev/null", "w");
    if (!stream)
        abort();
    pthread_join(start(closes_below), NULL);
    fclose(stream);
}

/* ---- the number is another file's by then ---- */

static void *opens(void *arg)
{
    int fd = memfd_create("another", 0);

    (void)!write(fd, "x", 1);
    return arg;
}

static void number_used_again(void)
{
    pthread_t a, b;

    file = memfd_create("file", 0);
    pthread_join(start(closes), NULL);
    a = start(opens);
    b = start(wrong ? closes : nothing);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* ---- no close: others have one that is open ---- */

static void *writes_often(void *arg)
{
    for (int i = 0; i < 3; i++)
        (void)!write(file, "x", 1);
    return arg;
}

static void replaced(void)
{
    pthread_t t;
    int another;

    make_pipe();
    another = dup(ends[1]);
    file = dup(ends[1]);
    t = start(writes_often);
    if (wrong)
        close(file);
    dup2(another, file);
    pthread_join(t, NULL);
    close(file);
    close(another);
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(closed_while_read),
        VARIANT(closed_while_polled),
        VARIANT(closed_while_selected),
        VARIANT(set_closed_while_waited_for),
        VARIANT(file_closed_while_written),
        VARIANT(closed_while_duplicated),
        VARIANT(closed_while_locked),
        VARIANT(closed_while_sent),
        VARIANT(used_after_close),
        VARIANT(closed_by_the_last),
        VARIANT(closed_by_two),
        VARIANT(closed_again_when_joined),
        VARIANT(closed_one_after_the_other),
        VARIANT(stream_closed_below),
        VARIANT(number_used_again),
        VARIANT(replaced),
    };

    return RUN_VARIANT(table, argc, argv);
}
