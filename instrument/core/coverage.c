/* coverage.c - see coverage.h */
#include "coverage.h"

#include <string.h>

#include "observers.h"
#include "wire/hash.h"

struct hdp_covered *hdi_covered;

#define JOINED 1024u /* of threads with a higher index it is not kept */

static uint32_t made;           /* threads of this schedule so far */
static uint16_t joiner[JOINED]; /* of threads that were joined: index + 1 */

/* Had what the one did before no other order than before what t does now? */
static bool has_no_other_order(uint16_t thread, uint16_t made_then, const struct hdi_thread *t)
{
    return t->index >= made_then || (thread < JOINED && joiner[thread] == t->index + 1);
}

/* A word is about to be changed. False: it must not be, as that could not be noted. */
static bool may_change(const void *at)
{
    struct hdp_covered *c = hdi_covered;
    uint32_t word = (uint32_t)(((uintptr_t)at - (uintptr_t)c) / sizeof(uint32_t));

    if (!c->noted)
        return true;
    if (c->changes >= HDP_COVERED_CHANGES) {
        c->full = 1;
        return false;
    }
    c->change[c->changes++] =
        (struct hdp_covered_change){word, ((const uint32_t *)(void *)c)[word]};
    return true;
}

static void add_ways(uint32_t *to, uint32_t more)
{
    if ((*to | more) != *to && may_change(to))
        *to |= more;
}

static void add_order(uint32_t first, uint32_t second, uint8_t more)
{
    uint8_t *to = &hdi_covered->order[first][second];

    if ((*to | more) != *to && may_change(to))
        *to |= more;
}

/* Index of a place; HDP_COVERED_PLACES: there are too many. */
static uint32_t place_of(uint64_t site, uint32_t ways)
{
    struct hdp_covered *c = hdi_covered;
    const uint32_t slots = 2 * HDP_COVERED_PLACES;
    uint32_t at = (uint32_t)(hash_spread(site) % slots);

    while (c->slot[at] && c->place[(c->slot[at] - 1u) % HDP_COVERED_PLACES].site != site)
        at = (at + 1) % slots;
    if (!c->slot[at]) {
        if (c->places >= HDP_COVERED_PLACES) {
            c->full = 1;
            return HDP_COVERED_PLACES;
        }
        if (!may_change(&c->slot[at]) || !may_change(&c->places))
            return HDP_COVERED_PLACES;
        c->place[c->places] = (struct hdp_covered_place){.site = site};
        c->slot[at] = (uint16_t)++c->places;
    }
    at = (c->slot[at] - 1u) % HDP_COVERED_PLACES;
    add_ways(&c->place[at].ways, ways);
    return at;
}

static void lock_is(const struct hdi_object *o, uint32_t ways)
{
    struct hdp_covered *c = hdi_covered;
    uint32_t at = (uint32_t)(hash_spread(o->id) % HDP_COVERED_OBJECTS);

    while (c->lock[at].id && c->lock[at].id != o->id)
        at = (at + 1) % HDP_COVERED_OBJECTS;
    if (!c->lock[at].id) {
        if (c->locks >= HDP_COVERED_OBJECTS - 1) { /* one stays free, which ends the search */
            c->full = 1;
            return;
        }
        if (!may_change(&c->lock[at].id) || !may_change(&c->locks))
            return;
        c->locks++;
        c->lock[at] = (struct hdp_covered_lock){
            .id = o->id, .addr = o->addr, .created_site = o->created_site};
    }
    add_ways(&c->lock[at].ways, ways);
}

/* t, at a place, comes after those that were at `o` in this schedule. True: it might have come before one of them. */
static bool comes_after(struct hdi_object *o, uint32_t place, const struct hdi_thread *t,
                        bool commutes)
{
    enum { KEPT = sizeof o->passed / sizeof *o->passed };
    struct hdp_covered *c = hdi_covered;
    uint32_t n = o->passes < KEPT ? o->passes : KEPT, at = n;
    bool others = false;

    for (uint32_t i = 0; i < n; i++) {
        if (o->passed[i].thread == t->index) {
            if (o->passed[i].place == place)
                at = i;
            continue;
        }
        if (has_no_other_order(o->passed[i].thread, o->passed[i].made, t))
            continue;
        others = true;
        if (!(commutes && o->passed[i].commutes))
            add_order(o->passed[i].place, place, HDP_COVERED_BEFORE);
    }
    if (at == KEPT) { /* the oldest makes room */
        at = o->passes % KEPT;
        add_ways(&c->place[o->passed[at].place].ways, HDP_COVERED_PARTLY);
    }
    if (at >= n)
        o->passes++;
    o->passed[at].place = (uint16_t)place;
    o->passed[at].thread = (uint16_t)t->index;
    o->passed[at].made = (uint16_t)(made < UINT16_MAX ? made : UINT16_MAX);
    o->passed[at].commutes = commutes;
    o->last_passed = (uint8_t)at;
    return others;
}

