/* weak_memory.c - histories of atomic locations; which of its stores a load may return.
 *
 * C11: a load by t may return any store that is not older than the newest one that t must know: one
 * that happens before the load, one that t or somebody before t has read, one ordered by fences or
 * by the single order of sequentially consistent operations. Stores are ordered as they were made,
 * which C11 does not demand: such behaviours are not shown.
 *
 * TSO: each thread's stores reach memory in its order. When exactly is decided late: a store is
 * pending until a load of another thread returns it or a later one of its thread, or until its
 * thread does something that empties the buffer.
 *
 * Invariants
 *   1. stores with index in (count - KEPT, count] are in the ring; no thread has read a later one
 *   2. a thread's pending stores form a queue in program order
 * history_check() and buffer_check() go through them.
 */
#include <heddle/invariant.h>

#include "core/control.h"
#include "weak_memory.h"
#include "access.h"

#define KEPT 8u
#define BUCKETS 4096u
#define PENDING 64u /* a store buffer is not longer */

struct store {
    uint64_t value;
    uint32_t tid, clock;     /* epoch of the store; clock 0: known to all */
    struct hdi_vclock edges; /* what an acquire that reads it takes */
    bool pending;            /* TSO: in its thread's buffer */
};

struct location {
    uintptr_t addr;
    struct location *next;
    uint32_t count;                           /* stores so far; the newest has this index */
    uint32_t sc_store;                        /* index of the last sequentially consistent one */
    uint32_t sc_turn;                         /* its place in the single order */
    struct hdi_vclock read_index, read_clock; /* last read of each thread: index, its clock */
    struct store ring[KEPT];
};

struct thread {
    struct hdi_vclock view; /* what its sequentially consistent fences made visible */
    uint32_t fence_turn;    /* place of the last of those in the single order */
    uint32_t head, tail;    /* pending stores */
    struct {
        struct location *at;
        uint32_t index;
    } queue[PENDING];
};

static struct location *locations[BUCKETS];
static struct location *free_locations;
static struct thread *threads[HDI_RACERS];
static struct hdi_vclock fenced; /* joined by all sequentially consistent fences so far */
static uint32_t turn;            /* of the single order of sequentially consistent operations */

static struct thread *thread_of(const struct hdi_memory_thread *s)
{
    struct thread **t = &threads[s->racer->tid];
    if (!*t)
        *t = hdi_alloc_lasting(sizeof **t);
    return *t;
}

static struct store *store_at(struct location *at, uint32_t index)
{
    return &at->ring[index % KEPT];
}

static uint32_t oldest(const struct location *at)
{
    return at->count > KEPT ? at->count - KEPT + 1 : 1;
}

static struct location **bucket(uintptr_t addr)
{
    return &locations[(uint64_t)addr * 0x9e3779b97f4a7c15ull >> 52];
}

static struct store *append(struct location *at, uint64_t value, uint32_t tid, uint32_t clock)
{
    struct store *s = store_at(at, ++at->count);
    s->value = value;
    s->tid = tid;
    s->clock = clock;
    s->pending = false;
    hdi_vclock_clear(&s->edges);
    return s;
}

/* The location, knowing that memory holds `last`. */
static struct location *location_of(uintptr_t addr, uint64_t last)
{
    struct location *at = *bucket(addr);
    while (at && at->addr != addr)
        at = at->next;
    if (!at) {
        at = free_locations;
        if (at)
            free_locations = at->next;
        else
            at = hdi_alloc_lasting(sizeof *at);
        at->addr = addr;
        at->next = *bucket(addr);
        *bucket(addr) = at;
        struct hdi_cell *cell = hdi_shadow_get(addr);
        if (cell)
            cell->flags |= HDI_CELL_SYNC;
    }
    if (!at->count || store_at(at, at->count)->value != last) {
        /* a plain write came between: an initialisation, or a race that the detector reports */
        append(at, last, 0, 0);
        at->sc_store = at->count;
        at->sc_turn = 0;
    }
    return at;
}

