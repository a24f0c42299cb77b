/* What a handler may not call: what is not async-signal-safe, where it came into another such call. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "twin.h"

static pthread_t taker;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static sem_t ready, told;
static volatile sig_atomic_t came;
static void *volatile block, *volatile block_of_handler;
static int ends[2];

static void handle(void (*handler)(int))
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sem_init(&ready, 0, 0);
    sem_init(&told, 0, 0);
    sigaction(SIGUSR1, &sa, NULL);
}

static void send_to(void *(*body)(void *))
{
    pthread_create(&taker, NULL, body, NULL);
    sem_wait(&ready);
    pthread_kill(taker, SIGUSR1);
    pthread_join(taker, NULL);
}

static void mask(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(how, &set, NULL);
}

/* ---- what handlers do ---- */

static void locks_other(int number)
{
    (void)number;
    came = 1;
    if (wrong) {
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
    }
}

static void allocates(int number)
{
    (void)number;
    came = 1;
    if (wrong) {
        block_of_handler = malloc(24);
        free(block_of_handler);
    }
}

static void prints(int number)
{
    (void)number;
    came = 1;
    if (wrong)
        printf("came\n");
    else if (write(STDOUT_FILENO, "came\n", 5) != 5)
        abort();
}

static void posts(int number)
{
    (void)number;
    came = 1;
    if (wrong)
        pthread_kill(pthread_self(), SIGUSR2);
    sem_post(&told);
}

static void ends_it(int number)
{
    (void)number;
    if (wrong)
        exit(0);
    _exit(0);
}

static void locks_always(int number)
{
    (void)number;
    came = 1;
    pthread_mutex_lock(&other);
    pthread_mutex_unlock(&other);
}

/* ---- what they come into ---- */

static void *locks(void *arg)
{
    sem_post(&ready);
    for (int i = 0; i < 4 && !came; i++) {
        pthread_mutex_lock(&guard);
        pthread_mutex_unlock(&guard);
    }
    return arg;
}

static void lock_in_lock(void)
{
    handle(locks_other);
    send_to(locks);
}

static void malloc_in_lock(void)
{
    handle(allocates);
    send_to(locks);
}

static void printf_in_lock(void)
{
    handle(prints);
    send_to(locks);
}

static void exit_in_lock(void)
{
    handle(ends_it);
    send_to(locks);
}

static void *allocates_often(void *arg)
{
    sem_post(&ready);
    for (int i = 0; i < 20 && !came; i++) {
        block = malloc(40);
        free(block);
    }
    return arg;
}

/* No call of this thread but the allocator's. */
static void malloc_in_malloc(void)
{
    handle(allocates);
    send_to(allocates_often);
}

static void *prints_often(void *arg)
{
    sem_post(&ready);
    for (int i = 0; i < 20 && !came; i++)
        printf("%d\n", i);
    return arg;
}

static void printf_in_printf(void)
{
    handle(prints);
    send_to(prints_often);
}

static void lock_in_long_lock(void)
{
    handle(locks_other);
    pthread_mutex_lock(&guard);
    pthread_create(&taker, NULL, locks, NULL);
    sem_wait(&ready);
    pthread_kill(taker, SIGUSR1);
    pthread_mutex_unlock(&guard);
    pthread_join(taker, NULL);
}

/* The handler of the second signal comes into a call of the first one's. */
static void second(int number)
{
    (void)number;
    locks_always(number);
}

static void nested(void)
{
    struct sigaction sa = {.sa_handler = second};

    sigaction(SIGUSR2, &sa, NULL);
    handle(posts);
    pthread_create(&taker, NULL, locks, NULL);
    sem_wait(&ready);
    pthread_kill(taker, SIGUSR1);
    pthread_join(taker, NULL);
}

/* ---- the handler calls what it likes in both twins: what it comes into differs ---- */

/* Only what is async-signal-safe lets it in. */
static void *pauses(void *arg)
{
    sigset_t none;

    mask(SIG_BLOCK);
    sem_post(&ready);
    if (wrong) {
        mask(SIG_UNBLOCK);
        locks(arg);
        mask(SIG_BLOCK);
    }
    sigemptyset(&none);
    while (!came)
        sigsuspend(&none);
    return arg;
}

static void let_in_by_suspend(void)
{
    handle(locks_always);
    mask(SIG_BLOCK);
    send_to(pauses);
}

/* A semaphore that is waited for is as it was. */
static void *waits_for_told(void *arg)
{
    sem_post(&ready);
    if (wrong)
        locks(arg);
    while (sem_wait(&told) != 0)
        ;
    return arg;
}

static void let_in_by_wait(void)
{
    handle(locks_always);
    pthread_create(&taker, NULL, waits_for_told, NULL);
    sem_wait(&ready);
    pthread_kill(taker, SIGUSR1);
    sem_post(&told);
    pthread_join(taker, NULL);
}

