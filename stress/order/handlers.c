/* What a handler may not do: come back with another errno, unless nobody looks at it. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "twin.h"

static pthread_t taker;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static sem_t ready;
static volatile sig_atomic_t came;

/* Its write fails. */
static void on_signal(int number)
{
    int kept = errno;

    (void)number;
    came = 1;
    if (write(-1, "x", 1) != -1)
        abort();
    if (!wrong)
        errno = kept;
}

static void on_signal_spoils(int number)
{
    (void)number;
    came = 1;
    errno = EBADF;
}

static void handle(void (*handler)(int), int flags)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};

    sigaction(SIGUSR1, &sa, NULL);
}

static void block(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(how, &set, NULL);
}

static void *locks(void *arg)
{
    sem_post(&ready);
    while (!came) {
        pthread_mutex_lock(&guard);
        pthread_mutex_unlock(&guard);
        sched_yield();
    }
    return arg;
}

static void send_to(void *(*body)(void *))
{
    sem_init(&ready, 0, 0);
    pthread_create(&taker, NULL, body, NULL);
    sem_wait(&ready);
    pthread_kill(taker, SIGUSR1);
    pthread_join(taker, NULL);
}

static void among_locks(void)
{
    handle(on_signal, 0);
    send_to(locks);
}

/* The wait goes on after it. */
static sem_t never, *awaited = &never;

static void *waits(void *arg)
{
    sem_post(&ready);
    while (sem_wait(awaited) != 0 && errno == EINTR)
        ;
    return arg;
}

static void restarted_wait(void)
{
    handle(on_signal, SA_RESTART);
    sem_init(&never, 0, 0);
    sem_init(&ready, 0, 0);
    pthread_create(&taker, NULL, waits, NULL);
    sem_wait(&ready);
    pthread_kill(taker, SIGUSR1);
    sem_post(&never);
    pthread_join(taker, NULL);
}

/* It comes only into a wait, which is restarted and succeeds; or among locks. */
static int waits_now;

static void *waits_once(void *arg)
{
    block(SIG_UNBLOCK);
    __atomic_store_n(&waits_now, 1, __ATOMIC_SEQ_CST);
    if (wrong)
        locks(arg);
    else
        sem_wait(awaited);
    block(SIG_BLOCK);
    return arg;
}

static void into_restarted_wait(void)
{
    handle(on_signal_spoils, SA_RESTART);
    block(SIG_BLOCK);
    sem_init(&never, 0, 0);
    sem_init(&ready, 0, 0);
    pthread_create(&taker, NULL, waits_once, NULL);
    while (!__atomic_load_n(&waits_now, __ATOMIC_SEQ_CST))
        sched_yield();
    pthread_kill(taker, SIGUSR1);
    sem_post(&never);
    pthread_join(taker, NULL);
}

/* Let through by a call that ends with EINTR for it, or anywhere. */
static void *suspends(void *arg)
{
    sigset_t none;

    if (!wrong)
        block(SIG_BLOCK);
    sem_post(&ready);
    sigemptyset(&none);
    while (!came)
        if (wrong)
            sched_yield();
        else
            sigsuspend(&none);
    return arg;
}

static void only_while_suspended(void)
{
    handle(on_signal_spoils, 0);
    if (!wrong)
        block(SIG_BLOCK);
    send_to(suspends);
}

/* What a thread sends itself comes at the call that sends. */
static void *raises(void *arg)
{
    sem_post(&ready);
    if (!wrong)
        raise(SIGUSR1);
    while (!came)
        sched_yield();
    return arg;
}

static void sent_to_itself(void)
{
    handle(on_signal_spoils, 0);
    sem_init(&ready, 0, 0);
    pthread_create(&taker, NULL, raises, NULL);
    sem_wait(&ready);
    if (wrong)
        pthread_kill(taker, SIGUSR1);
    pthread_join(taker, NULL);
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(among_locks),          VARIANT(restarted_wait), VARIANT(into_restarted_wait),
        VARIANT(only_while_suspended), VARIANT(sent_to_itself),
    };

    return RUN_VARIANT(table, argc, argv);
}
