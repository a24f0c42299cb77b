/* mutexes.c - pthread mutexes: types, errors, time-outs, robustness, protocols. */
#include "check.h"

#include <sched.h>

static void make(pthread_mutex_t *m, int type, int robust)
{
    pthread_mutexattr_t a;

    ANSWERS(0, pthread_mutexattr_init(&a));
    ANSWERS(0, pthread_mutexattr_settype(&a, type));
    ANSWERS(0, pthread_mutexattr_setrobust(&a, robust));
    ANSWERS(0, pthread_mutex_init(m, &a));
    ANSWERS(0, pthread_mutexattr_destroy(&a));
}

static void attributes(void)
{
    pthread_mutexattr_t a;
    int v = -1;

    ANSWERS(0, pthread_mutexattr_init(&a));
    ANSWERS(0, pthread_mutexattr_gettype(&a, &v));
    CHECK(v == PTHREAD_MUTEX_DEFAULT);
    ANSWERS(0, pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK));
    ANSWERS(0, pthread_mutexattr_gettype(&a, &v));
    CHECK(v == PTHREAD_MUTEX_ERRORCHECK);
    ANSWERS(EINVAL, pthread_mutexattr_settype(&a, 1000));
    ANSWERS(0, pthread_mutexattr_getpshared(&a, &v));
    CHECK(v == PTHREAD_PROCESS_PRIVATE);
    ANSWERS(0, pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
    ANSWERS(0, pthread_mutexattr_getpshared(&a, &v));
    CHECK(v == PTHREAD_PROCESS_SHARED);
    ANSWERS(EINVAL, pthread_mutexattr_setpshared(&a, 1000));
    ANSWERS(0, pthread_mutexattr_getrobust(&a, &v));
    CHECK(v == PTHREAD_MUTEX_STALLED);
    ANSWERS(0, pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
    ANSWERS(0, pthread_mutexattr_getrobust(&a, &v));
    CHECK(v == PTHREAD_MUTEX_ROBUST);
    ANSWERS(EINVAL, pthread_mutexattr_setrobust(&a, 1000));
    ANSWERS(0, pthread_mutexattr_getprotocol(&a, &v));
    CHECK(v == PTHREAD_PRIO_NONE);
    ANSWERS(0, pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
    ANSWERS(0, pthread_mutexattr_getprotocol(&a, &v));
    CHECK(v == PTHREAD_PRIO_INHERIT);
    ANSWERS(EINVAL, pthread_mutexattr_setprotocol(&a, 1000));
    ANSWERS(0, pthread_mutexattr_setprioceiling(&a, sched_get_priority_max(SCHED_FIFO)));
    ANSWERS(0, pthread_mutexattr_getprioceiling(&a, &v));
    CHECK(v == sched_get_priority_max(SCHED_FIFO));
    ANSWERS(EINVAL, pthread_mutexattr_setprioceiling(&a, 1000));
    ANSWERS(0, pthread_mutexattr_destroy(&a));
}

static void *tries(void *arg)
{
    ANSWERS(EBUSY, pthread_mutex_trylock(arg));
    return NULL;
}

static void in_thread(void *(*f)(void *), void *arg)
{
    pthread_t t;

    ANSWERS(0, pthread_create(&t, NULL, f, arg));
    ANSWERS(0, pthread_join(t, NULL));
}

static void busy(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

    ANSWERS(0, pthread_mutex_trylock(&m));
    ANSWERS(EBUSY, pthread_mutex_trylock(&m));
    in_thread(tries, &m);
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_trylock(&m));
    ANSWERS(0, pthread_mutex_unlock(&m));
}

static void *unlocks_unheld(void *arg)
{
    ANSWERS(EPERM, pthread_mutex_unlock(arg));
    return NULL;
}

static void error_checking(void)
{
    pthread_mutex_t m;
    struct timespec soon = in_ns(CLOCK_REALTIME, 20 * MS);

    make(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
    ANSWERS(EPERM, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_lock(&m));
    ANSWERS(EDEADLK, pthread_mutex_lock(&m));
    ANSWERS(EBUSY, pthread_mutex_trylock(&m));
    ANSWERS(EDEADLK, pthread_mutex_timedlock(&m, &soon));
    in_thread(unlocks_unheld, &m);
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(EPERM, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_destroy(&m));
}

static void recursive(void)
{
    pthread_mutex_t m;
    struct timespec soon = in_ns(CLOCK_REALTIME, 20 * MS);

    make(&m, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
    ANSWERS(EPERM, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_lock(&m));
    ANSWERS(0, pthread_mutex_lock(&m));
    ANSWERS(0, pthread_mutex_trylock(&m));
    ANSWERS(0, pthread_mutex_timedlock(&m, &soon));
    in_thread(tries, &m);
    in_thread(unlocks_unheld, &m);
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_unlock(&m));
    in_thread(tries, &m);
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(EPERM, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_destroy(&m));
}

static void *times_out(void *arg)
{
    pthread_mutex_t *m = arg;
    struct timespec start = now(CLOCK_REALTIME), until = in_ns(CLOCK_REALTIME, 10 * MS),
                    bad = {until.tv_sec, SECOND}, past = {1, 0};

    ANSWERS(ETIMEDOUT, pthread_mutex_timedlock(m, &until));
    CHECK(ns_since(CLOCK_REALTIME, &start) >= 10 * MS);
    ANSWERS(EINVAL, pthread_mutex_timedlock(m, &bad));
    bad.tv_nsec = -1;
    ANSWERS(EINVAL, pthread_mutex_timedlock(m, &bad));
    ANSWERS(ETIMEDOUT, pthread_mutex_timedlock(m, &past));
    return NULL;
}

static void timed(void)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    struct timespec past = {1, 0}, bad = {1, SECOND};

    ANSWERS(0, pthread_mutex_timedlock(&m, &past)); /* free: no time is looked at */
    in_thread(times_out, &m);
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_timedlock(&m, &bad));
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_destroy(&m));
}

