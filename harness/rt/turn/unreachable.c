/* unreachable.c - when to look for threads that nobody can wake any more (reach/reach.h). */
#include "rt.h"

#include "arch/arch.h"
#include "reach/reach.h"

/* Steps that a thread waits before somebody asks whether it can ever be woken. */
#define REACH_PATIENCE 1000u
/* Price of a look that is always taken when a schedule is cut or the program leaves. */
#define CHEAP_LOOK 100000u

/* Seldom, and more and more seldom: a look costs as much as some hundred steps, and more in a large
 * heap. */
void rt_look_for_unreachable(void)
{
    uint32_t steps = rt.region->result.steps, price = hdi_reach_price();

    if (rt.draining)
        return;
    if (steps - rt.reach_last < price) {
        rt.reach_at = rt.reach_last + price;
        return;
    }
    switch (hdi_reach_look(steps - REACH_PATIENCE)) {
    case HDI_REACH_NOBODY:
        rt.reach_at = steps + REACH_PATIENCE / 4;
        break;
    case HDI_REACH_LOOKED:
    case HDI_REACH_UNSURE:
        rt.reach_last = steps;
        rt.reach_at = 2 * steps;
        break;
    }
}

void hdi_look_for_unreachable(void)
{
    hdi_registers_here(&hdi_self()->reach.registers);
    rt_lock();
    if (rt.started)
        rt_last_look();
    rt_unlock();
}

void rt_last_look(void)
{
    uint32_t price = hdi_reach_price();

    if (rt.reach_at != UINT32_MAX && !rt.draining &&
        (price < CHEAP_LOOK || price / 4 < rt.region->result.steps))
        hdi_reach_look(UINT32_MAX);
}

void rt_reach_begin(void)
{
    rt.reach_at = rt.config.flags & HDP_REACH && hdi_reach_on ? 2 * REACH_PATIENCE : UINT32_MAX;
    rt.reach_last = 0;
}
