/* semaphores.c - unnamed and named semaphores: values, errors, time-outs, interruption. */
#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

static sem_t sem, ready;

static void unnamed(void)
{
    int v = -1;

    CHECK(sem_init(&sem, 0, 2) == 0);
    CHECK(sem_getvalue(&sem, &v) == 0 && v == 2);
    CHECK(sem_wait(&sem) == 0);
    CHECK(sem_trywait(&sem) == 0);
    FAILS(EAGAIN, sem_trywait(&sem));
    CHECK(sem_getvalue(&sem, &v) == 0 && v == 0);
    CHECK(sem_post(&sem) == 0);
    CHECK(sem_getvalue(&sem, &v) == 0 && v == 1);
    CHECK(sem_destroy(&sem) == 0);
    FAILS(EINVAL, sem_init(&sem, 0, (unsigned)SEM_VALUE_MAX + 1u));
    CHECK(sem_init(&sem, 0, SEM_VALUE_MAX) == 0);
    FAILS(EOVERFLOW, sem_post(&sem));
    CHECK(sem_destroy(&sem) == 0);
}

static void timed(void)
{
    struct timespec start = now(CLOCK_REALTIME), until = in_ns(CLOCK_REALTIME, 10 * MS),
                    past = {1, 0}, bad = {1, SECOND}, mono;

    CHECK(sem_init(&sem, 0, 0) == 0);
    FAILS(ETIMEDOUT, sem_timedwait(&sem, &until));
    CHECK(ns_since(CLOCK_REALTIME, &start) >= 10 * MS);
    FAILS(ETIMEDOUT, sem_timedwait(&sem, &past));
    FAILS(EINVAL, sem_timedwait(&sem, &bad));
    mono = in_ns(CLOCK_MONOTONIC, 2 * MS);
    FAILS(ETIMEDOUT, sem_clockwait(&sem, CLOCK_MONOTONIC, &mono));
    CHECK(sem_post(&sem) == 0);
    CHECK(sem_timedwait(&sem, &past) == 0);
    CHECK(sem_destroy(&sem) == 0);
}

static int taken;

static void *takes(void *arg)
{
    CHECK(sem_wait(&sem) == 0);
    __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
    CHECK(sem_post(&ready) == 0);
    return arg;
}

static void each_post_wakes_one(void)
{
    pthread_t t[3];
    int v;

    CHECK(sem_init(&sem, 0, 0) == 0);
    CHECK(sem_init(&ready, 0, 0) == 0);
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, takes, NULL));
    for (int i = 1; i <= 3; i++) {
        CHECK(sem_post(&sem) == 0);
        CHECK(sem_wait(&ready) == 0);
        CHECK(taken == i);
    }
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(sem_getvalue(&sem, &v) == 0 && v == 0);
    CHECK(sem_destroy(&sem) == 0);
    CHECK(sem_destroy(&ready) == 0);
}

static void named(void)
{
    char name[64];
    sem_t *a, *b;
    int v = -1;

    snprintf(name, sizeof name, "/heddle-conformance-%ld", (long)getpid());
    sem_unlink(name);
    CHECK(sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
    a = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    CHECK(a != SEM_FAILED);
    CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST);
    b = sem_open(name, 0);
    CHECK(b == a);
    CHECK(sem_wait(b) == 0);
    CHECK(sem_getvalue(a, &v) == 0 && v == 0);
    FAILS(EAGAIN, sem_trywait(a));
    CHECK(sem_post(a) == 0);
    CHECK(sem_unlink(name) == 0);
    FAILS(ENOENT, sem_unlink(name));
    CHECK(sem_wait(a) == 0); /* lives on until it is closed */
    CHECK(sem_post(b) == 0);
    CHECK(sem_close(a) == 0);
    CHECK(sem_close(b) == 0);
}

/* ---- interrupted by a handler ---- */

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static pthread_t main_thread;

static void *interrupts(void *arg)
{
    nap(10 * MS);
    ANSWERS(0, pthread_kill(main_thread, SIGUSR1));
    return arg;
}

static void interrupted(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    struct timespec late = in_ns(CLOCK_REALTIME, 20 * SECOND);
    pthread_t t;

    main_thread = pthread_self();
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    CHECK(sem_init(&sem, 0, 0) == 0);
    handled = 0;
    ANSWERS(0, pthread_create(&t, NULL, interrupts, NULL));
    FAILS(EINTR, sem_wait(&sem));
    CHECK(handled == 1);
    ANSWERS(0, pthread_join(t, NULL));
    ANSWERS(0, pthread_create(&t, NULL, interrupts, NULL));
    FAILS(EINTR, sem_timedwait(&sem, &late));
    CHECK(handled == 2);
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(sem_destroy(&sem) == 0);
}

static void posts(int number)
{
    (void)number;
    sem_post(&sem);
}

static void post_from_handler(void)
{
    struct sigaction sa = {.sa_handler = posts, .sa_flags = SA_RESTART};
    pthread_t t;

    main_thread = pthread_self();
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    CHECK(sem_init(&sem, 0, 0) == 0);
    ANSWERS(0, pthread_create(&t, NULL, interrupts, NULL));
    CHECK(sem_wait(&sem) == 0);
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(sem_destroy(&sem) == 0);
}

int main(int argc, char **argv)
{
    RUN(unnamed);
    RUN(timed);
    RUN(each_post_wakes_one);
    RUN(named);
    RUN(interrupted);
    RUN(post_from_handler);
    return conclude();
}
