/* exhaustive.c - see exhaustive.h. The search is the driver's (driver/exhaustive). */
#include "exhaustive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exhaustive/exploration.h"
#include "reports/explored.h"
#include "symbols/numbering.h"
#include "util/alloc.h"

/* An estimate from fewer is none. */
#define TELLING_SCHEDULES 16u

struct exhaustive {
    struct exploration *exploration;
    struct stats stats;
};

struct exhaustive_path {
    uint32_t orders;
    struct hdp_explore_order order[];
};

struct exhaustive *exhaustive_new(void)
{
    struct exhaustive *x = mem_zeroed(1, sizeof *x);

    x->exploration = exploration_new(&(struct exploration_options){.plain = false}, 1);
    x->stats.explored.wanted = x->stats.explored.in_test = true;
    x->stats.explored.points = HDP_POINTS_ALL;
    return x;
}

void exhaustive_free(struct exhaustive *x)
{
    if (!x)
        return;
    exploration_free(x->exploration);
    names_free(&x->stats.unmodelled);
    free(x);
}

bool exhaustive_is_over(const struct exhaustive *x)
{
    return exploration_is_over(x->exploration);
}

bool exhaustive_is_beyond(const struct exhaustive *x, uint64_t schedules)
{
    const struct exploration_counts *c = &x->stats.explored.counts;

    return !c->over && (x->stats.cut || x->stats.explored.raced ||
                        c->schedules + c->redundant >= 2 * schedules ||
                        (c->schedules >= TELLING_SCHEDULES && c->estimate > (double)schedules));
}

void exhaustive_order(const struct exhaustive *x, struct hdp_region *r)
{
    exploration_order(x->exploration, 0, r);
}

bool exhaustive_take(struct exhaustive *x, const struct hdp_region *r)
{
    struct stats *s = &x->stats;
    bool is_new = exploration_take(x->exploration, 0, r);

    s->explored.counts = exploration_counts(x->exploration);
    s->accesses_watched |= r->reached.watched != 0;
    s->cut += is_new && r->result.outcome == HDP_CUT;
    s->control_lost += r->result.control_lost;
    s->external += r->result.external;
    for (uint32_t i = 0; i < r->result.unmodelled && i < HDP_UNMODELLED; i++) {
        char name[sizeof r->unmodelled[i].name + 1];
        uint32_t known;
        snprintf(name, sizeof name, "%.31s", r->unmodelled[i].name);
        if (!names_number(&s->unmodelled, name, &known))
            names_add(&s->unmodelled, (uint32_t)s->unmodelled.count, name);
    }
    return is_new;
}

void exhaustive_forgive_races(struct exhaustive *x, struct hdp_region *r)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < r->result.findings && i < HDP_FINDINGS; i++)
        if (r->finding[i].kind != HD_FK_DATA_RACE)
            r->finding[kept++] = r->finding[i];
        else
            x->stats.explored.raced = true;
    r->result.findings = kept;
}

struct exhaustive_path *exhaustive_path_of(const struct hdp_region *r)
{
    const struct hdp_explore *x = &r->explore;
    uint32_t steps = x->steps < HDP_EXPLORED_STEPS ? x->steps : HDP_EXPLORED_STEPS;
    struct exhaustive_path *p = mem_zeroed(1, sizeof *p + steps * sizeof *p->order);

    p->orders = steps;
    for (uint32_t i = 0; i < steps; i++)
        p->order[i] = (struct hdp_explore_order){
            .thread = x->step[i].flags & HDP_EXPLORED_CHOICE ? 0 : x->step[i].thread,
            .choice = x->step[i].choice};
    return p;
}

void exhaustive_follow(const struct exhaustive_path *p, struct hdp_region *r)
{
    r->explore.orders = p->orders;
    r->explore.sleepers = 0;
    memcpy(r->explore.order, p->order, p->orders * sizeof *p->order);
}

void exhaustive_path_free(struct exhaustive_path *p)
{
    free(p);
}

bool exhaustive_covers_all(const struct exhaustive *x)
{
    struct stats watched = x->stats;

    watched.accesses_watched = true;
    char *why = explored_doubt(&watched);
    free(why);
    return !why;
}

void exhaustive_print(const struct exhaustive *x, bool fails, char *text, size_t bytes)
{
    size_t used = strlen(text);
    FILE *to = used + 1 < bytes ? fmemopen(text + used, bytes - used, "w") : NULL;

    if (!to)
        return;
    explored_print(to, &x->stats, fails);
    fclose(to);
    text[bytes - 1] = 0;
}
