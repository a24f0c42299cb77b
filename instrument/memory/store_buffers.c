/* store_buffers.c - TSO: each thread's stores wait in a queue of its own until they reach memory.
 *
 * When they do is a decision of the schedule. It is asked for where it can matter: before an operation
 * on a location for which another thread's store waits, or while two threads' stores to one location
 * wait; with as many drains as are chosen. A location's first store is what its memory holds, the others
 * wait, in the order in which they were made. A thread reads its own last one that waits, and that
 * alone does not bring it to memory; no other thread's operation does.
 *
 * Invariants
 *   1. the first store of a location is the one that does not wait
 *   2. a location has as many waiting stores of a thread as its queue names it
 * source: Sewell, Sarkar, Owens, Zappa Nardelli and Myreen, x86-TSO, CACM 2010.
 */
#include <stddef.h>

#include <heddle/invariant.h>

#include "core/thread.h"
#include "wire/points.h"
#include "weak_location.h"

#define PENDING 64u /* a store buffer is not longer */

struct buffer {
    const struct hdi_thread *thread;
    uint32_t head, tail;
    struct hdi_location *queue[PENDING]; /* NULL: its memory was given back */
};

static struct buffer *buffers[HDI_RACERS];
static uint32_t buffers_end; /* no buffer from here on */
static uint32_t contested;   /* locations for which stores of several threads wait */

static bool is_empty(const struct buffer *b)
{
    return !b || b->head == b->tail;
}

static void check(const struct hdi_location *at)
{
    if (!HD_INVARIANTS)
        return;
    for (uint32_t i = 0; i < at->count; i++)
        HD_ASSERT(at->store[i].pending == (i > 0)); /* 1 */
    for (uint32_t tid = 0; tid < buffers_end; tid++) {
        uint32_t waiting = 0, named = 0;
        for (uint32_t i = 1; i < at->count; i++)
            waiting += at->store[i].tid == tid;
        for (uint32_t q = buffers[tid] ? buffers[tid]->head : 0;
             buffers[tid] && q < buffers[tid]->tail; q++)
            named += buffers[tid]->queue[q % PENDING] == at;
        HD_ASSERT(waiting == named); /* 2 */
    }
}

/* Do stores of several threads wait among the first `count` ones? */
static bool is_contested(const struct hdi_location *at, uint32_t count)
{
    for (uint32_t i = 2; i < count; i++)
        if (at->store[i].tid != at->store[1].tid)
            return true;
    return false;
}

/* The oldest store of a buffer reaches memory. */
static void drain_one(struct buffer *b, uint32_t tid)
{
    struct hdi_location *at = b->queue[b->head++ % PENDING];

    if (!at)
        return;
    uint64_t last = hdi_location_last(at)->value;
    bool intact = hdi_location_intact(at);
    uint32_t i = 1;
    while (at->store[i].tid != tid)
        i++;
    contested -= is_contested(at, at->count);
    hdi_store_clear(&at->store[0]);
    at->store[0] = at->store[i];
    at->store[0].pending = false;
    for (at->count--; i < at->count; i++)
        at->store[i] = at->store[i + 1];
    at->store[i] = (struct hdi_store){0};
    contested += is_contested(at, at->count);
    if (intact && hdi_location_last(at)->value != last)
        hdi_location_write(at);
    check(at);
}

static void drain_up_to(struct buffer *b, uint32_t tid, uint32_t end)
{
    while (b->head < end)
        drain_one(b, tid);
}

/* Some stores reach memory, or none. */
static void drain_some(uint64_t pc)
{
    for (;;) {
        uint32_t full = 0, tid = 0;
        for (uint32_t i = 0; i < buffers_end; i++)
            full += !is_empty(buffers[i]);
        uint32_t chosen = hdi_choose(full + 1, pc);
        if (!chosen) {
            if (full)
                hdi_chose(HDP_CHOSE_BUFFER, 0);
            return;
        }
        while (is_empty(buffers[tid]) || --chosen)
            tid++;
        struct buffer *b = buffers[tid];
        uint32_t waiting = b->tail - b->head;
        hdi_chose(HDP_CHOSE_BUFFER, b->thread->index);
        uint32_t many = 1 + hdi_choose(waiting, pc);
        if (waiting > 1)
            hdi_chose(HDP_CHOSE_HOW_MANY, many);
        drain_up_to(b, tid, b->head + many);
    }
}

static bool others_wait(const struct hdi_memory_thread *s, const struct hdi_location *at)
{
    for (uint32_t i = 1; i < at->count; i++)
        if (at->store[i].tid != s->racer->tid)
            return true;
    return false;
}

void hdi_tso_settle(struct hdi_location *at)
{
    while (at->count > 1)
        drain_one(buffers[at->store[1].tid], at->store[1].tid);
}

/* Before an operation on the location. */
static void drain_before(struct hdi_memory_thread *s, const struct hdi_location *at, uint64_t pc)
{
    if (contested || others_wait(s, at))
        drain_some(pc);
}

uint32_t hdi_tso_load(struct hdi_memory_thread *s, struct hdi_location *at, uint64_t pc)
{
    if (s->repeats)
        hdi_tso_settle(at); /* stores become visible in finite time */
    else
        drain_before(s, at, pc);
    uint32_t i = at->count - 1;
    while (i && at->store[i].tid != s->racer->tid)
        i--;
    return i;
}

void hdi_tso_before_store(struct hdi_memory_thread *s, struct hdi_location *at, uint64_t pc)
{
    uint32_t tid = s->racer->tid;

    if (!buffers[tid]) {
        buffers[tid] = hdi_alloc_lasting(sizeof *buffers[tid]);
        buffers[tid]->thread = s->thread;
    }
    if (tid >= buffers_end)
        buffers_end = tid + 1;
    drain_before(s, at, pc);
    if (buffers[tid]->tail - buffers[tid]->head == PENDING)
        drain_one(buffers[tid], tid);
    while (at->count == HDI_KEPT_STORES)
        drain_one(buffers[at->store[1].tid], at->store[1].tid);
}

void hdi_tso_enqueue(struct hdi_memory_thread *s, struct hdi_location *at)
{
    struct buffer *b = buffers[s->racer->tid];

    contested += is_contested(at, at->count);
    contested -= is_contested(at, at->count - 1);
    hdi_location_last(at)->pending = true;
    b->queue[b->tail++ % PENDING] = at;
    check(at);
}

static void drain_own(const struct hdi_memory_thread *s)
{
    uint32_t tid = s->racer->tid;

    if (buffers[tid])
        drain_up_to(buffers[tid], tid, buffers[tid]->tail);
}

void hdi_tso_drain(struct hdi_memory_thread *s, uint64_t pc)
{
    if (contested)
        drain_some(pc);
    drain_own(s);
}

void hdi_tso_drain_all(void)
{
    for (uint32_t tid = 0; tid < buffers_end; tid++)
        if (buffers[tid])
            drain_up_to(buffers[tid], tid, buffers[tid]->tail);
}

uint32_t hdi_tso_locked(struct hdi_memory_thread *s, struct hdi_location *at, uint64_t pc)
{
    drain_before(s, at, pc);
    drain_own(s);
    return 0;
}

void hdi_tso_forget(const struct hdi_location *at)
{
    contested -= is_contested(at, at->count);
    for (uint32_t tid = 0; tid < buffers_end; tid++)
        for (uint32_t q = buffers[tid] ? buffers[tid]->head : 0;
             buffers[tid] && q < buffers[tid]->tail; q++)
            if (buffers[tid]->queue[q % PENDING] == at)
                buffers[tid]->queue[q % PENDING] = NULL;
}
