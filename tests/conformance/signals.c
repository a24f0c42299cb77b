/* signals.c - sent to threads and to the process; masks, waits, handlers, interrupted calls. */
#include "check.h"

#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic int handled; /* lock-free: a handler may */
static volatile sig_atomic_t last_number, last_value, last_code;
static pthread_t handled_by;
static pid_t last_pid;
static sem_t ready, go_on;

static void on_signal(int number)
{
    last_number = number;
    handled_by = pthread_self();
    handled++;
}

static void on_info(int number, siginfo_t *info, void *context)
{
    (void)context;
    handled++;
    last_number = number;
    last_value = info->si_value.sival_int;
    last_code = info->si_code;
    last_pid = info->si_pid;
    handled_by = pthread_self();
}

static void handle(int number, int flags)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags};

    handled = last_number = 0;
    CHECK(sigaction(number, &sa, NULL) == 0);
}

static sigset_t set_of(int number)
{
    sigset_t s;

    sigemptyset(&s);
    sigaddset(&s, number);
    return s;
}

static void block(int number)
{
    sigset_t s = set_of(number);
    ANSWERS(0, pthread_sigmask(SIG_BLOCK, &s, NULL));
}

static void unblock(int number)
{
    sigset_t s = set_of(number);
    ANSWERS(0, pthread_sigmask(SIG_UNBLOCK, &s, NULL));
}

static void oneself(void)
{
    sigset_t pending;

    handle(SIGUSR1, 0);
    CHECK(raise(SIGUSR1) == 0);
    CHECK(handled == 1 && last_number == SIGUSR1);
    ANSWERS(0, pthread_kill(pthread_self(), SIGUSR1));
    CHECK(handled == 2);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(handled == 3);
    ANSWERS(0, pthread_kill(pthread_self(), 0));
    CHECK(handled == 3);
    ANSWERS(EINVAL, pthread_kill(pthread_self(), 1000));
    block(SIGUSR1);
    CHECK(raise(SIGUSR1) == 0);
    CHECK(handled == 3);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
    unblock(SIGUSR1);
    CHECK(handled == 4);
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGUSR1));
}

static void *sleeps(void *arg)
{
    struct timespec want = {100, 0}, left = {0, 0};

    CHECK(sem_post(&ready) == 0);
    FAILS(EINTR, nanosleep(&want, &left));
    CHECK(left.tv_sec >= 90 && left.tv_sec <= 100);
    return arg;
}

static void in_the_right_thread(void)
{
    pthread_t t;

    CHECK(sem_init(&ready, 0, 0) == 0);
    handle(SIGUSR1, 0);
    ANSWERS(0, pthread_create(&t, NULL, sleeps, NULL));
    CHECK(sem_wait(&ready) == 0);
    nap(5 * MS);
    ANSWERS(0, pthread_kill(t, 0));
    CHECK(handled == 0);
    ANSWERS(0, pthread_kill(t, SIGUSR1));
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(handled == 1);
    CHECK(pthread_equal(handled_by, t));
}

static void *tells_mask(void *arg)
{
    sigset_t now_blocked, pending;

    ANSWERS(0, pthread_sigmask(SIG_SETMASK, NULL, &now_blocked));
    CHECK(sigismember(&now_blocked, SIGUSR2));
    CHECK(!sigismember(&now_blocked, SIGUSR1));
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGUSR2));
    return arg;
}

static void mask_is_inherited(void)
{
    pthread_t t;
    sigset_t old;
    sigset_t one = set_of(SIGUSR2);

    handle(SIGUSR2, 0);
    block(SIGUSR2);
    CHECK(raise(SIGUSR2) == 0); /* pending for this thread alone */
    ANSWERS(0, pthread_create(&t, NULL, tells_mask, NULL));
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(handled == 0);
    ANSWERS(0, pthread_sigmask(SIG_UNBLOCK, &one, &old));
    CHECK(sigismember(&old, SIGUSR2));
    CHECK(handled == 1);
    ANSWERS(EINVAL, pthread_sigmask(1000, &one, NULL));
}

/* ---- waits ---- */

static void *waits_for(void *arg)
{
    sigset_t s = set_of(SIGUSR1);
    int number = 0;

    CHECK(sem_post(&ready) == 0);
    ANSWERS(0, sigwait(&s, &number));
    CHECK(number == SIGUSR1);
    return arg;
}

