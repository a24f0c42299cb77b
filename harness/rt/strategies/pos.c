/* pos.c - partial order sampling (Yuan, Yang, Gu: "Partial order aware concurrency sampling", CAV
 * 2018).
 *
 * Every pending operation has a random priority; the highest of an enabled thread runs. After it,
 * the operations that race with it (same object) draw anew, and so does the thread's next one.
 */
#include "turn/rt.h"

static void created(struct hdi_thread *t)
{
    t->turn.priority = rt_random();
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t best = 0;
    struct hdi_object *o;

    for (uint32_t i = 1; i < n; i++)
        if (e[i]->turn.priority > e[best]->turn.priority)
            best = i;
    o = e[best]->op ? e[best]->op->object : NULL;
    for (uint32_t i = 0; i < n; i++)
        if (i == best || (o && e[i]->op && e[i]->op->object == o))
            e[i]->turn.priority = rt_random();
    return best;
}

static void yielded(struct hdi_thread *t)
{
    t->turn.priority >>= 8;
}

const struct rt_strategy rt_pos = {.created = created, .pick = pick, .yielded = yielded};
