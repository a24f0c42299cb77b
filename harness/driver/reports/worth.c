/* worth.c - see worth.h */
#include "worth.h"

#include <math.h>
#include <stdlib.h>

#include "util/quantity.h"

/* pct draws from so many steps as long as none are known. */
#define PCT_STEPS 50u

void worth_count_pct(struct stats *s, const struct hdp_config *config,
                     const struct hdp_result *result)
{
    uint32_t steps = config->expected_steps > 1 ? config->expected_steps : PCT_STEPS;
    struct pct_stats *p = s->pct;

    /* it was longer than the range that its changes were drawn from, or has lost them */
    if (config->strategy != HDP_PCT || result->steps > steps || result->control_lost)
        return;
    while (p < s->pct + PCT_DEPTHS && p->schedules && p->depth != config->depth)
        p++;
    if (p == s->pct + PCT_DEPTHS)
        return;
    p->depth = config->depth;
    p->schedules++;
    if (result->threads > p->threads)
        p->threads = result->threads;
    if (steps > p->steps)
        p->steps = steps;
}

double worth_pct(const struct pct_stats *p)
{
    double one = 1 / (p->threads * pow(p->steps, p->depth - 1.0));

    return -expm1((double)p->schedules * log1p(-(one < 1 ? one : 1)));
}

static bool is_clean(const struct findings *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i]->fails)
            return false;
    return true;
}

/* Two digits, as a percentage. */
static void show_share(FILE *to, double share)
{
    fprintf(to, "%.*f %%", share >= 0.1 ? 0 : share >= 0.01 ? 1 : 2, 100 * share);
}

static void print_unseen(FILE *to, const struct stats *s)
{
    uint64_t known = distinct_count(&s->interleavings);
    struct unseen_estimate e = unseen_estimate(&s->unseen, known);
    char a[32], b[32];

    if (e.draws < 2)
        return;
    fprintf(to, "  unseen: the last %s schedule%s showed %s new interleaving%s; ",
            show_count(e.lately, b), e.lately == 1 ? "" : "s",
            e.new_lately ? show_count(e.new_lately, a) : "no", e.new_lately > 1 ? "s" : "");
    if (e.once) {
        fputs("about ", to);
        show_share(to, e.share);
        fputs(" of further schedules would show one", to);
        if (e.kinds >= (double)known + 1)
            fprintf(to, ", of at least about %s in all", show_count((uint64_t)e.kinds, a));
        fputc('\n', to);
    } else {
        fputs("each was met more than once, so hardly any further schedule would show one\n", to);
    }
    fputs("          That is about what these strategies come to: it says nothing of a bug that "
          "needs "
          "what they hardly ever do.\n",
          to);
}

/* Only where it is not one strategy among others, with next to no part in the campaign. */
static void print_pct(FILE *to, const struct stats *s)
{
    char a[32], b[32];

    for (unsigned i = 0; i < PCT_DEPTHS && s->strategy[HDP_PCT].schedules == s->schedules; i++) {
        const struct pct_stats *p = &s->pct[i];
        if (!p->schedules)
            continue;
        fprintf(to,
                "  pct: a bug that needs %u ordered event%s, among %u threads and %s decisions, "
                "was met with a probability of at least ",
                p->depth, p->depth == 1 ? "" : "s", p->threads, show_count(p->steps, a));
        show_share(to, worth_pct(p));
        fprintf(to, " (%s schedule%s)\n", show_count(p->schedules, b),
                p->schedules == 1 ? "" : "s");
    }
}

void worth_print(FILE *to, const struct findings *all, const struct stats *s)
{
    if (s->hardly_judged || !is_clean(all))
        return;
    print_unseen(to, s);
    print_pct(to, s);
    if (s->coverage)
        coverage_summary(to, s->coverage);
}

json_t *worth_unseen_json(const struct stats *s)
{
    struct unseen_estimate e = unseen_estimate(&s->unseen, distinct_count(&s->interleavings));
    json_t *o;

    if (!e.draws)
        return json_null();
    o = json_object();
    json_object_set_new(o, "schedules", json_integer((json_int_t)e.draws));
    json_object_set_new(o, "once", json_integer((json_int_t)e.once));
    json_object_set_new(o, "twice", json_integer((json_int_t)e.twice));
    json_object_set_new(o, "lately", json_integer((json_int_t)e.lately));
    json_object_set_new(o, "new_lately", json_integer((json_int_t)e.new_lately));
    json_object_set_new(o, "share", json_real(e.share));
    json_object_set_new(o, "interleavings_at_least", json_real(e.kinds));
    json_object_set_new(o, "saturated", json_boolean(s->saturated));
    return o;
}

json_t *worth_pct_json(const struct stats *s)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < PCT_DEPTHS; i++) {
        const struct pct_stats *p = &s->pct[i];
        json_t *o = p->schedules ? json_object() : NULL;
        if (!o)
            continue;
        json_object_set_new(o, "depth", json_integer(p->depth));
        json_object_set_new(o, "schedules", json_integer((json_int_t)p->schedules));
        json_object_set_new(o, "threads", json_integer(p->threads));
        json_object_set_new(o, "steps", json_integer(p->steps));
        json_object_set_new(o, "probability", json_real(worth_pct(p)));
        json_array_append_new(list, o);
    }
    return list;
}
