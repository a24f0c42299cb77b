/* profile.c - a summary of an earlier schedule. */
#include <string.h>

#include "profile.h"

static bool tells(const struct hdp_step *s)
{
    if (s->flags & HDP_STEP_CHOICE)
        return false;
    switch ((enum hd_event)s->kind) {
    case HD_EV_NONE:
    case HD_EV_THREAD_START:
    case HD_EV_THREAD_CREATE:
    case HD_EV_THREAD_EXIT:
    case HD_EV_THREAD_JOIN:
    case HD_EV_YIELD:
    case HD_EV_PREEMPT:
    case HD_EV_EXIT:
    case HD_EV_EXTERNAL:
        return false;
    default:
        return s->site != 0;
    }
}

static void count(struct rt_profile *p, uint64_t site, uint32_t object, const struct hdp_step *s)
{
    static uint16_t index[4 * RT_PLACES]; /* place + 1 by hash */
    uint32_t at;

    if (p->steps == 0)
        memset(index, 0, sizeof index);
    p->steps++;
    at = (uint32_t)(hash_next(site ^ (uint64_t)object << 17) % (4 * RT_PLACES));
    while (index[at]) {
        struct rt_place *known = &p->place[index[at] - 1];
        if (known->site == site && known->object == object) {
            known->steps++;
            if (known->first != s->thread)
                known->threads = 2;
            return;
        }
        at = (at + 1) % (4 * RT_PLACES);
    }
    if (p->count == RT_PLACES)
        return;
    p->place[p->count++] = (struct rt_place){.site = site,
                                             .object = object,
                                             .threads = 1,
                                             .with = s->object,
                                             .first = s->thread,
                                             .steps = 1};
    index[at] = (uint16_t)p->count;
}

uint32_t rt_profile_length(void)
{
    return rt.region->profile_steps < HDP_PROFILE ? rt.region->profile_steps : HDP_PROFILE;
}

void rt_profile_objects(struct rt_profile *p)
{
    p->count = p->steps = 0;
    for (uint32_t i = 0; i < rt_profile_length(); i++) {
        const struct hdp_step *s = &rt.region->profile[i];
        if (tells(s) && s->object)
            count(p, 0, s->object, s);
    }
}

void rt_profile_sites(struct rt_profile *p)
{
    p->count = p->steps = 0;
    for (uint32_t i = 0; i < rt_profile_length(); i++) {
        const struct hdp_step *s = &rt.region->profile[i];
        if (tells(s))
            count(p, s->site, 0, s);
    }
}
