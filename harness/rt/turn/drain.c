/* drain.c - the program ends, or a part of it. When it ends is a decision: the others may go first.
 * Behind the end they run on, to see who stays blocked. */
#include "rt.h"

#include <stdlib.h>

#include "models/always.h"

/* How long a leak check lets threads run that could do so for ever: at first, and after a jump of
 * the clock. */
#define PATIENCE_STEPS 10000u
#define LATER_PATIENCE_STEPS 1000u

void hdi_ending(uint64_t site)
{
    rt.ending = true;
    if (hdi_always_standing && hdi_controlled())
        hdi_always_look(site);
    if (hdi_controlled() && rt.started && rt.live_count > 1)
        hdi_point(HD_EV_EXIT, NULL, site);
}

/* Main returns, or another handler of the program's has run already: of those, the ones that were
 * registered after the first thread was made come first. */
static void on_end_of_main(void)
{
    if (!rt.ending)
        hdi_ending(0);
}

void rt_expect_end(void)
{
    atexit(on_end_of_main);
}

void hdi_drain(uint32_t jumps)
{
    struct hdi_thread *first;

    rt_explore_end(HDP_EXPLORED_ALL);
    rt.draining = true;
    rt.drainer = hdi_self();
    for (uint32_t jump = 0;; jump++) {
        struct hdi_op op = {.kind = HD_EV_EXIT};
        uint32_t steps = rt.region->result.steps;
        if (jump == jumps / 2)
            rt.drained_step = steps;
        hdi_perform(&op);
        if (jump == jumps || rt.region->result.steps - steps > 100000)
            break;
        rt_lock();
        first = rt_earliest();
        if (first)
            rt.now_ns = first->op->until_ns;
        rt_unlock();
        if (!first)
            break;
    }
    rt_lock();
    rt_look_at_the_left();
    rt_unlock();
    rt.drainer = NULL;
}

bool hdi_goes_on_with_time(const struct hdi_thread *t)
{
    return rt_first_deadline() && rt.drained_step && t->reach.since > rt.drained_step;
}

/* How many steps more at most, so that the schedule's bound is not met here. */
static uint32_t within_bound(uint32_t steps)
{
    uint32_t now = rt.region->result.steps, most = rt.config.max_steps / 2;

    if (!rt.config.max_steps || now + steps <= most)
        return steps;
    return now < most ? most - now : 0;
}

static void let_others_run(uint32_t steps, uint64_t site)
{
    struct hdi_op op = {.kind = HD_EV_LEAK_CHECK,
                        .site = site,
                        .patient = rt.region->result.steps + within_bound(steps)};
    hdi_perform(&op);
}

void hdi_let_others_run(bool (*go_on)(void *arg), void *arg, uint32_t jumps, uint64_t site)
{
    uint32_t patience = PATIENCE_STEPS;
    struct hdi_thread *first;

    do {
        let_others_run(patience, site);
        if (!go_on(arg))
            break;
        /* A strategy may keep one from getting anywhere for as long; chance does not. */
        rt.fair_until = rt.region->result.steps + within_bound(2 * patience);
        let_others_run(2 * patience, site);
        if (!go_on(arg))
            break;
        patience = LATER_PATIENCE_STEPS;
        rt_lock();
        first = rt_earliest();
        if (first && jumps > 0 && first->op->until_ns > rt.now_ns)
            rt.now_ns = first->op->until_ns;
        rt_unlock();
    } while (first && jumps-- > 0);
}
