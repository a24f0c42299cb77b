/* pct.c - probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A
 * randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010).
 *
 * Threads get random distinct priorities when they are made; the enabled thread of the highest
 * priority runs. At d - 1 steps, drawn uniformly from the expected number of steps k, the running
 * thread falls to a priority below all initial ones. A bug of depth d is hit with probability of at
 * least 1 / (n k^(d-1)).
 */
#include "turn/rt.h"

#define MAX_DEPTH 64u
#define FIRST_HIGH (1ull << 32)

static uint32_t change_at[MAX_DEPTH], changes, done;
static uint64_t low;

static void begin(const struct hdp_config *c)
{
    uint32_t k = c->expected_steps > 1 ? c->expected_steps : 50;

    changes = c->depth > 1 ? c->depth - 1 : 0;
    if (changes > MAX_DEPTH)
        changes = MAX_DEPTH;
    for (uint32_t i = 0; i < changes; i++)
        change_at[i] = 1 + rt_random_below(k);
    done = 0;
    low = FIRST_HIGH;
}

static void created(struct hdi_thread *t)
{
    t->turn.priority = FIRST_HIGH + (rt_random() >> 16);
}

static void yielded(struct hdi_thread *t)
{
    t->turn.priority = --low;
}

static uint32_t highest(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (e[i]->turn.priority > e[best]->turn.priority)
            best = i;
    return best;
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t best = highest(e, n);

    done++;
    for (uint32_t i = 0; i < changes; i++)
        if (change_at[i] == done) {
            yielded(e[best]);
            best = highest(e, n);
        }
    return best;
}

const struct rt_strategy rt_pct = {
    .begin = begin, .created = created, .pick = pick, .yielded = yielded};
