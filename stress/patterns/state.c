/* state.c - shared state: mutex, reader/writer lock, atomics, a channel as a lock, and nothing. */
#include "suite/suite.h"

#include <string.h>

#include <heddle/atomic.h>
#include <heddle/mutex.h>
#include <heddle/rwmutex.h>
#include <heddle/scope.h>
#include <heddle/waitgroup.h>

#define EACH 2

struct counter {
    struct hd_mutex mu;
    struct hd_chan *sem;
    struct hd_atomic_int64 fast;
    int value;
    struct hd_wg wg;
};

/* Run `body` in some goroutines, EACH increments each; how many there must be in the end. */
static int count_with(struct counter *c, void (*body)(void *))
{
    int goroutines = draw(2, 4);

    for (int i = 0; i < goroutines; i++) {
        hd_wg_add(&c->wg, 1);
        GO(body, c);
    }
    hd_wg_wait(&c->wg);
    return goroutines * EACH;
}

static void increment(struct counter *c)
{
    HD_SCOPED_LOCK(&c->mu);
    c->value++;
}

static int get(struct counter *c)
{
    HD_SCOPED_LOCK(&c->mu);
    return c->value;
}

static void locked(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < EACH; i++) {
        increment(c);
        assert(get(c) >= i + 1);
    }
    hd_wg_done(&c->wg);
}

void counter_mutex(void)
{
    struct counter *c = KEEP(struct counter);
    int expected = count_with(c, locked);

    assert(get(c) == expected);
    all_gone();
}

static void unlocked(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < EACH; i++)
        c->value++;
    hd_wg_done(&c->wg);
}

void counter_race(void)
{
    count_with(KEEP(struct counter), unlocked);
}

static void atomic(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < EACH; i++)
        hd_int64_add(&c->fast, 1);
    hd_wg_done(&c->wg);
}

void counter_atomic(void)
{
    struct counter *c = KEEP(struct counter);
    int expected = count_with(c, atomic);

    assert(hd_int64_load(&c->fast) == expected);
    all_gone();
}

/* What "use an atomic" does not give: an update in two steps. */
static void two_steps(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < EACH; i++)
        hd_int64_store(&c->fast, hd_int64_load(&c->fast) + 1);
    hd_wg_done(&c->wg);
}

void counter_atomic_two_steps(void)
{
    struct counter *c = KEEP(struct counter);
    int expected = count_with(c, two_steps);

    assert(hd_int64_load(&c->fast) == expected);
}

static void channel_locked(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < EACH; i++) {
        hd_chan_send(c->sem, NULL);
        c->value++;
        hd_chan_recv(c->sem, NULL);
    }
    hd_wg_done(&c->wg);
}

void counter_channel_as_lock(void)
{
    struct counter *c = KEEP(struct counter);
    int expected;

    c->sem = SIGNAL(1);
    expected = count_with(c, channel_locked);
    assert(c->value == expected);
    all_gone();
}

/* A cache behind a reader/writer lock: a table of strings. */
#define KEYS 3

struct cache {
    struct hd_rwmutex mu;
    char key[KEYS][8], value[KEYS][8];
    bool there[KEYS];
    struct hd_wg wg;
    struct gauge readers;
};

static bool cache_get(struct cache *c, int k, char value[8])
{
    HD_SCOPED_RLOCK(&c->mu);
    gauge_enter(&c->readers);
    hd_go_yield();
    if (c->there[k])
        memcpy(value, c->value[k], 8);
    gauge_leave(&c->readers);
    return c->there[k];
}

static void cache_set(struct cache *c, int k, const char value[8])
{
    HD_SCOPED_WLOCK(&c->mu);
    assert(__atomic_load_n(&c->readers.now, __ATOMIC_RELAXED) == 0);
    c->there[k] = true;
    for (int i = 0; i < 8; i++)
        c->value[k][i] = value[i];
}

static void reader(void *arg)
{
    struct cache *c = arg;

    for (int k = 0; k < KEYS; k++) {
        char value[8] = "";
        if (cache_get(c, k, value))
            assert(value[0] == value[6] && (value[0] == 'a' || value[0] == 'b'));
    }
    hd_wg_done(&c->wg);
}

static void writer(void *arg)
{
    struct cache *c = arg;

    for (int k = 0; k < KEYS; k++) {
        cache_set(c, k, "aaaaaaa");
        cache_set(c, k, "bbbbbbb");
    }
    hd_wg_done(&c->wg);
}

void cache_rwmutex(void)
{
    struct cache *c = KEEP(struct cache);
    int readers = draw(1, 3), writers = draw(1, 2);

    hd_wg_add(&c->wg, readers + writers);
    for (int i = 0; i < readers; i++)
        GO(reader, c);
    for (int i = 0; i < writers; i++)
        GO(writer, c);
    hd_wg_wait(&c->wg);
    for (int k = 0; k < KEYS; k++)
        assert(c->value[k][0] == 'b');
    all_gone();
}

/* Reading outside the lock, what the type's name promises to make needless. */
static void careless_reader(void *arg)
{
    struct cache *c = arg;

    for (int k = 0; k < KEYS; k++)
        if (c->there[k] && c->value[k][0] == 0)
            hd_go_yield(); /* half of it: but who would look? */
    hd_wg_done(&c->wg);
}

void cache_read_unlocked(void)
{
    struct cache *c = KEEP(struct cache);

    hd_wg_add(&c->wg, 2);
    GO(careless_reader, c);
    GO(writer, c);
    hd_wg_wait(&c->wg);
}

/* An atomic pointer to an immutable configuration. */
struct config {
    int version, checksum;
};
HD_ATOMIC_POINTER(config_ptr, struct config);

struct configured {
    struct config_ptr current;
    struct hd_wg wg;
};

static void update_config(void *arg)
{
    struct configured *s = arg;

    for (int v = 2; v <= 4; v++) {
        struct config *c = KEEP(struct config);
        *c = (struct config){v, -v};
        config_ptr_store(&s->current, c);
    }
    hd_wg_done(&s->wg);
}

static void use_config(void *arg)
{
    struct configured *s = arg;

    for (int i = 0, last = 0; i < 3; i++) {
        struct config *c = config_ptr_load(&s->current);
        assert(c->checksum == -c->version && c->version >= last);
        last = c->version;
    }
    hd_wg_done(&s->wg);
}

void config_atomic_pointer(void)
{
    struct configured *s = KEEP(struct configured);
    struct config *first = KEEP(struct config);

    *first = (struct config){1, -1};
    config_ptr_store(&s->current, first);
    hd_wg_add(&s->wg, 3);
    GO(update_config, s);
    GO(use_config, s);
    GO(use_config, s);
    hd_wg_wait(&s->wg);
    assert(config_ptr_load(&s->current)->version == 4);
    all_gone();
}
