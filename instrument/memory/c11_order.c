/* c11_order.c - C11: which store a load may read, and where in modification order a store may go.
 *
 * The events of a schedule are made in an order in which every load comes after the store that it
 * reads; so is every execution without a cycle of program order and reads-from, if a load may read any
 * store that was made and a store may go before others of its location. What else the standard
 * demands is that an operation reads a store from some floor of its location on, or goes behind it.
 * That is the last store that
 *   - happens before the operation, or was read by something that does (coherence);
 *   - was made or read ahead of it in the single order S of the seq_cst operations: by one of those, or
 *     by what happens before a seq_cst fence. An operation that is not seq_cst stands in S where the
 *     last seq_cst fence does that happens before it.
 * S is the order in which the seq_cst operations were made. What only another S allows is not shown:
 * see docs/decisions/weak_memory.md.
 *
 * Invariant: what the fences knew grows in S (hdi_c11_fence looks at it).
 *
 * source: C++20 [intro.races], [atomics.order]; Lahav et al., Repairing sequential consistency in
 * C/C++11, PLDI 2017.
 */
#include <heddle/invariant.h>

#include "core/control.h"
#include "wire/points.h"
#include "weak_location.h"
#include "access.h"

/* A seq_cst fence. */
struct fence {
    uint32_t tid, clock;
    uint32_t turn;            /* its place in S */
    struct hdi_vclock before; /* all that happens before it, or before a fence ahead of it in S */
};

#define FENCES 64u
static struct fence fence[FENCES + 1]; /* the last ones; [FENCES]: one that everybody knows */
static uint32_t fences;                /* made so far */
static struct hdi_vclock fenced;       /* `before` of the newest */
static uint32_t turn;                  /* the last place in S that was given away */

/* The newest fence that happens before what the thread does now. */
static const struct fence *last_fence(const struct hdi_memory_thread *s)
{
    uint32_t first = fences > FENCES ? fences - FENCES : 0;

    for (uint32_t i = fences; i-- > first;) {
        const struct fence *f = &fence[i % FENCES];
        if (f->clock <= hdi_vclock_get(&s->racer->now, f->tid))
            return f;
    }
    return &fence[FENCES];
}

void hdi_c11_fence(struct hdi_memory_thread *s)
{
    struct fence *f = &fence[fences % FENCES];

    if (fences >= FENCES) {
        struct fence known = fence[FENCES]; /* that it is forgotten takes choices away, no more */
        fence[FENCES] = *f;
        *f = known;
    }
    hdi_vclock_join(&fenced, &s->racer->now);
    hdi_vclock_join(&fenced, &s->racer->pending_acquire); /* it is an acquire fence, too */
    f->tid = s->racer->tid;
    f->clock = hdi_epoch_clock(s->racer->epoch);
    f->turn = ++turn;
    hdi_vclock_copy(&f->before, &fenced);
    fences++;
    if (HD_INVARIANTS && fences > 1)
        HD_ASSERT(hdi_vclock_leq(&fence[(fences - 2) % FENCES].before, &f->before));
}

/* What the floor of an operation depends on. */
struct viewer {
    const struct hdi_vclock *now, *fenced;
    uint32_t turn;
};

static struct viewer viewer_of(const struct hdi_memory_thread *s, int order)
{
    if (order == HDI_SEQ_CST)
        return (struct viewer){&s->racer->now, &fenced, UINT32_MAX};
    const struct fence *f = last_fence(s);
    return (struct viewer){&s->racer->now, &f->before, f->turn};
}

static bool must_know(const struct viewer *v, const struct hdi_store *st)
{
    if (st->known || (st->sc_turn && st->sc_turn <= v->turn))
        return true;
    for (uint32_t tid = 0; tid < st->seen.n; tid++) {
        uint32_t clock = st->seen.c[tid];
        if (clock &&
            (clock <= hdi_vclock_get(v->now, tid) || clock <= hdi_vclock_get(v->fenced, tid)))
            return true;
    }
    return false;
}

