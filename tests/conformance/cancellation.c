/* cancellation.c - deferred, asynchronous and disabled cancellation; cancellation points. */
#include "check.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int started, cleaned;

static void cleanup(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&cleaned, 1, __ATOMIC_SEQ_CST);
}

static void wait_started(void)
{
    while (!__atomic_load_n(&started, __ATOMIC_SEQ_CST))
        sched_yield();
}

/* The thread reaches `f`, is cancelled there, and its handler runs. */
static void cancelled_in(void *(*f)(void *), void *arg, const char *what)
{
    pthread_t t;
    void *result = NULL;

    started = cleaned = 0;
    ANSWERS(0, pthread_create(&t, NULL, f, arg));
    wait_started();
    ANSWERS(0, pthread_cancel(t));
    ANSWERS(0, pthread_join(t, &result));
    if (result != PTHREAD_CANCELED || cleaned != 1) {
        failures++;
        fprintf(stderr, "%s: not cancelled, or no cleanup\n", what);
    }
}

#define POINT(name, ...)                                                                           \
    static void *in_##name(void *arg)                                                              \
    {                                                                                              \
        pthread_cleanup_push(cleanup, NULL);                                                       \
        __atomic_store_n(&started, 1, __ATOMIC_SEQ_CST);                                           \
        for (;;) {                                                                                 \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
        pthread_cleanup_pop(0);                                                                    \
        return arg;                                                                                \
    }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t zero;
static int pipes[2], sockets[2], queue;
static mqd_t posix_queue;
static pthread_t eternal;
static struct timespec late;

static void unlock(void *m)
{
    ANSWERS(0, pthread_mutex_unlock(m)); /* a wait that is cancelled has its mutex again */
}

POINT(testcancel, pthread_testcancel(); sched_yield())
POINT(cond_wait, pthread_mutex_lock(&lock); pthread_cleanup_push(unlock, &lock);
      pthread_cond_wait(&never, &lock); pthread_cleanup_pop(1))
POINT(cond_timedwait, pthread_mutex_lock(&lock); pthread_cleanup_push(unlock, &lock);
      pthread_cond_timedwait(&never, &lock, &late); pthread_cleanup_pop(1))
POINT(join, pthread_join(eternal, NULL))
POINT(sem_wait, sem_wait(&zero))
POINT(sem_timedwait, sem_timedwait(&zero, &late))
POINT(sleep, sleep(100))
POINT(usleep, usleep(900000))
POINT(nanosleep, nap(100 * SECOND))
POINT(clock_nanosleep, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &late, NULL))
POINT(read, char c; if (read(pipes[0], &c, 1) != 1) break)
POINT(write, static char page[4096]; if (write(pipes[1], page, sizeof page) < 1) break)
POINT(pause, pause())
POINT(sigwait, sigset_t s; int n; sigemptyset(&s); sigaddset(&s, SIGUSR2); sigwait(&s, &n))
POINT(sigwaitinfo, sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR2); sigwaitinfo(&s, NULL))
POINT(sigtimedwait, sigset_t s; struct timespec d = {100, 0}; sigemptyset(&s);
      sigaddset(&s, SIGUSR2); sigtimedwait(&s, NULL, &d))
POINT(sigsuspend, sigset_t s; sigemptyset(&s); sigsuspend(&s))
POINT(poll, poll(NULL, 0, 100000))
POINT(select, struct timeval d = {100, 0}; select(0, NULL, NULL, NULL, &d))
POINT(pselect, struct timespec d = {100, 0}; pselect(0, NULL, NULL, NULL, &d, NULL))
POINT(recv, char c; recv(sockets[0], &c, 1, 0))
POINT(accept, accept(sockets[0], NULL, NULL))
POINT(
    msgrcv,
    struct {
        long type;
        char text[8];
    } m;
    if (msgrcv(queue, &m, sizeof m.text, 0, 0) < 0) break)
POINT(mq_receive, char m[64]; if (mq_receive(posix_queue, m, sizeof m, NULL) < 0) break)
POINT(mq_timedreceive, char m[64];
      if (mq_timedreceive(posix_queue, m, sizeof m, NULL, &late) < 0) break)

