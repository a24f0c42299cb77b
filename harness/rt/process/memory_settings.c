/* memory_settings.c - what the memory hooks need to know of the schedule. */
#include "turn/rt.h"

void hdi_memory_config(struct hdi_memory_config *out)
{
    *out =
        (struct hdi_memory_config){.races = (rt.config.flags & HDP_RACES) != 0,
                                   .rich = (rt.config.flags & HDP_RICH) != 0,
                                   .replay = (rt.config.flags & HDP_REPLAY) != 0,
                                   .points = rt.config.points,
                                   .model = rt.config.memory_model,
                                   .learned = &rt.region->learned,
                                   .news = &rt.region->news,
                                   .reached = &rt.region->reached,
                                   .exhaustive = (rt.config.flags & HDP_EXHAUSTIVE) != 0,
                                   .scout = rt.config.flags & HDP_SCOUT,
                                   .tape = rt.config.flags & HDP_PREDICT ? &rt.region->tape : NULL,
                                   .steps = &rt.region->result.steps};
}

bool hdi_meeting_site(uint32_t i, uint64_t *site)
{
    if (i >= rt.config.race_places || i >= HDP_RACE_PLACES)
        return false;
    *site = rt.config.race_place[i].site;
    return true;
}

bool hdi_replayed_site(uint32_t i, uint64_t *site, uint32_t *from, uint32_t *until)
{
    uint32_t steps = rt.config.replay_steps, points = rt.config.replay_points;
    const struct hdp_step *e;

    if (i >= steps + points || i >= HDP_STEPS)
        return false;
    e = &rt.region->replay[i < points ? steps + i : i - points];
    if (i >= points && rt.config.flags & HDP_EDITED) /* all of them are points, and so listed */
        return false;
    *site = e->kind >= HD_EV_READ && e->kind <= HD_EV_FENCE ? e->site : 0;
    *from = i < points ? e->choice : 0;
    *until = i < points ? e->object : 0;
    return true;
}
