/* axioms.c - the outcomes that a memory model allows, by enumeration of candidate executions.
 *
 * Which compare-exchanges succeed, which store each read reads, and in which order the stores of a location
 * are: of all combinations those are kept whose relations fulfil the axioms. Nothing here is shared with what
 * is tested.
 *
 * source: C++20 [atomics.order], C17 7.17.3; Lahav, Vafeiadis, Kang, Hur and Dreyer, Repairing sequential consistency in C/C++11, PLDI 2017
 * (release sequences as C++20 has them); Alglave, Maranget and Tautschnig, Herding cats, TOPLAS 2014 (x86-TSO).
 */
#include <stdlib.h>
#include <string.h>

#include "memory/race/detector.h"
#include "litmus.h"

#define EVENTS 32
typedef uint32_t set; /* of events */
typedef set relation[EVENTS];

struct event {
    enum { R, W, F } is;
    unsigned thread, location, order;
    bool initial, locked; /* locked: part of an update or a compare-exchange */
    int other;            /* of an update: the read for the write; -1 */
    const struct op *op;
    unsigned value;
};

struct execution {
    const struct program *p;
    enum model model;
    unsigned n;
    struct event e[EVENTS];
    unsigned reads, read[EVENTS];
    set all, is_read, is_write, is_fence, at[LOCATIONS];
    relation po, rf, rmw, hb;
    int source[EVENTS]; /* of a read: the write */
    /* of each location: its possible orders of stores, and the one that is tried */
    struct {
        unsigned count, room;
        relation *mo;
    } orders[LOCATIONS];
    struct outcomes *allowed;
};

/* ---- relations ---- */

static void clear(relation a)
{
    memset(a, 0, sizeof(relation));
}

static void join(relation a, relation b)
{
    for (unsigned i = 0; i < EVENTS; i++)
        a[i] |= b[i];
}

static void compose(relation out, relation a, relation b)
{
    relation c;
    for (unsigned i = 0; i < EVENTS; i++) {
        c[i] = 0;
        for (set s = a[i]; s; s &= s - 1)
            c[i] |= b[__builtin_ctz(s)];
    }
    memcpy(out, c, sizeof c);
}

static void inverse(relation out, relation a)
{
    relation c;
    clear(c);
    for (unsigned i = 0; i < EVENTS; i++)
        for (set s = a[i]; s; s &= s - 1)
            c[__builtin_ctz(s)] |= (set)1 << i;
    memcpy(out, c, sizeof c);
}

/* Only from the one set to the other. */
static void restrict_to(relation a, set from, set to)
{
    for (unsigned i = 0; i < EVENTS; i++)
        a[i] = from >> i & 1 ? a[i] & to : 0;
}

static void reflexive(relation a)
{
    for (unsigned i = 0; i < EVENTS; i++)
        a[i] |= (set)1 << i;
}

static void transitive(relation a)
{
    for (unsigned k = 0; k < EVENTS; k++)
        for (unsigned i = 0; i < EVENTS; i++)
            if (a[i] >> k & 1)
                a[i] |= a[k];
}

static bool irreflexive(relation a)
{
    for (unsigned i = 0; i < EVENTS; i++)
        if (a[i] >> i & 1)
            return false;
    return true;
}

static bool acyclic(relation a)
{
    relation c;
    memcpy(c, a, sizeof c);
    transitive(c);
    return irreflexive(c);
}

static void same_location(const struct execution *x, relation out, relation a, bool same)
{
    for (unsigned i = 0; i < x->n; i++) {
        set here = x->e[i].is == F ? 0 : x->at[x->e[i].location];
        out[i] = same ? a[i] & here : a[i] & ~here;
    }
    for (unsigned i = x->n; i < EVENTS; i++)
        out[i] = 0;
}

/* ---- sets ---- */

static set with_order(const struct execution *x, bool (*has)(const struct event *e))
{
    set s = 0;
    for (unsigned i = 0; i < x->n; i++)
        if (!x->e[i].initial && has(&x->e[i]))
            s |= (set)1 << i;
    return s;
}

static bool is_release(const struct event *e)
{
    return e->is != R && e->order >= HDI_RELEASE;
}

static bool is_acquire(const struct event *e)
{
    return e->is != W && (e->order == HDI_ACQUIRE || e->order >= HDI_ACQ_REL);
}

static bool is_sc(const struct event *e)
{
    return e->order == HDI_SEQ_CST;
}

/* ---- RC11 ---- */

