/* operations.c - what threads are about to do, and whether they could do it now. */
#include "rt.h"

#include "core/coverage.h"
#include "core/story.h"
#include "models/signals.h"
#include "reach/reach.h"

/* Failed tries in a row that make a loop. */
#define RETRIES_ARE_A_LOOP 8u
/* Tries in vain, in a row, from which each makes the wait for the next twice as long; up to so many. */
#define FEW_TRIES 3u
#define MOST_TRIES 9u

bool rt_due(const struct hdi_thread *t)
{
    return t->op && rt_has_deadline(t->op) && t->op->until_ns <= rt.now_ns;
}

bool rt_cancel_due(const struct hdi_thread *t)
{
    return t->cancel.pending && !t->cancel.disabled && t->op && t->op->cancellable;
}

bool rt_others_can_run(void)
{
    return rt_set_next(&rt.runnable, 0) != RT_SET_END ||
           (rt.deadlines && rt_first_deadline() <= rt.now_ns);
}

static void deadline(struct hdi_thread *t, bool waits)
{
    const struct hdi_thread *first = rt_earliest();
    bool known = waits && t->turn.deadline_at && t->turn.deadline_ns == t->op->until_ns;

    if (known) /* it was only looked at again */
        return;
    if (waits)
        rt_deadline_set(t);
    else if (t->turn.deadline_at)
        rt_deadline_remove(t);
    else
        return;
    rt_explore_deadlines(first);
}

/* Can t's pending operation complete now? Keeps rt.runnable and rt.deadline in step. */
static void evaluate(struct hdi_thread *t)
{
    bool ready = !t->op->ready || t->op->ready(t->op);

    if (ready && !t->enabled)
        t->turn.enabled_since = rt.now_ns;
    if (ready != t->enabled)
        rt_explore_affects(t, ready && !rt_has_deadline(t->op));
    if (__builtin_expect(t->reach.finding != NULL, 0) && ready)
        hdi_reach_mistaken(t);
    t->enabled = ready;
    if (ready || rt_cancel_due(t) || hdi_signalled(t))
        rt_set_add(&rt.runnable, t->index);
    else
        rt_set_remove(&rt.runnable, t->index);
    deadline(t, !ready && rt_has_deadline(t->op));
    t->state = ready ? HDP_T_ENABLED : t->op->kind == HD_EV_SLEEP ? HDP_T_SLEEPING : HDP_T_BLOCKED;
}

void rt_evaluate(struct hdi_thread *t)
{
    bool was = t->enabled;

    evaluate(t);
    if (t->enabled && !was) /* what comes from outside is nobody's doing */
        hdi_story_goes_on(t, t->op, t->outside || rt.current == t ? NULL : rt.current);
    else if (was && !t->enabled) {
        hdi_story_waits(t, t->op);
        hdi_coverage_waits(t, t->op);
    }
}

static void link_pending(struct hdi_thread *t)
{
    if (t->op->object) {
        t->pending_next = t->op->object->pending;
        t->op->object->pending = t;
    }
    if (t->outside) {
        rt.outside_count++;
        rt.own_count += t->op->own;
        rt_set_add(&rt.outside, t->index);
    }
    rt.signal_waits += t->outside && t->op->kind == HD_EV_SIGNAL_WAIT;
}

void rt_withdraw(struct hdi_thread *t)
{
    if (t->op->object)
        for (struct hdi_thread **p = &t->op->object->pending; *p; p = &(*p)->pending_next)
            if (*p == t) {
                *p = t->pending_next;
                break;
            }
    if (t->outside) {
        rt.outside_count--;
        rt.own_count -= t->op->own;
        rt_set_remove(&rt.outside, t->index);
    }
    rt_set_remove(&rt.runnable, t->index);
    deadline(t, false);
    rt.signal_waits -= t->outside && t->op->kind == HD_EV_SIGNAL_WAIT;
}

/* Threads that try again and again do nothing else. An update tells itself whether it changed anything. */
bool rt_only_tries(const struct hdi_op *op)
{
    switch (op->kind) {
    case HD_EV_YIELD:
    case HD_EV_PREEMPT:
        return !op->progress;
    case HD_EV_SLEEP:
    case HD_EV_MUTEX_TRYLOCK:
    case HD_EV_RWLOCK_TRYLOCK:
    case HD_EV_SPIN_TRYLOCK:
    case HD_EV_SEM_TRYWAIT:
    case HD_EV_READ:
    case HD_EV_ATOMIC_LOAD:
    case HD_EV_ATOMIC_RMW:
        return true;
    default:
        return false;
    }
}