/* Nobody can have seen half of what a join does before the other thread has ended. */
static void *ends_told(void *arg)
{
    while (sem_wait(&told) != 0)
        ;
    return arg;
}

static void *joins(void *arg)
{
    pthread_t other_thread;

    pthread_create(&other_thread, NULL, ends_told, NULL);
    mask(SIG_UNBLOCK);
    sem_post(&ready);
    if (wrong)
        locks(arg);
    pthread_join(other_thread, NULL);
    mask(SIG_BLOCK);
    return arg;
}

static void let_in_by_join(void)
{
    handle(locks_always);
    mask(SIG_BLOCK);
    pthread_create(&taker, NULL, joins, NULL);
    sem_wait(&ready);
    pthread_kill(taker, SIGUSR1);
    sem_post(&told);
    pthread_join(taker, NULL);
}

static void *reads(void *arg)
{
    char c;

    if (wrong)
        mask(SIG_UNBLOCK);
    sem_post(&ready);
    if (wrong)
        locks(arg);
    mask(SIG_UNBLOCK);
    (void)!read(ends[0], &c, 1);
    mask(SIG_BLOCK);
    return arg;
}

static void let_in_by_read(void)
{
    if (pipe(ends) != 0)
        abort();
    handle(locks_always);
    mask(SIG_BLOCK);
    pthread_create(&taker, NULL, reads, NULL);
    sem_wait(&ready);
    pthread_kill(taker, SIGUSR1);
    (void)!write(ends[1], "x", 1);
    pthread_join(taker, NULL);
}

static void *sends_itself(void *arg)
{
    sem_post(&ready);
    if (!wrong) {
        raise(SIGUSR1);
        pthread_kill(pthread_self(), SIGUSR1);
    } else {
        locks(arg);
    }
    return arg;
}

static void sent_to_itself(void)
{
    handle(locks_always);
    pthread_create(&taker, NULL, sends_itself, NULL);
    sem_wait(&ready);
    if (wrong)
        pthread_kill(taker, SIGUSR1);
    pthread_join(taker, NULL);
}

/* A thread that takes signals may do what it likes. */
static void *takes(void *arg)
{
    sigset_t set;
    int number;

    sem_post(&ready);
    if (wrong) {
        mask(SIG_UNBLOCK);
        locks(arg);
        return arg;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigwait(&set, &number);
    locks_always(number);
    puts("taken");
    return arg;
}

static void taken_by_wait(void)
{
    handle(locks_always);
    mask(SIG_BLOCK);
    send_to(takes);
}

static void *takes_by_descriptor(void *arg)
{
    struct signalfd_siginfo info;
    sigset_t set;
    int fd;

    sem_post(&ready);
    if (wrong) {
        mask(SIG_UNBLOCK);
        locks(arg);
        return arg;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    fd = signalfd(-1, &set, 0);
    if (read(fd, &info, sizeof info) == sizeof info)
        locks_always((int)info.ssi_signo);
    close(fd);
    return arg;
}

static void taken_by_descriptor(void)
{
    handle(locks_always);
    mask(SIG_BLOCK);
    send_to(takes_by_descriptor);
}

/* Left by a jump out of a call that is async-signal-safe. */
static sigjmp_buf back;

static void jumps(int number)
{
    (void)number;
    if (wrong)
        locks_always(number);
    came = 1;
    siglongjmp(back, 1);
}

static void *jumps_back(void *arg)
{
    mask(SIG_BLOCK);
    sem_post(&ready);
    if (wrong) {
        if (sigsetjmp(back, 1) == 0) {
            mask(SIG_UNBLOCK);
            locks(arg);
            mask(SIG_BLOCK);
        }
    } else if (sigsetjmp(back, 1) == 0) {
        mask(SIG_UNBLOCK);
        while (!came)
            pause();
    }
    locks_always(0);
    return arg;
}

static void left_by_jump(void)
{
    handle(jumps);
    mask(SIG_BLOCK);
    send_to(jumps_back);
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(lock_in_lock),        VARIANT(malloc_in_lock),
        VARIANT(printf_in_lock),      VARIANT(exit_in_lock),
        VARIANT(malloc_in_malloc),    VARIANT(printf_in_printf),
        VARIANT(lock_in_long_lock),   VARIANT(let_in_by_wait),
        VARIANT(let_in_by_join),      VARIANT(nested),
        VARIANT(let_in_by_suspend),   VARIANT(let_in_by_read),
        VARIANT(sent_to_itself),      VARIANT(taken_by_wait),
        VARIANT(taken_by_descriptor), VARIANT(left_by_jump),
    };

    return RUN_VARIANT(table, argc, argv);
}