static void timed_self(void)
{
    pthread_mutex_t m;
    struct timespec until = in_ns(CLOCK_REALTIME, 5 * MS);

    make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
    ANSWERS(0, pthread_mutex_lock(&m));
    ANSWERS(ETIMEDOUT, pthread_mutex_timedlock(&m, &until));
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_destroy(&m));
}

static void *dies_holding(void *arg)
{
    ANSWERS(0, pthread_mutex_lock(arg));
    return NULL;
}

static void robust(void)
{
    static pthread_mutex_t m;

    make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    in_thread(dies_holding, &m);
    ANSWERS(EOWNERDEAD, pthread_mutex_lock(&m));
    ANSWERS(0, pthread_mutex_consistent(&m));
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_lock(&m));
    ANSWERS(0, pthread_mutex_unlock(&m));
    in_thread(dies_holding, &m);
    ANSWERS(EOWNERDEAD, pthread_mutex_trylock(&m));
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(ENOTRECOVERABLE, pthread_mutex_lock(&m));
    ANSWERS(ENOTRECOVERABLE, pthread_mutex_trylock(&m));
    ANSWERS(0, pthread_mutex_destroy(&m));
}

static void robust_errors(void)
{
    static pthread_mutex_t m;

    make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    ANSWERS(EINVAL, pthread_mutex_consistent(&m));
    ANSWERS(EPERM, pthread_mutex_unlock(&m)); /* robust mutexes check their owner */
    ANSWERS(0, pthread_mutex_lock(&m));
    in_thread(unlocks_unheld, &m);
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_destroy(&m));
}

struct waiter {
    pthread_mutex_t *m;
    int answer;
};

static void *wants(void *arg)
{
    struct waiter *w = arg;
    struct timespec late = in_ns(CLOCK_REALTIME, 10 * SECOND);

    w->answer = pthread_mutex_timedlock(w->m, &late);
    if (w->answer == EOWNERDEAD)
        pthread_mutex_consistent(w->m);
    if (w->answer == 0 || w->answer == EOWNERDEAD)
        ANSWERS(0, pthread_mutex_unlock(w->m));
    return NULL;
}

static void robust_with_waiters(void)
{
    static pthread_mutex_t m;
    struct waiter w[2] = {{&m, -1}, {&m, -1}};
    pthread_t t[3];
    int dead;

    make(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST);
    ANSWERS(0, pthread_create(&t[0], NULL, dies_holding, &m));
    ANSWERS(0, pthread_join(t[0], NULL));
    ANSWERS(0, pthread_create(&t[1], NULL, wants, &w[0]));
    ANSWERS(0, pthread_create(&t[2], NULL, wants, &w[1]));
    ANSWERS(0, pthread_join(t[1], NULL));
    ANSWERS(0, pthread_join(t[2], NULL));
    dead = (w[0].answer == EOWNERDEAD) + (w[1].answer == EOWNERDEAD);
    CHECK(dead == 1);
    CHECK(w[0].answer + w[1].answer == EOWNERDEAD);
    ANSWERS(0, pthread_mutex_destroy(&m));
}

static int shared_count;

static void *counts(void *arg)
{
    for (int i = 0; i < 3; i++) {
        ANSWERS(0, pthread_mutex_lock(arg));
        shared_count++;
        ANSWERS(0, pthread_mutex_unlock(arg));
    }
    return NULL;
}