void hdi_race_forgot(uintptr_t word)
{
    for (uintptr_t addr = word; addr < word + 8; addr++) {
        struct location **link = bucket(addr);
        while (*link && (*link)->addr != addr)
            link = &(*link)->next;
        struct location *at = *link;
        if (!at)
            continue;
        *link = at->next;
        for (unsigned i = 0; i < KEPT; i++)
            hdi_vclock_clear(&at->ring[i].edges);
        hdi_vclock_clear(&at->read_index);
        hdi_vclock_clear(&at->read_clock);
        for (unsigned i = 0; i < HDI_RACERS; i++)
            for (uint32_t q = threads[i] ? threads[i]->head : 0; threads[i] && q < threads[i]->tail;
                 q++)
                if (threads[i]->queue[q % PENDING].at == at)
                    threads[i]->queue[q % PENDING].at = NULL;
        *at = (struct location){.next = free_locations};
        free_locations = at;
    }
}

/* ---- TSO: store buffers ---- */

static void buffer_check(const struct thread *t)
{
    if (!HD_INVARIANTS)
        return;
    HD_ASSERT(t->tail - t->head <= PENDING);
    for (uint32_t q = t->head; q < t->tail; q++) {
        struct location *at = t->queue[q % PENDING].at;
        uint32_t index = t->queue[q % PENDING].index;
        if (!at || index < oldest(at))
            continue;
        HD_ASSERT(index <= at->count && store_at(at, index)->pending);
        for (uint32_t later = q + 1; later < t->tail; later++)
            HD_ASSERT(t->queue[later % PENDING].at != at ||
                      t->queue[later % PENDING].index > index);
    }
}

/* The oldest pending store of a thread reaches memory. */
static void drain_one(struct thread *t)
{
    struct location *at = t->queue[t->head % PENDING].at;
    uint32_t index = t->queue[t->head % PENDING].index;
    t->head++;
    if (at && index >= oldest(at) && index <= at->count)
        store_at(at, index)->pending = false;
}

static void drain(struct thread *t)
{
    while (t->head < t->tail)
        drain_one(t);
}

/* Stores up to `index` of the location reach memory, and all that their threads made before. */
static void settle(struct location *at, uint32_t index)
{
    for (uint32_t i = oldest(at); i <= index; i++)
        while (store_at(at, i)->pending)
            drain_one(threads[store_at(at, i)->tid]);
}

static void tso_enqueue(struct hdi_memory_thread *s, struct location *at)
{
    struct thread *t = thread_of(s);
    if (t->tail - t->head == PENDING)
        drain_one(t);
    store_at(at, at->count)->pending = true;
    t->queue[t->tail % PENDING].at = at;
    t->queue[t->tail % PENDING].index = at->count;
    t->tail++;
    buffer_check(t);
}

static uint32_t tso_floor(const struct hdi_memory_thread *s, struct location *at)
{
    uint32_t floor = oldest(at);
    for (uint32_t i = floor; i <= at->count; i++)
        if (!store_at(at, i)->pending || store_at(at, i)->tid == s->racer->tid)
            floor = i;
    return floor;
}

static void history_check(const struct location *at)
{
    if (!HD_INVARIANTS)
        return;
    HD_ASSERT(at->sc_store <= at->count);
    for (uint32_t tid = 0; tid < at->read_index.n; tid++)
        HD_ASSERT(at->read_index.c[tid] <= at->count);
    for (uint32_t i = oldest(at); i <= at->count; i++) {
        const struct store *s = &at->ring[i % KEPT];
        const struct thread *t = s->pending ? threads[s->tid] : NULL;
        bool queued = false;
        for (uint32_t q = t ? t->head : 0; t && q < t->tail; q++)
            queued |= t->queue[q % PENDING].at == at && t->queue[q % PENDING].index == i;
        HD_ASSERT(!s->pending || queued); /* 2 */
    }
}

/* ---- C11: what a load must know ---- */

static bool knows(const struct hdi_memory_thread *s, const struct hdi_vclock *view, uint32_t tid,
                  uint32_t clock)
{
    return tid == s->racer->tid || clock <= hdi_vclock_get(&s->racer->now, tid) ||
           clock <= hdi_vclock_get(view, tid);
}

