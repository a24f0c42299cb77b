/* random_walk.c - every enabled thread is as likely as the others, at every step. */
#include "turn/rt.h"

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    (void)e;
    return rt_random_below(n);
}

const struct rt_strategy rt_random_walk = {.pick = pick};
