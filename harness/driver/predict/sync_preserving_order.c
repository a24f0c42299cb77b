/* sync_preserving_order.c - one pass over the tape: what must come before each event, critical
 * sections, accesses by cell of memory.
 *
 * A cell is a run of words between places where some access or new memory begins or ends, so that
 * each access takes all of a cell or, if it is a single word, some of its bytes. A block of many
 * megabytes that is freed is then a few cells. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "sync_preserving_inside.h"
#include "util/alloc.h"

/* What makes a tape too long: timestamps (of 4 bytes a thread), accesses of cells. */
#define POOL ((size_t)32 << 20)
#define ACCESSES ((size_t)4 << 20)

/* A cell of memory in its present life; it ends where the next one begins. */
struct cell {
    uint64_t first;     /* word: address / 8 */
    uint32_t variable;  /* SYNCP_NONE: not accessed yet */
    uint32_t writer[8]; /* of each byte of its words: event, or SYNCP_NONE */
};

/* A clock, or all operations that keep their order. Timestamps by thread. */
struct clock {
    struct {
        uint64_t where;
        uint64_t turn;
    } key;
    uint32_t *given_must, *given_hard; /* by releases */
    uint32_t *all_must, *all_hard;     /* by all */
    UT_hash_handle hh;
};

struct lock_name {
    uint64_t where;
    uint32_t lock;
    UT_hash_handle hh;
};

struct guard_name {
    struct syncp_guards guards;
    uint32_t set;
    UT_hash_handle hh;
};

struct reader {
    struct syncp *s;
    struct guard_name *guards;
    struct cell *cell; /* by place */
    size_t cells;
    struct clock *clocks;
    struct lock_name *locks;
    uint32_t variables;
    bool over; /* out of room */
};

/* ---- timestamps ---- */

