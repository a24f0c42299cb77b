/* detector.c - accesses against the shadow, synchronisation against clocks.
 *
 * Invariants
 *   1. of each byte, a cell holds the last plain write, the last atomic write, and each thread's
 *      last reads, less those that a later access covers: hdi_race_covers says why nothing is lost
 *   2. racer->epoch == hdi_epoch(tid, now[tid]), must[tid] == now[tid], must <= now
 *   3. a cell with HDI_CELL_SYNC unset has no entry in `syncs` under its addresses
 * slots_check(), racer_check() and sync_check() go through them.
 */
#include <stddef.h>

#include <heddle/invariant.h>

#include "core/control.h"
#include "detector.h"

bool hdi_race_exhausted;

/* Conflicts: plain write with all; plain read with writes; atomic write with plain; atomic read
 * with plain writes; freed with all. Row covers column if the column's conflicts are among the
 * row's. */
#define BIT(k) (1u << HDI_##k)
const uint8_t hdi_race_covers[HDI_FREED + 1] = {
    [HDI_READ] = BIT(READ) | BIT(ATOMIC_READ),
    [HDI_ALLOCATED] =
        BIT(READ) | BIT(ALLOCATED) | BIT(WRITE) | BIT(ATOMIC_READ) | BIT(ATOMIC_WRITE),
    [HDI_WRITE] = BIT(READ) | BIT(ALLOCATED) | BIT(WRITE) | BIT(ATOMIC_READ) | BIT(ATOMIC_WRITE),
    [HDI_ATOMIC_READ] = BIT(ATOMIC_READ),
    [HDI_ATOMIC_WRITE] = BIT(ATOMIC_READ) | BIT(ATOMIC_WRITE),
    [HDI_FREED] = 0xff,
};
static const uint8_t conflicts[HDI_FREED + 1] = {
    [HDI_READ] = BIT(ALLOCATED) | BIT(WRITE) | BIT(ATOMIC_WRITE) | BIT(FREED),
    [HDI_ALLOCATED] = 0xff,
    [HDI_WRITE] = 0xff,
    [HDI_ATOMIC_READ] = BIT(ALLOCATED) | BIT(WRITE) | BIT(FREED),
    [HDI_ATOMIC_WRITE] = BIT(READ) | BIT(ALLOCATED) | BIT(WRITE) | BIT(FREED),
    [HDI_FREED] = 0xff,
};

/* ---- threads ---- */

static uint32_t racers;

struct hdi_racer *hdi_race_thread(void)
{
    if (racers == HDI_RACERS)
        return NULL;
    struct hdi_racer *t = hdi_alloc_lasting(sizeof *t);
    t->tid = racers++;
    hdi_vclock_set(&t->now, t->tid, 1);
    hdi_vclock_set(&t->must, t->tid, 1);
    t->epoch = hdi_epoch(t->tid, 1);
    return t;
}

static void racer_check(const struct hdi_racer *t)
{
    if (!HD_INVARIANTS || hdi_race_exhausted)
        return;
    HD_ASSERT(t->epoch == hdi_epoch(t->tid, hdi_vclock_get(&t->now, t->tid)));      /* 2 */
    HD_ASSERT(hdi_vclock_get(&t->must, t->tid) == hdi_vclock_get(&t->now, t->tid)); /* 2 */
    HD_ASSERT(hdi_vclock_leq(&t->must, &t->now));                                   /* 2 */
}

/* After publishing its clock a thread's later accesses are not covered by what it published. */
static void tick(struct hdi_racer *t)
{
    uint32_t clock = t->now.c[t->tid] + 1;
    if (clock > HDI_CLOCK_MAX) {
        hdi_race_exhausted = true;
        return;
    }
    t->now.c[t->tid] = clock;
    t->must.c[t->tid] = clock;
    t->epoch = hdi_epoch(t->tid, clock);
    racer_check(t);
}

/* ---- accesses ---- */

struct slot {
    uint32_t *epoch, *pc, *context; /* context is NULL when none is kept */
    uint16_t *meta;
};

struct feed {
    struct hdi_racer *t;
    uintptr_t word;
    uint64_t pc;
    enum hdi_access kind;
    uint8_t mask;
    bool done;        /* the cell knew it already */
    bool inherited;   /* a slot of the same access takes the bytes */
    struct slot room; /* an empty slot, meta NULL if none was met */
    struct hdi_cell *cell;
};

