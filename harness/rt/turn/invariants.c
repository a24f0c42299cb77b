/* invariants.c - what the scheduler's tables say of the threads, held against the threads.
 *
 * True whenever a thread has been chosen and rt.lock is still held:
 *   1. rt.live holds each thread that has not ended at its live_at, and live_count of them
 *   2. nobody but rt.current is RUNNING, and it has no pending operation
 *   3. who is ENABLED, BLOCKED or SLEEPING has one; who is ENABLED is in rt.runnable, and nobody
 *      without one is
 *   4. rt.deadline is a heap of those whose operation waits for a time and cannot complete now
 *   5. rt.outside holds those whose readiness may come from outside; outside_count, own_count and
 *      signal_waits count them
 *   6. external_count counts those that are EXTERNAL or LOST
 */
#include "rt.h"

#include <heddle/invariant.h>

#if HD_INVARIANTS

/* A check looks at every thread; so many threads more, so many steps are between two. */
#define THREADS_A_STEP 8u

static bool pends(const struct hdi_thread *t)
{
    return t->state == HDP_T_ENABLED || t->state == HDP_T_BLOCKED || t->state == HDP_T_SLEEPING;
}

static void check_operation(const struct hdi_thread *t)
{
    bool runnable = rt_set_has(&rt.runnable, t->index);
    bool outside = rt_set_has(&rt.outside, t->index);

    if (!pends(t)) {
        HD_ASSERT(!runnable && !outside && !t->turn.deadline_at); /* 3, 4, 5 */
        return;
    }
    HD_ASSERT(t->op && t->enabled == (t->state == HDP_T_ENABLED));                    /* 3 */
    HD_ASSERT(runnable || !t->enabled);                                               /* 3 */
    HD_ASSERT(outside == t->outside);                                                 /* 5 */
    HD_ASSERT((t->turn.deadline_at != 0) == (!t->enabled && rt_has_deadline(t->op))); /* 4 */
}

static void check_heap(void)
{
    for (uint32_t i = 0; i < rt.deadlines; i++) {
        HD_ASSERT(rt.deadline[i]->turn.deadline_at == i + 1); /* 4 */
        HD_ASSERT(!i || rt.deadline[(i - 1) / 2]->op->until_ns <= rt.deadline[i]->op->until_ns);
    }
}

void rt_check(void)
{
    uint32_t live = 0, outside = 0, own = 0, signals = 0, external = 0;

    if (rt.region->result.steps % (rt.live_count / THREADS_A_STEP + 1) != 0)
        return;
    for (uint32_t i = 0; i < rt.live_slots; i++) {
        const struct hdi_thread *t = rt.live[i];
        if (!t)
            continue;
        live++;
        HD_ASSERT(t->turn.live_at == i && !t->life.ended);           /* 1 */
        HD_ASSERT((t->state == HDP_T_RUNNING) == (t == rt.current)); /* 2 */
        check_operation(t);
        external += t->state == HDP_T_EXTERNAL || t->state == HDP_T_LOST;
        if (pends(t) && t->outside) {
            outside++;
            own += t->op->own;
            signals += t->op->kind == HD_EV_SIGNAL_WAIT;
        }
    }
    HD_ASSERT(live == rt.live_count);         /* 1 */
    check_heap();                             /* 4 */
    HD_ASSERT(outside == rt.outside_count);   /* 5 */
    HD_ASSERT(own == rt.own_count);           /* 5 */
    HD_ASSERT(signals == rt.signal_waits);    /* 5 */
    HD_ASSERT(external == rt.external_count); /* 6 */
}

#endif
