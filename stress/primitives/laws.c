/* laws.c - what each primitive promises, whatever the schedule. */
#include "suite/suite.h"

#include <heddle/atomic.h>
#include <heddle/cond.h>
#include <heddle/map.h>
#include <heddle/mutex.h>
#include <heddle/once.h>
#include <heddle/rwmutex.h>
#include <heddle/select.h>
#include <heddle/semaphore.h>
#include <heddle/waitgroup.h>

struct law {
    struct hd_chan *a, *b;
    struct hd_mutex m;
    struct hd_rwmutex rw;
    struct hd_cond cond;
    struct hd_wg wg;
    struct hd_once once;
    struct hd_semaphore semaphore;
    struct hd_context *ctx;
    struct hd_map *map;
    struct gauge inside, readers;
    struct tally done;
    int x, count;
};

static struct law *law_new(void)
{
    struct law *l = KEEP(struct law);

    l->cond.mutex = &l->m;
    return l;
}

#define RUN(fn, l) started(hd_wg_go(&(l)->wg, fn, l))

static void send_count(void *arg)
{
    struct law *l = arg;

    for (int i = 0; i < l->count; i++)
        hd_chan_send(l->a, &i);
    hd_chan_close(l->a);
}

void chan_keeps_order(void)
{
    struct law *l = law_new();
    int expected = 0;

    l->count = draw(0, 5);
    l->a = CHAN(int, (size_t)draw(0, 3));
    RUN(send_count, l);
    HD_RANGE(int, value, l->a)
    {
        assert(value == expected);
        expected++;
    }
    assert(expected == l->count);
    hd_wg_wait(&l->wg);
}

static void hand_over(void *arg)
{
    struct law *l = arg;

    l->x = 1;
    hd_chan_send(l->a, NULL);
}

void chan_orders_memory(void)
{
    struct law *l = law_new();

    l->a = SIGNAL((size_t)draw(0, 2));
    RUN(hand_over, l);
    hd_chan_recv(l->a, NULL);
    assert(l->x == 1);
    l->x = 2;
    hd_wg_wait(&l->wg);
}

static void select_send(void *arg)
{
    struct law *l = arg;

    for (int i = 0; i < 2; i++) {
        int value = (int)__atomic_fetch_add(&l->count, 1, __ATOMIC_RELAXED);
        (void)HD_SELECT(HD_SEND(l->a, &value), HD_SEND(l->b, &value));
    }
}

void select_loses_nothing(void)
{
    struct law *l = law_new();

    l->a = CHAN(int, (size_t)draw(0, 1));
    l->b = CHAN(int, (size_t)draw(0, 1));
    RUN(select_send, l);
    RUN(select_send, l);
    for (int i = 0; i < 4; i++) {
        int value;
        (void)HD_SELECT(HD_RECV(l->a, &value), HD_RECV(l->b, &value));
        tally(&l->done, value);
    }
    hd_wg_wait(&l->wg);
    assert(tally_count(&l->done) == 4);
}

static void lock_alone(void *arg)
{
    struct law *l = arg;

    hd_mutex_lock(&l->m);
    gauge_enter(&l->inside);
    l->x++;
    hd_go_yield();
    gauge_leave(&l->inside);
    hd_mutex_unlock(&l->m);
}

void mutex_lets_one_in(void)
{
    struct law *l = law_new();
    int goroutines = draw(2, 4);

    for (int i = 0; i < goroutines; i++)
        RUN(lock_alone, l);
    hd_wg_wait(&l->wg);
    assert(l->inside.most == 1 && l->x == goroutines);
}

static void read_together(void *arg)
{
    struct law *l = arg;

    hd_rwmutex_rlock(&l->rw);
    gauge_enter(&l->readers);
    assert(__atomic_load_n(&l->inside.now, __ATOMIC_RELAXED) == 0);
    hd_go_yield();
    gauge_leave(&l->readers);
    hd_rwmutex_runlock(&l->rw);
}

static void write_alone(void *arg)
{
    struct law *l = arg;

    hd_rwmutex_lock(&l->rw);
    gauge_enter(&l->inside);
    assert(__atomic_load_n(&l->readers.now, __ATOMIC_RELAXED) == 0);
    l->x++;
    hd_go_yield();
    gauge_leave(&l->inside);
    hd_rwmutex_unlock(&l->rw);
}

void rwmutex_keeps_them_apart(void)
{
    struct law *l = law_new();
    int readers = draw(1, 3), writers = draw(1, 2);

    for (int i = 0; i < readers; i++)
        RUN(read_together, l);
    for (int i = 0; i < writers; i++)
        RUN(write_alone, l);
    hd_wg_wait(&l->wg);
    assert(l->inside.most == 1 && l->x == writers);
}

