/* hold.c - hold threads in front of one kind of operation, whichever thread comes there.
 *
 * Order violations need one piece of code to be late, not one thread: with a hundred threads that
 * run the same function, strategies that order threads have to hold back all of them by luck. Here
 * every thread that is about to write one object, or to do its operation at one place of the code,
 * waits until nobody else can run, or those that can do nothing but try again; then one of them
 * goes on. The number of threads does not matter.
 *
 * A thread may also be held behind a release (an unlock, a post, a signal …): the others see what it
 * released, and not what it does next. Then those that are about to wait for a signal are held as
 * well, with what they have tested, and the one behind its release goes first.
 *
 * What to hold at is taken from an earlier schedule: first each once (config.depth counts), the
 * writes to each object that several threads use, then in turn a place where such objects are used
 * and a release, those first that a thread makes right before it announces something; after that
 * two of them at random. When races were predicted, half of the schedules hold one of their sides.
 */
#include "profile.h"

struct gate {
    uint64_t site;   /* operations at this place, or */
    uint32_t object; /* writes to this object */
    bool behind;     /* not before the release at this place, but behind it; */
    uint32_t by;     /* the thread that made it first */
};

#define GATES (3 * RT_PLACES)
#define NEXT_WITHIN 64u /* steps of all threads between two of one */
#define TRIES 64u       /* of loops that wait, perhaps for a thread that is held */
static struct gate held[2];
static bool walk; /* the others switch at random; else each runs as long as it can */
static uint32_t kept, tries;
static uint32_t early; /* the thread that is to come to its release before the others begin */

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

static bool releases(enum hd_event kind)
{
    switch (kind) {
    case HD_EV_MUTEX_UNLOCK:
    case HD_EV_RWLOCK_UNLOCK:
    case HD_EV_SPIN_UNLOCK:
    case HD_EV_THREAD_CREATE:
    case HD_EV_THREAD_KILL:
    case HD_EV_FD_WAIT:
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_CLOSE:
    case HD_EV_HD_MUTEX_UNLOCK:
    case HD_EV_HD_RWMUTEX_UNLOCK:
    case HD_EV_HD_WAITGROUP_ADD:
        return true;
    default:
        return false;
    }
}

static bool announces(enum hd_event kind)
{
    return kind == HD_EV_COND_SIGNAL || kind == HD_EV_COND_BROADCAST || kind == HD_EV_SEM_POST ||
           kind == HD_EV_FUTEX_WAKE || kind == HD_EV_HD_COND_SIGNAL;
}

static bool is_released(const struct hdp_step *s)
{
    enum hd_event kind = (enum hd_event)s->kind;

    return !(s->flags & HDP_STEP_CHOICE) && s->site && (releases(kind) || announces(kind));
}

/* What its thread does after the i-th step, HD_EV_NONE: nothing. */
static enum hd_event next_of(uint32_t i)
{
    const struct hdp_step *s = rt.region->profile;

    for (uint32_t k = i + 1; k < rt_profile_length() && k < i + NEXT_WITHIN; k++)
        if (s[k].thread == s[i].thread && s[k].kind != HD_EV_RELEASED)
            return (enum hd_event)s[k].kind;
    return HD_EV_NONE;
}

/* Each place of a release once: those right before an announcement first. */
static uint32_t gather_releases(struct gate *gates)
{
    uint32_t n = 0;

    for (int before = 1; before >= 0; before--)
        for (uint32_t i = 0; i < rt_profile_length() && n < RT_PLACES; i++) {
            const struct hdp_step *s = &rt.region->profile[i];
            uint32_t k = 0;
            if (!is_released(s) ||
                (before && !(releases((enum hd_event)s->kind) && announces(next_of(i)))))
                continue;
            while (k < n && gates[k].site != s->site)
                k++;
            if (k == n)
                gates[n++] = (struct gate){.site = s->site, .behind = true, .by = s->thread};
        }
    return n;
}

static uint32_t gather(struct gate *gates)
{
    static struct rt_profile objects, sites;
    static struct gate behind[RT_PLACES];
    uint32_t n = 0, k = 0, releases;

    rt_profile_objects(&objects);
    rt_profile_sites(&sites);
    for (uint32_t i = 0; i < objects.count; i++)
        if (objects.place[i].threads > 1 && written(objects.place[i].object))
            gates[n++] = (struct gate){.object = objects.place[i].object};
    releases = gather_releases(behind);
    for (uint32_t i = 0; i < sites.count; i++)
        if (sites.place[i].with && shared(&objects, sites.place[i].with)) {
            gates[n++] = (struct gate){.site = sites.place[i].site};
            if (k < releases)
                gates[n++] = behind[k++];
        }
    while (k < releases)
        gates[n++] = behind[k++];
    return n;
}

static void begin(const struct hdp_config *c)
{
    static struct gate gates[GATES];
    uint32_t n;

    kept = early = tries = 0;
    walk = rt_random_below(2) == 0;
    held[0] = held[1] = (struct gate){0};
    if (confirm())
        return;
    n = gather(gates);
    if (!n)
        return;
    held[0] = gates[c->depth && c->depth <= n ? c->depth - 1 : rt_random_below(n)];
    if (held[0].behind && (c->depth <= n || rt_random_below(2) == 0))
        early = held[0].by;
    if (c->depth && c->depth <= n)
        return;
    if (rt_random_below(3) == 0)
        held[1] = gates[rt_random_below(n)];
}

static bool is_behind(const struct gate *g, const struct hdi_op *op)
{
    return g->behind && op->site == g->site && op->kind == HD_EV_RELEASED;
}

static bool stops(const struct gate *g, const struct hdi_op *op)
{
    if (g->behind)
        return is_behind(g, op) || op->kind == HD_EV_COND_WAIT || op->kind == HD_EV_HD_COND_WAIT;
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

/* Of those that are all held. */
static uint32_t first_of(struct hdi_thread *const *e, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (e[i]->op && (is_behind(&held[0], e[i]->op) || is_behind(&held[1], e[i]->op)))
            return i;
    return rt_random_below(n);
}

static bool stops_behind(uint64_t site)
{
    return (held[0].behind && held[0].site == site) || (held[1].behind && held[1].site == site);
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t m = 0, k;

    for (uint32_t i = 0; i < n; i++) {
        m += !waits(e[i]);
        if (!waits(e[i]) && e[i]->hash == (early ? early : walk ? 0 : kept))
            return i;
    }
    k = m ? rt_random_below(m) : first_of(e, n);
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
    if (early == t->hash)
        early = 0;
    tries++;
}

const struct rt_strategy rt_hold = {
    .begin = begin, .pick = pick, .yielded = yielded, .stops_behind = stops_behind};
