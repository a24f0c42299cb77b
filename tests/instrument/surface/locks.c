/* Mutexes, read-write locks, spinlocks, once: each kind, each way to ask, each refusal. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER, recursive, checking, robust;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER, writers_first;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int initialised, shared, readers, most_readers;

static void make(pthread_mutex_t *m, int type, int robustness)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutexattr_setrobust(&attr, robustness);
    pthread_mutex_init(m, &attr);
    pthread_mutexattr_destroy(&attr);
}

static struct timespec in(clockid_t clock, long ms)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    ts.tv_nsec += ms * 1000000;
    ts.tv_sec += ts.tv_nsec / 1000000000;
    ts.tv_nsec %= 1000000000;
    return ts;
}

static void initialise(void)
{
    sched_yield();
    initialised++;
}

static void *other(void *unused)
{
    struct timespec soon = in(CLOCK_REALTIME, 5), monotonic = in(CLOCK_MONOTONIC, 5);

    pthread_once(&once, initialise);
    assert(initialised == 1);
    /* main holds all of them now */
    assert(pthread_mutex_trylock(&plain) == EBUSY);
    assert(pthread_mutex_timedlock(&plain, &soon) == ETIMEDOUT);
    assert(pthread_mutex_clocklock(&plain, CLOCK_MONOTONIC, &monotonic) == ETIMEDOUT);
    assert(pthread_mutex_unlock(&recursive) == EPERM);
    assert(pthread_mutex_unlock(&checking) == EPERM);
    assert(pthread_rwlock_tryrdlock(&rw) == EBUSY && pthread_rwlock_trywrlock(&rw) == EBUSY);
    soon = in(CLOCK_REALTIME, 5);
    assert(pthread_rwlock_timedrdlock(&rw, &soon) == ETIMEDOUT);
    soon = in(CLOCK_REALTIME, 5);
    assert(pthread_rwlock_timedwrlock(&rw, &soon) == ETIMEDOUT);
    assert(pthread_spin_trylock(&spin) == EBUSY);
    return unused;
}

static void *dies_holding(void *unused)
{
    pthread_mutex_lock(&robust);
    return unused;
}

static void *counts(void *unused)
{
    for (int i = 0; i < 3; i++) {
        pthread_spin_lock(&spin);
        shared++;
        pthread_spin_unlock(&spin);
        pthread_rwlock_wrlock(&writers_first);
        shared++;
        pthread_rwlock_unlock(&writers_first);
        pthread_rwlock_rdlock(&rw);
        pthread_mutex_lock(&plain);
        if (++readers > most_readers)
            most_readers = readers;
        pthread_mutex_unlock(&plain);
        sched_yield();
        pthread_mutex_lock(&plain);
        readers--;
        pthread_mutex_unlock(&plain);
        pthread_rwlock_unlock(&rw);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_rwlockattr_t attr;
    pthread_t t, pair[2];
    int misuse = argc > 1 && strcmp(argv[1], "misuse") == 0;

    make(&recursive, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
    make(&checking, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
    make(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&writers_first, &attr);
    pthread_rwlockattr_destroy(&attr);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);

    assert(pthread_mutex_lock(&recursive) == 0 && pthread_mutex_lock(&recursive) == 0);
    assert(pthread_mutex_trylock(&recursive) == 0);
    assert(pthread_mutex_lock(&checking) == 0 && pthread_mutex_lock(&checking) == EDEADLK);
    if (misuse) { /* reported, and answered as glibc answers */
        pthread_once(&once, initialise);
        pthread_mutex_lock(&plain);
        pthread_rwlock_wrlock(&rw);
        pthread_spin_lock(&spin);
        pthread_create(&t, NULL, other, NULL);
        pthread_join(t, NULL);
        assert(pthread_rwlock_rdlock(&rw) == EDEADLK);
        pthread_spin_unlock(&spin);
        pthread_rwlock_unlock(&rw);
        pthread_mutex_unlock(&plain);
    }
    for (int i = 0; i < 3; i++)
        assert(pthread_mutex_unlock(&recursive) == 0);
    assert(pthread_mutex_unlock(&checking) == 0);

    pthread_create(&t, NULL, dies_holding, NULL);
    pthread_join(t, NULL);
    assert(pthread_mutex_lock(&robust) == EOWNERDEAD);
    assert(pthread_mutex_consistent(&robust) == 0);
    assert(pthread_mutex_unlock(&robust) == 0);

    for (int i = 0; i < 2; i++)
        pthread_create(&pair[i], NULL, counts, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(pair[i], NULL);
    assert(shared == 12 && readers == 0 && most_readers <= 2);
    assert(pthread_mutex_destroy(&recursive) == 0 && pthread_mutex_destroy(&checking) == 0);
    assert(pthread_rwlock_destroy(&rw) == 0 && pthread_spin_destroy(&spin) == 0);
    return 0;
}