static void wait_to_thread(void)
{
    pthread_t t;

    CHECK(sem_init(&ready, 0, 0) == 0);
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    ANSWERS(0, pthread_create(&t, NULL, waits_for, NULL));
    CHECK(sem_wait(&ready) == 0);
    ANSWERS(0, pthread_kill(t, SIGUSR1));
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(handled == 0);
    unblock(SIGUSR1);
    CHECK(handled == 0);
}

static void wait_to_process(void)
{
    pthread_t t;

    CHECK(sem_init(&ready, 0, 0) == 0);
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    ANSWERS(0, pthread_create(&t, NULL, waits_for, NULL));
    CHECK(sem_wait(&ready) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    ANSWERS(0, pthread_join(t, NULL));
    unblock(SIGUSR1);
    CHECK(handled == 0);
}

static void wait_timed(void)
{
    sigset_t s = set_of(SIGUSR1);
    struct timespec none = {0, 0}, some = {0, 10 * MS}, start = now(CLOCK_MONOTONIC);
    siginfo_t info;

    block(SIGUSR1);
    FAILS(EAGAIN, sigtimedwait(&s, &info, &none));
    FAILS(EAGAIN, sigtimedwait(&s, &info, &some));
    CHECK(ns_since(CLOCK_MONOTONIC, &start) >= 10 * MS);
    CHECK(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42}) == 0);
    CHECK(sigtimedwait(&s, &info, &some) == SIGUSR1);
    CHECK(info.si_value.sival_int == 42 && info.si_code == SI_QUEUE);
    CHECK(info.si_pid == getpid() && info.si_uid == getuid());
    CHECK(raise(SIGUSR1) == 0);
    CHECK(sigwaitinfo(&s, &info) == SIGUSR1);
    CHECK(info.si_signo == SIGUSR1 && info.si_pid == getpid());
    unblock(SIGUSR1);
}

static void queued_in_order(void)
{
    sigset_t s = set_of(SIGRTMIN);
    siginfo_t info;

    sigaddset(&s, SIGRTMIN + 1);
    ANSWERS(0, pthread_sigmask(SIG_BLOCK, &s, NULL));
    for (int i = 0; i < 3; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}) == 0);
    CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 9}) == 0);
    CHECK(sigwaitinfo(&s, &info) == SIGRTMIN && info.si_value.sival_int == 9);
    for (int i = 0; i < 3; i++)
        CHECK(sigwaitinfo(&s, &info) == SIGRTMIN + 1 && info.si_value.sival_int == i);
    ANSWERS(0, pthread_sigmask(SIG_UNBLOCK, &s, NULL));
    FAILS(EINVAL, sigqueue(getpid(), 1000, (union sigval){.sival_int = 0}));
    CHECK(sigqueue(getpid(), 0, (union sigval){.sival_int = 0}) == 0);
}

static void what_handlers_are_told(void)
{
    struct sigaction sa = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO}, old;

    handled = 0;
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    CHECK(sigaction(SIGUSR1, NULL, &old) == 0);
    CHECK(old.sa_sigaction == on_info && (old.sa_flags & SA_SIGINFO));
    CHECK(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 7}) == 0);
    CHECK(handled == 1 && last_value == 7 && last_code == SI_QUEUE && last_pid == getpid());
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(handled == 2 && last_code == SI_USER && last_pid == getpid());
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK(raise(SIGUSR1) == 0 && handled == 2);
    CHECK(signal(SIGUSR1, on_signal) == SIG_IGN);
    CHECK(raise(SIGUSR1) == 0 && handled == 3);
    CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == on_signal);
    FAILS(EINVAL, sigaction(SIGKILL, &sa, NULL));
    FAILS(EINVAL, sigaction(1000, &sa, NULL));
}

