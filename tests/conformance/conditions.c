/* conditions.c - condition variables: wait, time-outs on both clocks, signal, broadcast. */
#include "check.h"

#include <sched.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, woken, permits;

static void attributes(void)
{
    pthread_condattr_t a;
    pthread_cond_t c;
    clockid_t clock = -1;
    int v = -1;

    ANSWERS(0, pthread_condattr_init(&a));
    ANSWERS(0, pthread_condattr_getclock(&a, &clock));
    CHECK(clock == CLOCK_REALTIME);
    ANSWERS(0, pthread_condattr_setclock(&a, CLOCK_MONOTONIC));
    ANSWERS(0, pthread_condattr_getclock(&a, &clock));
    CHECK(clock == CLOCK_MONOTONIC);
    ANSWERS(EINVAL, pthread_condattr_setclock(&a, CLOCK_PROCESS_CPUTIME_ID));
    ANSWERS(0, pthread_condattr_getpshared(&a, &v));
    CHECK(v == PTHREAD_PROCESS_PRIVATE);
    ANSWERS(0, pthread_condattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
    ANSWERS(0, pthread_condattr_getpshared(&a, &v));
    CHECK(v == PTHREAD_PROCESS_SHARED);
    ANSWERS(EINVAL, pthread_condattr_setpshared(&a, 1000));
    ANSWERS(0, pthread_cond_init(&c, &a));
    ANSWERS(0, pthread_condattr_destroy(&a));
    ANSWERS(0, pthread_cond_signal(&c));
    ANSWERS(0, pthread_cond_broadcast(&c));
    ANSWERS(0, pthread_cond_destroy(&c));
}

static void *waits(void *arg)
{
    ANSWERS(0, pthread_mutex_lock(&lock));
    waiting++;
    while (!permits)
        ANSWERS(0, pthread_cond_wait(&cond, &lock));
    permits--;
    woken++;
    ANSWERS(0, pthread_mutex_unlock(&lock));
    return arg;
}

static void until_waiting(int n)
{
    for (;;) {
        int w;
        pthread_mutex_lock(&lock);
        w = waiting;
        pthread_mutex_unlock(&lock);
        if (w == n)
            return;
        sched_yield();
    }
}

static void signal_and_broadcast(void)
{
    pthread_t t[4];

    waiting = woken = permits = 0;
    for (int i = 0; i < 4; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, waits, NULL));
    until_waiting(4);
    pthread_mutex_lock(&lock);
    CHECK(woken == 0);
    permits = 1;
    ANSWERS(0, pthread_cond_signal(&cond));
    pthread_mutex_unlock(&lock);
    for (;;) {
        int w;
        pthread_mutex_lock(&lock);
        w = woken;
        pthread_mutex_unlock(&lock);
        if (w == 1)
            break;
        sched_yield();
    }
    pthread_mutex_lock(&lock);
    permits = 3;
    ANSWERS(0, pthread_cond_broadcast(&cond));
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 4; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(woken == 4);
}

static void broadcast_unlocked(void)
{
    pthread_t t[3];

    waiting = woken = permits = 0;
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, waits, NULL));
    until_waiting(3);
    pthread_mutex_lock(&lock);
    permits = 3;
    pthread_mutex_unlock(&lock);
    ANSWERS(0, pthread_cond_broadcast(&cond));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
}

static void times_out_on(clockid_t clock, bool attribute)
{
    pthread_condattr_t a;
    pthread_cond_t c;
    struct timespec start, until;
    int rc;

    ANSWERS(0, pthread_condattr_init(&a));
    if (attribute)
        ANSWERS(0, pthread_condattr_setclock(&a, clock));
    ANSWERS(0, pthread_cond_init(&c, &a));
    ANSWERS(0, pthread_condattr_destroy(&a));
    ANSWERS(0, pthread_mutex_lock(&lock));
    start = now(clock);
    until = in_ns(clock, 10 * MS);
    do
        rc = attribute ? pthread_cond_timedwait(&c, &lock, &until)
                       : pthread_cond_clockwait(&c, &lock, clock, &until);
    while (rc == 0);
    ANSWERS(ETIMEDOUT, rc);
    CHECK(ns_since(clock, &start) >= 10 * MS);
    CHECK(ns_since(clock, &start) < 5 * SECOND);
    ANSWERS(0, pthread_mutex_unlock(&lock));
    ANSWERS(0, pthread_cond_destroy(&c));
}

static void timed(void)
{
    struct timespec past = {1, 0}, bad = {1, SECOND};

    times_out_on(CLOCK_REALTIME, true);
    times_out_on(CLOCK_MONOTONIC, true);
    times_out_on(CLOCK_REALTIME, false);
    times_out_on(CLOCK_MONOTONIC, false);
    ANSWERS(0, pthread_mutex_lock(&lock));
    ANSWERS(ETIMEDOUT, pthread_cond_timedwait(&cond, &lock, &past));
    ANSWERS(EINVAL, pthread_cond_timedwait(&cond, &lock, &bad));
    bad.tv_nsec = -1;
    ANSWERS(EINVAL, pthread_cond_timedwait(&cond, &lock, &bad));
    ANSWERS(0, pthread_mutex_unlock(&lock));
}

