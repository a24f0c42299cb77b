/* hold.c - hold threads in front of one kind of operation, whichever thread comes there.
 *
 * Order violations need one piece of code to be late, not one thread: with a hundred threads that
 * run the same function, strategies that order threads have to hold back all of them by luck. Here
 * every thread that is about to write one object, or to do its operation at one place of the code,
 * waits until nobody else can run, or those that can do nothing but try again; then one of them
 * goes on. The number of threads does not matter.
 *
 * What to hold at is taken from an earlier schedule: first each once (config.depth counts), the
 * writes to each object that several threads use, then the places where such objects are used;
 * after that two of them at random. When races were predicted, half of the schedules hold one of
 * their sides.
 */
#include "profile.h"

struct gate {
    uint64_t site;   /* operations at this place, or */
    uint32_t object; /* writes to this object */
};

#define GATES (2 * RT_PLACES)
#define TRIES 64u /* of loops that wait, perhaps for a thread that is held */
static struct gate held[2];
static bool walk; /* the others switch at random; else each runs as long as it can */
static uint32_t kept, tries;

static bool writes(enum hd_event kind)
{
    return kind == HD_EV_WRITE || kind == HD_EV_ATOMIC_STORE || kind == HD_EV_ATOMIC_RMW ||
           kind == HD_EV_FREE;
}

static bool confirm(void)
{
    const struct hdp_learned *l = &rt.region->learned;
    const struct hdp_learned_pair *p;

    if (!l->pairs || l->pairs > HDP_LEARNED_PAIRS || rt_random_below(2) == 0)
        return false;
    p = &l->pair[rt_random_below(l->pairs)];
    held[0].site = rt_random_below(2) ? p->first : p->second;
    return true;
}

static bool shared(const struct rt_profile *objects, uint32_t id)
{
    for (uint32_t i = 0; i < objects->count; i++)
        if (objects->place[i].object == id)
            return objects->place[i].threads > 1;
    return false;
}

static bool written(uint32_t id)
{
    for (uint32_t i = 0; i < rt_profile_length(); i++)
        if (rt.region->profile[i].object == id && writes(rt.region->profile[i].kind))
            return true;
    return false;
}

static uint32_t gather(struct gate *gates)
{
    static struct rt_profile objects, sites;
    uint32_t n = 0;

    rt_profile_objects(&objects);
    rt_profile_sites(&sites);
    for (uint32_t i = 0; i < objects.count; i++)
        if (objects.place[i].threads > 1 && written(objects.place[i].object))
            gates[n++] = (struct gate){.object = objects.place[i].object};
    for (uint32_t i = 0; i < sites.count; i++)
        if (sites.place[i].with && shared(&objects, sites.place[i].with))
            gates[n++] = (struct gate){.site = sites.place[i].site};
    return n;
}

static void begin(const struct hdp_config *c)
{
    static struct gate gates[GATES];
    uint32_t n;

    kept = tries = 0;
    walk = rt_random_below(2) == 0;
    held[0] = held[1] = (struct gate){0};
    if (confirm())
        return;
    n = gather(gates);
    if (!n)
        return;
    if (c->depth && c->depth <= n) {
        held[0] = gates[c->depth - 1];
        return;
    }
    held[0] = gates[rt_random_below(n)];
    if (rt_random_below(3) == 0)
        held[1] = gates[rt_random_below(n)];
}

static bool stops(const struct gate *g, const struct hdi_op *op)
{
    return (g->site && op->site == g->site) ||
           (g->object && op->object && op->object->id == g->object && writes(op->kind));
}

static bool is_held(const struct hdi_thread *t)
{
    return t->op && (stops(&held[0], t->op) || stops(&held[1], t->op));
}

static bool waits(const struct hdi_thread *t)
{
    return tries < TRIES && is_held(t);
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
    if (is_held(e[k]))
        tries = 0;
    return k;
}

static void yielded(struct hdi_thread *t)
{
    if (kept == t->hash)
        kept = 0;
    tries++;
}

const struct rt_strategy rt_hold = {.begin = begin, .pick = pick, .yielded = yielded};
