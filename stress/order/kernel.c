/* What the kernel orders: bytes, ends of files, connections, signals, timers, and the end of a program. */
#include <aio.h>
#include <errno.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "twin.h"

int x, sink;
static int fds[2];
static pthread_t taker;
static sem_t done;

/* x is written before it is given, or beside. */
static void before(void)
{
    if (!wrong)
        x = 1;
}

static void after(void)
{
    if (wrong)
        x = 1;
}

static void *run_call(void *call)
{
    ((const struct variant *)call)->run();
    return NULL;
}

/* Two threads: one gives, the other takes, and looks at x. */
static void give_and_take(void (*give)(void), void (*take)(void))
{
    struct variant g = {"", give}, t = {"", take};
    pthread_t giver;

    pthread_create(&taker, NULL, run_call, &t);
    pthread_create(&giver, NULL, run_call, &g);
    pthread_join(giver, NULL);
    pthread_join(taker, NULL);
}

static void give_byte(void)
{
    before();
    if (write(fds[1], "x", 1) != 1)
        abort();
    after();
}

static void take_byte(void)
{
    char c;

    if (read(fds[0], &c, 1) != 1)
        abort();
    sink = x;
}

static void through_pipe(void)
{
    if (pipe(fds) != 0)
        abort();
    give_and_take(give_byte, take_byte);
}

static void through_socketpair(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        abort();
    give_and_take(give_byte, take_byte);
}

static void give_count(void)
{
    before();
    eventfd_write(fds[0], 1);
    after();
}

static void take_count(void)
{
    eventfd_t n;

    eventfd_read(fds[0], &n);
    sink = x;
}

static void through_eventfd(void)
{
    fds[0] = eventfd(0, 0);
    give_and_take(give_count, take_count);
}

static void give_end(void)
{
    before();
    close(fds[1]);
    after();
}

static void take_end(void)
{
    char c;

    if (read(fds[0], &c, 1) != 0)
        abort();
    sink = x;
}

static void end_of_file(void)
{
    if (pipe(fds) != 0)
        abort();
    give_and_take(give_end, take_end);
}

static void give_shutdown(void)
{
    before();
    shutdown(fds[1], SHUT_WR);
    after();
}

static void end_of_socket(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        abort();
    give_and_take(give_shutdown, take_end);
}

static struct sockaddr_in address = {.sin_family = AF_INET};

static void give_connection(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    before();
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        abort();
    after();
    close(fd);
}

static void take_connection(void)
{
    int fd = accept(fds[0], NULL, NULL);

    if (fd < 0)
        abort();
    sink = x;
    close(fd);
}

static void connection(void)
{
    socklen_t bytes = sizeof address;

    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fds[0], (struct sockaddr *)&address, bytes) != 0 || listen(fds[0], 1) != 0 ||
        getsockname(fds[0], (struct sockaddr *)&address, &bytes) != 0)
        abort();
    give_and_take(give_connection, take_connection);
}

static int messages;

static void give_message(void)
{
    struct {
        long type;
        char text;
    } m = {1, 'x'};

    before();
    msgsnd(messages, &m, 1, 0);
    after();
}

static void take_message(void)
{
    struct {
        long type;
        char text;
    } m;

    msgrcv(messages, &m, 1, 0, 0);
    sink = x;
}

static void message_queue(void)
{
    messages = msgget(IPC_PRIVATE, 0600);
    give_and_take(give_message, take_message);
    msgctl(messages, IPC_RMID, NULL);
}

static void give_signal(void)
{
    before();
    pthread_kill(taker, SIGUSR1);
    after();
}

static void take_signal(void)
{
    sigset_t set;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigwait(&set, &number);
    sink = x;
}

static void signal_waited_for(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    give_and_take(give_signal, take_signal);
}

static void on_signal(int number)
{
    (void)number;
    __atomic_store_n(&sink, x, __ATOMIC_RELAXED); /* more than one thread may be here */
    sem_post(&done);
}

static void handle(void)
{
    struct sigaction sa = {.sa_handler = on_signal};

    sigaction(SIGUSR1, &sa, NULL);
}

static void wait_until_handled(void)
{
    while (sem_wait(&done) != 0 && errno == EINTR)
        ;
}

static void signal_handled(void)
{
    sem_init(&done, 0, 0);
    handle();
    give_and_take(give_signal, wait_until_handled);
}

static void give_handler(void)
{
    before();
    handle();
    after();
    raise(SIGUSR1);
}

/* Installed by one thread, run in another: what came before is there. */
static void *interrupted(void *arg)
{
    struct sigaction now;

    do
        sigaction(SIGUSR1, NULL, &now);
    while (now.sa_handler != on_signal);
    raise(SIGUSR1);
    return arg;
}

