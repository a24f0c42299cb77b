/* stretches.c - follow an outline of a schedule: which thread runs how far, one after another.
 *
 * Entry i of the replay names a thread, and how many decisions it has made in all when the entry is
 * over; its flags are those of the last one. An entry also ends where its thread waits for another
 * one, and is passed over when the thread is not there. After the last one the running thread goes
 * on while it can. So an outline can be followed whatever was taken out of it or moved in it: with
 * candidates such as that the driver shrinks schedules. Choices stand behind the stretches: the next
 * one of their thread at their place.
 */
#include "turn/rt.h"

#include "models/signals.h"

static uint32_t choices_from;

static bool can_go(const struct hdi_thread *t, uint16_t flags)
{
    return t->enabled || rt_due(t) || hdi_signalled(t) || flags & HDP_STEP_CANCEL ||
           (flags & HDP_STEP_SPURIOUS && t->op->may_wake_spuriously) ||
           (flags & HDP_STEP_TIMEOUT && rt_has_deadline(t->op));
}

void rt_stretches_begin(void)
{
    choices_from = 0;
}

struct hdi_thread *rt_stretches_next(enum rt_replay *how, uint16_t *flags)
{
    for (; rt.replay_at < rt.config.replay_steps; rt.replay_at++) {
        struct hdp_step *e = &rt.region->replay[rt.replay_at];
        struct hdi_thread *t = e->flags & HDP_STEP_CHOICE ? NULL : rt_live_by_name(e->thread);

        if (!t)
            continue;
        if (!t->op) { /* outside, or lost: it will come back, or not; the time-out decides */
            *how = RT_WAIT;
            return NULL;
        }
        if (t->turn.steps >= e->choice) {
            e->object = t == rt.current && t->enabled;
            continue;
        }
        *flags = t->turn.steps + 1 == e->choice ? e->flags : 0;
        if (t->enabled)
            *flags &= (uint16_t)~HDP_STEP_SPURIOUS;
        if (can_go(t, *flags)) {
            *how = RT_FOLLOW;
            return t;
        }
    }
    *how = RT_OVER;
    return NULL;
}

bool rt_stretches_stops(const struct hdi_thread *t)
{
    const struct hdp_step *e = &rt.region->replay[rt.replay_at];

    return rt.replay_at < rt.config.replay_steps && e->thread == t->hash &&
           e->kind == HD_EV_RELEASED && t->turn.steps >= e->choice;
}

uint32_t rt_stretches_choice(const struct hdi_thread *t, uint32_t n, uint64_t site)
{
    for (uint32_t i = choices_from; i < rt.config.replay_steps; i++) {
        struct hdp_step *e = &rt.region->replay[i];
        if (!(e->flags & HDP_STEP_CHOICE) || !e->thread) {
            choices_from += i == choices_from;
            continue;
        }
        if (e->thread != t->hash || e->site != site)
            continue;
        e->thread = 0; /* made */
        return e->choice < n ? e->choice : 0;
    }
    return 0;
}