static void reset_and_nodefer(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old;

    handled = 0;
    CHECK(sigaction(SIGUSR2, &sa, NULL) == 0);
    CHECK(raise(SIGUSR2) == 0 && handled == 1);
    CHECK(sigaction(SIGUSR2, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
}

static volatile sig_atomic_t depth, deepest;

static void nests(int number)
{
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (number == SIGUSR1 && handled++ == 0) {
        raise(SIGUSR1); /* blocked while its handler runs */
        raise(SIGUSR2); /* in sa_mask: blocked as well */
        CHECK(deepest == 1);
    }
    depth--;
}

static void masked_in_handler(void)
{
    struct sigaction sa = {.sa_handler = nests};

    handled = depth = deepest = 0;
    sigemptyset(&sa.sa_mask);
    sigaddset(&sa.sa_mask, SIGUSR2);
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0 && sigaction(SIGUSR2, &sa, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0);
    CHECK(handled == 2 && deepest == 1);
}

static void suspend(void)
{
    sigset_t all, none;

    handle(SIGUSR1, 0);
    block(SIGUSR1);
    CHECK(raise(SIGUSR1) == 0);
    CHECK(handled == 0);
    sigemptyset(&none);
    FAILS(EINTR, sigsuspend(&none));
    CHECK(handled == 1);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &all) == 0 && sigismember(&all, SIGUSR1));
    unblock(SIGUSR1);
}

/* ---- interrupted calls ---- */

static int pipes[2];

static void *interrupts(void *arg)
{
    CHECK(sem_wait(&go_on) == 0);
    nap(5 * MS);
    ANSWERS(0, pthread_kill(*(pthread_t *)arg, SIGUSR1));
    return NULL;
}

static void *interrupts_then_writes(void *arg)
{
    interrupts(arg);
    nap(5 * MS);
    CHECK(write(pipes[1], "x", 1) == 1);
    return NULL;
}

#define INTERRUPTED(call)                                                                          \
    do {                                                                                           \
        handle(SIGUSR1, 0);                                                                        \
        ANSWERS(0, pthread_create(&t, NULL, interrupts, &me));                                     \
        CHECK(sem_post(&go_on) == 0);                                                              \
        FAILS(EINTR, call);                                                                        \
        CHECK(handled == 1);                                                                       \
        CHECK(pthread_equal(handled_by, me));                                                      \
        ANSWERS(0, pthread_join(t, NULL));                                                         \
    } while (0)

static void interrupted_calls(void)
{
    pthread_t t, me = pthread_self();
    struct timespec long_time = {100, 0};
    struct timeval long_time_us = {100, 0};
    struct pollfd p;
    sigset_t usr2 = set_of(SIGUSR2), none;
    fd_set fds;
    char c;

    CHECK(sem_init(&go_on, 0, 0) == 0 && pipe(pipes) == 0);
    p = (struct pollfd){.fd = pipes[0], .events = POLLIN};
    sigemptyset(&none);
    INTERRUPTED(pause());
    INTERRUPTED(read(pipes[0], &c, 1));
    INTERRUPTED(poll(&p, 1, 100000));
    INTERRUPTED(poll(NULL, 0, -1));
    FD_ZERO(&fds);
    FD_SET(pipes[0], &fds);
    INTERRUPTED(select(pipes[0] + 1, &fds, NULL, NULL, &long_time_us));
    INTERRUPTED(nanosleep(&long_time, NULL));
    INTERRUPTED(usleep(900000));
    INTERRUPTED(sigtimedwait(&usr2, NULL, &long_time));
    INTERRUPTED(sigwaitinfo(&usr2, NULL));
    INTERRUPTED(sigsuspend(&none));
    INTERRUPTED(ppoll(&p, 1, &long_time, &none));
    handle(SIGUSR1, 0);
    ANSWERS(0, pthread_create(&t, NULL, interrupts, &me));
    CHECK(sem_post(&go_on) == 0);
    ANSWERS(EINTR, clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, &long_time));
    CHECK(long_time.tv_sec >= 98);
    ANSWERS(0, pthread_join(t, NULL));
    handle(SIGUSR1, 0);
    ANSWERS(0, pthread_create(&t, NULL, interrupts, &me));
    CHECK(sem_post(&go_on) == 0);
    CHECK(sleep(100) >= 98);
    ANSWERS(0, pthread_join(t, NULL));
    close(pipes[0]);
    close(pipes[1]);
}

static void restarted_calls(void)
{
    pthread_t t, me = pthread_self();
    char c = 0;

    CHECK(sem_init(&go_on, 0, 0) == 0 && pipe(pipes) == 0);
    handle(SIGUSR1, SA_RESTART);
    ANSWERS(0, pthread_create(&t, NULL, interrupts_then_writes, &me));
    CHECK(sem_post(&go_on) == 0);
    CHECK(read(pipes[0], &c, 1) == 1);
    CHECK(handled == 1 && c == 'x');
    ANSWERS(0, pthread_join(t, NULL));
    close(pipes[0]);
    close(pipes[1]);
}

