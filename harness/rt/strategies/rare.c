/* rare.c - what few schedules had: the thread goes on whose operation follows one, on its object, that it has
 * seldom followed.
 *
 * After Wolff, Shi, Duck, Mathur, Roychoudhury ("Greybox fuzzing for concurrency testing", ASPLOS 2024), who
 * look for unseen pairs of a write and the read that takes its value, and Mukherjee, Deligiannis, Biswas, Lal
 * ("Learning-based controlled concurrency testing", OOPSLA 2020), who learn which choice leads to something
 * new. Here a thread is drawn with a probability that falls with how often all schedules so far had the pair
 * of operations that its next one would end, and the triple (wire/tuples.h). Operations on what no two threads
 * used come first, so that all threads stand before ones that do.
 *
 * The schedules take turns (config.depth counts them): threads count by who they are or not; pair and triple
 * count for themselves, or together.
 */
#include <string.h>

#include "profile.h"
#include "wire/tuples.h"

#define USES (1u << 13)

static struct hdp_history history;
static uint32_t looked;
static bool by_thread, together;

/* Places and objects of the profile: do several threads use the object? */
static struct use {
    uint64_t key; /* 0: free */
    bool shared;
} use[USES];
static uint32_t uses, room; /* entries of use[] that are used; a power of 2 of them may be */

/* NULL: there is no such one, nor room for it. */
static struct use *use_of(uint64_t key, bool make)
{
    uint32_t at = (uint32_t)hash_next(key) & (room - 1);

    while (use[at].key && use[at].key != key)
        at = (at + 1) & (room - 1);
    if (!use[at].key && (!make || uses == room / 2))
        return NULL;
    uses += !use[at].key;
    use[at].key = key;
    return &use[at];
}

static void gather_uses(void)
{
    static struct rt_profile objects;

    room = 64;
    while (room < USES && room < 4 * rt_profile_length()) /* a place and an object of each step */
        room *= 2;
    memset(use, 0, room * sizeof use[0]);
    uses = 0;
    rt_profile_objects(&objects);
    for (uint32_t i = 0; i < objects.count; i++)
        use_of(objects.place[i].object, true)->shared = objects.place[i].threads > 1;
    for (uint32_t i = 0; i < rt_profile_length(); i++) {
        const struct hdp_step *s = &rt.region->profile[i];
        bool known = s->object && s->site && !(s->flags & HDP_STEP_CHOICE);
        const struct use *object = known ? use_of(s->object, false) : NULL;
        struct use *site = object ? use_of(s->site, true) : NULL;
        if (site)
            site->shared |= object->shared;
    }
}

static void begin(const struct hdp_config *c)
{
    hdp_history_clear(&history);
    looked = 0;
    by_thread = c->depth & 1;
    together = c->depth & 2;
    gather_uses();
}

/* What has been done since we were last asked. */
static void look(void)
{
    for (uint32_t n = rt.region->result.steps; looked < n && looked < HDP_STEPS; looked++) {
        const struct hdp_step *s = &rt.region->trace[looked];
        if (!(s->flags & HDP_STEP_CHOICE) && s->object && hdp_tuple_tells(s->kind))
            hdp_history_add(&history, s->object, s->site, s->thread);
    }
}

/* May others care whether it comes sooner or later? */
static bool matters(const struct hdi_op *op)
{
    const struct use *object, *site;

    if (!op || !op->object || !hdp_tuple_tells(op->kind))
        return false;
    if ((object = use_of(op->object->id, false)))
        return object->shared;
    site = use_of(op->site, false);
    return !site || site->shared;
}

#define ONE (UINT64_C(1) << 40)

/* At least 1. */
static uint64_t weight(const struct hdi_thread *t)
{
    const uint16_t *times = rt.region->tuple;
    uint32_t index[2];

    hdp_tuples(&history, t->op->object->id, t->op->site, t->hash, by_thread, index);
    uint64_t pair = times[index[0]], triple = times[index[1]];
    return 1 + ONE / (together ? 1 + pair + triple : (1 + pair) * (1 + triple));
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint64_t sum = 0, k;
    uint32_t free_ones = 0, i = 0;

    look();
    for (uint32_t j = 0; j < n; j++)
        if (matters(e[j]->op))
            sum += weight(e[j]);
        else
            free_ones++;
    k = free_ones ? rt_random_below(free_ones) : rt_random() % sum;
    for (;; i++) {
        uint64_t w = matters(e[i]->op) == (free_ones != 0) ? 0 : free_ones ? 1 : weight(e[i]);
        if (k < w)
            return i;
        k -= w;
    }
}

const struct rt_strategy rt_rare = {.begin = begin, .pick = pick};
