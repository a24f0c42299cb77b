/* round_robin.c - one step each, in order of creation: for debugging. */
#include "rt.h"

static uint32_t last;

static void begin(const struct hdp_config *c)
{
    (void)c;
    last = 0;
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < n; i++)
        if (e[i]->index > last) {
            next = i;
            break;
        }
    last = e[next]->index;
    return next;
}

const struct rt_strategy rt_round_robin = {.name = "rr", .begin = begin, .pick = pick};