/* [E rel] ; ([F] ; po)? ; (rf ; rmw)* ; rf ; (po ; [F])? ; [E acq] */
static void synchronises(struct execution *x, relation sw)
{
    relation sequence, before, after;
    set release = with_order(x, is_release), acquire = with_order(x, is_acquire);

    memcpy(before, x->po, sizeof before);
    restrict_to(before, x->is_fence & release, x->is_write);
    for (unsigned i = 0; i < x->n; i++)
        if ((x->is_write & release) >> i & 1)
            before[i] |= (set)1 << i;
    compose(sequence, x->rf, x->rmw);
    transitive(sequence);
    reflexive(sequence);
    memcpy(after, x->po, sizeof after);
    restrict_to(after, x->is_read, x->is_fence & acquire);
    for (unsigned i = 0; i < x->n; i++)
        if ((x->is_read & acquire) >> i & 1)
            after[i] |= (set)1 << i;
    compose(sw, before, sequence);
    compose(sw, sw, x->rf);
    compose(sw, sw, after);
}

static void from_reads(struct execution *x, relation mo, relation fr)
{
    relation back;
    inverse(back, x->rf);
    compose(fr, back, mo);
    for (unsigned i = 0; i < x->n; i++)
        fr[i] &= ~((set)1 << i);
}

static bool atomic(struct execution *x, relation mo, relation fr)
{
    relation between;
    compose(between, fr, mo);
    for (unsigned i = 0; i < x->n; i++)
        if (between[i] & x->rmw[i])
            return false;
    return true;
}

/* Is there an order of the seq_cst operations? */
static bool sequential(struct execution *x, relation mo)
{
    relation fr, eco, psc, scb, left, right, far, fences;
    set sc = with_order(x, is_sc), sc_fence = sc & x->is_fence, sc_access = sc & ~x->is_fence;

    if (!(sc & (sc - 1)))
        return true;
    from_reads(x, mo, fr);
    memcpy(eco, x->rf, sizeof eco);
    join(eco, mo);
    join(eco, fr);
    transitive(eco);

    memcpy(left, x->hb, sizeof left);
    reflexive(left);
    memcpy(right, left, sizeof right);
    restrict_to(left, sc_fence, x->all);
    restrict_to(right, x->all, sc_fence);
    for (unsigned i = 0; i < x->n; i++)
        if (sc_access >> i & 1) {
            left[i] |= (set)1 << i;
            right[i] |= (set)1 << i;
        }
    if (x->model == MODEL_C11_STRICT) {
        compose(psc, left, eco); /* C++20 */
        compose(psc, psc, right);
        memcpy(far, x->hb, sizeof far); /* C11 */
        restrict_to(far, sc, sc);
        join(psc, far);
        return acyclic(psc);
    }

    same_location(x, far, x->po, false);
    compose(scb, far, x->hb);
    compose(scb, scb, far);
    join(scb, x->po);
    same_location(x, far, x->hb, true);
    join(scb, far);
    join(scb, mo);
    join(scb, fr);

    compose(psc, left, scb);
    compose(psc, psc, right);

    compose(fences, x->hb, eco);
    compose(fences, fences, x->hb);
    join(fences, x->hb);
    restrict_to(fences, sc_fence, sc_fence);
    join(psc, fences);
    return acyclic(psc);
}

/* ---- x86-TSO ---- */

static bool is_full_fence(const struct event *e)
{
    return e->locked || (e->is != R && e->order == HDI_SEQ_CST);
}

static void preserved(const struct execution *x, relation ppo)
{
    clear(ppo);
    for (unsigned a = 0; a < x->n; a++)
        for (set s = x->po[a]; s; s &= s - 1) {
            unsigned b = (unsigned)__builtin_ctz(s);
            bool kept = x->e[a].initial || x->e[a].is != W || x->e[b].is != R ||
                        is_full_fence(&x->e[a]) || is_full_fence(&x->e[b]);
            for (set t = x->po[a]; t && !kept; t &= t - 1) {
                unsigned c = (unsigned)__builtin_ctz(t);
                kept = x->po[c] >> b & 1 && is_full_fence(&x->e[c]);
            }
            if (kept)
                ppo[a] |= (set)1 << b;
        }
    /* a fence alone orders nothing with what is on its other side but as `kept` says */
    restrict_to(ppo, ~x->is_fence, ~x->is_fence);
}