static void await_x(void *arg)
{
    struct law *l = arg;

    hd_mutex_lock(&l->m);
    while (l->x == 0)
        hd_cond_wait(&l->cond);
    l->x--;
    hd_mutex_unlock(&l->m);
}

void cond_wakes_each(void)
{
    struct law *l = law_new();
    int waiters = draw(1, 3);

    for (int i = 0; i < waiters; i++)
        RUN(await_x, l);
    for (int i = 0; i < waiters; i++) {
        hd_mutex_lock(&l->m);
        l->x++;
        hd_cond_signal(&l->cond);
        hd_mutex_unlock(&l->m);
    }
    hd_wg_wait(&l->wg);
    assert(l->x == 0);
}

static void initialise(void *arg)
{
    struct law *l = arg;

    tally(&l->done, 0);
    hd_go_yield();
    l->x = 7;
}

static void use_initialised(void *arg)
{
    struct law *l = arg;

    hd_once_do(&l->once, initialise, l);
    assert(l->x == 7);
}

void once_is_once(void)
{
    struct law *l = law_new();

    for (int i = draw(1, 4); i > 0; i--)
        RUN(use_initialised, l);
    hd_wg_wait(&l->wg);
}

static void hold_units(void *arg)
{
    struct law *l = arg;
    int units = 1 + (int)(hd_go_self() % 2);

    started(hd_semaphore_acquire(&l->semaphore, hd_context_background(), units));
    for (int i = 0; i < units; i++)
        gauge_enter(&l->inside);
    hd_go_yield();
    for (int i = 0; i < units; i++)
        gauge_leave(&l->inside);
    hd_semaphore_release(&l->semaphore, units);
}

void semaphore_counts(void)
{
    struct law *l = law_new();
    int size = draw(2, 3);

    hd_semaphore_init(&l->semaphore, size, NULL);
    for (int i = draw(1, 4); i > 0; i--)
        RUN(hold_units, l);
    hd_wg_wait(&l->wg);
    assert(l->inside.most <= size);
}

static void wait_for_cancel(void *arg)
{
    struct law *l = arg;
    struct hd_context *child = hd_context_with_cancel(l->ctx);

    hd_chan_recv(hd_context_done(child), NULL);
    assert(hd_context_err(child) == hd_cancelled && hd_context_err(l->ctx) == hd_cancelled);
    hd_context_end(child);
}

void cancel_reaches_all(void)
{
    struct law *l = law_new();

    l->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    for (int i = draw(1, 3); i > 0; i--)
        RUN(wait_for_cancel, l);
    hd_context_cancel(l->ctx);
    hd_wg_wait(&l->wg);
    hd_context_end(l->ctx);
}

static void claim(void *arg)
{
    struct law *l = arg;
    void *actual;
    bool loaded;

    started(hd_map_load_or_store(l->map, "key", arg, &actual, &loaded));
    assert(actual == l);
    if (!loaded)
        tally(&l->done, 0);
}

void map_stores_once(void)
{
    struct law *l = law_new();

    l->map = hd_map_create(HD_KEYS_STRING);
    for (int i = draw(1, 4); i > 0; i--)
        RUN(claim, l);
    hd_wg_wait(&l->wg);
    assert(tally_count(&l->done) == 1);
    hd_map_destroy(l->map);
}

void time_passes_as_told(void)
{
    int64_t start = hd_now(), ns = span(draw(0, 3) * HD_HOUR / 2);
    struct hd_timer *timer;

    if (ns > span(HD_HOUR) && span(HD_SECOND) != HD_SECOND)
        ns = HD_SECOND / 10; /* natively nobody waits for hours */
    timer = hd_timer_make(ns);
    hd_chan_recv(hd_timer_chan(timer), NULL);
    assert(hd_now() - start >= ns);
    hd_timer_free(timer);
}

/* Three goroutines, twenty operations: what the speed of exploration is measured with. */
static void seven_operations(void *arg)
{
    struct law *l = arg;

    for (int i = 0; i < 3; i++) {
        hd_mutex_lock(&l->m);
        l->x++;
        hd_mutex_unlock(&l->m);
    }
}

void three_by_twenty(void)
{
    struct law *l = law_new();

    for (int i = 0; i < 3; i++)
        RUN(seven_operations, l);
    hd_wg_wait(&l->wg);
    assert(l->x == 9);
}
