/* round_robin.c - one step each, in order of creation: for debugging, for livelocks, and to begin with.
 *
 * Threads that undo and repeat their work in step never end, and no random choice keeps them in
 * step for long. At HDP_RR_RANDOM_START a number of random steps, drawn for each schedule, comes
 * first: it leads into the states from which going in step may not end.
 *
 * At HDP_RR_MAIN_FIRST main goes on until it waits, so that the threads that it makes begin together: those
 * that do the same are in the middle of it at the same time.
 */
#include "turn/rt.h"

#define LEAD_BITS 9u

static uint32_t last, lead;
static bool main_first;

static void begin(const struct hdp_config *c)
{
    uint32_t steps = c->expected_steps > 1 ? c->expected_steps : 50, bits = 1;

    last = lead = 0;
    main_first = c->depth == HDP_RR_MAIN_FIRST;
    while (bits < LEAD_BITS && 1u << bits < steps)
        bits++;
    if (c->depth ==
        HDP_RR_RANDOM_START) /* of any magnitude: one livelock makes the expected number a huge one */
        lead = rt_random_below(2u << rt_random_below(bits));
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t next = 0;

    if (lead) {
        lead--;
        return rt_random_below(n);
    }
    main_first = main_first && e[0] == rt.main;
    if (main_first)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        if (e[i]->index > last) {
            next = i;
            break;
        }
    last = e[next]->index;
    return next;
}

static void yielded(struct hdi_thread *t)
{
    main_first = main_first && t != rt.main;
}

const struct rt_strategy rt_round_robin = {
    .begin = begin, .pick = pick, .yielded = yielded, .no_early_time_outs = true};
