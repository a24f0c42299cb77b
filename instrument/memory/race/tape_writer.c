/* tape_writer.c - see tape_writer.h
 *
 * A thread's stamp counts what it did to synchronise. The table remembers of a word who used it
 * last, under which stamp, and which bytes how: an access that it knows is left out. What it
 * forgets (two words with one slot) is only written again.
 */
#include "tape_writer.h"

#include "core/annotate.h"
#include "core/thread.h"
#include "memory/access.h"

#define WORDS 65536u /* slots; a range that long forgets all */
#define SMALL 4096u  /* bytes of new memory that are forgotten one by one */

struct hdp_tape *hdi_tape;

struct word {
    uint64_t number; /* address / 8; 0: empty */
    uint32_t stamp, age;
    uint32_t thread;
    uint8_t read, written; /* bytes */
};

static struct word *words;
static const uint32_t *decisions;
static uint32_t age; /* entries of another age are empty */

void hdi_tape_start(struct hdp_tape *tape, const uint32_t *steps)
{
    const struct hdi_memory_thread *s = hdi_watched;

    tape->events = tape->full = 0;
    words = hdi_alloc_lasting(WORDS * sizeof *words);
    decisions = steps;
    age = 1;
    hdi_tape = tape;
    for (uint32_t i = 0; s && s->thread && i < s->thread->locks.count; i++) {
        const struct hdi_held *h = &s->thread->locks.held[i];
        hdi_tape_note(h->shared ? HDP_TAPE_RDLOCK : HDP_TAPE_LOCK, (const void *)h->object->addr);
    }
}

static struct hdp_tape_event *append(const struct hdi_memory_thread *s, enum hdp_tape_kind kind,
                                     uint64_t where)
{
    struct hdp_tape_event *e;

    if (hdi_tape->full || hdi_tape->events == HDP_TAPE_EVENTS || !s->thread ||
        s->thread->index > UINT16_MAX) {
        hdi_tape->full = 1;
        return NULL;
    }
    e = &hdi_tape->event[hdi_tape->events++];
    *e = (struct hdp_tape_event){.where = where,
                                 .step = *decisions,
                                 .thread = (uint16_t)s->thread->index,
                                 .kind = (uint8_t)kind};
    return e;
}

static bool writes(enum hdp_tape_kind kind)
{
    return kind != HDP_TAPE_READ && kind != HDP_TAPE_ATOMIC_READ;
}

static struct word *slot_of(uint64_t number)
{
    return &words[(number * 0x9e3779b97f4a7c15ull) >> 48];
}

/* Does the table know this of the word? It does from now on. */
static bool known(const struct hdi_memory_thread *s, uint64_t number, uint8_t mask, bool write)
{
    struct word *w = slot_of(number);
    uint32_t thread = s->thread->index;

    if (w->number != number || w->thread != thread || w->stamp != s->stamp || w->age != age)
        *w = (struct word){.number = number, .thread = thread, .stamp = s->stamp, .age = age};
    else if (((w->written | (write ? 0 : w->read)) & mask) == mask)
        return true;
    if (write)
        w->written |= mask;
    else
        w->read |= mask;
    return false;
}

static bool known_range(const struct hdi_memory_thread *s, uintptr_t addr, size_t bytes, bool write)
{
    uintptr_t end = addr + bytes;
    bool all = true;

    if (bytes / 8 >= WORDS) {
        age++;
        return false;
    }
    while (addr < end) {
        uintptr_t word = addr & ~(uintptr_t)7;
        uint8_t mask = (uint8_t)(0xffu << (addr & 7));
        if (end < word + 8)
            mask &= (uint8_t)(0xffu >> (word + 8 - end));
        all &= known(s, word >> 3, mask, write);
        addr = word + 8;
    }
    return all;
}

void hdi_tape_access(struct hdi_memory_thread *s, uintptr_t addr, size_t bytes,
                     enum hdp_tape_kind kind, uint64_t pc, bool point)
{
    struct hdp_tape_event *e;

    if (!s->thread || (hdi_said_any_benign && hdi_said_benign(addr, bytes)))
        return;
    if (kind >= HDP_TAPE_ATOMIC_WRITE)
        s->stamp++;
    if (known_range(s, addr, bytes, writes(kind)) && kind < HDP_TAPE_ATOMIC_WRITE &&
        kind != HDP_TAPE_FREE)
        return;
    if (kind == HDP_TAPE_ATOMIC_READ) { /* what it saw may have told it of others */
        s->stamp++;
        known_range(s, addr, bytes, false);
    }
    e = append(s, kind, addr);
    if (!e)
        return;
    e->bytes = bytes;
    e->site = pc;
    e->point = point;
}

void hdi_tape_reset(uintptr_t addr, size_t bytes)
{
    const struct hdi_memory_thread *s = hdi_watched;
    struct hdp_tape_event *e;

    if (!hdi_tape || !s)
        return;
    if (bytes > SMALL)
        age++;
    else
        for (uintptr_t word = addr >> 3; word <= (addr + bytes) >> 3; word++)
            slot_of(word)->number = 0;
    e = append(s, HDP_TAPE_RESET, addr);
    if (e)
        e->bytes = bytes;
}

/* How the calling thread holds the lock at this address; NULL: it is no lock, or not held. */
static const struct hdi_held *held_at(const struct hdi_thread *t, const void *lock)
{
    for (uint32_t i = 0; i < t->locks.count; i++) {
        const struct hdi_held *h = &t->locks.held[i];
        uint8_t kind = h->object->label_kind ? h->object->label_kind : h->object->kind;
        if (h->object->addr == (uintptr_t)lock && (kind == HD_OB_MUTEX || kind == HD_OB_SPIN ||
                                                   kind == HD_OB_RWLOCK || kind == HD_OB_HD_MUTEX))
            return h;
    }
    return NULL;
}

/* Of a condition variable its waiters' own clocks tell more: who woke whom. */
static bool is_told_otherwise(const void *clock, const struct hdi_held *h)
{
    return (h && h->count > 1) || hdi_object_find(clock, HD_OB_COND);
}

/* Taken by code without hooks: what it guards is not seen, so that nothing else says whether its sections may
 * change places. */
static bool guards_unseen(const struct hdi_held *h)
{
    return h && !hdi_is_watched_code(h->site);
}

void hdi_tape_acquire(struct hdi_memory_thread *s, const void *clock)
{
    const struct hdi_held *h = s->thread ? held_at(s->thread, clock) : NULL;

    if (is_told_otherwise(clock, h))
        return;
    s->stamp++;
    append(s, h ? (h->shared ? HDP_TAPE_RDLOCK : HDP_TAPE_LOCK) : HDP_TAPE_ACQUIRE,
           (uintptr_t)clock);
    if (guards_unseen(h))
        append(s, HDP_TAPE_ACQUIRE, (uintptr_t)clock);
}

void hdi_tape_release(struct hdi_memory_thread *s, const void *clock)
{
    const struct hdi_held *h = s->thread ? held_at(s->thread, clock) : NULL;

    if (is_told_otherwise(clock, h))
        return;
    s->stamp++;
    if (guards_unseen(h))
        append(s, HDP_TAPE_RELEASE, (uintptr_t)clock);
    append(s, h ? HDP_TAPE_UNLOCK : HDP_TAPE_RELEASE, (uintptr_t)clock);
}

void hdi_tape_note(enum hdp_tape_kind kind, const void *clock)
{
    struct hdi_memory_thread *s = hdi_watched;

    if (!hdi_tape || !s)
        return;
    s->stamp++;
    append(s, kind, (uintptr_t)clock);
}