static bool machine_order(struct execution *x, relation mo)
{
    relation fr, order, external;

    from_reads(x, mo, fr);
    if (x->model == MODEL_SC) {
        memcpy(order, x->po, sizeof order);
        join(order, x->rf);
    } else {
        preserved(x, order);
        memcpy(external, x->rf, sizeof external);
        for (unsigned i = 0; i < x->n; i++)
            for (unsigned j = 0; j < x->n; j++)
                if (!x->e[i].initial && x->e[i].thread == x->e[j].thread)
                    external[i] &= ~((set)1 << j);
        join(order, external);
    }
    join(order, mo);
    join(order, fr);
    return acyclic(order);
}

/* ---- enumeration ---- */

/* Is this order of a location's stores coherent? */
static bool coherent(struct execution *x, relation mo, unsigned location)
{
    relation fr, eco, cycle;
    set here = x->at[location];

    from_reads(x, mo, fr);
    if (!atomic(x, mo, fr))
        return false;
    memcpy(eco, x->rf, sizeof eco);
    restrict_to(eco, here, here);
    join(eco, mo);
    join(eco, fr);
    if (x->model < MODEL_C11) {
        memcpy(cycle, x->po, sizeof cycle);
        restrict_to(cycle, here, here);
        join(cycle, eco);
        return acyclic(cycle);
    }
    transitive(eco);
    if (!irreflexive(eco))
        return false;
    compose(cycle, x->hb, eco);
    return irreflexive(cycle);
}

static void orders_of(struct execution *x, unsigned location, relation mo, set placed)
{
    set left = x->at[location] & x->is_write & ~placed;

    if (!left) {
        if (!coherent(x, mo, location))
            return;
        if (x->orders[location].count == x->orders[location].room) {
            x->orders[location].room = 2 * x->orders[location].room + 4;
            x->orders[location].mo =
                realloc(x->orders[location].mo, x->orders[location].room * sizeof(relation));
            if (!x->orders[location].mo)
                abort();
        }
        memcpy(x->orders[location].mo[x->orders[location].count++], mo, sizeof(relation));
        return;
    }
    for (set s = left; s; s &= s - 1) {
        unsigned next = (unsigned)__builtin_ctz(s);
        relation more;
        memcpy(more, mo, sizeof more);
        for (set t = placed; t; t &= t - 1)
            more[__builtin_ctz(t)] |= (set)1 << next;
        orders_of(x, location, more, placed | (set)1 << next);
    }
}

static void allow(struct execution *x, relation mo)
{
    struct outcome o = {0};
    uint32_t memory[LOCATIONS];

    for (unsigned i = 0; i < x->reads; i++) {
        const struct event *e = &x->e[x->read[i]];
        bool succeeded = false;
        for (unsigned w = 0; w < x->n; w++)
            succeeded |= e->op->kind >= COMPARE && x->e[w].is == W && x->e[w].op == e->op;
        outcome_read(&o, e->value, succeeded);
    }
    for (unsigned l = 0; l < x->p->locations; l++)
        for (set s = x->at[l] & x->is_write; s; s &= s - 1) {
            unsigned w = (unsigned)__builtin_ctz(s);
            if (!mo[w])
                memory[l] = x->e[w].value;
        }
    outcomes_add(x->allowed, outcome_key(&o, x->p->locations, memory));
}

static void try_orders(struct execution *x, unsigned location, relation mo)
{
    if (location == x->p->locations) {
        if (x->model >= MODEL_C11 ? sequential(x, mo) : machine_order(x, mo))
            allow(x, mo);
        return;
    }
    for (unsigned i = 0; i < x->orders[location].count; i++) {
        relation more;
        memcpy(more, mo, sizeof more);
        join(more, x->orders[location].mo[i]);
        try_orders(x, location + 1, more);
    }
}

/* What is read and written, where each read has its source; false: no compare-exchange goes so. */
static bool evaluate(struct execution *x)
{
    for (unsigned round = 0; round < x->n; round++)
        for (unsigned i = 0; i < x->n; i++) {
            struct event *e = &x->e[i];
            if (e->is == R)
                e->value = x->e[x->source[i]].value;
            else if (e->is == W && e->op)
                e->value = e->op->value + (e->op->kind == ADD ? x->e[e->other].value : 0);
        }
    for (unsigned i = 0; i < x->reads; i++) {
        const struct event *e = &x->e[x->read[i]];
        if (e->op->kind < COMPARE)
            continue;
        bool succeeds = x->rmw[x->read[i]] != 0, equal = e->value == e->op->expected;
        bool for_no_reason = e->op->kind == COMPARE_WEAK && x->model >= MODEL_C11;
        if (succeeds ? !equal : equal && !for_no_reason)
            return false;
    }
    return true;
}