/* One slot has bytes in common with the new access: compare, drop what that covers. In registers:
 * a struct slot on the stack costs more than all the rest. */
static __attribute__((noinline)) void collide(struct feed *f, uint32_t *epoch, uint32_t *pc,
                                              uint32_t *context, uint16_t *meta)
{
    uint8_t had = (uint8_t)*meta;
    unsigned kind = *meta >> 8;
    uint8_t common = had & f->mask;
    uint32_t tid = hdi_epoch_tid(*epoch), clock = hdi_epoch_clock(*epoch);
    bool mine = tid == f->t->tid;
    bool ordered = mine || clock <= hdi_vclock_get(&f->t->now, tid);
    bool conflict = conflicts[f->kind] >> kind & 1;
    struct hdi_earlier earlier = {
        .tid = tid,
        .clock = clock,
        .pc = *pc,
        .context = context ? *context : 0,
        .kind = (enum hdi_access)kind,
        .mask = common,
    };
    bool matters =
        conflict && !mine &&
        (!ordered || kind == HDI_FREED ||
         (clock > hdi_vclock_get(&f->t->must, tid) && hdi_race_candidate(f->t, f->pc, &earlier)));
    if (matters && !(f->cell->flags & HDI_CELL_SHARED)) {
        f->cell->flags |= HDI_CELL_SHARED;
        hdi_race_shared(f->word, f->pc, *pc);
    }
    if ((!ordered || kind == HDI_FREED) && conflict) {
        hdi_race_found(f->t, f->word, f->kind, f->pc, &earlier);
        ordered = true; /* told once: the newer access stands for both from here on */
    }
    if (ordered && (hdi_race_covers[f->kind] >> kind & 1 || kind == HDI_FREED)) {
        had &= (uint8_t)~f->mask;
        *meta = had ? hdi_meta(had, (enum hdi_access)kind) : 0;
    }
}

/* The new access and one slot. */
static inline __attribute__((always_inline)) void meet(struct feed *f, struct slot s)
{
    uint8_t had = (uint8_t)*s.meta;
    if (!had) {
        if (!f->room.meta)
            f->room = s;
        return;
    }
    unsigned kind = *s.meta >> 8;
    bool now = *s.epoch == f->t->epoch;
    uint8_t common = had & f->mask;
    if (now && common == f->mask && hdi_race_covers[kind] >> f->kind & 1 && kind != HDI_FREED) {
        f->done = true;
        return;
    }
    if (now && kind == f->kind && *s.pc == (uint32_t)f->pc) {
        /* With contexts and without, the same accesses are kept: a slot of two has none. */
        if (s.context && *s.context != f->t->context)
            *s.context = had & ~f->mask ? 0 : f->t->context;
        *s.meta |= f->mask;
        f->inherited = true;
        return;
    }
    if (common)
        collide(f, s.epoch, s.pc, s.context, s.meta);
    if (!*s.meta && !f->room.meta)
        f->room = s;
}

static struct slot inline_slot(struct hdi_cell *cell, uint32_t *contexts, unsigned i)
{
    return (struct slot){&cell->epoch[i], &cell->pc[i], contexts ? &contexts[i] : NULL,
                         &cell->meta[i]};
}

static struct slot overflow_slot(struct hdi_overflow *o, unsigned i, bool rich)
{
    return (struct slot){&o->epoch[i], &o->pc[i], rich ? &o->context[i] : NULL, &o->meta[i]};
}

/* Move the third slot to a new block and put a link in its place. */
static void start_overflow(struct feed *f, uint32_t *contexts)
{
    uint32_t index = hdi_overflow_new();
    if (!index)
        return;
    struct hdi_overflow *o = hdi_overflow_at(index);
    o->epoch[0] = f->cell->epoch[2];
    o->pc[0] = f->cell->pc[2];
    o->meta[0] = f->cell->meta[2];
    o->context[0] = contexts ? contexts[2] : 0;
    f->cell->epoch[2] = index;
    f->cell->meta[2] = HDI_OVERFLOW;
    f->room = overflow_slot(o, 1, contexts != NULL);
}