/* Calls of pthreads never say EINTR. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static int permits;

static void *kill_then_release(void *arg)
{
    pthread_t *main_thread = arg;

    nap(2 * MS);
    ANSWERS(0, pthread_kill(*main_thread, SIGUSR1));
    nap(2 * MS);
    pthread_mutex_lock(&lock);
    permits = 1;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&lock);
    nap(2 * MS);
    ANSWERS(0, pthread_kill(*main_thread, SIGUSR1));
    nap(2 * MS);
    pthread_barrier_wait(&barrier);
    nap(2 * MS);
    ANSWERS(0, pthread_kill(*main_thread, SIGUSR1));
    nap(2 * MS);
    return NULL;
}

static void never_interrupted(void)
{
    pthread_t t, me = pthread_self();
    int rc;

    handle(SIGUSR1, 0);
    ANSWERS(0, pthread_barrier_init(&barrier, NULL, 2));
    ANSWERS(0, pthread_create(&t, NULL, kill_then_release, &me));
    ANSWERS(0, pthread_mutex_lock(&lock));
    while (!permits)
        ANSWERS(0, pthread_cond_wait(&cond, &lock));
    ANSWERS(0, pthread_mutex_unlock(&lock));
    rc = pthread_barrier_wait(&barrier);
    CHECK(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD);
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(handled == 3);
    ANSWERS(0, pthread_barrier_destroy(&barrier));
}

static char alternate[64 << 10];
static volatile sig_atomic_t on_alternate;

static void where(int number)
{
    char here;

    (void)number;
    on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
}

static void *has_stack(void *arg)
{
    stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;
    struct sigaction sa = {.sa_handler = where, .sa_flags = SA_ONSTACK};

    CHECK(sigaltstack(&s, &old) == 0 && (old.ss_flags & SS_DISABLE));
    CHECK(sigaction(SIGUSR2, &sa, NULL) == 0);
    ANSWERS(0, pthread_kill(pthread_self(), SIGUSR2));
    CHECK(on_alternate == 1);
    s.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&s, NULL) == 0);
    return arg;
}

static void alternate_stack(void)
{
    pthread_t t;

    ANSWERS(0, pthread_create(&t, NULL, has_stack, NULL));
    ANSWERS(0, pthread_join(t, NULL));
}

/* To the process: some thread that does not block it. */
static void *takes_all(void *arg)
{
    unblock(SIGUSR2);
    CHECK(sem_post(&ready) == 0);
    while (sem_wait(&go_on) != 0)
        CHECK(errno == EINTR);
    return arg;
}

static void to_any_thread(void)
{
    pthread_t t;

    CHECK(sem_init(&ready, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    handle(SIGUSR2, 0);
    block(SIGUSR2);
    ANSWERS(0, pthread_create(&t, NULL, takes_all, NULL));
    CHECK(sem_wait(&ready) == 0);
    CHECK(kill(getpid(), SIGUSR2) == 0);
    while (!handled)
        nap(MS);
    CHECK(pthread_equal(handled_by, t));
    CHECK(sem_post(&go_on) == 0);
    ANSWERS(0, pthread_join(t, NULL));
    unblock(SIGUSR2);
    CHECK(handled == 1);
}

static void *spins_for_signal(void *arg)
{
    CHECK(sem_post(&ready) == 0);
    while (!handled)
        ;
    return arg;
}

static void to_one_that_computes(void)
{
    pthread_t t;

    CHECK(sem_init(&ready, 0, 0) == 0);
    handle(SIGUSR1, 0);
    ANSWERS(0, pthread_create(&t, NULL, spins_for_signal, NULL));
    CHECK(sem_wait(&ready) == 0);
    ANSWERS(0, pthread_kill(t, SIGUSR1));
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(handled == 1 && pthread_equal(handled_by, t));
}

int main(int argc, char **argv)
{
    RUN(oneself);
    RUN(in_the_right_thread);
    RUN(mask_is_inherited);
    RUN(wait_to_thread);
    RUN(wait_to_process);
    RUN(wait_timed);
    RUN(queued_in_order);
    RUN(what_handlers_are_told);
    RUN(reset_and_nodefer);
    RUN(masked_in_handler);
    RUN(suspend);
    RUN(interrupted_calls);
    RUN(restarted_calls);
    RUN(never_interrupted);
    RUN(alternate_stack);
    RUN(to_any_thread);
    RUN(to_one_that_computes);
    return conclude();
}
