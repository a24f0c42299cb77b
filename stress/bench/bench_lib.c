/* bench_lib.c - each primitive against what a C programmer would otherwise write with pthreads.
 *
 * Each line: name, nanoseconds an operation with lib/, the same with pthreads; the best of many
 * short rounds, as on a shared machine the least disturbed one says most. stress/bench/lib puts Go
 * beside it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <heddle/atomic.h>
#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/mutex.h>
#include <heddle/once.h>
#include <heddle/rwmutex.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>

#define ROUNDS 40
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

/* ---- channels, and the bounded queue that one writes instead ---- */

struct posix_queue {
    pthread_mutex_t mutex;
    pthread_cond_t room, value;
    int values[QUEUE], first, count, capacity;
    int closed;
};

static void posix_queue_open(struct posix_queue *q, int capacity)
{
    *q = (struct posix_queue){.capacity = capacity};
    pthread_mutex_init(&q->mutex, NULL);
    pthread_cond_init(&q->room, NULL);
    pthread_cond_init(&q->value, NULL);
}

static void posix_queue_send(struct posix_queue *q, int value)
{
    pthread_mutex_lock(&q->mutex);
    while (q->count == q->capacity)
        pthread_cond_wait(&q->room, &q->mutex);
    q->values[(q->first + q->count++) % q->capacity] = value;
    pthread_cond_signal(&q->value);
    pthread_mutex_unlock(&q->mutex);
}

static int posix_queue_recv(struct posix_queue *q, int *value)
{
    int got;

    pthread_mutex_lock(&q->mutex);
    while (q->count == 0 && !q->closed)
        pthread_cond_wait(&q->value, &q->mutex);
    got = q->count > 0;
    if (got) {
        *value = q->values[q->first];
        q->first = (q->first + 1) % q->capacity;
        q->count--;
        pthread_cond_signal(&q->room);
    }
    pthread_mutex_unlock(&q->mutex);
    return got;
}

static void posix_queue_close(struct posix_queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->closed = 1;
    pthread_cond_broadcast(&q->value);
    pthread_mutex_unlock(&q->mutex);
}

struct traffic {
    struct hd_chan *chan;
    struct posix_queue queue;
    struct hd_wg sending, receiving;
    int share;
};

static void hd_sender(void *arg)
{
    struct traffic *t = arg;

    for (int i = 0; i < t->share; i++)
        hd_chan_send(t->chan, &i);
}

static void hd_receiver(void *arg)
{
    struct traffic *t = arg;
    int value;

    while (hd_chan_recv(t->chan, &value))
        ;
}

static void hd_channel(int n, int ends)
{
    struct traffic t = {.chan = hd_chan_make(sizeof(int), QUEUE), .share = n / ends};

    for (int i = 0; i < ends; i++) {
        need(hd_wg_go(&t.sending, hd_sender, &t));
        need(hd_wg_go(&t.receiving, hd_receiver, &t));
    }
    hd_wg_wait(&t.sending);
    hd_chan_close(t.chan);
    hd_wg_wait(&t.receiving);
    hd_chan_unref(t.chan);
}

static void *posix_sender(void *arg)
{
    struct traffic *t = arg;

    for (int i = 0; i < t->share; i++)
        posix_queue_send(&t->queue, i);
    return NULL;
}

static void *posix_receiver(void *arg)
{
    struct traffic *t = arg;
    int value;

    while (posix_queue_recv(&t->queue, &value))
        ;
    return NULL;
}

static void posix_channel(int n, int ends)
{
    struct traffic t = {.share = n / ends};
    pthread_t senders[MAX_ENDS], receivers[MAX_ENDS];

    posix_queue_open(&t.queue, QUEUE);
    for (int i = 0; i < ends; i++)
        if (pthread_create(&senders[i], NULL, posix_sender, &t) != 0 ||
            pthread_create(&receivers[i], NULL, posix_receiver, &t) != 0)
            exit(3);
    for (int i = 0; i < ends; i++)
        pthread_join(senders[i], NULL);
    posix_queue_close(&t.queue);
    for (int i = 0; i < ends; i++)
        pthread_join(receivers[i], NULL);
}

static void hd_channel_1_1(int n)
{
    hd_channel(n, 1);
}

static void posix_channel_1_1(int n)
{
    posix_channel(n, 1);
}

static void hd_channel_4_4(int n)
{
    hd_channel(n, 4);
}

static void posix_channel_4_4(int n)
{
    posix_channel(n, 4);
}

struct table_tennis {
    struct hd_chan *ping, *pong;
    struct posix_queue posix_ping, posix_pong;
};

static void hd_opponent(void *arg)
{
    struct table_tennis *t = arg;
    int ball;

    while (hd_chan_recv(t->ping, &ball))
        hd_chan_send(t->pong, &ball);
    hd_chan_close(t->pong);
}