static void feed_word(struct feed *f)
{
    uint32_t *contexts = hdi_shadow_contexts(f->word);
    bool chained = f->cell->meta[2] == HDI_OVERFLOW;
    for (unsigned i = 0; i < HDI_CELL_SLOTS - chained && !f->done; i++)
        meet(f, inline_slot(f->cell, contexts, i));
    struct hdi_overflow *last = NULL;
    if (chained)
        for (uint32_t at = f->cell->epoch[2]; at && !f->done; at = last->next) {
            last = hdi_overflow_at(at);
            for (unsigned i = 0; i < HDI_OVERFLOW_SLOTS && !f->done; i++)
                meet(f, overflow_slot(last, i, contexts != NULL));
        }
    if (f->done || f->inherited)
        return;
    if (!f->room.meta && !chained) {
        start_overflow(f, contexts);
    } else if (!f->room.meta) {
        last->next = hdi_overflow_new();
        if (last->next)
            f->room = overflow_slot(hdi_overflow_at(last->next), 0, contexts != NULL);
    }
    if (!f->room.meta)
        return; /* out of memory: hdi_shadow_full says so */
    *f->room.epoch = f->t->epoch;
    *f->room.pc = (uint32_t)f->pc;
    *f->room.meta = hdi_meta(f->mask, f->kind);
    if (f->room.context)
        *f->room.context = f->t->context;
}

/* The common case of feed_word: everything that the cell knows is of this thread since its last
 * release, so nothing can race. It leaves what feed_word would leave. False: not that case, or no
 * room. */
static bool feed_own(const struct hdi_racer *t, struct hdi_cell *cell, uint8_t mask,
                     enum hdi_access kind, uint32_t pc)
{
    unsigned room = HDI_CELL_SLOTS;
    bool inherited = false;
    for (unsigned i = 0; i < HDI_CELL_SLOTS; i++)
        if (cell->meta[i] && (cell->epoch[i] != t->epoch || cell->meta[i] >> 8 >= HDI_FREED))
            return false;
    for (unsigned i = 0; i < HDI_CELL_SLOTS; i++) {
        unsigned had = cell->meta[i], other = had >> 8;
        if ((had & mask) == mask && hdi_race_covers[other] >> kind & 1)
            return true;
        if (had && cell->pc[i] == pc && other == kind) {
            cell->meta[i] |= mask;
            inherited = true;
        } else if (had & mask && hdi_race_covers[kind] >> other & 1) {
            cell->meta[i] = (uint8_t)(had & ~mask) ? (uint16_t)(had & ~(unsigned)mask) : 0;
        }
        if (!cell->meta[i] && room == HDI_CELL_SLOTS)
            room = i;
    }
    if (inherited)
        return true;
    if (room == HDI_CELL_SLOTS)
        return false;
    cell->epoch[room] = t->epoch;
    cell->pc[room] = pc;
    cell->meta[room] = hdi_meta(mask, kind);
    return true;
}

/* What one slot says of the bytes of an access that the cell was fed last; those that it is known
 * for go to *known. */
static void slot_check(const struct hdi_racer *t, uint8_t mask, enum hdi_access kind,
                       uint32_t epoch, uint16_t meta, uint8_t *known)
{
    unsigned had = meta >> 8;

    if (!(meta & mask))
        return;
    if (had == kind && (kind == HDI_WRITE || hdi_epoch_tid(epoch) == t->tid))
        HD_ASSERT(epoch == t->epoch); /* the last one alone */
    if (epoch == t->epoch && hdi_race_covers[had] >> kind & 1)
        *known |= (uint8_t)meta;
}

/* Invariant 1, of the access that the cell of `word` was fed last. */
static void slots_check(const struct hdi_racer *t, uintptr_t word, uint8_t mask,
                        enum hdi_access kind)
{
    const struct hdi_cell *cell = hdi_shadow_find(word);
    uint8_t known = 0;

    if (!HD_INVARIANTS)
        return;
    hdi_shadow_check(word);
    bool chained = cell->meta[2] == HDI_OVERFLOW;
    for (unsigned i = 0; i < HDI_CELL_SLOTS - chained; i++)
        slot_check(t, mask, kind, cell->epoch[i], cell->meta[i], &known);
    const struct hdi_overflow *o;
    for (uint32_t at = chained ? cell->epoch[2] : 0; at; at = o->next) {
        o = hdi_overflow_at(at);
        for (unsigned i = 0; i < HDI_OVERFLOW_SLOTS; i++)
            slot_check(t, mask, kind, o->epoch[i], o->meta[i], &known);
    }
    HD_ASSERT((known & mask) == mask || hdi_shadow_full); /* nothing is lost */
}