static void handler_installed(void)
{
    pthread_t t;

    sem_init(&done, 0, 0);
    pthread_create(&t, NULL, interrupted, NULL);
    give_handler();
    pthread_join(t, NULL);
}

static void on_timer(union sigval value)
{
    (void)value;
    sink = x;
    sem_post(&done);
}

static void timer_thread(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    struct itimerspec soon = {.it_value.tv_nsec = 1000000};
    timer_t timer;

    event.sigev_notify_function = on_timer;
    sem_init(&done, 0, 0);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    before();
    timer_settime(timer, 0, &soon, NULL);
    after();
    wait_until_handled();
    timer_delete(timer);
}

static void at_end(void)
{
    sink = x;
}

static void *writes(void *arg)
{
    x = 1;
    return arg;
}

static void at_exit(void)
{
    pthread_t t;

    atexit(at_end);
    pthread_create(&t, NULL, writes, NULL);
    if (wrong)
        pthread_detach(t);
    else
        pthread_join(t, NULL);
}

static ucontext_t outside, inside;
static char stack[65536];

static void in_context(void)
{
    for (;;) {
        x++;
        swapcontext(&inside, &outside);
    }
}

static void *enters(void *arg)
{
    swapcontext(&outside, &inside);
    return arg;
}

/* A stack that threads run on one after another. */
static void context(void)
{
    pthread_t a;

    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = sizeof stack;
    makecontext(&inside, in_context, 0);
    pthread_create(&a, NULL, enters, NULL);
    if (!wrong)
        pthread_join(a, NULL);
    if (wrong)
        x++;
    else
        enters(NULL);
    if (wrong)
        pthread_join(a, NULL);
}

/* ---- what is ready when it comes, and what is asked for ---- */

static int set;

/* The counter has been ready all the time: what ends the wait is that it comes into the set. */
static void give_to_set(void)
{
    struct epoll_event event = {.events = EPOLLIN};

    before();
    if (epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &event) != 0)
        abort();
    after();
}

static void take_from_set(void)
{
    struct epoll_event event;

    if (epoll_wait(set, &event, 1, -1) != 1)
        abort();
    sink = x;
}

static void added_to_set(void)
{
    fds[0] = eventfd(1, 0);
    set = epoll_create1(0);
    give_and_take(give_to_set, take_from_set);
}

/* It is in the set, for nothing yet. */
static void change_in_set(void)
{
    struct epoll_event event = {.events = EPOLLIN};

    before();
    if (epoll_ctl(set, EPOLL_CTL_MOD, fds[0], &event) != 0)
        abort();
    after();
}

static void changed_in_set(void)
{
    struct epoll_event event = {.events = 0};

    fds[0] = eventfd(1, 0);
    set = epoll_create1(0);
    if (epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &event) != 0)
        abort();
    give_and_take(change_in_set, take_from_set);
}

/* Who connects finds somebody who listens, and tries again until then. */
static void listens(void)
{
    before();
    if (listen(fds[0], 1) != 0)
        abort();
    after();
}

static void tries_to_connect(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        usleep(100);
        fd = socket(AF_INET, SOCK_STREAM, 0);
    }
    sink = x;
    close(fd);
}

static void nothing(void)
{
}

static void listened(void)
{
    socklen_t bytes = sizeof address;

    give_and_take(nothing,
                  nothing); /* behind the first thread, the socket is each schedule's own */
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fds[0], (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fds[0], (struct sockaddr *)&address, &bytes) != 0)
        abort();
    give_and_take(listens, tries_to_connect);
}

/* The request writes the buffer, until it is done. */
static void read_asynchronously(void)
{
    static char text[4];
    static struct aiocb block;
    const struct aiocb *blocks[] = {&block};

    if (pipe(fds) != 0 || write(fds[1], "abc", 3) != 3)
        abort();
    block.aio_fildes = fds[0];
    block.aio_buf = text;
    block.aio_nbytes = 3;
    if (aio_read(&block) != 0)
        abort();
    if (wrong)
        sink = text[0];
    while (aio_error(&block) == EINPROGRESS)
        aio_suspend(blocks, 1, NULL);
    aio_return(&block);
    sink = text[0];
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(through_pipe),      VARIANT(through_socketpair),  VARIANT(through_eventfd),
        VARIANT(end_of_file),       VARIANT(end_of_socket),       VARIANT(connection),
        VARIANT(message_queue),     VARIANT(signal_waited_for),   VARIANT(signal_handled),
        VARIANT(handler_installed), VARIANT(timer_thread),        VARIANT(at_exit),
        VARIANT(context),           VARIANT(added_to_set),        VARIANT(changed_in_set),
        VARIANT(listened),          VARIANT(read_asynchronously),
    };

    return RUN_VARIANT(table, argc, argv);
}