static void exclusion_with(int protocol, int ceiling)
{
    static pthread_mutex_t m;
    pthread_mutexattr_t a;
    pthread_t t[3];

    ANSWERS(0, pthread_mutexattr_init(&a));
    ANSWERS(0, pthread_mutexattr_setprotocol(&a, protocol));
    if (ceiling)
        ANSWERS(0, pthread_mutexattr_setprioceiling(&a, ceiling));
    ANSWERS(0, pthread_mutex_init(&m, &a));
    ANSWERS(0, pthread_mutexattr_destroy(&a));
    shared_count = 0;
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, counts, &m));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(shared_count == 9);
    ANSWERS(0, pthread_mutex_destroy(&m));
}

static void inheritance(void)
{
    exclusion_with(PTHREAD_PRIO_INHERIT, 0);
}

/* A lock under a ceiling raises the thread's priority, which takes rights: without them it is
 * refused, and then not held. */
static void ceiling(void)
{
    static pthread_mutex_t m;
    pthread_mutexattr_t a;
    int v = -1, old = -1, rc;

    ANSWERS(0, pthread_mutexattr_init(&a));
    ANSWERS(0, pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_PROTECT));
    ANSWERS(0, pthread_mutexattr_setprioceiling(&a, sched_get_priority_min(SCHED_FIFO)));
    ANSWERS(0, pthread_mutex_init(&m, &a));
    ANSWERS(0, pthread_mutexattr_destroy(&a));
    ANSWERS(0, pthread_mutex_getprioceiling(&m, &v));
    CHECK(v == sched_get_priority_min(SCHED_FIFO));
    rc = pthread_mutex_lock(&m);
    CHECK(rc == 0 || rc == EPERM || rc == EINVAL);
    if (rc == 0) {
        in_thread(tries, &m);
        ANSWERS(0, pthread_mutex_unlock(&m));
        ANSWERS(0, pthread_mutex_setprioceiling(&m, sched_get_priority_min(SCHED_FIFO) + 1, &old));
        CHECK(old == sched_get_priority_min(SCHED_FIFO));
        ANSWERS(0, pthread_mutex_getprioceiling(&m, &v));
        CHECK(v == sched_get_priority_min(SCHED_FIFO) + 1);
        exclusion_with(PTHREAD_PRIO_PROTECT, sched_get_priority_min(SCHED_FIFO));
    }
    ANSWERS(0, pthread_mutex_destroy(&m));
}

static void of_all_types(void)
{
    static const int type[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK,
                               PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_DEFAULT};
    static pthread_mutex_t m;
    pthread_t t[3];

    for (size_t k = 0; k < sizeof type / sizeof type[0]; k++)
        for (int r = PTHREAD_MUTEX_STALLED; r <= PTHREAD_MUTEX_ROBUST; r++) {
            make(&m, type[k], r);
            shared_count = 0;
            for (int i = 0; i < 3; i++)
                ANSWERS(0, pthread_create(&t[i], NULL, counts, &m));
            for (int i = 0; i < 3; i++)
                ANSWERS(0, pthread_join(t[i], NULL));
            CHECK(shared_count == 9);
            ANSWERS(0, pthread_mutex_destroy(&m));
        }
}

static void again_after_destroy(void)
{
    pthread_mutex_t m;

    for (int i = 0; i < 3; i++) {
        ANSWERS(0, pthread_mutex_init(&m, NULL));
        ANSWERS(0, pthread_mutex_lock(&m));
        ANSWERS(0, pthread_mutex_unlock(&m));
        ANSWERS(0, pthread_mutex_destroy(&m));
    }
}

static void static_initialisers(void)
{
    static pthread_mutex_t recursive_one = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
                           checking = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

    ANSWERS(0, pthread_mutex_lock(&recursive_one));
    ANSWERS(0, pthread_mutex_lock(&recursive_one));
    ANSWERS(0, pthread_mutex_unlock(&recursive_one));
    ANSWERS(0, pthread_mutex_unlock(&recursive_one));
    ANSWERS(0, pthread_mutex_lock(&checking));
    ANSWERS(EDEADLK, pthread_mutex_lock(&checking));
    ANSWERS(0, pthread_mutex_unlock(&checking));
}

int main(int argc, char **argv)
{
    RUN(attributes);
    RUN(busy);
    RUN(error_checking);
    RUN(recursive);
    RUN(timed);
    RUN(timed_self);
    RUN(robust);
    RUN(robust_errors);
    RUN(robust_with_waiters);
    RUN(inheritance);
    RUN(ceiling);
    RUN(of_all_types);
    RUN(again_after_destroy);
    RUN(static_initialisers);
    return conclude();
}