void hdi_race_access(struct hdi_racer *t, uintptr_t addr, size_t bytes, enum hdi_access kind,
                     uint64_t pc)
{
    if (hdi_race_exhausted)
        return;
    bool rich = hdi_shadow_rich();
    uintptr_t end = addr + bytes;
    while (addr < end) {
        uintptr_t word = addr & ~(uintptr_t)7;
        uint8_t mask = (uint8_t)(0xffu << (addr & 7));
        if (end < word + 8)
            mask &= (uint8_t)(0xffu >> (word + 8 - end));
        struct hdi_cell *cell = hdi_shadow_get(word);
        if (cell && !hdi_race_known(t, cell, mask, kind) &&
            (rich || !feed_own(t, cell, mask, kind, (uint32_t)pc))) {
            struct feed f = {
                .t = t, .word = word, .pc = pc, .kind = kind, .mask = mask, .cell = cell};
            feed_word(&f);
        }
        if (cell)
            slots_check(t, word, mask, kind);
        addr = word + 8;
    }
}

/* ---- clocks by address ---- */

struct sync {
    uintptr_t key;
    struct sync *next;
    struct hdi_vclock clock; /* of the release sequence, or of all releases */
    struct hdi_vclock must;  /* the same without edges of locks */
    uint32_t head;           /* tid + 1 of the thread whose store heads the sequence; 0: none */
};

#define SYNC_BUCKETS 16384u
#define MODEL ((uintptr_t)1 << 63) /* keys of models, apart from atomics at the same address */

static struct sync **syncs;
static struct sync *sync_free;

static struct sync **sync_bucket(uintptr_t key)
{
    if (!syncs)
        syncs = hdi_alloc_lasting(SYNC_BUCKETS * sizeof *syncs);
    /* neighbours stay neighbours: a schedule touches few pages of the table */
    return &syncs[(key ^ key >> 20 ^ key >> 62) & (SYNC_BUCKETS - 1)];
}

static struct sync *sync_find(uintptr_t key)
{
    struct sync *s = *sync_bucket(key);
    while (s && s->key != key)
        s = s->next;
    return s;
}

static struct sync *sync_get(uintptr_t key)
{
    struct sync *s = sync_find(key);
    if (s)
        return s;
    s = sync_free;
    if (s)
        sync_free = s->next;
    else
        s = hdi_alloc_lasting(sizeof *s);
    *s = (struct sync){.key = key, .next = *sync_bucket(key)};
    *sync_bucket(key) = s;
    return s;
}

/* Invariant 3, of an atomic's address. */
static void sync_check(uintptr_t addr)
{
    const struct hdi_cell *cell = hdi_shadow_find(addr);

    HD_ASSERT(!cell || cell->flags & HDI_CELL_SYNC || !sync_find(addr));
}

static void sync_drop(uintptr_t key)
{
    struct sync **at = sync_bucket(key);
    while (*at && (*at)->key != key)
        at = &(*at)->next;
    struct sync *s = *at;
    if (!s)
        return;
    *at = s->next;
    hdi_vclock_clear(&s->clock);
    hdi_vclock_clear(&s->must);
    s->next = sync_free;
    sync_free = s;
}

void hdi_race_release(struct hdi_racer *t, uintptr_t clock)
{
    struct sync *s = sync_get(clock | MODEL);
    hdi_vclock_join(&s->clock, &t->now);
    hdi_vclock_join(&s->must, &t->must);
    tick(t);
}

void hdi_race_forget(uintptr_t clock)
{
    sync_drop(clock | MODEL);
}

bool hdi_race_lock_orders(struct hdi_racer *t, uintptr_t clock, const struct hdi_earlier *earlier)
{
    const struct sync *s = sync_find(clock | MODEL);
    if (!s || hdi_vclock_get(&s->must, earlier->tid) < earlier->clock)
        return false;
    hdi_vclock_join(&t->must, &s->must);
    racer_check(t);
    return true;
}

void hdi_race_acquire(struct hdi_racer *t, uintptr_t clock, bool lock)
{
    struct sync *s = sync_find(clock | MODEL);
    if (!s)
        return;
    hdi_vclock_join(&t->now, &s->clock);
    if (!lock)
        hdi_vclock_join(&t->must, &s->must);
    racer_check(t);
}

