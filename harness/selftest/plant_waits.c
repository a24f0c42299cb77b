/* plant_waits.c - threads that wait for ever, or would in another order. */
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <heddle/time.h>

#include "plants.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int items, steps;

static void nested(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    steps++;
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *a_then_b(void *arg)
{
    nested(&a, &b);
    return arg;
}

static void *b_then_a(void *arg)
{
    nested(&b, &a);
    return arg;
}

void plant_DEADLOCK(void)
{
    plant_both(a_then_b, b_then_a, NULL);
}

/* Time alone keeps the two apart: no schedule gets them to wait for each other. */
static void *b_then_a_later(void *arg)
{
    usleep(1000);
    return b_then_a(arg);
}

void plant_LOCK_ORDER(void)
{
    plant_both(a_then_b, b_then_a_later, NULL);
}

/* The signal may come before the wait, which does not look whether there is something to wait
 * for. */
static void *wait_blindly(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_cond_wait(&changed, &a);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *signal_once(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&a);
    return arg;
}

void plant_LOST_WAKEUP(void)
{
    plant_both(wait_blindly, signal_once, NULL);
}

static void *lock_twice(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&a);
    return arg;
}

void plant_SELF_DEADLOCK(void)
{
    pthread_join(plant_one(lock_twice, NULL), NULL);
}

static bool waits;

static void *wait_for_nobody(void *arg)
{
    pthread_mutex_lock(&a);
    waits = true;
    while (waits)
        pthread_cond_wait(&changed, &a);
    pthread_mutex_unlock(&a);
    return arg;
}

/* Returns when it waits indeed: who sees the flag with the lock comes after the wait began. */
static pthread_t start_waiter(void)
{
    pthread_t t = plant_one(wait_for_nobody, NULL);
    bool there = false;
    while (!there) {
        usleep(1000);
        pthread_mutex_lock(&a);
        there = waits;
        pthread_mutex_unlock(&a);
    }
    return t;
}

void plant_LEAK_BLOCKED(void)
{
    pthread_detach(start_waiter());
}

static void *end_at_once(void *arg)
{
    return arg;
}

void plant_LEAK_UNJOINED(void)
{
    plant_one(end_at_once, NULL);
    usleep(1000);
}

/* Waits for the post with a lock that whoever posts takes first. Time lets the post come before. */
static sem_t filled;

static void *wait_locked(void *arg)
{
    usleep(1000);
    pthread_mutex_lock(&a);
    sem_wait(&filled);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *post_locked(void *arg)
{
    pthread_mutex_lock(&a);
    items++;
    pthread_mutex_unlock(&a);
    sem_post(&filled);
    return arg;
}

void plant_WAIT_HOLDING_LOCK(void)
{
    sem_init(&filled, 0, 0);
    plant_both(post_locked, wait_locked, NULL);
    sem_destroy(&filled);
}

static void *start_ticking(void *arg)
{
    struct hd_ticker *ticker = hd_ticker_make(HD_HOUR);
    assert(ticker);
    return arg;
}

void plant_LEAK_OBJECT(void)
{
    pthread_join(plant_one(start_ticking, NULL), NULL);
}

/* One yields with the lock until the other, who needs the lock, has said something. */
static atomic_bool said;

static void *spin(void *arg)
{
    pthread_mutex_lock(&a);
    while (!said)
        sched_yield();
    pthread_mutex_unlock(&a);
    return arg;
}

static void *say(void *arg)
{
    pthread_mutex_lock(&a);
    said = true;
    pthread_mutex_unlock(&a);
    return arg;
}

void plant_LIVELOCK(void)
{
    plant_both(spin, say, NULL);
}

static void *compute_for_ever(void *arg)
{
    volatile int *more = arg;
    while (*more)
        ;
    return arg;
}

void plant_HANG(void)
{
    int more = 1;
    pthread_join(plant_one(compute_for_ever, &more), NULL);
}

/* How many locks are taken is drawn by the kernel, and so is no schedule's affair. */
static void *lock_by_number(void *arg)
{
    for (int i = 0; i <= (int)(intptr_t)arg; i++)
        nested(&a, &b);
    return NULL;
}

void plant_NONDETERMINISM(void)
{
    pthread_t t = plant_one(lock_by_number, (void *)2);
    unsigned char drawn = 0;
    syscall(SYS_getrandom, &drawn, sizeof drawn, 0);
    lock_by_number((void *)(intptr_t)(drawn % 7));
    pthread_join(t, NULL);
}

static void *good_put(void *arg)
{
    pthread_mutex_lock(&a);
    items++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&a);
    sem_post(&filled);
    return arg;
}

static void *good_get(void *arg)
{
    pthread_mutex_lock(&a);
    while (!items)
        pthread_cond_wait(&changed, &a);
    items--;
    pthread_mutex_unlock(&a);
    sem_wait(&filled);
    nested(&a, &b);
    return arg;
}

void plant_correct(void)
{
    sem_init(&filled, 0, 0);
    plant_both(good_put, good_get, NULL);
    sem_destroy(&filled);
}

void plant_dump(void)
{
    pthread_t t = start_waiter();
    kill(getpid(), SIGUSR1);
    pthread_mutex_lock(&a);
    waits = false;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&a);
    pthread_join(t, NULL);
}
