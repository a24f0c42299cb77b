/* Calls that fail since they are misused, and whose caller does not look; or that have no error for it. The right
 * twin does what is right, or, of `looked_at_...`, looks at the error. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "twin.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t sem;
static mtx_t c11_mutex;

static void start_and_join(void *(*body)(void *))
{
    pthread_t t;

    pthread_create(&t, NULL, body, NULL);
    pthread_join(t, NULL);
}

static void make_mutex(int type)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutex_init(&mutex, &attr);
}

static void *nothing(void *arg)
{
    return arg;
}

/* The body of a variant, run by a thread: threads of their own are what is to be looked at. */
#define MISUSE(name)                                                                               \
    static void *in_##name(void *arg);                                                             \
    static void name(void)                                                                         \
    {                                                                                              \
        start_and_join(in_##name);                                                                 \
    }                                                                                              \
    static void *in_##name(void *arg)

/* ---- threads ---- */

MISUSE(joins_itself)
{
    if (wrong)
        pthread_join(pthread_self(), NULL);
    return arg;
}

MISUSE(looked_at_join_of_itself)
{
    int error = pthread_join(pthread_self(), NULL);

    if (!wrong && error != EDEADLK)
        abort();
    if (wrong)
        pthread_join(pthread_self(), NULL);
    return arg;
}

MISUSE(joins_detached)
{
    pthread_t t;

    pthread_create(&t, NULL, nothing, NULL);
    if (wrong)
        pthread_detach(t);
    pthread_join(t, NULL);
    return arg;
}

MISUSE(joins_twice)
{
    pthread_t t;

    pthread_create(&t, NULL, nothing, NULL);
    pthread_join(t, NULL);
    if (wrong)
        pthread_join(t, NULL);
    return arg;
}

MISUSE(detaches_joined)
{
    pthread_t t;

    pthread_create(&t, NULL, nothing, NULL);
    pthread_join(t, NULL);
    if (wrong)
        pthread_detach(t);
    return arg;
}

MISUSE(cancels_joined)
{
    pthread_t t;

    pthread_create(&t, NULL, nothing, NULL);
    if (!wrong)
        pthread_cancel(t);
    pthread_join(t, NULL);
    if (wrong)
        pthread_cancel(t);
    return arg;
}

MISUSE(signals_joined)
{
    pthread_t t;

    pthread_create(&t, NULL, nothing, NULL);
    if (!wrong)
        pthread_kill(t, 0);
    pthread_join(t, NULL);
    if (wrong)
        pthread_kill(t, 0);
    return arg;
}

MISUSE(looked_at_signal_to_joined)
{
    pthread_t t;

    pthread_create(&t, NULL, nothing, NULL);
    pthread_join(t, NULL);
    if (pthread_kill(t, 0) != ESRCH)
        abort();
    if (wrong)
        pthread_kill(t, 0);
    return arg;
}

static void *ends(void *arg)
{
    sem_post(&sem);
    return arg;
}

MISUSE(signals_ended_detached)
{
    pthread_t t;

    sem_init(&sem, 0, 0);
    pthread_create(&t, NULL, ends, NULL);
    if (wrong)
        pthread_detach(t);
    sem_wait(&sem);
    pthread_kill(t, 0);
    if (!wrong)
        pthread_join(t, NULL);
    return arg;
}

MISUSE(asks_about_joined)
{
    struct sched_param p;
    pthread_t t;
    int policy;

    pthread_create(&t, NULL, nothing, NULL);
    if (!wrong)
        pthread_getschedparam(t, &policy, &p);
    pthread_join(t, NULL);
    if (wrong)
        pthread_getschedparam(t, &policy, &p);
    return arg;
}

MISUSE(names_joined)
{
    pthread_t t;

    pthread_create(&t, NULL, nothing, NULL);
    if (!wrong)
        pthread_setname_np(t, "worker");
    pthread_join(t, NULL);
    if (wrong)
        pthread_setname_np(t, "worker");
    return arg;
}

MISUSE(c11_joins_itself)
{
    if (wrong)
        thrd_join(thrd_current(), NULL);
    return arg;
}

/* ---- locks ---- */

MISUSE(write_locks_again)
{
    pthread_rwlock_wrlock(&rwlock);
    if (wrong)
        pthread_rwlock_wrlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    return arg;
}

MISUSE(read_locks_own_write_lock)
{
    pthread_rwlock_wrlock(&rwlock);
    if (wrong)
        pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    return arg;
}

MISUSE(checked_mutex_again)
{
    make_mutex(PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_lock(&mutex);
    if (wrong)
        pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(looked_at_lock_again)
{
    make_mutex(PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_lock(&mutex);
    if (pthread_mutex_lock(&mutex) != EDEADLK)
        abort();
    pthread_mutex_unlock(&mutex);
    if (wrong)
        pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(looked_at_later)
{
    int first, second;

    make_mutex(PTHREAD_MUTEX_ERRORCHECK);
    first = pthread_mutex_lock(&mutex);
    second = pthread_mutex_lock(&mutex);
    usleep(1);
    pthread_mutex_unlock(&mutex);
    if (first != 0 || second != EDEADLK)
        abort();
    if (wrong)
        pthread_mutex_unlock(&mutex);
    return arg;
}

static int locks_twice(void)
{
    pthread_mutex_lock(&mutex);
    return pthread_mutex_lock(&mutex);
}

MISUSE(looked_at_by_caller)
{
    make_mutex(PTHREAD_MUTEX_ERRORCHECK);
    if (locks_twice() != EDEADLK)
        abort();
    pthread_mutex_unlock(&mutex);
    if (wrong)
        pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(recursive_unlocked_too_often)
{
    make_mutex(PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_unlock(&mutex);
    if (wrong)
        pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(unlocked_too_often)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    if (wrong)
        pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(rwlock_unlocked_too_often)
{
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    if (wrong)
        pthread_rwlock_unlock(&rwlock);
    return arg;
}

MISUSE(spin_unlocked_too_often)
{
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&spin);
    pthread_spin_unlock(&spin);
    if (wrong)
        pthread_spin_unlock(&spin);
    return arg;
}

MISUSE(c11_unlocked_too_often)
{
    mtx_init(&c11_mutex, mtx_plain);
    mtx_lock(&c11_mutex);
    mtx_unlock(&c11_mutex);
    if (wrong)
        mtx_unlock(&c11_mutex);
    return arg;
}

static void *unlocks(void *arg)
{
    pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(checked_unlocked_by_another)
{
    make_mutex(PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_lock(&mutex);
    if (wrong)
        start_and_join(unlocks);
    pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(recursive_unlocked_by_another)
{
    make_mutex(PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_lock(&mutex);
    if (wrong)
        start_and_join(unlocks);
    pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(unlocked_by_another)
{
    pthread_mutex_lock(&mutex);
    if (wrong)
        start_and_join(unlocks);
    else
        pthread_mutex_unlock(&mutex);
    return arg;
}

static void *dies_with_it(void *arg)
{
    pthread_mutex_lock(&mutex);
    return arg;
}

MISUSE(robust_not_made_consistent)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attr);
    start_and_join(dies_with_it);
    if (pthread_mutex_lock(&mutex) == EOWNERDEAD && !wrong)
        pthread_mutex_consistent(&mutex);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
    if (!wrong)
        pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(destroyed_while_held)
{
    pthread_mutex_init(&mutex, NULL);
    pthread_mutex_lock(&mutex);
    if (!wrong)
        pthread_mutex_unlock(&mutex);
    pthread_mutex_destroy(&mutex);
    if (wrong)
        pthread_mutex_unlock(&mutex);
    return arg;
}

static void *waits(void *arg)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&cond, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(destroyed_while_waited_on)
{
    pthread_t t;

    pthread_create(&t, NULL, waits, NULL);
    usleep(1000);
    if (!wrong)
        pthread_join(t, NULL);
    pthread_cond_destroy(&cond);
    if (wrong)
        pthread_join(t, NULL);
    return arg;
}

MISUSE(checked_not_locked_for_wait)
{
    struct timespec long_ago = {.tv_sec = 1};

    make_mutex(PTHREAD_MUTEX_ERRORCHECK);
    if (!wrong)
        pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&cond, &mutex, &long_ago);
    if (!wrong)
        pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(no_time)
{
    struct timespec until = {.tv_sec = 1, .tv_nsec = wrong ? 1000000000 : 999999999};

    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&cond, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    return arg;
}

/* ---- semaphores, barriers ---- */

MISUSE(posted_beyond_its_maximum)
{
    sem_init(&sem, 0, wrong ? SEM_VALUE_MAX : SEM_VALUE_MAX - 1);
    sem_post(&sem);
    return arg;
}

/* At errno alone. */
__attribute__((noinline)) static int posts_and_asks(void)
{
    sem_post(&sem);
    return errno;
}

__attribute__((noinline)) static int posts(void)
{
    sem_post(&sem);
    return sem_destroy(&sem);
}

MISUSE(looked_at_errno)
{
    static volatile int full;

    sem_init(&sem, 0, SEM_VALUE_MAX);
    full = (wrong ? posts() : posts_and_asks()) == EOVERFLOW;
    return arg;
}

/* What compilers seldom make: the result goes to another register, or half of it stays. */
static int lock_again(void)
{
    int result;

    if (wrong)
        __asm__ volatile("call pthread_mutex_lock@PLT\n\txorl %%eax, %%eax\n\txorl %%r8d, "
                         "%%r8d\n\tmovl %%r8d, %0"
                         : "=r"(result)
                         : "D"(&mutex)
                         : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
    else
        __asm__ volatile(
            "call pthread_mutex_lock@PLT\n\txchg %%rax, %%r8\n\txorl %%eax, %%eax\n\tmovl %%r8d, %0"
            : "=r"(result)
            : "D"(&mutex)
            : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
}

MISUSE(looked_at_in_another_register)
{
    static volatile int result;

    make_mutex(PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_lock(&mutex);
    result = lock_again();
    pthread_mutex_unlock(&mutex);
    return arg;
}

MISUSE(begun_beyond_its_maximum)
{
    sem_init(&sem, 0, (unsigned)SEM_VALUE_MAX + (wrong ? 1 : 0));
    return arg;
}

MISUSE(barrier_of_nobody)
{
    pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, wrong ? 0 : 1);
    return arg;
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(joins_itself),
        VARIANT(looked_at_join_of_itself),
        VARIANT(joins_detached),
        VARIANT(joins_twice),
        VARIANT(detaches_joined),
        VARIANT(cancels_joined),
        VARIANT(signals_joined),
        VARIANT(looked_at_signal_to_joined),
        VARIANT(signals_ended_detached),
        VARIANT(asks_about_joined),
        VARIANT(names_joined),
        VARIANT(c11_joins_itself),
        VARIANT(write_locks_again),
        VARIANT(read_locks_own_write_lock),
        VARIANT(checked_mutex_again),
        VARIANT(looked_at_lock_again),
        VARIANT(looked_at_later),
        VARIANT(looked_at_by_caller),
        VARIANT(recursive_unlocked_too_often),
        VARIANT(unlocked_too_often),
        VARIANT(rwlock_unlocked_too_often),
        VARIANT(spin_unlocked_too_often),
        VARIANT(c11_unlocked_too_often),
        VARIANT(checked_unlocked_by_another),
        VARIANT(recursive_unlocked_by_another),
        VARIANT(unlocked_by_another),
        VARIANT(robust_not_made_consistent),
        VARIANT(destroyed_while_held),
        VARIANT(destroyed_while_waited_on),
        VARIANT(checked_not_locked_for_wait),
        VARIANT(no_time),
        VARIANT(posted_beyond_its_maximum),
        VARIANT(looked_at_errno),
        VARIANT(looked_at_in_another_register),
        VARIANT(begun_beyond_its_maximum),
        VARIANT(barrier_of_nobody),
    };

    return RUN_VARIANT(table, argc, argv);
}