static void *for_ever(void *arg)
{
    while (sem_wait(arg) != 0)
        ;
    return NULL;
}

static void every_point(void)
{
    static sem_t release;
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 64};
    struct sockaddr_un anywhere = {.sun_family = AF_UNIX};
    char name[64];

    late = in_ns(CLOCK_REALTIME, SECOND - 1);
    late.tv_sec += 1000;
    CHECK(sem_init(&zero, 0, 0) == 0 && sem_init(&release, 0, 0) == 0);
    CHECK(pipe(pipes) == 0);
    ANSWERS(0, pthread_create(&eternal, NULL, for_ever, &release));
#define IN(name) cancelled_in(in_##name, NULL, #name)
    IN(testcancel);
    IN(cond_wait);
    IN(cond_timedwait);
    IN(join);
    IN(sem_wait);
    IN(sem_timedwait);
    IN(sleep);
    IN(usleep);
    IN(nanosleep);
    IN(clock_nanosleep);
    IN(read);
    IN(write);
    IN(pause);
    IN(sigwait);
    IN(sigwaitinfo);
    IN(sigtimedwait);
    IN(sigsuspend);
    IN(poll);
    IN(select);
    IN(pselect);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    IN(recv);
    close(sockets[0]);
    close(sockets[1]);
    sockets[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(sockets[0], (struct sockaddr *)&anywhere, sizeof anywhere.sun_family) == 0);
    CHECK(listen(sockets[0], 1) == 0);
    IN(accept);
    close(sockets[0]);
    queue = msgget(IPC_PRIVATE, 0600);
    CHECK(queue >= 0);
    IN(msgrcv);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    snprintf(name, sizeof name, "/heddle-cancel-%ld", (long)getpid());
    posix_queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
    if (posix_queue != (mqd_t)-1) { /* the file system of queues may be missing */
        IN(mq_receive);
        IN(mq_timedreceive);
        CHECK(mq_close(posix_queue) == 0 && mq_unlink(name) == 0);
    }
    CHECK(sem_post(&release) == 0);
    ANSWERS(0, pthread_join(eternal, NULL));
    close(pipes[0]);
    close(pipes[1]);
}

/* ---- states ---- */

static sem_t asked, go_on;

static void *disabled_first(void *arg)
{
    int old = -1;

    pthread_cleanup_push(cleanup, NULL);
    ANSWERS(0, pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
    CHECK(old == PTHREAD_CANCEL_ENABLE);
    CHECK(sem_post(&asked) == 0);
    CHECK(sem_wait(&go_on) == 0); /* cancelled by now */
    pthread_testcancel();
    nap(MS);
    *(int *)arg = 1;
    ANSWERS(0, pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old));
    CHECK(old == PTHREAD_CANCEL_DISABLE);
    *(int *)arg = 2; /* deferred: enabling is no point */
    pthread_testcancel();
    *(int *)arg = 3;
    pthread_cleanup_pop(0);
    return NULL;
}

