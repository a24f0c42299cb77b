/* sync_preserving.c - see sync_preserving.h
 *
 * The set for a pair grows monotonically with both accesses. So for the accesses of two places at
 * one cell of memory, an access that is in the set of the present pair is in that of every later
 * pair: it is passed over for good, and the set is never begun anew.
 */
#include "sync_preserving_inside.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

/* Pairs of accesses of two places that are tried for a guess. */
#define TRIES 8u

struct syncp *syncp_new(const struct hdp_tape_event *tape, uint32_t events, uint32_t threads,
                        bool careful)
{
    struct syncp *s = mem_zeroed(1, sizeof *s);

    s->tape = tape;
    s->events = events;
    s->threads = threads;
    s->careful = careful;
    s->position = mem_zeroed(events, sizeof *s->position);
    s->thread = mem_zeroed(threads, sizeof *s->thread);
    s->prefix = mem_zeroed(threads, sizeof *s->prefix);
    syncp_read(s);
    s->queue = mem_zeroed(s->locks, sizeof *s->queue);
    return s;
}

void syncp_free(struct syncp *s)
{
    if (!s)
        return;
    syncp_stamps_free(s, &s->must);
    syncp_stamps_free(s, &s->hard);
    for (uint32_t i = 0; i < s->slots; i++)
        free(s->slot[i].section);
    for (uint32_t i = 0; i < s->locks; i++)
        free(s->lock[i].slot);
    for (uint32_t i = 0; i < s->threads; i++) {
        free(s->thread[i].event);
        free(s->thread[i].slot);
        free(s->thread[i].begin);
    }
    free(s->slot);
    free(s->lock);
    free(s->thread);
    free(s->position);
    free(s->access);
    free(s->guards);
    free(s->prefix);
    free(s->queue);
    free(s);
}

uint32_t syncp_events(const struct syncp *s)
{
    return s->events;
}

uint32_t syncp_event_of(const struct syncp *s, uint32_t thread, uint32_t i)
{
    return i < s->thread[thread].events ? s->thread[thread].event[i] : SYNCP_NONE;
}

uint32_t syncp_position(const struct syncp *s, uint32_t event)
{
    return s->position[event];
}

/* ---- the set ---- */

static void begin_set(struct syncp *s)
{
    s->set++;
    s->impossible = false;
    s->queued = 0;
    memset(s->prefix, 0, s->threads * sizeof *s->prefix);
}

static void took(struct syncp *s, uint32_t slot, uint32_t section)
{
    struct syncp_slot *at = &s->slot[slot];

    if (at->last_set == s->set && at->last >= section)
        return;
    at->last_set = s->set;
    at->last = section;
    if (!s->lock[at->lock].queued) {
        s->lock[at->lock].queued = true;
        s->queue[s->queued++] = at->lock;
    }
}

