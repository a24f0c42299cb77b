/* Handlers, and what orders them: the send, the mask, the wait, the thread that they run in. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "twin.h"

int x, sink; /* not static: what nobody reads is not there */
static pthread_t taker;
static sem_t ready, done;

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

static void wait_for(sem_t *s)
{
    while (sem_wait(s) != 0 && errno == EINTR)
        ;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};

    sigaction(number, &sa, NULL);
}

static void block(int how, int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(how, &set, NULL);
}

static void on_signal(int number)
{
    (void)number;
    sink = x;
    sem_post(&done);
}

/* One takes: until `done`. The other gives. */
static void give_and_take(void *(*give)(void *), void *(*take)(void *))
{
    pthread_t giver;

    sem_init(&ready, 0, 0);
    sem_init(&done, 0, 0);
    pthread_create(&taker, NULL, take, NULL);
    wait_for(&ready);
    pthread_create(&giver, NULL, give, NULL);
    pthread_join(giver, NULL);
    pthread_join(taker, NULL);
}

static void *sends(void *arg)
{
    before();
    pthread_kill(taker, SIGUSR1);
    after();
    return arg;
}

static void *queues(void *arg)
{
    union sigval value = {.sival_int = 7};

    before();
    pthread_sigqueue(taker, SIGUSR1, value);
    after();
    return arg;
}

static void *is_interrupted(void *arg)
{
    sem_post(&ready);
    wait_for(&done);
    return arg;
}

static void sent(void)
{
    handle(SIGUSR1, on_signal, 0);
    give_and_take(sends, is_interrupted);
}

static void queued(void)
{
    handle(SIGUSR1, on_signal, SA_RESTART);
    give_and_take(queues, is_interrupted);
}

/* It stays pending until it is let through. */
static void *lets_through(void *arg)
{
    block(SIG_BLOCK, SIGUSR1);
    sem_post(&ready);
    sched_yield();
    block(SIG_UNBLOCK, SIGUSR1);
    wait_for(&done);
    return arg;
}

static void pending(void)
{
    handle(SIGUSR1, on_signal, 0);
    give_and_take(sends, lets_through);
}

static void *suspends(void *arg)
{
    sigset_t none;

    block(SIG_BLOCK, SIGUSR1);
    sem_post(&ready);
    sigemptyset(&none);
    sigsuspend(&none);
    sink = x;
    return arg;
}

static void on_nothing(int number)
{
    (void)number;
}

static void suspended(void)
{
    handle(SIGUSR1, on_nothing, 0);
    give_and_take(sends, suspends);
}

static void *waits_with_time(void *arg)
{
    struct timespec hour = {.tv_sec = 3600};
    sigset_t set;
    siginfo_t info;

    sem_post(&ready);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if (sigtimedwait(&set, &info, &hour) == SIGUSR1)
        sink = x;
    return arg;
}

static void timed_wait(void)
{
    block(SIG_BLOCK, SIGUSR1);
    give_and_take(queues, waits_with_time);
}

static void *reads_signals(void *arg)
{
    struct signalfd_siginfo info;
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    fd = signalfd(-1, &set, 0);
    sem_post(&ready);
    if (read(fd, &info, sizeof info) == sizeof info)
        sink = x;
    close(fd);
    return arg;
}

static void *kills(void *arg)
{
    before();
    kill(getpid(), SIGUSR1);
    after();
    return arg;
}

static void descriptor(void)
{
    block(SIG_BLOCK, SIGUSR1);
    give_and_take(kills, reads_signals);
}

/* The handler's own thread goes on after it, without any call. */
static volatile sig_atomic_t seen;

static void on_counted(int number)
{
    (void)number;
    sink++;
    seen = 1;
}

static void *counts_with_handler(void *arg)
{
    sink++;
    raise(SIGUSR1);
    sink++;
    while (!seen)
        sched_yield();
    sink++;
    return arg;
}

static void *counts_too(void *arg)
{
    if (wrong)
        sink++;
    return arg;
}