static uint32_t floor_of(const struct hdi_memory_thread *s, const struct hdi_location *at,
                         int order)
{
    const struct viewer v = viewer_of(s, order);
    uint32_t i = at->count - 1;

    while (i && !must_know(&v, &at->store[i]))
        i--;
    return i;
}

/* May a store be put directly behind this one? */
static bool open_behind(const struct hdi_location *at, uint32_t index)
{
    return index + 1 == at->count || !at->store[index + 1].update;
}

uint32_t hdi_c11_load(struct hdi_memory_thread *s, struct hdi_location *at, int order, uint64_t pc)
{
    uint32_t last = at->count - 1;

    if (s->repeats)
        return last; /* stores become visible in finite time */
    uint32_t n = last - floor_of(s, at, order) + 1, newer = hdi_choose(n, pc);
    if (n > 1)
        hdi_chose(HDP_CHOSE_READ, newer);
    return last - newer;
}

/* One of the stores from `floor` on that are open behind. `what`: enum hdp_chose. */
static uint32_t choose_open(const struct hdi_location *at, uint32_t floor, uint32_t what,
                            uint64_t pc)
{
    uint32_t open[HDI_KEPT_STORES] = {0}, n = 0;

    for (uint32_t i = at->count; i-- > floor;)
        if (open_behind(at, i))
            open[n++] = i;
    uint32_t chosen = open[hdi_choose(n, pc)];
    if (n > 1)
        hdi_chose(what, at->count - 1 - chosen);
    return chosen;
}

uint32_t hdi_c11_update(struct hdi_memory_thread *s, struct hdi_location *at, int order,
                        uint64_t pc)
{
    return choose_open(at, s->repeats ? at->count - 1 : floor_of(s, at, order), HDP_CHOSE_READ, pc);
}

uint32_t hdi_c11_store(struct hdi_memory_thread *s, struct hdi_location *at, int order, uint64_t pc)
{
    return choose_open(at, floor_of(s, at, order), HDP_CHOSE_PLACE, pc) + 1;
}

uint32_t hdi_c11_exchange(struct hdi_memory_thread *s, struct hdi_location *at,
                          const struct hdi_exchange *x, bool *succeeds, uint64_t pc)
{
    struct {
        uint32_t index;
        bool succeeds;
    } way[2 * HDI_KEPT_STORES] = {{0}};
    uint32_t last = at->count - 1, n = 0;
    uint32_t floor = s->repeats ? last : floor_of(s, at, x->order);
    uint32_t floor_failed = s->repeats ? last : floor_of(s, at, x->failure);

    for (uint32_t i = at->count; i-- > 0;) {
        bool equal = at->store[i].value == x->expected;
        if (equal && i >= floor && open_behind(at, i)) {
            way[n].index = i;
            way[n++].succeeds = true;
        }
        if (i >= floor_failed && (!equal || (x->weak && !s->repeats))) {
            way[n].index = i;
            way[n++].succeeds = false;
        }
    }
    uint32_t chosen = hdi_choose(n, pc), index = way[chosen].index;
    *succeeds = way[chosen].succeeds;
    if (n > 1)
        hdi_chose(!*succeeds && at->store[index].value == x->expected ? HDP_CHOSE_NO_REASON
                                                                      : HDP_CHOSE_READ,
                  last - index);
    return index;
}

void hdi_c11_seen(struct hdi_memory_thread *s, struct hdi_store *store, int order)
{
    if (!hdi_vclock_get(&store->seen, s->racer->tid))
        hdi_vclock_set(&store->seen, s->racer->tid, hdi_epoch_clock(s->racer->epoch));
    if (order == HDI_SEQ_CST) {
        turn++;
        if (!store->sc_turn)
            store->sc_turn = turn;
    }
}
