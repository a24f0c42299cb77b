/* plant_misuse.c - objects used as they may not be. */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "plants.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sem_t turn;

static void *lock_and_post(void *arg)
{
    pthread_mutex_lock(&a);
    sem_post(&turn);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *unlock_free(void *arg)
{
    pthread_mutex_unlock(&a);
    return arg;
}

void plant_UNLOCK_NOT_HELD(void)
{
    pthread_join(plant_one(unlock_free, NULL), NULL);
}

static void *unlock_others(void *arg)
{
    sem_wait(&turn);
    pthread_mutex_unlock(&a);
    return arg;
}

void plant_UNLOCK_NOT_OWNER(void)
{
    sem_init(&turn, 0, 0);
    plant_both(lock_and_post, unlock_others, NULL);
}

static void *destroy_locked(void *arg)
{
    sem_wait(&turn);
    pthread_mutex_destroy(&a);
    return arg;
}

void plant_DESTROY_IN_USE(void)
{
    sem_init(&turn, 0, 0);
    plant_both(lock_and_post, destroy_locked, NULL);
}

static void *lock_destroyed(void *arg)
{
    pthread_mutex_destroy(&a);
    pthread_mutex_lock(&a);
    return arg;
}

void plant_USE_AFTER_DESTROY(void)
{
    pthread_join(plant_one(lock_destroyed, NULL), NULL);
}

static int waiting;

static void *wait_with(void *arg)
{
    pthread_mutex_t *mutex = arg;
    pthread_mutex_lock(mutex);
    __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
    pthread_cond_wait(&changed, mutex);
    pthread_mutex_unlock(mutex);
    return NULL;
}

void plant_COND_TWO_MUTEXES(void)
{
    pthread_t t = plant_one(wait_with, &a), u = plant_one(wait_with, &b);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
}

static void *wait_unlocked(void *arg)
{
    pthread_cond_wait(&changed, &a);
    return arg;
}

void plant_COND_NOT_LOCKED(void)
{
    pthread_join(plant_one(wait_unlocked, NULL), NULL);
}

static void *signal_unlocked(void *arg)
{
    while (!__atomic_load_n(&waiting, __ATOMIC_SEQ_CST))
        sched_yield();
    pthread_mutex_lock(&a); /* it waits by now */
    pthread_mutex_unlock(&a);
    pthread_cond_signal(&changed);
    return arg;
}

void plant_SIGNAL_UNLOCKED(void)
{
    plant_both(wait_with, signal_unlocked, &a);
}

static void *lock_and_end(void *arg)
{
    pthread_mutex_lock(&a);
    return arg;
}

void plant_LOCK_AT_EXIT(void)
{
    pthread_join(plant_one(lock_and_end, NULL), NULL);
}

static void *end_at_once(void *arg)
{
    return arg;
}

void plant_JOIN_MISUSE(void)
{
    pthread_t t = plant_one(end_at_once, NULL);
    pthread_join(t, NULL);
    pthread_join(t, NULL);
}

static void *init_locked(void *arg)
{
    sem_wait(&turn);
    pthread_mutex_init(&a, NULL);
    return arg;
}

static void spoil_errno(int number)
{
    (void)number;
    errno = EBADF;
}

static void *lock_often(void *arg)
{
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&a);
        pthread_mutex_unlock(&a);
    }
    return arg;
}

void plant_HANDLER_ERRNO(void)
{
    struct sigaction sa = {.sa_handler = spoil_errno, .sa_flags = SA_RESTART};
    pthread_t t;

    sigaction(SIGUSR1, &sa, NULL);
    t = plant_one(lock_often, NULL);
    pthread_kill(t, SIGUSR1);
    pthread_join(t, NULL);
}

static void lock_other(int number)
{
    (void)number;
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
}

void plant_HANDLER_CALL(void)
{
    struct sigaction sa = {.sa_handler = lock_other, .sa_flags = SA_RESTART};
    pthread_t t;

    sigaction(SIGUSR1, &sa, NULL);
    t = plant_one(lock_often, NULL);
    pthread_kill(t, SIGUSR1);
    pthread_join(t, NULL);
}

static int ends[2];

static void *write_end(void *arg)
{
    (void)!write(ends[1], "x", 1);
    return arg;
}

static void *close_end(void *arg)
{
    close(ends[1]);
    return arg;
}

void plant_DESCRIPTOR_RACE(void)
{
    if (pipe(ends) == 0)
        plant_both(write_end, close_end, NULL);
}

void plant_SYNC_MISUSE(void)
{
    sem_init(&turn, 0, 0);
    plant_both(lock_and_post, init_locked, NULL);
}
