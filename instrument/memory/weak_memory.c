/* weak_memory.c - atomic locations, their last stores, and the operations on them.
 *
 * Invariants
 *   1. a location has 1 to HDI_KEPT_STORES stores, in modification order
 *   2. memory holds the last of them, unless a plain access wrote it since
 * location_check() goes through them.
 */
#include <stddef.h>

#include <heddle/invariant.h>

#include "core/control.h"
#include "weak_memory.h"
#include "access.h"

#define BUCKETS 4096u

static struct hdi_location *locations[BUCKETS];
static struct hdi_location *free_locations;

static struct {
    struct hdi_location *at;
    uint32_t index;
} picked;

static bool is_tso(void)
{
    return hdi_watch.config.model == HDP_MEMORY_TSO;
}

/* ---- locations ---- */

static void location_check(struct hdi_location *at)
{
    if (!HD_INVARIANTS)
        return;
    HD_ASSERT(at->count > 0 && at->count <= HDI_KEPT_STORES); /* 1 */
    HD_ASSERT(hdi_location_intact(at));                       /* 2 */
}

static struct hdi_location **bucket(uintptr_t addr)
{
    return &locations[(uint64_t)addr * 0x9e3779b97f4a7c15ull >> 52];
}

static struct hdi_location *location_make(uintptr_t addr)
{
    struct hdi_location *at = free_locations;

    if (at)
        free_locations = at->next;
    else
        at = hdi_alloc_lasting(sizeof *at);
    *at = (struct hdi_location){.addr = addr, .next = *bucket(addr)};
    *bucket(addr) = at;
    struct hdi_cell *cell = hdi_shadow_get(addr);
    if (cell)
        cell->flags |= HDI_CELL_SYNC;
    return at;
}

/* The location as memory is now. */
static struct hdi_location *location_of(uintptr_t addr, uint32_t bytes)
{
    struct hdi_location *at = *bucket(addr);

    while (at && at->addr != addr)
        at = at->next;
    if (!at)
        at = location_make(addr);
    if (at->bytes == bytes && hdi_location_intact(at))
        return at;
    /* something came between that told nothing: a plain write, which is an initialisation or a race that
     * the detector reports; an atomic of another size; code without hooks. It may have been an update:
     * what was published there still is. */
    struct hdi_store *st = &at->store[0];
    if (is_tso() && at->count) {
        hdi_tso_settle(at);
    } else {
        st = hdi_location_insert(at, at->count);
        if (st > at->store)
            hdi_vclock_copy(&st->edges, &st[-1].edges);
    }
    at->bytes = bytes;
    st->value = hdi_in_memory(addr, bytes);
    st->known = true;
    location_check(at);
    return at;
}

void hdi_race_forgot(uintptr_t word)
{
    for (uintptr_t addr = word; addr < word + 8; addr++) {
        struct hdi_location **link = bucket(addr);
        while (*link && (*link)->addr != addr)
            link = &(*link)->next;
        struct hdi_location *at = *link;
        if (!at)
            continue;
        *link = at->next;
        if (is_tso())
            hdi_tso_forget(at);
        while (at->count)
            hdi_store_clear(&at->store[--at->count]);
        at->next = free_locations;
        free_locations = at;
    }
}

/* ---- operations ---- */

static uint64_t pick(struct hdi_location *at, uint32_t index)
{
    picked.at = at;
    picked.index = index;
    return at->store[index].value;
}

uint64_t hdi_model_pick(struct hdi_memory_thread *s, uintptr_t addr, uint32_t bytes, int order,
                        uint64_t pc)
{
    struct hdi_location *at = location_of(addr, bytes);

    return pick(at, is_tso() ? hdi_tso_load(s, at, pc) : hdi_c11_load(s, at, order, pc));
}

uint64_t hdi_model_pick_update(struct hdi_memory_thread *s, uintptr_t addr, uint32_t bytes,
                               int order, uint64_t pc)
{
    struct hdi_location *at = location_of(addr, bytes);

    return pick(at, is_tso() ? hdi_tso_locked(s, at, pc) : hdi_c11_update(s, at, order, pc));
}

bool hdi_model_pick_exchange(struct hdi_memory_thread *s, uintptr_t addr, uint32_t bytes,
                             const struct hdi_exchange *x, uint64_t *value, uint64_t pc)
{
    struct hdi_location *at = location_of(addr, bytes);
    bool succeeds = false;

    *value =
        pick(at, is_tso() ? hdi_tso_locked(s, at, pc) : hdi_c11_exchange(s, at, x, &succeeds, pc));
    return is_tso() ? *value == x->expected : succeeds;
}

void hdi_model_read(struct hdi_memory_thread *s, int order)
{
    struct hdi_store *st = &picked.at->store[picked.index];

    hdi_race_read_from(s->racer, &st->edges, order);
    if (!is_tso())
        hdi_c11_seen(s, st, order);
}

/* The thread made this store: what it publishes, who knows of it. */
static void made(struct hdi_memory_thread *s, struct hdi_store *st, uint64_t value, int order)
{
    const struct hdi_vclock *published = hdi_race_publishes(s->racer, order);

    st->value = value;
    st->tid = s->racer->tid;
    if (published)
        hdi_vclock_join(&st->edges, published);
    if (!is_tso())
        hdi_c11_seen(s, st, order);
    hdi_race_published(s->racer, order);
}

void hdi_model_update(struct hdi_memory_thread *s, uint64_t value, int order)
{
    struct hdi_location *at = picked.at;
    struct hdi_store *st = &at->store[picked.index];

    if (!is_tso()) {
        static struct hdi_vclock sequence; /* an update goes on with a release sequence */
        hdi_vclock_copy(&sequence, &st->edges);
        st = hdi_location_insert(at, picked.index + 1);
        hdi_vclock_copy(&st->edges, &sequence);
        st->update = true;
    }
    made(s, st, value, order);
    hdi_location_write(at);
    location_check(at);
}

void hdi_model_store(struct hdi_memory_thread *s, uintptr_t addr, uint32_t bytes, uint64_t value,
                     int order, uint64_t pc)
{
    struct hdi_location *at = location_of(addr, bytes);

    if (is_tso()) {
        hdi_tso_before_store(s, at, pc);
        made(s, hdi_location_insert(at, at->count), value, order);
        hdi_tso_enqueue(s, at);
    } else {
        made(s, hdi_location_insert(at, hdi_c11_store(s, at, order, pc)), value, order);
    }
    hdi_location_write(at);
    location_check(at);
    if (is_tso() && order == HDI_SEQ_CST)
        hdi_tso_drain(s, pc);
}

void hdi_model_fence(struct hdi_memory_thread *s, int order, uint64_t pc)
{
    if (order != HDI_SEQ_CST)
        return;
    if (is_tso())
        hdi_tso_drain(s, pc);
    else
        hdi_c11_fence(s);
}

void hdi_model_synchronised(struct hdi_memory_thread *s)
{
    if (is_tso())
        hdi_tso_drain(s, 0);
}

void hdi_model_before_move(void)
{
    if (is_tso())
        hdi_tso_drain_all();
}
