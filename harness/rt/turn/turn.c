/* turn.c - the turn: one thread of the program has it, and gives it away before each operation.
 *
 * A thread that is about to do a visible operation publishes it and gives the turn away; the next
 * one is chosen among the threads whose pending operation can complete (is enabled). Time is
 * virtual: it stands still while anybody can run and jumps to the next deadline when nobody can.
 * Every choice is recorded, and in a replay taken from the record.
 *
 * A thread is one of
 *   RUNNING    has the turn                                   [grant]
 *   ENABLED    its pending operation can complete             [publish, hdi_changed]
 *   BLOCKED    it cannot; SLEEPING: it only waits for a time  [publish, hdi_changed]
 *   EXTERNAL   in a system call that may block                [hdi_external_enter]
 *   LOST       went on without the turn's being given back    [rt_watch]
 *   ENDED                                                     [hdi_thread_end]
 */
#include "vehicles/carrier.h"

#include <errno.h>

#include <heddle/invariant.h>

#include "arch/arch.h"
#include "core/handler_calls.h"
#include "core/real.h"
#include "core/story.h"
#include "models/always.h"
#include "models/signals.h"

struct rt rt = {.strategy = &rt_random_walk};
static __thread struct hdi_thread *self_ __attribute__((tls_model("initial-exec")));

struct hdi_thread *hdi_self(void)
{
    return self_;
}

uint32_t hdi_thread_hash(const struct hdi_thread *t)
{
    return t ? t->hash : 0;
}

bool hdi_controlled(void)
{
    struct hdi_thread *self = self_;

    if (!self || !rt.active || self->in_real)
        return false;
    if (self->inside || (self->state != HDP_T_RUNNING && self->state != HDP_T_LOST)) {
        rt.recheck = true; /* a signal handler, while this thread waits */
        return false;
    }
    if (__builtin_expect(self->state == HDP_T_LOST, 0))
        rt_rejoin(self, HD_EV_EXTERNAL, 0);
    return true;
}

bool hdi_draining(void)
{
    return rt.draining;
}

void rt_become(struct hdi_thread *t)
{
    self_ = t;
}

void hdi_forked(void)
{
    rt.active = false;
    self_ = NULL;
    hdi_faults = 0;
}

/* Give the turn to somebody; lock held, still held on return. The caller has published its
 * operation (or ended, or left). Returns the thread that has the turn now: NULL when all that is
 * left is outside and the caller cannot wait for it. */
struct hdi_thread *rt_pass_on(bool may_wait)
{
    struct hdi_thread *me = rt.current;

    while (!rt_choose_next()) {
        if (!rt_let_time_pass(may_wait)) {
            if (rt.live_count == 0)
                break;
            rt_all_asleep();
        }
        if (rt.current != me)
            return rt.current; /* someone came back from outside meanwhile */
        if (!may_wait && (rt.external_count || rt.outside_count))
            break;
    }
    if (rt.current == me && (!me || me->state != HDP_T_RUNNING))
        rt.current = NULL;
    if (HD_INVARIANTS)
        rt_check();
    return rt.current;
}

static void publish_and_wait(struct hdi_thread *self, struct hdi_op *op)
{
    struct hdi_thread *next;

    hdi_registers_here(&self->reach.registers);
    self->inside = true;
    rt_note_place(self);
    rt_explore_yields(self, op);
    rt_lock();
    rt_publish(self, op);
    if (!self->enabled)
        rt_look_for_cycle(self);
    next = rt_pass_on(true);
    rt_unlock();
    if (next != self) {
        if (next)
            rt_vehicle->give(next);
        rt_vehicle->wait(self);
    }
    if (__builtin_expect(rt.trap_due, 0))
        rt_trap();
    self->inside = false;
}

/* Handlers run now. True: the wait that they interrupted goes on, as *op, or the operation is not ready any
 * more: others ran beside them. */
