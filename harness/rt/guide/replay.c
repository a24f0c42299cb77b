/* replay.c - follow a recorded schedule.
 *
 * Entry i is decision i. When the thread that it names is not at the event that it names, the
 * thread is run on until it gets there: so a schedule follows its events through a changed program.
 * What cannot be followed is noted once (diverged_at), and from there the running thread goes on
 * while it can.
 */
#include "turn/rt.h"

#include <string.h>

#include "models/children.h"
#include "models/signals.h"

#define RUN_ON_LIMIT 10000u
#define TIMERS_LIMIT 1000u

static uint32_t run_on;
static uint32_t timers; /* waited for since the last decision */

static bool matches(const struct hdp_step *e, const struct hdi_thread *t)
{
    const struct hdi_op *op = t->op;

    if (e->kind && e->kind != op->kind &&
        !(e->kind == HD_EV_COND_WAIT && op->kind == HD_EV_COND_RELOCK))
        return false;
    if (e->object && op->object && e->object != op->object->id)
        return false;
    return !e->site || !op->site || e->site == op->site;
}

/* From outside: what it waits for, or a signal that lets it go on. */
static bool may_come(void)
{
    return rt.outside_count || rt.external_count || hdi_children_live();
}

/* By a timer of the program, when time passes up to it. */
static bool timer_may_come(void)
{
    return hdi_timer_next() && hdi_timer_helps() && !rt_circle() && timers++ < TIMERS_LIMIT;
}

static struct hdi_thread *diverge(enum rt_replay *how)
{
    rt.region->result.diverged_at = rt.replay_at + 1;
    *how = RT_OVER;
    return NULL;
}

struct hdi_thread *rt_replay_next(enum rt_replay *how, uint16_t *flags)
{
    rt.replay_waits = false;
    for (;;) {
        const struct hdp_step *e = &rt.region->replay[rt.replay_at];
        struct hdi_thread *t;

        *flags = 0;
        if (rt.replay_at >= rt.config.replay_steps) {
            *how = RT_OVER;
            return NULL;
        }
        if (e->flags & HDP_STEP_CHOICE) /* a choice that this run did not ask for */
            return diverge(how);
        t = rt_live_by_name(e->thread);
        if (!t)
            return diverge(how);
        if (!t->op) { /* outside, or lost: it will come back, or not; the time-out decides */
            *how = RT_WAIT;
            return NULL;
        }
        /* When a loop was pre-empted depends on real time: it need not happen again. */
        if (e->kind == HD_EV_PREEMPT && t->op->kind != HD_EV_PREEMPT) {
            rt.replay_at++;
            continue;
        }
        *flags = e->flags;
        if (e->flags & HDP_STEP_SPURIOUS) {
            if (t->enabled || !t->op->may_wake_spuriously)
                return diverge(how);
        } else if (!t->enabled && t->op->outside && !(e->flags & HDP_STEP_TIMEOUT) && rt_due(t) &&
                   !hdi_signalled(t) && !(e->flags & HDP_STEP_CANCEL) && matches(e, t)) {
            rt.replay_waits = true;
            *how = RT_WAIT;
            return NULL;
        } else if (!t->enabled && !rt_due(t) && !hdi_signalled(t) &&
                   !(e->flags & HDP_STEP_CANCEL) &&
                   !((e->flags & HDP_STEP_TIMEOUT) && t->op->until_ns > 0 &&
                     t->op->until_ns != HDI_FOREVER)) {
            if (may_come() || timer_may_come()) {
                *how = RT_WAIT;
                return NULL;
            }
            return diverge(how);
        }
        if (matches(e, t)) {
            rt.replay_at++;
            run_on = timers = 0;
        } else if (++run_on > RUN_ON_LIMIT) {
            return diverge(how);
        } else {
            *flags = 0;
            if (!t->enabled && !rt_due(t) && !hdi_signalled(t)) {
                if (!may_come() && !timer_may_come())
                    return diverge(how);
                run_on--;
                *how = RT_WAIT;
                return NULL;
            }
        }
        *how = RT_FOLLOW;
        return t;
    }
}

/* When it was recorded a child was earlier: it may wait for what another thread has by now. The first decision
 * that can be made of those to come, by another thread and its next, is made now. */
bool rt_replay_ahead(void)
{
    struct hdp_step *e = rt.region->replay;
    uint32_t n = rt.config.replay_steps, late = rt.replay_at;

    for (uint32_t i = late + 1; i < n; i++) {
        struct hdi_thread *t = rt_live_by_name(e[i].thread);
        struct hdp_step first = e[i];
        bool is_next = true;
        for (uint32_t k = late; k < i; k++)
            is_next &= e[k].thread != e[i].thread;
        if (!is_next || !t || !t->op || !t->enabled || first.flags || !matches(&first, t) ||
            (i + 1 < n && e[i + 1].flags & HDP_STEP_CHOICE))
            continue;
        memmove(&e[late + 1], &e[late], (i - late) * sizeof *e);
        e[late] = first;
        rt.region->result.ahead++;
        return true;
    }
    return false;
}

uint32_t rt_replay_next_kind(const struct hdi_thread *t)
{
    for (uint32_t i = rt.replay_at; i < rt.config.replay_steps; i++)
        if (rt.region->replay[i].thread == t->hash &&
            !(rt.region->replay[i].flags & HDP_STEP_CHOICE))
            return rt.region->replay[i].kind;
    return HD_EV_NONE;
}

uint32_t rt_replay_choice(uint32_t n, uint64_t site, bool *followed)
{
    const struct hdp_step *e = &rt.region->replay[rt.replay_at];

    (void)site;
    if (rt.replay_at >= rt.config.replay_steps)
        return 0;
    if (!(e->flags & HDP_STEP_CHOICE) || e->choice >= n) {
        rt.region->result.diverged_at = rt.replay_at + 1;
        rt.replaying = false;
        return 0;
    }
    rt.replay_at++;
    *followed = true;
    return e->choice;
}