static bool is_try(enum hd_event kind)
{
    return kind == HD_EV_MUTEX_TRYLOCK || kind == HD_EV_RWLOCK_TRYLOCK ||
           kind == HD_EV_SPIN_TRYLOCK || kind == HD_EV_HD_MUTEX_TRYLOCK ||
           kind == HD_EV_HD_RWMUTEX_TRYLOCK;
}

static bool takes_lock(enum hd_event kind)
{
    return kind == HD_EV_MUTEX_LOCK || kind == HD_EV_COND_RELOCK || kind == HD_EV_RWLOCK_RDLOCK ||
           kind == HD_EV_RWLOCK_WRLOCK || kind == HD_EV_SPIN_LOCK || kind == HD_EV_HD_MUTEX_LOCK ||
           kind == HD_EV_HD_RWMUTEX_RLOCK || kind == HD_EV_HD_RWMUTEX_LOCK;
}

/* Another thread has the lock, or goes first: at the place where it was last taken. */
static void is_kept_waiting(const struct hdi_thread *t, struct hdi_object *o, uint64_t site,
                            uint32_t ways)
{
    uint32_t place = place_of(site, ways);

    if (!o->passes || o->passed[o->last_passed].thread == t->index)
        return;
    lock_is(o, HDP_COVERED_SHARED | HDP_COVERED_WAITED);
    if (place < HDP_COVERED_PLACES)
        add_order(o->passed[o->last_passed].place, place, HDP_COVERED_MET);
}

void hdi_coverage_waits(const struct hdi_thread *t, const struct hdi_op *op)
{
    if (hdi_covered && takes_lock(op->kind) && op->object)
        is_kept_waiting(t, op->object, op->site, HDP_COVERED_LOCKS);
}

static bool is_timed(const struct hdi_op *op)
{
    return op->until_ns > 0 && op->until_ns != HDI_FOREVER && op->kind != HD_EV_SLEEP;
}

void hdi_coverage_goes_on(const struct hdi_thread *t, const struct hdi_op *op, enum hdi_wake wake)
{
    uint32_t place;

    if (!hdi_covered)
        return;
    if (is_timed(op))
        place_of(op->site, HDP_COVERED_TIMED | (wake == HDI_TIMED_OUT ? HDP_COVERED_TIMED_OUT
                                                : wake == HDI_READY   ? HDP_COVERED_WOKEN
                                                                      : 0u));
    if (op->kind < HD_EV_READ || op->kind > HD_EV_ATOMIC_RMW || !op->object)
        return;
    place = place_of(op->site, HDP_COVERED_ACCESSES);
    if (place < HDP_COVERED_PLACES)
        comes_after(op->object, place, t, op->kind == HD_EV_READ || op->kind == HD_EV_ATOMIC_LOAD);
}

static void taken(const struct hdi_happened *e)
{
    struct hdi_thread *self = hdi_self();
    bool tried = is_try(e->event);
    uint32_t place;

    if (e->object->kind == HD_OB_ONCE || e->object->kind == HD_OB_HD_ONCE)
        return;
    place =
        place_of(e->site, HDP_COVERED_LOCKS | (tried ? HDP_COVERED_TRIES | HDP_COVERED_GOT : 0u));
    if (place < HDP_COVERED_PLACES)
        lock_is(e->object, comes_after(e->object, place, self, (e->mode & HDI_SHARED) != 0)
                               ? HDP_COVERED_SHARED
                               : 0u);
}

/* The operation that the caller has just been let go on with was a try of that. */
static void missed(const struct hdi_happened *e)
{
    struct hdi_thread *self = hdi_self();
    struct hdi_object *o = self->last.object;

    if (o && o->addr == (uintptr_t)e->clock && is_try(self->last.kind))
        is_kept_waiting(self, o, self->last.site,
                        HDP_COVERED_LOCKS | HDP_COVERED_TRIES | HDP_COVERED_MISSED);
}

void hdi_coverage_observes(enum hdi_what what, const struct hdi_happened *e)
{
    if (!hdi_covered)
        return;
    switch (what) {
    case HDI_STARTS:
        memset(joiner, 0, sizeof joiner);
        made = e->thread->index + 1;
        break;
    case HDI_THREAD_JOINED:
        if (e->thread->index < JOINED && hdi_self()->index < UINT16_MAX)
            joiner[e->thread->index] = (uint16_t)(hdi_self()->index + 1);
        break;
    case HDI_THREAD_MADE:
        made = e->thread->index + 1;
        break;
    case HDI_MADE:
        e->object->passes = e->object->last_passed = 0;
        break;
    case HDI_ACQUIRED:
        taken(e);
        break;
    default:
        missed(e);
        break;
    }
}
