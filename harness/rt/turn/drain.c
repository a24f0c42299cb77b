/* drain.c - the program has ended, or a part of it: the others run on, to see who stays blocked. */
#include "rt.h"

/* How long a leak check lets threads run that could do so for ever. */
#define PATIENCE_STEPS 10000u

void hdi_drain(uint32_t jumps)
{
    struct hdi_thread *first;

    rt.draining = true;
    rt.drainer = hdi_self();
    for (;;) {
        struct hdi_op op = {.kind = HD_EV_EXIT};
        uint32_t steps = rt.region->result.steps;
        hdi_perform(&op);
        if (jumps-- == 0 || rt.region->result.steps - steps > 100000)
            break;
        rt_lock();
        first = rt_earliest();
        if (first)
            rt.now_ns = first->op->until_ns;
        rt_unlock();
        if (!first)
            break;
    }
    rt.drainer = NULL;
    rt_lock();
    rt_look_for_old_cycles(); /* nobody is left who could unlock */
    rt_unlock();
}

void hdi_let_others_run(bool (*go_on)(void *arg), void *arg, uint32_t jumps, uint64_t site)
{
    uint32_t until = rt.region->result.steps + PATIENCE_STEPS;
    struct hdi_thread *first;

    if (rt.config.max_steps && until > rt.config.max_steps / 2)
        until = rt.config.max_steps / 2;
    do {
        struct hdi_op op = {.kind = HD_EV_LEAK_CHECK, .site = site, .patient = until};
        hdi_perform(&op);
        if (!go_on(arg))
            break;
        rt_lock();
        first = rt_earliest();
        if (first && jumps > 0 && first->op->until_ns > rt.now_ns)
            rt.now_ns = first->op->until_ns;
        rt_unlock();
    } while (first && jumps-- > 0);
}