void hdi_got_on(void)
{
    hdi_self()->turn.idle_ops = hdi_self()->turn.tries = 0;
    rt.idle_ops = 0;
    rt.got_on = rt.region->result.steps;
    rt_explore_got_on();
}

void rt_publish(struct hdi_thread *t, struct hdi_op *op)
{
    bool is_try = rt_has_deadline(op) && op->until_ns <= rt.now_ns; /* it is past already */

    op->self = t;
    t->turn.published = *op;
    op = t->op = &t->turn.published;
    t->outside = op->outside;
    t->enabled = false;
    t->turn.passed_over = 0;
    t->turn.published_move = rt.moves;
    if (__builtin_expect(hdi_has_forked(), 0) && t == hdi_self())
        hdi_mask_note(t);
    link_pending(t);
    evaluate(t);
    rt_explore_published(op);
    if (!t->enabled) {
        hdi_story_waits(t, op);
        hdi_coverage_waits(t, op);
    }
    if (!rt_only_tries(op) && !is_try) {
        t->turn.idle_ops = t->turn.tries = 0;
        rt.idle_ops = 0;
    }
    if (op->kind == HD_EV_SLEEP) {
        rt.retries++;
        rt.sleeps++;
    } else if (op->kind == HD_EV_YIELD || op->kind == HD_EV_PREEMPT) {
        t->turn.retry_step = t->turn.patient_until = rt.region->result.steps + 1;
        if (!op->progress) {
            rt.retries++;
            rt.idle_ops++;
            if (t->turn.tries >= FEW_TRIES)
                t->turn.patient_until += 1u << (t->turn.tries - FEW_TRIES);
            t->turn.tries += t->turn.tries < MOST_TRIES;
        }
        if (rt.strategy->yielded)
            rt.strategy->yielded(t);
    }
    if (!t->enabled)
        t->turn.clock_reads = 0;
    t->reach.since = rt.region->result.steps;
}

void hdi_retry(void)
{
    struct hdi_thread *self = hdi_self();

    if (rt.config.flags & HDP_EXHAUSTIVE) {
        struct hdi_op op = {.kind = HD_EV_YIELD, .site = self->last.site, .granted = true};
        hdi_perform(&op);
        return;
    }
    rt.retries++;
    rt.idle_ops++;
    if (++self->turn.idle_ops >= RETRIES_ARE_A_LOOP) {
        rt_lock();
        self->turn.retry_step = rt.region->result.steps + 1;
        if (rt.strategy->yielded)
            rt.strategy->yielded(self);
        rt_unlock();
    }
}

void hdi_changed(struct hdi_object *o)
{
    rt_explore_changed(o);
    for (struct hdi_thread *t = o->pending; t; t = t->pending_next)
        rt_evaluate(t);
}

void hdi_reconsider(struct hdi_thread *t)
{
    if (t->op)
        rt_evaluate(t);
}

void hdi_retarget(struct hdi_thread *t, enum hd_event kind, struct hdi_object *object,
                  bool (*ready)(const struct hdi_op *))
{
    struct hdi_op *op = t->turn.suspended ? t->turn.suspended : t->op;

    rt_explore_affects(t, !rt_has_deadline(op));
    if (t->reach.finding) /* it was signalled, whether or not it gets the mutex */
        hdi_reach_mistaken(t);
    hdi_story_goes_on(t, op, rt.current);
    hdi_coverage_goes_on(t, op, HDI_READY);
    if (op == t->op)
        rt_withdraw(t);
    op->kind = kind;
    op->object = object;
    op->ready = ready;
    op->until_ns = 0;
    op->may_wake_spuriously = false;
    op->cancellable = false;
    if (op != t->op) /* its thread is in a handler, and will publish this */
        return;
    link_pending(t);
    evaluate(t);
    if (!t->enabled) {
        hdi_story_waits(t, op);
        hdi_coverage_waits(t, op);
        rt_look_for_cycle(t);
    }
}