static const struct syncp_version *version_at(const struct syncp_stamps *st, uint32_t thread,
                                              uint32_t position)
{
    const struct syncp_version *v = st->version[thread];
    uint32_t low = 0, high = st->versions[thread];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (v[middle].from <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &v[low - 1] : NULL;
}

const uint32_t *syncp_stamp_of(const struct syncp *s, const struct syncp_stamps *stamps, uint32_t e)
{
    const struct syncp_version *v = version_at(stamps, s->tape[e].thread, s->position[e]);
    return v ? stamps->pool + v->at : NULL;
}

uint32_t syncp_stamp(const struct syncp *s, const struct syncp_stamps *stamps, uint32_t e,
                     uint32_t thread)
{
    if (s->tape[e].thread == thread)
        return s->position[e] + 1;
    const uint32_t *stamp = syncp_stamp_of(s, stamps, e);
    return stamp ? stamp[thread] : 0;
}

void syncp_stamps_free(const struct syncp *s, struct syncp_stamps *stamps)
{
    for (uint32_t t = 0; t < s->threads; t++)
        free(stamps->version[t]);
    free(stamps->version);
    free(stamps->versions);
    free(stamps->pool);
    free(stamps->now);
}

static void stamps_begin(const struct syncp *s, struct syncp_stamps *st)
{
    st->version = mem_zeroed(s->threads, sizeof *st->version);
    st->versions = mem_zeroed(s->threads, sizeof *st->versions);
    st->now = mem_zeroed((size_t)s->threads * s->threads, sizeof *st->now);
}

static uint32_t *now_of(const struct syncp *s, const struct syncp_stamps *st, uint32_t thread)
{
    return st->now + (size_t)thread * s->threads;
}

static bool join(uint32_t *to, const uint32_t *from, uint32_t threads, uint32_t but)
{
    bool changed = false;
    for (uint32_t i = 0; i < threads; i++)
        if (from[i] > to[i] && i != but) {
            to[i] = from[i];
            changed = true;
        }
    return changed;
}

/* Event w, and all before it, comes before what thread t does next. */
static bool join_event(const struct syncp *s, struct syncp_stamps *st, uint32_t t, uint32_t w)
{
    uint32_t *now = now_of(s, st, t), other = s->tape[w].thread;

    if (other == t || now[other] > s->position[w])
        return false; /* and with it, all that came before it */
    const uint32_t *stamp = syncp_stamp_of(s, st, w);
    if (stamp)
        join(now, stamp, s->threads, t);
    now[other] = s->position[w] + 1;
    return true;
}

/* The timestamp of t's present event changed. */
static void keep_version(struct reader *r, struct syncp_stamps *st, uint32_t t, uint32_t position)
{
    const struct syncp *s = r->s;
    struct syncp_version **list = &st->version[t];

    if (st->used + s->threads > POOL) {
        r->over = true;
        return;
    }
    for (uint32_t i = 0; i < s->threads; i++) {
        st->pool = mem_grow(st->pool, st->used + i, sizeof *st->pool);
        st->pool[st->used + i] = now_of(s, st, t)[i];
    }
    *list = mem_grow(*list, st->versions[t], sizeof **list);
    (*list)[st->versions[t]++] = (struct syncp_version){.from = position, .at = (uint32_t)st->used};
    st->used += s->threads;
}

/* ---- clocks ---- */

static struct clock *clock_of(struct reader *r, uint64_t where, bool turn)
{
    struct clock *c, key = {.key = {where, turn}};

    HASH_FIND(hh, r->clocks, &key.key, sizeof key.key, c);
    if (!c) {
        uint32_t n = r->s->threads;
        c = mem_zeroed(1, sizeof *c);
        c->key = key.key;
        c->given_must = mem_zeroed((size_t)n * 4, sizeof *c->given_must);
        c->given_hard = c->given_must + n;
        c->all_must = c->given_hard + n;
        c->all_hard = c->all_must + n;
        HASH_ADD(hh, r->clocks, key, sizeof c->key, c);
    }
    return c;
}

static void give(const struct syncp *s, const struct syncp_stamps *st, uint32_t *to, uint32_t e)
{
    uint32_t t = s->tape[e].thread;
    join(to, now_of(s, st, t), s->threads, t);
    to[t] = s->position[e] + 1;
}

/* ---- locks ---- */

static struct syncp_lock *lock_at(struct reader *r, uint64_t where, bool make)
{
    struct syncp *s = r->s;
    struct lock_name *name;

    HASH_FIND(hh, r->locks, &where, sizeof where, name);
    if (!name && make) {
        s->lock = mem_grow(s->lock, s->locks, sizeof *s->lock);
        s->lock[s->locks] = (struct syncp_lock){0};
        name = mem_zeroed(1, sizeof *name);
        name->where = where;
        name->lock = s->locks++;
        HASH_ADD(hh, r->locks, where, sizeof name->where, name);
    }
    return name ? &s->lock[name->lock] : NULL;
}

static struct syncp_slot *slot_at(struct reader *r, uint64_t where, uint32_t thread, bool make)
{
    struct syncp *s = r->s;
    struct syncp_lock *lock = lock_at(r, where, make);

    for (uint32_t i = 0; lock && i < lock->slots; i++)
        if (s->slot[lock->slot[i]].thread == thread)
            return &s->slot[lock->slot[i]];
    if (!make)
        return NULL;
    struct syncp_thread *t = &s->thread[thread];
    s->slot = mem_grow(s->slot, s->slots, sizeof *s->slot);
    s->slot[s->slots] = (struct syncp_slot){.lock = (uint32_t)(lock - s->lock), .thread = thread};
    lock->slot = mem_grow(lock->slot, lock->slots, sizeof *lock->slot);
    lock->slot[lock->slots++] = s->slots;
    t->slot = mem_grow(t->slot, t->slots, sizeof *t->slot);
    t->slot[t->slots++] = s->slots;
    return &s->slot[s->slots++];
}

static uint32_t guard_set(struct reader *r, const struct syncp_guards *guards)
{
    struct syncp *s = r->s;
    struct guard_name *name;

    HASH_FIND(hh, r->guards, guards, sizeof *guards, name);
    if (!name) {
        s->guards = mem_grow(s->guards, s->guard_sets, sizeof *s->guards);
        s->guards[s->guard_sets] = *guards;
        name = mem_zeroed(1, sizeof *name);
        name->guards = *guards;
        name->set = s->guard_sets++;
        HASH_ADD(hh, r->guards, guards, sizeof name->guards, name);
    }
    return name->set;
}

/* The thread's set with a lock, or without it. */
static void guard(struct reader *r, struct syncp_thread *t, uint32_t lock, bool held)
{
    struct syncp_guards now = r->s->guards[t->guards], next;
    uint32_t n = 0;

    memset(&next, 0xff, sizeof next);
    for (uint32_t i = 0; i < SYNCP_GUARDS && now.lock[i] != SYNCP_NONE; i++) {
        if (held && lock < now.lock[i] && n < SYNCP_GUARDS) {
            next.lock[n++] = lock;
            held = false;
        }
        if (now.lock[i] != lock && n < SYNCP_GUARDS)
            next.lock[n++] = now.lock[i];
    }
    if (held && n < SYNCP_GUARDS)
        next.lock[n] = lock;
    t->guards = guard_set(r, &next);
}

static void begin_section(struct reader *r, uint32_t e)
{
    struct syncp *s = r->s;
    const struct hdp_tape_event *ev = &s->tape[e];
    struct syncp_slot *slot = slot_at(r, ev->where, ev->thread, true);
    struct syncp_thread *t = &s->thread[ev->thread];

    if (slot->open)
        return;
    slot->section = mem_grow(slot->section, slot->sections, sizeof *slot->section);
    bool shared = ev->kind == HDP_TAPE_RDLOCK;
    uint32_t before = slot->sections ? slot->section[slot->sections - 1].exclusive : 0;
    slot->section[slot->sections] = (struct syncp_section){
        .begin = e, .end = SYNCP_NONE, .exclusive = shared ? before : e + 1, .shared = shared};
    slot->open = true;
    if (!shared)
        guard(r, t, slot->lock, true);
    t->begin = mem_grow(t->begin, t->begins, sizeof *t->begin);
    t->begin[t->begins++] = (struct syncp_begin){.position = s->position[e],
                                                 .slot = (uint32_t)(slot - s->slot),
                                                 .section = slot->sections++};
}

static void end_section(struct reader *r, uint32_t e)
{
    const struct hdp_tape_event *ev = &r->s->tape[e];
    struct syncp_slot *slot = slot_at(r, ev->where, ev->thread, false);

    if (!slot || !slot->open)
        return;
    slot->open = false;
    slot->section[slot->sections - 1].end = e;
    if (!slot->section[slot->sections - 1].shared)
        guard(r, &r->s->thread[ev->thread], slot->lock, false);
}

/* ---- memory ---- */

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void forget(struct cell *c)
{
    c->variable = SYNCP_NONE;
    memset(c->writer, 0xff, sizeof c->writer);
}

/* The bytes of an event, as words: the first, and the one behind the last. */
static void words_of(const struct hdp_tape_event *ev, uint64_t *first, uint64_t *end)
{
    uint64_t last = ev->where + ev->bytes;

    *first = ev->where >> 3;
    *end = (last >> 3) + ((last & 7) != 0);
}

/* Where one of the events begins or ends. Those of them that take some bytes of a word alone make it
 * a cell of its own. */
static void make_cells(struct reader *r, uint32_t events)
{
    uint64_t *bound = NULL, first, end;
    size_t n = 0;

    for (uint32_t e = 0; e < events; e++) {
        const struct hdp_tape_event *ev = &r->s->tape[e];
        bool access = syncp_is_access(ev->kind);
        if ((!access && ev->kind != HDP_TAPE_RESET) || !ev->bytes)
            continue;
        words_of(ev, &first, &end);
        const uint64_t at[4] = {first, end, first + 1, end - 1};
        unsigned places = 2;
        if (access && ((ev->where | ev->bytes) & 7))
            places = 4;
        for (unsigned i = 0; i < places; i++) {
            bound = mem_grow(bound, n, sizeof *bound);
            bound[n++] = at[i];
        }
    }
    if (n)
        qsort(bound, n, sizeof *bound, by_number);
    for (size_t i = 0; i < n; i++) {
        if (r->cells && r->cell[r->cells - 1].first == bound[i])
            continue;
        r->cell = mem_grow(r->cell, r->cells, sizeof *r->cell);
        r->cell[r->cells].first = bound[i];
        forget(&r->cell[r->cells++]);
    }
    free(bound);
}

/* The cell that begins at this word. */
static size_t cell_at(const struct reader *r, uint64_t word)
{
    size_t low = 0, high = r->cells;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->cell[middle].first < word)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void reset(struct reader *r, uint32_t e)
{
    uint64_t first, end;

    words_of(&r->s->tape[e], &first, &end);
    for (size_t i = cell_at(r, first); i < r->cells && r->cell[i].first < end; i++)
        forget(&r->cell[i]);
}

static void access_cell(struct reader *r, uint32_t e, struct cell *c, uint8_t mask, bool changed[2])
{
    struct syncp *s = r->s;
    uint8_t kind = s->tape[e].kind;
    uint32_t t = s->tape[e].thread;
    bool reads = !syncp_writes(kind) || kind == HDP_TAPE_ATOMIC_UPDATE ||
                 (s->careful && kind == HDP_TAPE_WRITE);

    if (s->accesses == ACCESSES) {
        r->over = true;
        return;
    }
    if (c->variable == SYNCP_NONE)
        c->variable = r->variables++;
    for (unsigned i = 0; i < 8; i++) {
        if (!(mask >> i & 1))
            continue;
        if (c->writer[i] != SYNCP_NONE && reads) {
            changed[0] |= join_event(s, &s->must, t, c->writer[i]);
            if (syncp_is_atomic(kind))
                changed[1] |= join_event(s, &s->hard, t, c->writer[i]);
        }
        if (syncp_writes(kind))
            c->writer[i] = e;
    }
    s->access = mem_grow(s->access, s->accesses, sizeof *s->access);
    s->access[s->accesses++] = (struct syncp_access){
        .variable = c->variable, .event = e, .guards = s->thread[t].guards, .mask = mask};
}

static void access_range(struct reader *r, uint32_t e, bool changed[2])
{
    const struct hdp_tape_event *ev = &r->s->tape[e];
    uint64_t last = ev->where + ev->bytes, first, end;

    words_of(ev, &first, &end);
    for (size_t i = cell_at(r, first);
         ev->bytes && i < r->cells && r->cell[i].first < end && !r->over; i++) {
        struct cell *c = &r->cell[i];
        uint8_t mask = 0xff;
        if (c->first == first)
            mask &= (uint8_t)(0xffu << (ev->where & 7));
        if (c->first == end - 1 && last & 7)
            mask &= (uint8_t)(0xffu >> (8 - (last & 7)));
        access_cell(r, e, c, mask, changed);
    }
}

/* ---- events ---- */

/* A try that failed did so because of who held the lock, or of all that happened to the clock. */
static void look(struct reader *r, uint32_t e, bool changed[2])
{
    struct syncp *s = r->s;
    uint32_t t = s->tape[e].thread;
    const struct syncp_lock *lock = lock_at(r, s->tape[e].where, false);

    for (uint32_t i = 0; lock && i < lock->slots; i++) {
        const struct syncp_slot *slot = &s->slot[lock->slot[i]];
        if (!slot->open)
            continue;
        uint32_t begin = slot->section[slot->sections - 1].begin;
        changed[0] |= join_event(s, &s->must, t, begin);
        changed[1] |= join_event(s, &s->hard, t, begin);
    }
    if (lock)
        return;
    const struct clock *c = clock_of(r, s->tape[e].where, false);
    changed[0] |= join(now_of(s, &s->must, t), c->all_must, s->threads, t);
    changed[1] |= join(now_of(s, &s->hard, t), c->all_hard, s->threads, t);
}

static void at_clock(struct reader *r, uint32_t e, bool changed[2])
{
    struct syncp *s = r->s;
    const struct hdp_tape_event *ev = &s->tape[e];
    uint32_t t = ev->thread;
    bool turn = ev->kind == HDP_TAPE_TURN;
    struct clock *c = clock_of(r, ev->where, turn);

    if (ev->kind != HDP_TAPE_RELEASE) {
        changed[0] |= join(now_of(s, &s->must, t), c->given_must, s->threads, t);
        changed[1] |= join(now_of(s, &s->hard, t), c->given_hard, s->threads, t);
    }
    if (ev->kind != HDP_TAPE_ACQUIRE) {
        give(s, &s->must, c->given_must, e);
        give(s, &s->hard, c->given_hard, e);
    }
    give(s, &s->must, c->all_must, e);
    give(s, &s->hard, c->all_hard, e);
}

static void read_event(struct reader *r, uint32_t e)
{
    struct syncp *s = r->s;
    const struct hdp_tape_event *ev = &s->tape[e];
    struct syncp_thread *t = &s->thread[ev->thread];
    bool changed[2] = {false, false};

    s->position[e] = t->events;
    t->event = mem_grow(t->event, t->events, sizeof *t->event);
    t->event[t->events++] = e;
    if (syncp_is_access(ev->kind))
        access_range(r, e, changed);
    else if (ev->kind == HDP_TAPE_RESET)
        reset(r, e);
    else if (ev->kind == HDP_TAPE_LOCK || ev->kind == HDP_TAPE_RDLOCK)
        begin_section(r, e);
    else if (ev->kind == HDP_TAPE_UNLOCK)
        end_section(r, e);
    else if (ev->kind == HDP_TAPE_LOOK)
        look(r, e, changed);
    else
        at_clock(r, e, changed);
    if (changed[0])
        keep_version(r, &s->must, ev->thread, s->position[e]);
    if (changed[1])
        keep_version(r, &s->hard, ev->thread, s->position[e]);
}

static void forget_all(struct reader *r)
{
    struct clock *c, *next_clock;
    struct lock_name *l, *next_lock;
    struct guard_name *g, *next_guard;

    free(r->cell);
    HASH_ITER(hh, r->clocks, c, next_clock)
    {
        HASH_DEL(r->clocks, c);
        free(c->given_must);
        free(c);
    }
    HASH_ITER(hh, r->guards, g, next_guard)
    {
        HASH_DEL(r->guards, g);
        free(g);
    }
    HASH_ITER(hh, r->locks, l, next_lock)
    {
        HASH_DEL(r->locks, l);
        free(l);
    }
}

/* An event that cannot be: the program wrote over the tape. */
static bool is_broken(const struct syncp *s, uint32_t e)
{
    const struct hdp_tape_event *ev = &s->tape[e];
    return ev->kind >= HDP_TAPE_KINDS || ev->thread >= s->threads ||
           ev->where + ev->bytes < ev->where;
}

void syncp_read(struct syncp *s)
{
    struct reader r = {.s = s};
    uint32_t n = 0, e;

    while (n < s->events && !is_broken(s, n))
        n++;
    make_cells(&r, n);
    struct syncp_guards none;
    memset(&none, 0xff, sizeof none);
    guard_set(&r, &none);
    stamps_begin(s, &s->must);
    stamps_begin(s, &s->hard);
    for (e = 0; e < n; e++) {
        read_event(&r, e);
        if (!r.over)
            continue;
        /* the event counts, but as one that nobody looks at */
        while (s->accesses && s->access[s->accesses - 1].event == e)
            s->accesses--;
        s->thread[s->tape[e].thread].events--;
        break;
    }
    s->events = e;
    forget_all(&r);
}
