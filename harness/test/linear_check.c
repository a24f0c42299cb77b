/* linear_check.c - the search of Wing and Gong (1993) with the memory of Lowe (2017): calls are placed one
 * after the other, and a set of placed calls with the model's state behind them is looked at once.
 */
#include "linear_check.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define BUCKETS 1024u

/* Calls that were placed, and the state that this led to; nothing led on from there. */
struct seen {
    struct seen *next;
    uint32_t placed;
    _Alignas(max_align_t) unsigned char state[];
};

struct search {
    const struct hd_linear_spec *spec;
    const struct linear_history *history;
    uint32_t before[LINEAR_CALLS]; /* the calls that have to be placed before it */
    uint32_t free;                 /* may have had any effect or none */
    struct seen *bucket[BUCKETS];
};

static uint32_t bit(uint32_t call)
{
    return (uint32_t)1 << call;
}

/* ---- states ---- */

static struct seen *state_new(const struct hd_linear_spec *spec)
{
    return mem_zeroed(1, sizeof(struct seen) + spec->state_bytes);
}

static void state_free(const struct hd_linear_spec *spec, struct seen *s)
{
    if (spec->clear)
        spec->clear(s->state);
    free(s);
}

static struct seen *state_copy(const struct hd_linear_spec *spec, const struct seen *from)
{
    struct seen *s = state_new(spec);

    s->placed = from->placed;
    if (spec->copy)
        spec->copy(s->state, from->state);
    else
        memcpy(s->state, from->state, spec->state_bytes);
    return s;
}

static bool state_equal(const struct hd_linear_spec *spec, const struct seen *a,
                        const struct seen *b)
{
    if (a->placed != b->placed)
        return false;
    return spec->equal ? spec->equal(a->state, b->state) != 0
                       : memcmp(a->state, b->state, spec->state_bytes) == 0;
}

static uint32_t bucket_of(const struct hd_linear_spec *spec, const struct seen *s)
{
    uint32_t hash = s->placed * 0x9e3779b1u;

    for (size_t i = 0; !spec->equal && i < spec->state_bytes; i++)
        hash = (hash ^ s->state[i]) * 16777619u;
    return (hash ^ hash >> 15) % BUCKETS;
}

/* ---- which call comes before which ---- */

/* Whoever begins while nothing runs begins a new age. */
static uint32_t age_of(const struct linear_history *h, uint32_t moment)
{
    uint32_t age = 0;

    for (uint32_t i = 0; i < h->count; i++) {
        const struct linear_call *c = &h->call[i];
        bool alone = c->begun && c->begun <= moment;
        for (uint32_t j = 0; alone && j < h->count; j++) {
            const struct linear_call *d = &h->call[j];
            alone = !(d->begun && d->begun < c->begun && (!d->ended || d->ended > c->begun));
        }
        age += alone;
    }
    return age;
}

/* Of a thread's calls the earlier ones; those before the threads and behind their end. */
static bool in_program_order(const struct linear_history *h, uint32_t i, uint32_t j)
{
    const struct linear_call *a = &h->call[i], *b = &h->call[j];

    if (a->thread == b->thread && a->behind == b->behind)
        return i < j;
    return (a->thread == 0 && !a->behind) || (b->thread == 0 && b->behind);
}

static bool comes_before(const struct linear_history *h, uint32_t i, uint32_t j,
                         enum hd_linear_condition condition)
{
    const struct linear_call *a = &h->call[i], *b = &h->call[j];

    switch (condition) {
    case HD_SEQUENTIAL:
        return in_program_order(h, i, j);
    case HD_QUIESCENT:
        return a->ended && age_of(h, a->begun) < age_of(h, b->begun);
    case HD_LINEARIZABLE:
    default:
        return a->ended && a->ended < b->begun;
    }
}

/* ---- the search ---- */

static bool same(const struct hd_linear_op *op, const struct hd_call *got,
                 const struct hd_call *model)
{
    return op->same ? op->same(got, model) != 0
                    : memcmp(got->result, model->result, sizeof got->result) == 0;
}

/* False: it was looked at before. It is kept. */
static bool is_new(struct search *s, struct seen *state)
{
    struct seen **bucket = &s->bucket[bucket_of(s->spec, state)];

    for (const struct seen *i = *bucket; i; i = i->next)
        if (state_equal(s->spec, i, state))
            return false;
    state->next = *bucket;
    *bucket = state;
    return true;
}

/* Can what `state` has not placed be placed? It is kept, or freed. */
static bool place_rest(struct search *s, struct seen *state)
{
    const struct linear_history *h = s->history;
    uint32_t all = h->count == LINEAR_CALLS ? UINT32_MAX : bit(h->count) - 1;
    uint32_t placed = state->placed;

    if (!is_new(s, state)) {
        state_free(s->spec, state);
        return false;
    }
    if (!(all & ~placed & ~s->free))
        return true;
    for (uint32_t i = 0; i < h->count; i++) {
        const struct linear_call *c = &h->call[i];
        struct hd_call model = {0};
        struct seen *next;

        if (!c->begun || placed & bit(i) || s->before[i] & ~placed)
            continue;
        memcpy(model.arg, c->call.arg, sizeof model.arg);
        next = state_copy(s->spec, state);
        c->op->apply(next->state, &model);
        next->placed |= bit(i);
        if (!(s->free & bit(i)) && !same(c->op, &c->call, &model))
            state_free(s->spec, next);
        else if (place_rest(s, next))
            return true;
    }
    return false;
}

static bool explained(const struct hd_linear_spec *spec, const struct linear_history *h,
                      enum hd_linear_condition condition, uint32_t free_calls)
{
    struct search s = {.spec = spec, .history = h, .free = free_calls};
    struct seen *first = state_new(spec);
    bool found;

    for (uint32_t i = 0; i < h->count; i++)
        for (uint32_t j = 0; j < h->count; j++)
            if (i != j && comes_before(h, j, i, condition))
                s.before[i] |= bit(j);
    if (spec->begin)
        spec->begin(first->state);
    found = place_rest(&s, first);
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (struct seen *x = s.bucket[i], *next; x; x = next) {
            next = x->next;
            state_free(spec, x);
        }
    return found;
}

/* Calls that had not ended at that moment. */
static uint32_t not_ended(const struct linear_history *h, uint32_t moment)
{
    uint32_t set = 0;

    for (uint32_t i = 0; i < h->count; i++)
        if (!h->call[i].ended || h->call[i].ended > moment)
            set |= bit(i);
    return set;
}

bool linear_explained(const struct hd_linear_spec *spec, const struct linear_history *h,
                      enum hd_linear_condition condition)
{
    return explained(spec, h, condition, not_ended(h, UINT32_MAX));
}

uint32_t linear_check(const struct hd_linear_spec *spec, const struct linear_history *h,
                      enum hd_linear_condition condition)
{
    uint32_t wrong = LINEAR_CALLS, moment = UINT32_MAX;

    if (linear_explained(spec, h, condition))
        return LINEAR_CALLS;
    /* The more calls may do as they like, the more is explained: the earliest moment at which it is not. */
    for (uint32_t i = 0; i < h->count; i++) {
        uint32_t ended = h->call[i].ended;
        if (ended && ended < moment && !explained(spec, h, condition, not_ended(h, ended))) {
            moment = ended;
            wrong = i;
        }
    }
    return wrong;
}