static uint32_t c11_floor(struct hdi_memory_thread *s, struct location *at, int order)
{
    const struct thread *t = thread_of(s);
    const struct hdi_vclock *view = &t->view;
    uint32_t floor = oldest(at);
    for (uint32_t i = floor; i <= at->count; i++) {
        const struct store *st = store_at(at, i);
        if (!st->clock || knows(s, view, st->tid, st->clock) ||
            (order == HDI_SEQ_CST && st->clock <= hdi_vclock_get(&fenced, st->tid)))
            floor = i;
    }
    for (uint32_t tid = 0; tid < at->read_clock.n; tid++) {
        uint32_t clock = at->read_clock.c[tid], index = hdi_vclock_get(&at->read_index, tid);
        if (clock && index > floor && knows(s, view, tid, clock))
            floor = index;
    }
    if ((order == HDI_SEQ_CST || at->sc_turn < t->fence_turn) && at->sc_store > floor)
        floor = at->sc_store;
    return floor;
}

static void note_read(struct hdi_memory_thread *s, struct location *at, uint32_t index, int order)
{
    hdi_vclock_set(&at->read_index, s->racer->tid, index);
    hdi_vclock_set(&at->read_clock, s->racer->tid, hdi_epoch_clock(s->racer->epoch));
    hdi_race_read_from(s->racer, &store_at(at, index)->edges, order);
    history_check(at);
}

/* ---- operations ---- */

uint64_t hdi_model_load(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last, int order,
                        uint64_t pc)
{
    struct location *at = location_of(addr, last);
    bool tso = hdi_watch.config.model == HDP_MEMORY_TSO;
    uint32_t floor = tso ? tso_floor(s, at) : c11_floor(s, at, order);
    uint32_t index = at->count;
    if (floor < index && !s->repeats)
        index -= hdi_choose(index - floor + 1, pc);
    if (tso)
        settle(at, index);
    note_read(s, at, index, order);
    return store_at(at, index)->value;
}

void hdi_model_read_last(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last, int order)
{
    struct location *at = location_of(addr, last);
    if (hdi_watch.config.model == HDP_MEMORY_TSO) {
        drain(thread_of(s));
        settle(at, at->count);
    }
    note_read(s, at, at->count, order);
}

static struct location *put(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last,
                            uint64_t value, int order, uint32_t epoch)
{
    struct location *at = location_of(addr, last);
    if (hdi_watch.config.model == HDP_MEMORY_TSO)
        settle(at, at->count);
    struct store *st = append(at, value, s->racer->tid, hdi_epoch_clock(epoch));
    const struct hdi_vclock *edges = hdi_race_clock_of(addr);
    if (edges)
        hdi_vclock_copy(&st->edges, edges);
    if (order == HDI_SEQ_CST) {
        at->sc_store = at->count;
        at->sc_turn = ++turn;
    }
    history_check(at);
    return at;
}

void hdi_model_store(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last, uint64_t value,
                     int order, uint32_t epoch)
{
    struct location *at = put(s, addr, last, value, order, epoch);
    if (hdi_watch.config.model != HDP_MEMORY_TSO)
        return;
    tso_enqueue(s, at);
    if (order == HDI_SEQ_CST)
        drain(thread_of(s));
}

void hdi_model_update(struct hdi_memory_thread *s, uintptr_t addr, uint64_t last, uint64_t value,
                      int order, uint32_t epoch)
{
    struct location *at = put(s, addr, last, value, order, epoch);
    if (hdi_watch.config.model == HDP_MEMORY_TSO)
        drain(thread_of(s)); /* a locked instruction */
    hdi_vclock_set(&at->read_index, s->racer->tid, at->count);
    hdi_vclock_set(&at->read_clock, s->racer->tid, hdi_epoch_clock(epoch));
}

void hdi_model_fence(struct hdi_memory_thread *s, int order)
{
    struct thread *t = thread_of(s);
    if (order != HDI_SEQ_CST)
        return;
    drain(t);
    hdi_vclock_join(&fenced, &s->racer->now);
    hdi_vclock_join(&t->view, &fenced);
    t->fence_turn = ++turn;
}

void hdi_model_publish(struct hdi_memory_thread *s)
{
    if (hdi_watch.config.model == HDP_MEMORY_TSO)
        drain(thread_of(s));
}
