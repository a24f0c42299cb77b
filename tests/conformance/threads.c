/* threads.c - create, exit, join, detach, self, equal, once, keys, cleanup handlers. */
#include "check.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

static void *same(void *arg)
{
    return arg;
}

static void result_of_join(void)
{
    pthread_t t;
    void *result;
    int x;

    ANSWERS(0, pthread_create(&t, NULL, same, &x));
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == &x);
    ANSWERS(0, pthread_create(&t, NULL, same, NULL));
    ANSWERS(0, pthread_join(t, NULL));
}

static void deep_exit(int levels, void *value);

static void deeper(int levels, void *value)
{
    deep_exit(levels - 1, value);
}

static void deep_exit(int levels, void *value)
{
    if (levels)
        deeper(levels, value);
    pthread_exit(value);
}

static void *exits_deep(void *arg)
{
    deep_exit(5, arg);
    return NULL;
}

static void exit_from_below(void)
{
    pthread_t t;
    void *result;
    int x;

    ANSWERS(0, pthread_create(&t, NULL, exits_deep, &x));
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == &x);
}

static void *joins_its_maker(void *arg)
{
    ANSWERS(0, pthread_join(*(pthread_t *)arg, NULL));
    return NULL;
}

static void *maker(void *arg)
{
    static pthread_t me;
    pthread_t t;

    me = pthread_self();
    ANSWERS(0, pthread_create(&t, NULL, joins_its_maker, &me));
    __atomic_store_n((pthread_t *)arg, t, __ATOMIC_RELEASE);
    return NULL;
}

static void join_by_another(void)
{
    static pthread_t joiner;
    pthread_t t;
    void *result = &t;

    ANSWERS(0, pthread_create(&t, NULL, maker, &joiner));
    while (!__atomic_load_n(&joiner, __ATOMIC_ACQUIRE))
        sched_yield();
    ANSWERS(0, pthread_join(joiner, &result));
    CHECK(result == NULL);
}

static void join_errors(void)
{
    ANSWERS(EDEADLK, pthread_join(pthread_self(), NULL));
}

static void *stores_self(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return NULL;
}

static void identity(void)
{
    pthread_t a, b, seen_a, seen_b;
    pid_t pid = getpid();

    CHECK(pthread_equal(pthread_self(), pthread_self()));
    ANSWERS(0, pthread_create(&a, NULL, stores_self, &seen_a));
    ANSWERS(0, pthread_create(&b, NULL, stores_self, &seen_b));
    CHECK(!pthread_equal(a, b));
    CHECK(!pthread_equal(a, pthread_self()));
    ANSWERS(0, pthread_join(a, NULL));
    ANSWERS(0, pthread_join(b, NULL));
    CHECK(pthread_equal(a, seen_a));
    CHECK(pthread_equal(b, seen_b));
    CHECK(pid == getpid());
}

static void *own_errno(void *arg)
{
    CHECK(errno == 0);
    errno = ENOSPC;
    return arg;
}

static void errno_is_per_thread(void)
{
    pthread_t t;

    errno = ERANGE;
    ANSWERS(0, pthread_create(&t, NULL, own_errno, NULL));
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(errno == ERANGE);
}

static int detached_ran;
static pthread_mutex_t detached_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t detached_done = PTHREAD_COND_INITIALIZER;

static void *tells(void *arg)
{
    pthread_mutex_lock(&detached_lock);
    detached_ran++;
    pthread_cond_signal(&detached_done);
    pthread_mutex_unlock(&detached_lock);
    return arg;
}