static void disabled(void)
{
    pthread_t t;
    void *result;
    int at = 0, old;

    CHECK(sem_init(&asked, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    cleaned = 0;
    ANSWERS(0, pthread_create(&t, NULL, disabled_first, &at));
    CHECK(sem_wait(&asked) == 0);
    ANSWERS(0, pthread_cancel(t));
    CHECK(sem_post(&go_on) == 0);
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == PTHREAD_CANCELED);
    CHECK(at == 2);
    CHECK(cleaned == 1);
    ANSWERS(EINVAL, pthread_setcancelstate(1000, &old));
    ANSWERS(EINVAL, pthread_setcanceltype(1000, &old));
}

static void *async_enabled_late(void *arg)
{
    int old = -1;

    ANSWERS(0, pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old));
    CHECK(old == PTHREAD_CANCEL_DEFERRED);
    ANSWERS(0, pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
    CHECK(sem_post(&asked) == 0);
    CHECK(sem_wait(&go_on) == 0);
    *(int *)arg = 1;
    ANSWERS(0, pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
    *(int *)arg = 2; /* not reached: it acts at once */
    return NULL;
}

static void *computes(void *arg)
{
    volatile unsigned long n = 0;

    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    __atomic_store_n((int *)arg, 1, __ATOMIC_SEQ_CST);
    for (;;)
        n = n + 1;
    return NULL;
}

static void asynchronous(void)
{
    pthread_t t;
    void *result;
    int at = 0;

    ANSWERS(0, pthread_create(&t, NULL, async_enabled_late, &at));
    CHECK(sem_wait(&asked) == 0);
    ANSWERS(0, pthread_cancel(t));
    CHECK(sem_post(&go_on) == 0);
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == PTHREAD_CANCELED);
    CHECK(at == 1);
    at = 0;
    ANSWERS(0, pthread_create(&t, NULL, computes, &at));
    while (!__atomic_load_n(&at, __ATOMIC_SEQ_CST))
        nap(MS);
    ANSWERS(0, pthread_cancel(t));
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == PTHREAD_CANCELED);
}

static void *cancels_itself(void *arg)
{
    ANSWERS(0, pthread_cancel(pthread_self()));
    *(int *)arg = 1; /* deferred */
    pthread_testcancel();
    *(int *)arg = 2;
    return NULL;
}

static void oneself(void)
{
    pthread_t t;
    void *result;
    int at = 0;

    ANSWERS(0, pthread_create(&t, NULL, cancels_itself, &at));
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == PTHREAD_CANCELED);
    CHECK(at == 1);
}

static char order[8];
static size_t order_length;
static pthread_key_t key;

static void note(void *letter)
{
    order[order_length++] = *(const char *)letter;
}

static void *many_handlers(void *arg)
{
    pthread_setspecific(key, "k");
    pthread_cleanup_push(note, "1");
    pthread_cleanup_push(note, "2");
    pthread_cleanup_push(note, "3");
    CHECK(sem_post(&asked) == 0);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return arg;
}

static void order_of_handlers(void)
{
    pthread_t t;

    order_length = 0;
    ANSWERS(0, pthread_key_create(&key, note));
    ANSWERS(0, pthread_create(&t, NULL, many_handlers, NULL));
    CHECK(sem_wait(&asked) == 0);
    ANSWERS(0, pthread_cancel(t));
    ANSWERS(0, pthread_join(t, NULL));
    order[order_length] = 0;
    CHECK(strcmp(order, "321k") == 0);
    ANSWERS(0, pthread_key_delete(key));
}

/* Locks are no cancellation points. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *locks(void *arg)
{
    CHECK(sem_post(&asked) == 0);
    ANSWERS(0, pthread_mutex_lock(&gate));
    *(int *)arg = 1;
    ANSWERS(0, pthread_mutex_unlock(&gate));
    pthread_testcancel();
    return NULL;
}

static void locks_are_none(void)
{
    pthread_t t;
    void *result;
    int at = 0;

    ANSWERS(0, pthread_mutex_lock(&gate));
    ANSWERS(0, pthread_create(&t, NULL, locks, &at));
    CHECK(sem_wait(&asked) == 0);
    ANSWERS(0, pthread_cancel(t));
    nap(2 * MS);
    CHECK(at == 0);
    ANSWERS(0, pthread_mutex_unlock(&gate));
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == PTHREAD_CANCELED);
    CHECK(at == 1);
}

/* A thread that ended and is not joined yet. */
static void *ends(void *arg)
{
    return arg;
}

static void after_the_end(void)
{
    pthread_t t;
    void *result;
    int x;

    ANSWERS(0, pthread_create(&t, NULL, ends, &x));
    nap(3 * MS);
    ANSWERS(0, pthread_cancel(t));
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == &x || result == PTHREAD_CANCELED);
}

int main(int argc, char **argv)
{
    RUN(every_point);
    RUN(disabled);
    RUN(asynchronous);
    RUN(oneself);
    RUN(order_of_handlers);
    RUN(locks_are_none);
    RUN(after_the_end);
    return conclude();
}
