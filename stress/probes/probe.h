/* probe.h - shared by the probes: small programs whose right answer is known, put to every detector
 * on the machine by `table`. They are as plain as they can be; a tool's answer tells about the
 * tool. */
#ifndef HEDDLE_STRESS_PROBE_H
#define HEDDLE_STRESS_PROBE_H

#define _GNU_SOURCE
#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

__attribute__((unused)) static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER,
                                               b = PTHREAD_MUTEX_INITIALIZER,
                                               c = PTHREAD_MUTEX_INITIALIZER;

__attribute__((unused)) static void nest(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

__attribute__((unused)) static void *a_then_b(void *arg)
{
    nest(&a, &b);
    return arg;
}

__attribute__((unused)) static void *b_then_a(void *arg)
{
    nest(&b, &a);
    return arg;
}

__attribute__((unused)) static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

__attribute__((unused)) static pthread_t start(void *(*body)(void *))
{
    pthread_t t;

    pthread_create(&t, NULL, body, NULL);
    return t;
}

/* Run both bodies in threads of their own and wait for both. */
__attribute__((unused)) static int both(void *(*first)(void *), void *(*second)(void *))
{
    pthread_t t = start(first), u = start(second);

    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}

#endif /* HEDDLE_STRESS_PROBE_H */
