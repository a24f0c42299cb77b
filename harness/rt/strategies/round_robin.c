/* round_robin.c - one step each, in order of creation: for debugging, and for livelocks.
 *
 * Threads that undo and repeat their work in step never end, and no random choice keeps them in
 * step for long. With a depth above 1 a number of random steps, drawn for each schedule, comes
 * first: it leads into the states from which going in step may not end.
 */
#include "turn/rt.h"

#define LEAD_BITS 9u

static uint32_t last, lead;

static void begin(const struct hdp_config *c)
{
    uint32_t steps = c->expected_steps > 1 ? c->expected_steps : 50, bits = 1;

    last = lead = 0;
    while (bits < LEAD_BITS && 1u << bits < steps)
        bits++;
    if (c->depth > 1) /* of any magnitude: one livelock makes the expected number a huge one */
        lead = rt_random_below(2u << rt_random_below(bits));
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t next = 0;

    if (lead) {
        lead--;
        return rt_random_below(n);
    }
    for (uint32_t i = 0; i < n; i++)
        if (e[i]->index > last) {
            next = i;
            break;
        }
    last = e[next]->index;
    return next;
}

const struct rt_strategy rt_round_robin = {
    .begin = begin, .pick = pick, .no_early_time_outs = true};