static void detached(void)
{
    pthread_attr_t attr;
    pthread_t t;

    ANSWERS(0, pthread_attr_init(&attr));
    ANSWERS(0, pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
    ANSWERS(0, pthread_create(&t, &attr, tells, NULL));
    ANSWERS(0, pthread_attr_destroy(&attr));
    ANSWERS(0, pthread_create(&t, NULL, tells, NULL));
    ANSWERS(0, pthread_detach(t));
    pthread_mutex_lock(&detached_lock);
    while (detached_ran < 2)
        pthread_cond_wait(&detached_done, &detached_lock);
    pthread_mutex_unlock(&detached_lock);
}

/* ---- once ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_ran, once_finished;

static void once_routine(void)
{
    once_ran++;
    nap(2 * MS);
    once_finished = 1;
}

static void *does_once(void *arg)
{
    ANSWERS(0, pthread_once(&once, once_routine));
    CHECK(once_finished == 1);
    return arg;
}

static void once_is_once(void)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, does_once, NULL));
    for (int i = 0; i < 4; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(once_ran == 1);
}

static pthread_once_t cancelled_once = PTHREAD_ONCE_INIT;
static int cancelled_once_ran, inside_once;

static void cancelled_routine(void)
{
    if (__atomic_add_fetch(&cancelled_once_ran, 1, __ATOMIC_SEQ_CST) == 1) {
        __atomic_store_n(&inside_once, 1, __ATOMIC_SEQ_CST);
        for (;;)
            sleep(1);
    }
}

static void *cancelled_in_once(void *arg)
{
    pthread_once(&cancelled_once, cancelled_routine);
    return arg;
}

static void once_again_after_cancel(void)
{
    pthread_t t;
    void *result;

    ANSWERS(0, pthread_create(&t, NULL, cancelled_in_once, NULL));
    while (!__atomic_load_n(&inside_once, __ATOMIC_SEQ_CST))
        sched_yield();
    ANSWERS(0, pthread_cancel(t));
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == PTHREAD_CANCELED);
    ANSWERS(0, pthread_once(&cancelled_once, cancelled_routine));
    CHECK(cancelled_once_ran == 2);
}

/* ---- thread-specific data ---- */

static pthread_key_t key, other_key;
static int destroyed, rounds;

static void destructor(void *value)
{
    CHECK(value != NULL);
    CHECK(pthread_getspecific(key) == NULL);
    destroyed++;
}

static void *has_data(void *arg)
{
    CHECK(pthread_getspecific(key) == NULL);
    ANSWERS(0, pthread_setspecific(key, arg));
    CHECK(pthread_getspecific(key) == arg);
    return NULL;
}

static void specific(void)
{
    pthread_t t[3];
    int x[3], mine;

    ANSWERS(0, pthread_key_create(&key, destructor));
    CHECK(pthread_getspecific(key) == NULL);
    ANSWERS(0, pthread_setspecific(key, &mine));
    for (int i = 0; i < 3; i++) {
        ANSWERS(0, pthread_create(&t[i], NULL, has_data, &x[i]));
        ANSWERS(0, pthread_join(t[i], NULL));
    }
    CHECK(destroyed == 3);
    CHECK(pthread_getspecific(key) == &mine);
    ANSWERS(0, pthread_key_delete(key));
    ANSWERS(EINVAL, pthread_key_delete(key));
    ANSWERS(EINVAL, pthread_setspecific(key, &mine));
}

static void again(void *value)
{
    rounds++;
    pthread_setspecific(other_key, value);
}

static void *sets_again(void *arg)
{
    pthread_setspecific(other_key, arg);
    return NULL;
}

static void destructor_iterations(void)
{
    pthread_t t;
    int x;

    ANSWERS(0, pthread_key_create(&other_key, again));
    ANSWERS(0, pthread_create(&t, NULL, sets_again, &x));
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(rounds == PTHREAD_DESTRUCTOR_ITERATIONS);
    ANSWERS(0, pthread_key_delete(other_key));
}

static pthread_key_t locked_key;
static pthread_mutex_t key_lock = PTHREAD_MUTEX_INITIALIZER;
static int locked_destroyed;

static void locking_destructor(void *value)
{
    (void)value;
    ANSWERS(0, pthread_mutex_lock(&key_lock));
    locked_destroyed++;
    ANSWERS(0, pthread_mutex_unlock(&key_lock));
}

static void *sets_locked(void *arg)
{
    pthread_setspecific(locked_key, arg);
    pthread_exit(NULL);
}

static void destructors_synchronise(void)
{
    pthread_t t[3];
    int x;

    ANSWERS(0, pthread_key_create(&locked_key, locking_destructor));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, sets_locked, &x));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(locked_destroyed == 3);
    ANSWERS(0, pthread_key_delete(locked_key));
}

static void key_limit(void)
{
    static pthread_key_t keys[PTHREAD_KEYS_MAX];
    int n = 0, rc = 0;

    while (n < PTHREAD_KEYS_MAX && (rc = pthread_key_create(&keys[n], NULL)) == 0)
        n++;
    CHECK(n >= _POSIX_THREAD_KEYS_MAX);
    CHECK(rc == 0 || rc == EAGAIN);
    while (n--)
        ANSWERS(0, pthread_key_delete(keys[n]));
}

/* ---- cleanup ---- */

static char order[16];
static size_t order_length;

static void note(void *letter)
{
    order[order_length++] = *(const char *)letter;
}

static void *pushes(void *arg)
{
    pthread_cleanup_push(note, "a");
    pthread_cleanup_push(note, "b");
    pthread_cleanup_push(note, "c");
    pthread_cleanup_pop(1);
    pthread_cleanup_push(note, "d");
    pthread_cleanup_pop(0);
    pthread_exit(arg);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

static void cleanup_order(void)
{
    pthread_t t;

    order_length = 0;
    ANSWERS(0, pthread_create(&t, NULL, pushes, NULL));
    ANSWERS(0, pthread_join(t, NULL));
    order[order_length] = 0;
    CHECK(strcmp(order, "cba") == 0);
}

static void *returns(void *arg)
{
    static pthread_key_t k;
    pthread_key_create(&k, NULL);
    pthread_key_delete(k);
    return arg;
}

static void many(void)
{
    pthread_t t[40];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++)
            ANSWERS(0, pthread_create(&t[i], NULL, returns, NULL));
        for (int i = 0; i < 40; i++)
            ANSWERS(0, pthread_join(t[i], NULL));
    }
}

static void concurrency(void)
{
    ANSWERS(0, pthread_getconcurrency());
    ANSWERS(0, pthread_setconcurrency(3));
    ANSWERS(3, pthread_getconcurrency());
    ANSWERS(EINVAL, pthread_setconcurrency(-1));
    ANSWERS(0, pthread_setconcurrency(0));
}

int main(int argc, char **argv)
{
    RUN(identity);
    RUN(result_of_join);
    RUN(exit_from_below);
    RUN(join_by_another);
    RUN(join_errors);
    RUN(errno_is_per_thread);
    RUN(detached);
    RUN(once_is_once);
    RUN(once_again_after_cancel);
    RUN(specific);
    RUN(destructor_iterations);
    RUN(destructors_synchronise);
    RUN(key_limit);
    RUN(cleanup_order);
    RUN(many);
    RUN(concurrency);
    return conclude();
}
