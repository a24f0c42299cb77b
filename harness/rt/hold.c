/* hold.c - hold threads at a place of the code, whichever thread comes there.
 *
 * Order violations need one piece of code to be late, not one thread: with a hundred threads that
 * run the same function, strategies that order threads have to hold back all of them by luck. Here
 * one or two places are drawn for each schedule, among those where the schedule before had a point,
 * and every thread that is about to do its operation there waits until nobody else can run; then
 * one of them goes on. The number of threads does not matter to the chance of hitting the right
 * place.
 */
#include "profile.h"

#define TRIES 6u /* schedules for each predicted race */

static uint64_t held[2];
static bool walk; /* the others switch at random; else each runs as long as it can */
static uint32_t kept;

/* A predicted race that has not been tried often: hold threads in front of one of its two sides. */
static bool confirm(void)
{
    struct hdp_learned *l = &rt.region->learned;

    for (uint32_t i = 0; i < l->pairs && i < HDP_LEARNED_PAIRS; i++) {
        struct hdp_learned_pair *p = &l->pair[i];
        if (p->tried < TRIES) {
            held[0] = p->tried++ % 2 ? p->first : p->second;
            return true;
        }
    }
    return false;
}

static void begin(const struct hdp_config *c)
{
    static struct rt_profile p;

    kept = 0;
    walk = rt_random_below(2) == 0;
    held[0] = held[1] = 0;
    if (confirm())
        return;
    rt_profile_sites(&p, c);
    if (!p.count)
        return;
    held[0] = p.place[rt_random_below(p.count)].site;
    if (rt_random_below(3) == 0)
        held[1] = p.place[rt_random_below(p.count)].site;
}

static bool waits(const struct hdi_thread *t)
{
    return t->op && t->op->site && (t->op->site == held[0] || t->op->site == held[1]);
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t m = 0, k;

    for (uint32_t i = 0; i < n; i++) {
        m += !waits(e[i]);
        if (!walk && e[i]->hash == kept && !waits(e[i]))
            return i;
    }
    k = rt_random_below(m ? m : n);
    for (uint32_t i = 0; m && i < n; i++)
        if (!waits(e[i]) && k-- == 0) {
            k = i;
            break;
        }
    kept = e[k]->hash;
    return k;
}

static void yielded(struct hdi_thread *t)
{
    if (kept == t->hash)
        kept = 0;
}

const struct rt_strategy rt_hold = {
    .name = "hold", .begin = begin, .pick = pick, .yielded = yielded};