static void try_execution(struct execution *x)
{
    relation porf, sw, mo;

    inverse(x->rf, x->rf); /* from sources to reads */
    memcpy(porf, x->po, sizeof porf);
    join(porf, x->rf);
    if (acyclic(porf) && evaluate(x)) {
        memcpy(x->hb, x->po, sizeof x->hb);
        synchronises(x, sw);
        join(x->hb, sw);
        transitive(x->hb);
        bool some = true;
        for (unsigned l = 0; l < x->p->locations && some; l++) {
            x->orders[l].count = 0;
            clear(mo);
            orders_of(x, l, mo, (set)1 << l);
            some = x->orders[l].count > 0;
        }
        clear(mo);
        if (some)
            try_orders(x, 0, mo);
    }
    inverse(x->rf, x->rf);
}

/* rf holds reads to sources meanwhile. */
static void try_sources(struct execution *x, unsigned i)
{
    if (i == x->reads) {
        try_execution(x);
        return;
    }
    unsigned r = x->read[i];
    for (set s = x->at[x->e[r].location] & x->is_write & ~x->rmw[r] & ~x->po[r]; s; s &= s - 1) {
        unsigned w = (unsigned)__builtin_ctz(s);
        x->rf[r] = (set)1 << w;
        x->source[r] = (int)w;
        try_sources(x, i + 1);
    }
    x->rf[r] = 0;
}

static unsigned event(struct execution *x, unsigned is, unsigned thread, const struct op *op)
{
    unsigned i = x->n++;

    if (i >= EVENTS)
        abort();
    x->e[i] = (struct event){.is = is,
                             .thread = thread,
                             .location = op->location,
                             .order = op->order,
                             .other = -1,
                             .op = op,
                             .locked = op->kind > STORE && op->kind != FENCE};
    x->all |= (set)1 << i;
    *(is == R ? &x->is_read : is == W ? &x->is_write : &x->is_fence) |= (set)1 << i;
    if (is != F)
        x->at[op->location] |= (set)1 << i;
    if (is == R)
        x->read[x->reads++] = i;
    for (unsigned before = 0; before < i; before++)
        if (x->e[before].initial || x->e[before].thread == thread)
            x->po[before] |= (set)1 << i;
    return i;
}

/* The events, where the compare-exchanges of `success` succeed. */
static void try_events(struct execution *x, unsigned success)
{
    static const struct op zero[LOCATIONS] = {
        {.location = 0}, {.location = 1}, {.location = 2}, {.location = 3}};
    unsigned compares = 0;

    x->n = x->reads = 0;
    x->all = x->is_read = x->is_write = x->is_fence = 0;
    memset(x->at, 0, sizeof x->at);
    clear(x->po), clear(x->rf), clear(x->rmw);
    for (unsigned l = 0; l < x->p->locations; l++) {
        struct event *e = &x->e[event(x, W, THREADS, &zero[l])];
        e->initial = true;
        e->op = NULL;
        x->po[l] = 0;
    }
    for (unsigned l = 0; l < x->p->locations; l++)
        for (unsigned before = 0; before < l; before++)
            x->po[before] &= ~((set)1 << l);
    for (unsigned t = 0; t < x->p->threads; t++)
        for (unsigned i = 0; i < x->p->ops[t]; i++) {
            const struct op *op = &x->p->op[t][i];
            bool done = op->kind < COMPARE || op->kind == FENCE || success >> compares++ & 1;
            unsigned r = 0;
            if (op->kind == FENCE)
                event(x, F, t, op);
            if (reads(op->kind)) {
                r = event(x, R, t, op);
                if (!done)
                    x->e[r].order = op->failure;
            }
            if (writes(op->kind) && done) {
                unsigned w = event(x, W, t, op);
                if (reads(op->kind)) {
                    x->rmw[r] = (set)1 << w;
                    x->e[w].other = (int)r;
                }
            }
        }
    try_sources(x, 0);
}

void axioms_allow(const struct program *p, enum model model, struct outcomes *allowed)
{
    struct execution *x = calloc(1, sizeof *x);
    unsigned compares = 0;

    if (!x)
        abort();
    x->p = p;
    x->model = model;
    x->allowed = allowed;
    for (unsigned t = 0; t < p->threads; t++)
        for (unsigned i = 0; i < p->ops[t]; i++)
            compares += p->op[t][i].kind == COMPARE || p->op[t][i].kind == COMPARE_WEAK;
    for (unsigned success = 0; success < 1u << compares; success++)
        try_events(x, success);
    for (unsigned l = 0; l < LOCATIONS; l++)
        free(x->orders[l].mo);
    free(x);
}