/* ---- atomics ---- */

static struct sync *atomic_get(uintptr_t addr)
{
    struct hdi_cell *cell = hdi_shadow_get(addr);
    if (cell)
        cell->flags |= HDI_CELL_SYNC;
    return sync_get(addr);
}

void hdi_race_read_from(struct hdi_racer *t, const struct hdi_vclock *clock, int order)
{
    if (!clock || !clock->n)
        return;
    if (hdi_acquires(order)) {
        hdi_vclock_join(&t->now, clock);
        hdi_vclock_join(&t->must, clock); /* what was read decides what follows: kept as it is */
        racer_check(t);
    } else {
        hdi_vclock_join(&t->pending_acquire, clock);
    }
}

void hdi_race_atomic_load(struct hdi_racer *t, uintptr_t addr, int order)
{
    struct sync *s = sync_find(addr);
    if (s)
        hdi_race_read_from(t, &s->clock, order);
}

const struct hdi_vclock *hdi_race_publishes(const struct hdi_racer *t, int order)
{
    if (hdi_releases(order))
        return &t->now;
    return t->fenced ? &t->fence_release : NULL;
}

void hdi_race_published(struct hdi_racer *t, int order)
{
    if (hdi_releases(order))
        tick(t);
}

void hdi_race_atomic_store(struct hdi_racer *t, uintptr_t addr, int order)
{
    const struct hdi_vclock *published = hdi_race_publishes(t, order);
    struct sync *s = published ? atomic_get(addr) : sync_find(addr);
    if (published) {
        if (s->head != t->tid + 1)
            hdi_vclock_clear(&s->clock); /* a sequence of another thread ends here */
        hdi_vclock_join(&s->clock, published);
        s->head = t->tid + 1;
    } else if (s && s->head != t->tid + 1) {
        /* a relaxed store by another thread ends the release sequence (C17 5.1.2.4p10) */
        hdi_vclock_clear(&s->clock);
        s->head = 0;
    }
    sync_check(addr);
    hdi_race_published(t, order);
}

void hdi_race_atomic_rmw(struct hdi_racer *t, uintptr_t addr, int order)
{
    struct sync *s = sync_find(addr);
    if (s)
        hdi_race_read_from(t, &s->clock, order);
    const struct hdi_vclock *published = hdi_race_publishes(t, order);
    if (published) {
        s = atomic_get(addr);
        if (!s->clock.n)
            s->head = t->tid + 1;
        hdi_vclock_join(&s->clock, published); /* the sequence goes on through it */
    }
    sync_check(addr);
    hdi_race_published(t, order);
}

void hdi_race_fence(struct hdi_racer *t, int order)
{
    if (hdi_acquires(order)) {
        hdi_vclock_join(&t->now, &t->pending_acquire);
        hdi_vclock_join(&t->must, &t->pending_acquire);
        racer_check(t);
    }
    if (hdi_releases(order)) {
        hdi_vclock_copy(&t->fence_release, &t->now);
        t->fenced = true;
        tick(t);
    }
}

/* ---- memory that changes hands ---- */

static void forget_word(uintptr_t word)
{
    for (unsigned i = 0; i < 8; i++)
        sync_drop(word + i);
    hdi_race_forgot(word);
}

void hdi_race_reset(uintptr_t addr, size_t bytes)
{
    hdi_shadow_clear(addr, bytes, forget_word);
}

void hdi_race_freed(struct hdi_racer *t, uintptr_t addr, size_t bytes, bool ordered, uint64_t pc)
{
    if (!ordered)
        hdi_race_access(t, addr, bytes, HDI_FREED, pc);
    hdi_shadow_clear(addr, bytes, forget_word);
    for (uintptr_t word = addr & ~(uintptr_t)7; word < addr + bytes; word += 8)
        hdi_race_access(t, word, 8, HDI_FREED, pc);
}

void hdi_race_goes(struct hdi_racer *t, uintptr_t addr, size_t bytes, uint64_t pc)
{
    uintptr_t end = addr + bytes, stop;

    for (; (addr = hdi_shadow_touched(addr, end)) < end; addr = stop) {
        stop = (addr | 4095) + 1 < end ? (addr | 4095) + 1 : end;
        hdi_race_access(t, addr, stop - addr, HDI_FREED, pc);
    }
}