static bool handlers_ran(struct hdi_thread *self, enum hdi_wake wake, struct hdi_op *op)
{
    struct hdi_op *outer = self->turn.suspended;
    enum hdi_handled handled;

    rt_explore_handled();
    *op = self->last;
    self->turn.suspended = op;
    handled = hdi_deliver(self, op);
    self->turn.suspended = outer;
    if (wake == HDI_READY)
        return handled != HDI_NONE_RAN && op->ready && !op->ready(op);
    return wake == HDI_INTERRUPTED &&
           (handled == HDI_NONE_RAN || op->interrupt == HDI_GOES_ON ||
            (op->interrupt == HDI_RESTARTS && handled == HDI_ALL_RESTART));
}

/* A signal comes, whose handler does not have the call go on: others may run before, and end the wait. */
static enum hdi_wake interrupted(struct hdi_op *op)
{
    struct hdi_op at_once = {
        .kind = op->kind, .object = op->object, .site = op->site, .cancellable = op->cancellable};
    enum hdi_wake wake = hdi_perform(&at_once);

    return wake == HDI_CANCELLED || op->ready(op) ? wake : HDI_INTERRUPTED;
}

enum hdi_wake hdi_perform(struct hdi_op *op)
{
    struct hdi_thread *self = self_;
    int saved = errno; /* it is the program's: no pthread function touches it */
    struct hdi_op again;
    enum hdi_wake wake;

    if (__builtin_expect(hdi_always_standing, 0))
        hdi_always_look(op->site);
    if (__builtin_expect(hdi_faults, 0) && rt_fault_of_wait(self, op))
        return interrupted(op);
    if (hdi_in_doubtful_handler(self))
        hdi_handler_does(self, op);
    publish_and_wait(self, op);
    wake = self->turn.wake;
    while (__builtin_expect(hdi_signalled(self), 0) && handlers_ran(self, wake, &again)) {
        publish_and_wait(self, &again);
        wake = self->turn.wake;
    }
    errno = saved;
    if (self->cancel.pending && self->cancel.async && !self->cancel.disabled)
        hdi_cancel_self();
    return wake;
}

void hdi_point(enum hd_event kind, struct hdi_object *object, uint64_t site)
{
    struct hdi_op op = {.kind = kind, .object = object, .site = site};
    hdi_perform(&op);
}

#define STATE_WORDS 64u

/* What the program has in registers and in the frames nearest to the call. */
__attribute__((no_sanitize("address"))) static uint64_t state_of(const struct hdi_thread *t,
                                                                 const void *frame)
{
    const uint64_t *p = (const uint64_t *)frame - HDI_SAVED_BELOW_FRAME;
    uint64_t h = (uint64_t)(uintptr_t)frame;

    for (uint32_t i = 0; i < STATE_WORDS; i++) {
        if (t->stack_high && (uintptr_t)(p + i + 1) > t->stack_high)
            break;
        h = hash_next(h ^ p[i]);
    }
    return h;
}

void hdi_yield(const void *frame, uint64_t site)
{
    enum { KEPT = sizeof self_->turn.yielded / sizeof *self_->turn.yielded };
    uint64_t state = state_of(self_, frame);
    struct hdi_op op = {.kind = HD_EV_YIELD, .site = site, .progress = true};

    for (uint32_t i = 0; i < KEPT; i++)
        op.progress &= self_->turn.yielded[i] != state;
    self_->turn.yielded[self_->turn.yields++ % KEPT] = state;
    self_->turn.yields_from = (const uint64_t *)frame - HDI_SAVED_BELOW_FRAME;
    hdi_perform(&op);
    self_->turn.yields_from = NULL;
}

/* What was just written may be what somebody waits for whose descriptor is not looked at else. */
static bool others_can_run(void)
{
    if (rt_others_can_run() || !rt.outside_count)
        return rt_others_can_run();
    rt_lock();
    for (uint32_t i = rt_set_next(&rt.outside, 0); i != RT_SET_END;
         i = rt_set_next(&rt.outside, i + 1))
        rt_evaluate(rt.all[i]);
    rt_unlock();
    return rt_others_can_run();
}

/* In a replay: where the record has such a decision of this thread next. */
static bool stops_after_release(uint64_t site)
{
    if (rt.replaying)
        return rt.config.flags & HDP_STRETCHES ? rt_stretches_stops(self_)
                                               : rt_replay_next_kind(self_) == HD_EV_RELEASED;
    if (rt.config.flags & HDP_REPLAY || !others_can_run())
        return false;
    return (rt.strategy->stops_behind && rt.strategy->stops_behind(site)) ||
           (rt.config.flags & HDP_RELEASED && hash_place(rt.config.seed, site) % 4 != 0);
}