static void *signals_once(void *arg)
{
    ANSWERS(0, pthread_mutex_lock(&lock));
    permits = 1;
    ANSWERS(0, pthread_cond_signal(&cond));
    ANSWERS(0, pthread_mutex_unlock(&lock));
    return arg;
}

static void timed_and_signalled(void)
{
    struct timespec late = in_ns(CLOCK_REALTIME, 20 * SECOND);
    pthread_t t;

    ANSWERS(0, pthread_mutex_lock(&lock));
    permits = 0;
    ANSWERS(0, pthread_create(&t, NULL, signals_once, NULL));
    while (!permits)
        ANSWERS(0, pthread_cond_timedwait(&cond, &lock, &late));
    ANSWERS(0, pthread_mutex_unlock(&lock));
    ANSWERS(0, pthread_join(t, NULL));
}

/* Nobody waits: a signal is not kept for later. */
static void signals_are_lost(void)
{
    struct timespec until = in_ns(CLOCK_REALTIME, 5 * MS);
    int rc;

    ANSWERS(0, pthread_cond_signal(&cond));
    ANSWERS(0, pthread_cond_broadcast(&cond));
    ANSWERS(0, pthread_mutex_lock(&lock));
    do
        rc = pthread_cond_timedwait(&cond, &lock, &until);
    while (rc == 0);
    ANSWERS(ETIMEDOUT, rc);
    ANSWERS(0, pthread_mutex_unlock(&lock));
}

static void *holds_after(void *arg)
{
    ANSWERS(0, pthread_mutex_lock(&lock));
    permits = 1;
    ANSWERS(0, pthread_cond_signal(&cond));
    nap(5 * MS);
    permits = 2;
    ANSWERS(0, pthread_mutex_unlock(&lock));
    return arg;
}

static void wakes_with_the_mutex(void)
{
    pthread_t t;

    permits = 0;
    ANSWERS(0, pthread_mutex_lock(&lock));
    ANSWERS(0, pthread_create(&t, NULL, holds_after, NULL));
    while (!permits)
        ANSWERS(0, pthread_cond_wait(&cond, &lock));
    CHECK(permits == 2);
    ANSWERS(0, pthread_mutex_unlock(&lock));
    ANSWERS(0, pthread_join(t, NULL));
}

/* Destroyed as soon as nobody is blocked on it: what the waiters do after the wake-up is theirs. */
static pthread_cond_t *short_lived;

static void *waits_on_short_lived(void *arg)
{
    ANSWERS(0, pthread_mutex_lock(&lock));
    waiting++;
    while (!permits)
        ANSWERS(0, pthread_cond_wait(short_lived, &lock));
    ANSWERS(0, pthread_mutex_unlock(&lock));
    return arg;
}

static void destroy_after_broadcast(void)
{
    pthread_cond_t c;
    pthread_t t[2];

    ANSWERS(0, pthread_cond_init(&c, NULL));
    short_lived = &c;
    waiting = permits = 0;
    for (int i = 0; i < 2; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, waits_on_short_lived, NULL));
    until_waiting(2);
    ANSWERS(0, pthread_mutex_lock(&lock));
    permits = 1;
    ANSWERS(0, pthread_cond_broadcast(&c));
    ANSWERS(0, pthread_mutex_unlock(&lock));
    ANSWERS(0, pthread_cond_destroy(&c));
    for (int i = 0; i < 2; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
}

static void in_checking_mutex(void)
{
    pthread_mutexattr_t a;
    pthread_mutex_t m;
    struct timespec until = in_ns(CLOCK_REALTIME, 2 * MS);

    ANSWERS(0, pthread_mutexattr_init(&a));
    ANSWERS(0, pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK));
    ANSWERS(0, pthread_mutex_init(&m, &a));
    ANSWERS(0, pthread_mutexattr_destroy(&a));
    /* POSIX demands it: neither waits nor unlocks. */
    ANSWERS(EPERM, pthread_cond_timedwait(&cond, &m, &until));
    ANSWERS(0, pthread_mutex_lock(&m));
    ANSWERS(ETIMEDOUT, pthread_cond_timedwait(&cond, &m, &until));
    ANSWERS(EDEADLK, pthread_mutex_lock(&m));
    ANSWERS(0, pthread_mutex_unlock(&m));
    ANSWERS(0, pthread_mutex_destroy(&m));
}

int main(int argc, char **argv)
{
    RUN(attributes);
    RUN(signal_and_broadcast);
    RUN(broadcast_unlocked);
    RUN(timed);
    RUN(timed_and_signalled);
    RUN(signals_are_lost);
    RUN(wakes_with_the_mutex);
    RUN(destroy_after_broadcast);
    RUN(in_checking_mutex);
    return conclude();
}
