/* fault_plan.c - see fault_plan.h */
#include "fault_plan.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "util/alloc.h"
#include "wire/hash.h"

#define WITHOUT 4u         /* one in so many schedules has no fault */
#define PLANNED (1u << 14) /* points of one phase, at most */
#define PLACES (1u << 16)  /* of all schedules, at most */
#define TIMES (1u << 20)   /* of a place: how often it is kept apart which were tried */

/* A place as one thread comes to it. */
struct place {
    struct {
        uint64_t site;
        uint32_t thread, kind;
    } key;
    uint64_t told; /* by which schedule, and as which of its places: the order of places */
    /* How often it comes there without a fault, and behind one, as phases before this one told, and
     * this one as well. */
    uint32_t count, behind, count_told, behind_told;
    uint64_t behind_by;     /* the schedule that told, */
    struct hdp_fault fault; /* and what had failed in it */
    uint32_t planned;       /* so many were tried, or could not be */
    uint64_t *tried;        /* a bit for each that happened */
    uint32_t words;         /* of it */
    UT_hash_handle hh;
};

struct point {
    const struct place *place;
    uint32_t nth;
};

struct fault_plan {
    struct place *all;    /* hash table */
    struct place **known; /* in order; those of earlier phases first */
    uint32_t places;
    struct point *next; /* to be tried in this phase, one by one */
    uint32_t points;
    uint64_t begin; /* number of the first schedule of this phase */
    uint64_t total; /* sum of all count */
    uint64_t forgotten;
};

struct fault_plan *fault_plan_new(void)
{
    struct fault_plan *p = mem_zeroed(1, sizeof *p);
    p->begin = 1;
    return p;
}

void fault_plan_free(struct fault_plan *p)
{
    struct place *at, *next;
    if (!p)
        return;
    HASH_ITER(hh, p->all, at, next)
    {
        HASH_DEL(p->all, at);
        free(at->tried);
        free(at);
    }
    free(p->known);
    free(p->next);
    free(p);
}

static struct place *find(struct fault_plan *p, uint64_t site, uint32_t thread, uint32_t kind,
                          bool make)
{
    struct place want = {.key = {site, thread, kind}}, *at;
    HASH_FIND(hh, p->all, &want.key, sizeof want.key, at);
    if (at || !make || HASH_COUNT(p->all) == PLACES)
        return at;
    at = mem_zeroed(1, sizeof *at);
    at->key = want.key;
    at->told = UINT64_MAX;
    HASH_ADD(hh, p->all, key, sizeof at->key, at);
    return at;
}

static void note_tried(struct place *at, uint32_t nth)
{
    uint32_t word = (nth - 1) / 64;
    for (; at->words <= word; at->words++) {
        at->tried = mem_grow(at->tried, at->words, sizeof *at->tried);
        at->tried[at->words] = 0;
    }
    at->tried[word] |= UINT64_C(1) << (nth - 1) % 64;
}

/* Those that happened are steps of the trace. The first one; nth 0: none did. */
static struct hdp_fault read_trace(struct fault_plan *p, const struct hdp_region *r)
{
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS, seen = 0;
    struct hdp_fault first = {0};
    for (uint32_t i = 0; i < steps && seen < r->result.faults; i++) {
        const struct hdp_step *s = &r->trace[i];
        if (!hdp_step_is_fault(s))
            continue;
        struct place *at = find(p, s->site, s->thread, HDP_STEP_DETAIL(s->flags), false);
        if (at && s->choice && s->choice <= TIMES)
            note_tried(at, s->choice);
        if (!seen++)
            first = (struct hdp_fault){.site = s->site,
                                       .thread = s->thread,
                                       .kind = HDP_STEP_DETAIL(s->flags),
                                       .nth = s->choice};
    }
    return first;
}

void fault_plan_learn(struct fault_plan *p, const struct hdp_region *r, uint64_t number)
{
    const struct hdp_fault_points *f = &r->fault_points;
    struct hdp_fault first = read_trace(p, r);
    for (uint32_t i = 0; i < f->places && i < HDP_FAULT_PLACES; i++) {
        const struct hdp_fault_place *from = &f->place[i];
        if (from->kind >= HDP_FAULT_KINDS)
            continue;
        struct place *to = find(p, from->site, from->thread, from->kind, true);
        uint64_t told = number * HDP_FAULT_PLACES + i;
        if (!to) {
            p->forgotten += from->count;
            continue;
        }
        if (told < to->told && !to->count && !to->behind)
            to->told = told;
        if (!first.nth) {
            if (from->count > to->count_told)
                to->count_told = from->count;
        } else if (r->result.faults == 1 &&
                   (from->count > to->behind_told ||
                    (from->count == to->behind_told && number < to->behind_by))) {
            to->behind_told = from->count;
            to->behind_by = number;
            to->fault = first;
        }
    }
    p->forgotten += f->forgotten;
}