static void hd_ping_pong(int n)
{
    struct table_tennis t = {.ping = hd_chan_make(sizeof(int), 0),
                             .pong = hd_chan_make(sizeof(int), 0)};

    need(hd_go(hd_opponent, &t));
    for (int i = 0; i < n; i++) {
        hd_chan_send(t.ping, &i);
        hd_chan_recv(t.pong, NULL);
    }
    hd_chan_close(t.ping);
    hd_chan_recv(t.pong, NULL);
    hd_chan_unref(t.ping);
    hd_chan_unref(t.pong);
}

static void *posix_opponent(void *arg)
{
    struct table_tennis *t = arg;
    int ball;

    while (posix_queue_recv(&t->posix_ping, &ball))
        posix_queue_send(&t->posix_pong, ball);
    return NULL;
}

/* A queue of one: the nearest that one writes with a mutex and condition variables. */
static void posix_ping_pong(int n)
{
    struct table_tennis t;
    pthread_t thread;
    int ball;

    posix_queue_open(&t.posix_ping, 1);
    posix_queue_open(&t.posix_pong, 1);
    if (pthread_create(&thread, NULL, posix_opponent, &t) != 0)
        exit(3);
    for (int i = 0; i < n; i++) {
        posix_queue_send(&t.posix_ping, i);
        posix_queue_recv(&t.posix_pong, &ball);
    }
    posix_queue_close(&t.posix_ping);
    pthread_join(thread, NULL);
}

/* ---- select: n queues with room; send to one that can take, receive from one that can give ----
 */

static void hd_selects(int n, size_t count)
{
    struct hd_case sends[8], receives[8];
    int value = 0;

    for (size_t i = 0; i < count; i++) {
        struct hd_chan *chan = hd_chan_make(sizeof(int), 64);
        sends[i] = HD_SEND(chan, &value);
        receives[i] = HD_RECV(chan, &value);
    }
    for (int i = 0; i < n; i++) {
        hd_select(sends, count);
        hd_select(receives, count);
    }
    for (size_t i = 0; i < count; i++)
        hd_chan_unref(sends[i].chan);
}

/* All queues under one mutex, with one condition variable for "something changed". */
static void posix_selects(int n, int count)
{
    static struct posix_queue queues[8];
    pthread_mutex_t all = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    unsigned seed = 1;

    for (int i = 0; i < count; i++)
        posix_queue_open(&queues[i], 64);
    for (int i = 0; i < 2 * n; i++) {
        int sends = i % 2 == 0, start = (int)((seed = seed * 1103515245u + 12345u) >> 16),
            chosen = -1;
        pthread_mutex_lock(&all);
        while (chosen < 0) {
            for (int k = 0; k < count && chosen < 0; k++) {
                struct posix_queue *q = &queues[(start + k) % count];
                if (sends ? q->count < q->capacity : q->count > 0)
                    chosen = (start + k) % count;
            }
            if (chosen < 0)
                pthread_cond_wait(&changed, &all);
        }
        if (sends)
            queues[chosen].values[(queues[chosen].first + queues[chosen].count++) % 64] = i;
        else
            queues[chosen].first = (queues[chosen].first + 1) % 64, queues[chosen].count--;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&all);
    }
}

static void hd_select_2(int n)
{
    hd_selects(n, 2);
}

static void hd_select_8(int n)
{
    hd_selects(n, 8);
}

static void posix_select_2(int n)
{
    posix_selects(n, 2);
}

static void posix_select_8(int n)
{
    posix_selects(n, 8);
}

static const struct {
    const char *name;
    int n;
    void (*ours)(int n), (*posix)(int n);
} benches[] = {
    {"mutex", 500000, hd_mutex_pairs, posix_mutex_pairs},
    {"rwmutex-read", 500000, hd_read_pairs, posix_read_pairs},
    {"once", 2000000, hd_onces, posix_onces},
    {"atomic-add", 1000000, hd_adds, c11_adds},
    {"waitgroup", 500000, hd_groups, posix_groups},
    {"spawn-wait", 2000, hd_spawns, posix_spawns},
    {"chan-1-1", 50000, hd_channel_1_1, posix_channel_1_1},
    {"chan-4-4", 50000, hd_channel_4_4, posix_channel_4_4},
    {"ping-pong", 5000, hd_ping_pong, posix_ping_pong},
    {"select-2", 50000, hd_select_2, posix_select_2},
    {"select-8", 20000, hd_select_8, posix_select_8},
};

/* With names: those alone. */
int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
        bool wanted = argc < 2;
        for (int k = 1; k < argc; k++)
            wanted |= strcmp(argv[k], benches[i].name) == 0;
        if (!wanted)
            continue;
        double ours = best(benches[i].ours, benches[i].n);
        printf("%s %.2f %.2f\n", benches[i].name, ours, best(benches[i].posix, benches[i].n));
        fflush(stdout);
    }
    return 0;
}