void hdi_released(struct hdi_object *object, uint64_t site)
{
    if (rt.started && !rt.draining && rt.live_count > 1 && stops_after_release(site))
        hdi_point(HD_EV_RELEASED, object, site);
}

bool hdi_inner_points(void)
{
    return rt.started && (rt.config.flags & HDP_INNER) != 0;
}

uint32_t hdi_choose(uint32_t n, uint64_t site)
{
    struct hdp_result *r = &rt.region->result;
    uint32_t value = 0;
    bool followed = false;

    if (n <= 1)
        return 0;
    rt_lock();
    if (rt.config.flags & HDP_EDITED)
        followed = rt_edited_choice(self_, n, site, &value);
    else if (rt.config.flags & HDP_STRETCHES)
        value = rt_stretches_choice(self_, n, site);
    else if (rt.replaying)
        value = rt_replay_choice(n, site, &followed);
    else if (rt.exploring) {
        value = rt_explore_choice(n);
        followed = true;
    }
    if (!followed && (!(rt.config.flags & HDP_REPLAY) || rt.config.attempt >= HDP_NEAR))
        value = rt_random_below(n);
    if (r->steps < HDP_STEPS)
        rt.region->trace[r->steps] = (struct hdp_step){
            .thread = self_->hash, .flags = HDP_STEP_CHOICE, .choice = value, .site = site};
    r->steps++;
    r->interleaving +=
        hash_next(((uint64_t)self_->hash << 32 | self_->turn.steps) ^ hash_next(value + 1));
    rt_unlock();
    return value;
}

void hdi_chose(uint32_t what, uint32_t detail)
{
    uint32_t steps = rt.region->result.steps;

    if (steps && steps <= HDP_STEPS)
        rt.region->trace[steps - 1].flags |= HDP_STEP_CHOSE(what, detail < 255 ? detail : 255);
}

/* ---- outside ---- */

void hdi_external_enter(uint64_t site)
{
    struct hdi_thread *self = self_, *next;

    if (rt.in_process) {
        rt.region->result.external++;
        return; /* there is no other thread that could go on */
    }
    if (rt_vehicle->cannot)
        rt_vehicle->cannot("waits in the kernel, in a call that has no model");
    if (__builtin_expect(hdi_always_standing, 0))
        hdi_always_look(site);
    hdi_registers_here(&self->reach.registers);
    self->inside = true;
    rt_lock();
    rt.region->result.external++;
    self->last = (struct hdi_op){.kind = HD_EV_EXTERNAL, .site = site};
    hdi_story_waits(self, &self->last);
    self->state = HDP_T_EXTERNAL;
    rt.external_count++;
    next = rt_pass_on(false);
    rt_unlock();
    if (next)
        rt_vehicle->give(next);
    self->inside = false;
}

void hdi_external_leave(void)
{
    if (!rt.in_process)
        rt_rejoin(self_, HD_EV_EXTERNAL, self_->last.site);
}

/* Come back from outside: publish, and wait for the turn (or take it, when nobody has it). */
void rt_rejoin(struct hdi_thread *self, enum hd_event kind, uint64_t site)
{
    struct hdi_op op = {.kind = kind, .site = site};
    struct hdi_thread *next = NULL;
    int saved = errno;

    hdi_registers_here(&self->reach.registers);
    self->inside = true;
    rt_lock();
    if (self->state == HDP_T_EXTERNAL || self->state == HDP_T_LOST)
        rt.external_count--;
    rt_publish(self, &op);
    if (!rt.current)
        next = rt_pass_on(true);
    rt_unlock();
    if (next != self) {
        if (next)
            rt_vehicle->give(next);
        rt_vehicle->wait(self);
    }
    if (__builtin_expect(rt.trap_due, 0))
        rt_trap();
    self->inside = false;
    if (hdi_signalled(self))
        hdi_deliver(self, NULL);
    errno = saved;
}

/* ---- signals ---- */

bool hdi_postpones(void)
{
    return rt.active && !rt.in_process;
}

void hdi_signal_arrived(void)
{
    rt.recheck = true;
}