/* Which of the schedules with faults it is, of those from `begin` on. */
static uint64_t serial(uint64_t begin, uint64_t number)
{
    return number - begin - ((number - 1) / WITHOUT - (begin - 1) / WITHOUT);
}

static bool is_without(uint64_t number)
{
    return number == 1 || number % WITHOUT == 0;
}

static int by_order(const void *a, const void *b)
{
    uint64_t x = (*(struct place *const *)a)->told, y = (*(struct place *const *)b)->told;
    return (x > y) - (x < y);
}

/* Take up what was told; places that are new come behind the others. */
static void settle(struct fault_plan *p)
{
    struct place *at, *next;
    uint32_t old = p->places;
    HASH_ITER(hh, p->all, at, next)
    {
        if (!at->count && !at->behind) {
            p->known = mem_grow(p->known, p->places, sizeof *p->known);
            p->known[p->places++] = at;
        }
    }
    if (p->places > old)
        qsort(p->known + old, p->places - old, sizeof *p->known, by_order);
    p->total = 0;
    for (uint32_t i = 0; i < p->places; i++) {
        at = p->known[i];
        at->count = at->count_told;
        at->behind = at->behind_told > at->count ? at->behind_told : at->count;
        p->total += at->count;
    }
}

static uint32_t met(const struct place *at, bool behind)
{
    return behind ? at->behind : at->count;
}

/* Those that are yet to be tried, all first ones before all second ones. */
static void add_points(struct fault_plan *p, bool behind)
{
    uint32_t nth = UINT32_MAX;
    for (uint32_t i = 0; i < p->places; i++)
        if (p->known[i]->planned < met(p->known[i], behind) && p->known[i]->planned < nth)
            nth = p->known[i]->planned;
    for (bool more = nth != UINT32_MAX; more && p->points < PLANNED;) {
        more = false;
        nth++;
        for (uint32_t i = 0; i < p->places && p->points < PLANNED; i++) {
            struct place *at = p->known[i];
            if (met(at, behind) < nth)
                continue;
            more = true;
            if (at->planned < nth && (!behind || nth > at->count))
                p->next[p->points++] = (struct point){at, nth};
        }
    }
}

void fault_plan_phase(struct fault_plan *p, uint64_t number)
{
    uint64_t used = serial(p->begin, number);
    if (!p->next)
        p->next = mem_zeroed(PLANNED, sizeof *p->next);
    for (uint32_t i = 0; i < p->points && i < used; i++) {
        const struct place *at = p->next[i].place;
        find(p, at->key.site, at->key.thread, at->key.kind, false)->planned = p->next[i].nth;
    }
    settle(p);
    p->begin = number;
    p->points = 0;
    add_points(p, false);
    add_points(p, true);
}

static struct hdp_fault fault_at(const struct point *at)
{
    return (struct hdp_fault){.site = at->place->key.site,
                              .thread = at->place->key.thread,
                              .kind = at->place->key.kind,
                              .nth = at->nth};
}

/* The n-th of all known points. */
static struct point point_of(const struct fault_plan *p, uint64_t n)
{
    uint32_t i = 0;
    while (n >= p->known[i]->count)
        n -= p->known[i++]->count;
    return (struct point){p->known[i], (uint32_t)n + 1};
}

/* This one, and what it is met behind. */
static void try_point(const struct point *at, struct hdp_config *config)
{
    config->fault[0] = fault_at(at);
    if (at->nth > at->place->count)
        config->fault[1] = at->place->fault;
}

void fault_plan_choose(const struct fault_plan *p, uint64_t seed, uint64_t number,
                       struct hdp_config *config)
{
    uint64_t n, random = hash_next(hash_next(seed ^ 0x6661756c74) + number);
    struct point at;
    memset(config->fault, 0, sizeof config->fault);
    if (is_without(number) || !p->total)
        return;
    n = serial(p->begin, number);
    if (n < p->points) {
        try_point(&p->next[n], config);
        return;
    }
    at = point_of(p, random % p->total);
    random = hash_next(random);
    if (random % 4 == 0 && at.place->behind > at.place->count)
        at.nth =
            at.place->count + 1 + (uint32_t)(random / 4 % (at.place->behind - at.place->count));
    try_point(&at, config);
    random = hash_next(random);
    if (config->fault[1].nth || random % 4 == 0)
        return;
    at = point_of(p, random / 4 % p->total);
    config->fault[1] = fault_at(&at);
}

void fault_plan_count(const struct fault_plan *p, struct fault_stats *s)
{
    memset(s->points, 0, sizeof s->points);
    memset(s->tried, 0, sizeof s->tried);
    s->forgotten = p->forgotten;
    for (struct place *at = p->all; at; at = at->hh.next) {
        s->points[at->key.kind] +=
            at->behind_told > at->count_told ? at->behind_told : at->count_told;
        for (uint32_t i = 0; i < at->words; i++)
            s->tried[at->key.kind] += (uint64_t)__builtin_popcountll(at->tried[i]);
    }
}
