/* bench_lib.c - each primitive against what a C programmer would otherwise write with pthreads.
 *
 * Each line: name, nanoseconds an operation with lib/, the same with pthreads; the best of several
 * rounds, as on a shared machine the least disturbed one says most. stress/bench/lib puts Go beside it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <heddle/atomic.h>
#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/mutex.h>
#include <heddle/once.h>
#include <heddle/rwmutex.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>

#define ROUNDS 5
#define QUEUE 128
#define MAX_ENDS 4

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double best(void (*run)(int n), int n)
{
    double least = 1e18;

    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ns(), spent;
        run(n);
        spent = now_ns() - start;
        if (spent < least)
            least = spent;
    }
    return least / n;
}

static void need(hd_err err)
{
    if (err) {
        fprintf(stderr, "bench_lib: %s\n", hd_err_message(err));
        exit(3);
    }
}

/* ---- locks and counters ---- */

static struct hd_mutex mutex;
static pthread_mutex_t posix_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct hd_rwmutex rwmutex;
static pthread_rwlock_t posix_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static struct hd_once once;
static pthread_once_t posix_once = PTHREAD_ONCE_INIT;
static struct hd_atomic_int64 counter;
static _Atomic int64_t c11_counter;

static void hd_mutex_pairs(int n)
{
    for (int i = 0; i < n; i++) {
        hd_mutex_lock(&mutex);
        hd_mutex_unlock(&mutex);
    }
}

static void posix_mutex_pairs(int n)
{
    for (int i = 0; i < n; i++) {
        pthread_mutex_lock(&posix_mutex);
        pthread_mutex_unlock(&posix_mutex);
    }
}

static void hd_read_pairs(int n)
{
    for (int i = 0; i < n; i++) {
        hd_rwmutex_rlock(&rwmutex);
        hd_rwmutex_runlock(&rwmutex);
    }
}

static void posix_read_pairs(int n)
{
    for (int i = 0; i < n; i++) {
        pthread_rwlock_rdlock(&posix_rwlock);
        pthread_rwlock_unlock(&posix_rwlock);
    }
}

static void nothing(void *arg)
{
    (void)arg;
}

static void posix_nothing(void)
{
}

static void hd_onces(int n)
{
    for (int i = 0; i < n; i++) {
        hd_once_do(&once, nothing, NULL);
        __asm__ volatile("" ::: "memory");
    }
}

static void posix_onces(int n)
{
    for (int i = 0; i < n; i++) {
        pthread_once(&posix_once, posix_nothing);
        __asm__ volatile("" ::: "memory");
    }
}

static void hd_adds(int n)
{
    for (int i = 0; i < n; i++)
        hd_int64_add(&counter, 1);
}

static void c11_adds(int n)
{
    for (int i = 0; i < n; i++)
        atomic_fetch_add(&c11_counter, 1);
}

/* ---- waiting for others ---- */

struct posix_group {
    pthread_mutex_t mutex;
    pthread_cond_t zero;
    int count;
};

static void posix_group_add(struct posix_group *group, int delta)
{
    pthread_mutex_lock(&group->mutex);
    group->count += delta;
    if (group->count == 0)
        pthread_cond_broadcast(&group->zero);
    pthread_mutex_unlock(&group->mutex);
}

static void posix_group_wait(struct posix_group *group)
{
    pthread_mutex_lock(&group->mutex);
    while (group->count > 0)
        pthread_cond_wait(&group->zero, &group->mutex);
    pthread_mutex_unlock(&group->mutex);
}

static void hd_groups(int n)
{
    struct hd_wg wg = HD_WG_INIT;

    for (int i = 0; i < n; i++) {
        hd_wg_add(&wg, 1);
        hd_wg_done(&wg);
        hd_wg_wait(&wg);
    }
}

static void posix_groups(int n)
{
    struct posix_group group = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

    for (int i = 0; i < n; i++) {
        posix_group_add(&group, 1);
        posix_group_add(&group, -1);
        posix_group_wait(&group);
    }
}

static void done(void *wg)
{
    hd_wg_done(wg);
}

static void hd_spawns(int n)
{
    for (int i = 0; i < n; i++) {
        struct hd_wg wg = HD_WG_INIT;
        hd_wg_add(&wg, 1);
        need(hd_go(done, &wg));
        hd_wg_wait(&wg);
    }
}

static void *posix_return(void *arg)
{
    return arg;
}

static void posix_spawns(int n)
{
    for (int i = 0; i < n; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, posix_return, NULL) != 0)
            exit(3);
        pthread_join(thread, NULL);
    }
}