static void same_thread(void)
{
    pthread_t a, b;

    handle(SIGUSR1, on_counted, 0);
    pthread_create(&a, NULL, counts_with_handler, NULL);
    pthread_create(&b, NULL, counts_too, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* Kept from its own handler by the mask, from the other by a lock. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int both;

static void on_masked(int number)
{
    (void)number;
    both++;
    sem_post(&done);
}

static void *counts_masked(void *arg)
{
    block(SIG_BLOCK, SIGUSR1);
    sem_post(&ready);
    both++;
    block(SIG_UNBLOCK, SIGUSR1);
    wait_for(&done);
    return arg;
}

static void *sends_and_counts(void *arg)
{
    if (wrong)
        both++;
    pthread_kill(taker, SIGUSR1);
    return arg;
}

static void masked(void)
{
    handle(SIGUSR1, on_masked, 0);
    give_and_take(sends_and_counts, counts_masked);
    pthread_mutex_lock(&guard);
    both++;
    pthread_mutex_unlock(&guard);
}

/* It does not come back from the handler, but jumps. */
static sigjmp_buf out;

static void on_jump(int number)
{
    (void)number;
    sink = x;
    siglongjmp(out, 1);
}

static void *jumps_out(void *arg)
{
    if (sigsetjmp(out, 1) == 0) {
        sem_post(&ready);
        for (;;)
            pause();
    }
    sink = x + 1;
    return arg;
}

static void jumped_out(void)
{
    handle(SIGUSR1, on_jump, 0);
    give_and_take(sends, jumps_out);
}

/* On a stack of its own. */
static char other_stack[65536];

static void *has_other_stack(void *arg)
{
    stack_t other = {.ss_sp = other_stack, .ss_size = sizeof other_stack};

    sigaltstack(&other, NULL);
    return is_interrupted(arg);
}

static void other_stack_used(void)
{
    handle(SIGUSR1, on_signal, SA_ONSTACK);
    give_and_take(sends, has_other_stack);
    memset(other_stack, 0, sizeof other_stack);
}

/* ---- time ---- */

static void on_alarm(int number)
{
    (void)number;
    sink = x;
    sem_post(&done);
}

static void *idles(void *arg)
{
    wait_for(&done);
    return arg;
}

static void with_timer(void (*arms)(void))
{
    pthread_t t;

    sem_init(&done, 0, 0);
    handle(SIGALRM, on_alarm, 0);
    pthread_create(&t, NULL, idles, NULL);
    block(SIG_BLOCK, SIGALRM);
    before();
    arms();
    after();
    pthread_join(t, NULL);
}

static void arms_alarm(void)
{
    alarm(1);
}

static void alarm_set(void)
{
    with_timer(arms_alarm);
}

static void arms_interval(void)
{
    struct itimerval soon = {.it_value = {.tv_usec = 1000}};

    setitimer(ITIMER_REAL, &soon, NULL);
}

static void interval_timer(void)
{
    with_timer(arms_interval);
}

static void arms_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct itimerspec soon = {.it_value = {.tv_nsec = 1000000}};
    timer_t timer;

    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
}

static void timer_signal(void)
{
    with_timer(arms_timer);
}

/* ---- children ---- */

static void on_child(int number)
{
    (void)number;
    sink = x;
    sem_post(&done);
    sem_post(&done);
}

static void *forks(void *arg)
{
    pid_t child;

    before();
    child = fork();
    if (child == 0)
        _exit(0);
    after();
    wait_for(&done);
    waitpid(child, NULL, 0);
    return arg;
}

static void *waits_for_child(void *arg)
{
    block(SIG_UNBLOCK, SIGCHLD);
    wait_for(&done);
    return arg;
}

/* In any thread but the one that made the child. */
static void child_ended(void)
{
    pthread_t a, b;

    sem_init(&done, 0, 0);
    handle(SIGCHLD, on_child, 0);
    block(SIG_BLOCK, SIGCHLD);
    pthread_create(&a, NULL, waits_for_child, NULL);
    pthread_create(&b, NULL, forks, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(sent),         VARIANT(queued),
        VARIANT(pending),      VARIANT(suspended),
        VARIANT(timed_wait),   VARIANT(descriptor),
        VARIANT(same_thread),  VARIANT(masked),
        VARIANT(jumped_out),   VARIANT(other_stack_used),
        VARIANT(alarm_set),    VARIANT(interval_timer),
        VARIANT(timer_signal), VARIANT(child_ended),
    };

    return RUN_VARIANT(table, argc, argv);
}