/* The first of a thread's acquisitions at or behind a position. */
static uint32_t begin_from(const struct syncp_thread *t, uint32_t position)
{
    uint32_t low = 0, high = t->begins;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->begin[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many sections of a slot have begun before this position of its thread. */
static uint32_t sections_before(const struct syncp *s, const struct syncp_slot *at,
                                uint32_t position)
{
    uint32_t low = 0, high = at->sections;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->position[at->section[middle].begin] < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void grow(struct syncp *s, uint32_t thread, uint32_t to)
{
    const struct syncp_thread *t = &s->thread[thread];
    uint32_t from = s->prefix[thread];

    if (to <= from)
        return;
    s->prefix[thread] = to;
    uint32_t first = begin_from(t, from), end = begin_from(t, to);
    if (end - first <= t->slots) {
        for (uint32_t i = first; i < end; i++)
            took(s, t->begin[i].slot, t->begin[i].section);
        s->work += end - first + 1;
        return;
    }
    for (uint32_t i = 0; i < t->slots; i++) {
        uint32_t n = sections_before(s, &s->slot[t->slot[i]], to);
        if (n)
            took(s, t->slot[i], n - 1);
    }
    s->work += t->slots;
}

/* Event e, and all that must come before it. */
static void add_event(struct syncp *s, uint32_t e)
{
    const uint32_t *stamp = syncp_stamp_of(s, &s->must, e);

    for (uint32_t t = 0; stamp && t < s->threads; t++)
        if (t != s->tape[e].thread)
            grow(s, t, stamp[t]);
    grow(s, s->tape[e].thread, s->position[e] + 1);
    s->work += s->threads;
}

/* All that must come before e. */
static void add_before(struct syncp *s, uint32_t e)
{
    if (s->position[e])
        add_event(s, s->thread[s->tape[e].thread].event[s->position[e] - 1]);
}

/* Sections of the lock that have begun in the set, and that a later one excludes, end in it. */
static void close_lock(struct syncp *s, const struct syncp_lock *lock)
{
    uint32_t last = 0, last_exclusive = 0; /* event + 1 */

    for (uint32_t i = 0; i < lock->slots; i++) {
        const struct syncp_slot *at = &s->slot[lock->slot[i]];
        if (at->last_set != s->set)
            continue;
        const struct syncp_section *c = &at->section[at->last];
        if (c->begin + 1 > last)
            last = c->begin + 1;
        if (c->exclusive > last_exclusive)
            last_exclusive = c->exclusive;
    }
    s->work += lock->slots;
    for (uint32_t i = 0; i < lock->slots; i++) {
        const struct syncp_slot *at = &s->slot[lock->slot[i]];
        if (at->last_set != s->set)
            continue;
        const struct syncp_section *c = &at->section[at->last];
        if (c->begin + 1 >= (c->shared ? last_exclusive : last))
            continue;
        if (c->end == SYNCP_NONE)
            s->impossible = true;
        else if (s->position[c->end] >= s->prefix[at->thread])
            add_event(s, c->end);
    }
}

static void close_set(struct syncp *s)
{
    while (s->queued) {
        struct syncp_lock *lock = &s->lock[s->queue[--s->queued]];
        lock->queued = false;
        if (!s->impossible)
            close_lock(s, lock);
    }
}

static bool is_in(const struct syncp *s, uint32_t e)
{
    return s->impossible || s->position[e] < s->prefix[s->tape[e].thread];
}

bool syncp_is_race(struct syncp *s, uint32_t a, uint32_t b)
{
    begin_set(s);
    add_before(s, a);
    add_before(s, b);
    close_set(s);
    return !is_in(s, a) && !is_in(s, b);
}

bool syncp_witness(struct syncp *s, uint32_t a, uint32_t b, uint32_t *prefix)
{
    bool race = syncp_is_race(s, a, b);
    memcpy(prefix, s->prefix, s->threads * sizeof *prefix);
    return race;
}

/* ---- pairs ---- */

static bool kinds_conflict(uint8_t a, uint8_t b)
{
    return (syncp_writes(a) || syncp_writes(b)) && !(syncp_is_atomic(a) && syncp_is_atomic(b));
}

static int by_event(const void *a, const void *b)
{
    const struct syncp_access *x = a, *y = b;
    return x->event < y->event ? -1 : x->event > y->event;
}

bool syncp_conflict(const struct syncp *s, uint32_t a, uint32_t b)
{
    const struct hdp_tape_event *x = &s->tape[a], *y = &s->tape[b];

    if (!syncp_is_access(x->kind) || !syncp_is_access(y->kind) || x->thread == y->thread ||
        !kinds_conflict(x->kind, y->kind))
        return false;
    for (size_t i = 0; i < s->accesses; i++)
        for (size_t k = 0; s->access[i].event == a && k < s->accesses; k++)
            if (s->access[k].event == b && s->access[k].variable == s->access[i].variable &&
                s->access[k].mask & s->access[i].mask)
                return true;
    return false;
}

/* The accesses to one variable by one thread, at one place, of one kind, to the same bytes. */
struct series {
    const struct syncp_access *access;
    size_t count;
    uint32_t thread;
    uint64_t site;
    struct syncp_guards guards; /* held at all of them */
    uint8_t kind, mask;
};

/* The locks of both. */
static struct syncp_guards common(const struct syncp_guards *a, const struct syncp_guards *b)
{
    struct syncp_guards both;
    uint32_t n = 0;

    memset(&both, 0xff, sizeof both);
    for (uint32_t i = 0; i < SYNCP_GUARDS && a->lock[i] != SYNCP_NONE; i++)
        for (uint32_t k = 0; k < SYNCP_GUARDS; k++)
            if (a->lock[i] == b->lock[k])
                both.lock[n++] = a->lock[i];
    return both;
}

/* Never at the same time, in whatever order. */
static bool are_guarded(const struct series *x, const struct series *y)
{
    return common(&x->guards, &y->guards).lock[0] != SYNCP_NONE;
}

static const struct hdp_tape_event *sorting; /* qsort gives its comparison no argument */

static int by_series(const void *a, const void *b)
{
    const struct syncp_access *x = a, *y = b;
    const struct hdp_tape_event *p = &sorting[x->event], *q = &sorting[y->event];

    if (x->variable != y->variable)
        return x->variable < y->variable ? -1 : 1;
    if (p->thread != q->thread)
        return p->thread < q->thread ? -1 : 1;
    if (p->site != q->site)
        return p->site < q->site ? -1 : 1;
    if (p->kind != q->kind)
        return p->kind < q->kind ? -1 : 1;
    if (x->mask != y->mask)
        return x->mask < y->mask ? -1 : 1;
    return by_event(a, b);
}

static bool find_race(struct syncp *s, const struct series *x, const struct series *y, uint32_t *a,
                      uint32_t *b)
{
    size_t i = 0, k = 0;

    begin_set(s);
    add_before(s, x->access[0].event);
    add_before(s, y->access[0].event);
    close_set(s);
    while (i < x->count && k < y->count) {
        *a = x->access[i].event;
        *b = y->access[k].event;
        if (is_in(s, *a)) {
            if (++i < x->count)
                add_before(s, x->access[i].event);
        } else if (is_in(s, *b)) {
            if (++k < y->count)
                add_before(s, y->access[k].event);
        } else {
            return true;
        }
        close_set(s);
    }
    return false;
}

/* The section of a slot that a position of its thread is in; NULL: none. */
static const struct syncp_section *section_around(const struct syncp *s,
                                                  const struct syncp_slot *at, uint32_t position)
{
    uint32_t n = sections_before(s, at, position);
    const struct syncp_section *c = n ? &at->section[n - 1] : NULL;

    return c && (c->end == SYNCP_NONE || s->position[c->end] > position) ? c : NULL;
}

static bool have_common_lock(const struct syncp *s, uint32_t a, uint32_t b)
{
    const struct syncp_thread *t = &s->thread[s->tape[a].thread];

    for (uint32_t i = 0; i < t->slots; i++) {
        const struct syncp_slot *mine = &s->slot[t->slot[i]];
        const struct syncp_section *c = section_around(s, mine, s->position[a]);
        const struct syncp_lock *lock = &s->lock[mine->lock];
        for (uint32_t k = 0; c && k < lock->slots; k++) {
            const struct syncp_slot *other = &s->slot[lock->slot[k]];
            if (other->thread != s->tape[b].thread)
                continue;
            const struct syncp_section *d = section_around(s, other, s->position[b]);
            if (d && !(c->shared && d->shared))
                return true;
        }
    }
    return false;
}

static bool find_guess(struct syncp *s, const struct series *x, const struct series *y, uint32_t *a,
                       uint32_t *b)
{
    for (size_t i = 0; i < x->count && i < TRIES; i++)
        for (size_t k = 0; k < y->count && k < TRIES; k++) {
            *a = x->access[i].event;
            *b = y->access[k].event;
            s->work += s->slots + 1;
            if (syncp_stamp(s, &s->hard, *a, y->thread) <= s->position[*b] &&
                syncp_stamp(s, &s->hard, *b, x->thread) <= s->position[*a] &&
                !have_common_lock(s, *a, *b))
                return true;
        }
    return false;
}

/* The series of the variable whose accesses begin at `from`. Returns where the next one begins. */
static size_t split(const struct syncp *s, size_t from, struct series **list, size_t *count)
{
    size_t at = from;

    *count = 0;
    for (; at < s->accesses && s->access[at].variable == s->access[from].variable; at++) {
        const struct syncp_access *x = &s->access[at];
        const struct hdp_tape_event *e = &s->tape[x->event];
        struct series *last = *count ? &(*list)[*count - 1] : NULL;
        if (last && last->thread == e->thread && last->site == e->site && last->kind == e->kind &&
            last->mask == x->mask) {
            last->count++;
            last->guards = common(&last->guards, &s->guards[x->guards]);
            continue;
        }
        *list = mem_grow(*list, *count, sizeof **list);
        (*list)[(*count)++] = (struct series){.access = x,
                                              .count = 1,
                                              .thread = e->thread,
                                              .site = e->site,
                                              .guards = s->guards[x->guards],
                                              .kind = e->kind,
                                              .mask = x->mask};
    }
    return at;
}

bool syncp_search(struct syncp *s, const struct syncp_search *search)
{
    struct series *list = NULL;
    size_t count, at = 0;
    uint32_t a, b;

    if (!s->sorted) {
        sorting = s->tape;
        qsort(s->access, s->accesses, sizeof *s->access, by_series);
        s->sorted = true;
    }
    s->work = 0;
    while (at < s->accesses && s->work < search->work) {
        at = split(s, at, &list, &count);
        for (size_t i = 0; i < count && s->work < search->work; i++)
            for (size_t k = i + 1; k < count && s->work < search->work; k++) {
                const struct series *x = &list[i], *y = &list[k];
                s->work++;
                if (x->thread == y->thread || !(x->mask & y->mask) ||
                    !kinds_conflict(x->kind, y->kind) || are_guarded(x, y) ||
                    !search->wanted(search->arg, x->site, y->site))
                    continue;
                if ((search->guesses ? find_guess : find_race)(s, x, y, &a, &b))
                    search->found(search->arg, a, b);
            }
    }
    free(list);
    return s->work < search->work;
}
