/* A handler gives the turn away before an operation that its thread was about to do: what it was ready for may be
 * gone by then. handled WHAT TWIN: in a wrong one the thread takes for granted that nobody came between. */
#include "case.h"
#include <signal.h>
#include <sys/time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static sem_t tokens, told;
static atomic_bool came, between, done;

static void handler(int number)
{
    int before = errno;

    (void)number;
    atomic_store(&came, true);
    sem_post(&told);
    errno = before;
}

static void look(void)
{
    if (wrong)
        assert(!atomic_load(&between));
    atomic_store(&done, true);
}

static void comes_between(void)
{
    if (atomic_load(&came) && !atomic_load(&done))
        atomic_store(&between, true);
}

static void handled(void *(*taker)(void *), void *(*other)(void *))
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
    pthread_t t, o;

    sigaction(SIGUSR1, &sa, NULL);
    sem_init(&told, 0, 0);
    sem_init(&tokens, 0, 1);
    t = start(taker, NULL);
    o = start(other, NULL);
    pthread_kill(t, SIGUSR1);
    finish(t);
    finish(o);
}

static void *locks(void *arg)
{
    pthread_mutex_lock(&lock);
    if (arg)
        comes_between();
    else
        look();
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *locks_too(void *unused)
{
    (void)unused;
    return locks(&lock);
}

static void handled_mutex(void)
{
    handled(locks, locks_too);
}

static void *reads(void *unused)
{
    pthread_rwlock_rdlock(&table);
    look();
    pthread_rwlock_unlock(&table);
    return unused;
}

static void *writes(void *unused)
{
    pthread_rwlock_wrlock(&table);
    comes_between();
    pthread_rwlock_unlock(&table);
    return unused;
}

static void handled_rwlock(void)
{
    handled(reads, writes);
}

static void *takes(void *unused)
{
    while (sem_wait(&tokens))
        ;
    look();
    sem_post(&tokens);
    return unused;
}

static void *takes_too(void *unused)
{
    while (sem_wait(&tokens))
        ;
    comes_between();
    sem_post(&tokens);
    return unused;
}

static void handled_semaphore(void)
{
    handled(takes, takes_too);
}

/* A timer's handler ends a sleep; what decides comes behind. */
static void handled_alarm(void)
{
    struct sigaction sa = {.sa_handler = handler};
    struct itimerval soon = {.it_value = {.tv_usec = 50000}};
    pthread_t t;

    sigaction(SIGALRM, &sa, NULL);
    sem_init(&told, 0, 0);
    finish(start(locks_too, NULL));
    setitimer(ITIMER_REAL, &soon, NULL);
    assert(usleep(900000) == -1);
    t = start(locks_too, NULL);
    locks(NULL);
    finish(t);
}

int main(int argc, char **argv)
{
    static const struct variant at[] = {
        VARIANT(handled, mutex),
        VARIANT(handled, rwlock),
        VARIANT(handled, semaphore),
        VARIANT(handled, alarm),
    };

    arguments(argc, argv, 1);
    PICK(at, argv[1])->run();
    return 0;
}
