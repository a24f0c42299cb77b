/* memory.c - what the memory hooks are told of the schedule. */
#include "rt.h"

void hdi_memory_config(struct hdi_memory_config *out)
{
    uint32_t flags = rt.config.flags;

    *out = (struct hdi_memory_config){
        .races = (flags & HDP_RACES) != 0,
        .rich = (flags & HDP_RICH) != 0,
        .replay = (flags & HDP_REPLAY) != 0,
        .points = rt.config.points,
        .model = rt.config.memory_model,
        .learned = &rt.region->learned,
    };
}

bool hdi_replayed_site(uint32_t i, uint64_t *site)
{
    uint32_t at = rt.config.replay_steps + i;

    if (i >= rt.config.replay_points || at >= HDP_STEPS)
        return false;
    *site = rt.region->replay[at].site;
    return true;
}
