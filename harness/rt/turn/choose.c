/* choose.c - who has the turn next: among the threads whose pending operation can complete, by the
 * strategy, or by the schedule that is replayed. */
#include "rt.h"

#include <string.h>

#include "core/coverage.h"
#include "models/signals.h"
#include "reach/reach.h"

#define LIVELOCK_OPS 20000u
/* One sleep or failed try in so many decisions: threads try again and again. */
#define TRYING 32u
/* How often those are looked for who could run and are not let. */
#define STARVED_EVERY 256u
#define STARVED_STEPS 2048u

void rt_record(struct hdi_thread *t, uint16_t flags)
{
    struct hdp_result *r = &rt.region->result;
    const struct hdi_op *op = t->op ? t->op : &t->last;
    struct hdi_object *o = op->object;

    if (r->steps < HDP_STEPS)
        rt.region->trace[r->steps] = (struct hdp_step){.thread = t->hash,
                                                       .kind = (uint16_t)op->kind,
                                                       .flags = flags,
                                                       .object = o ? o->id : 0,
                                                       .site = op->site};
    r->steps++;
    hdi_points_step(r->steps);
    rt.region->progress = r->steps;
    if (op->kind == HD_EV_RELEASED) /* an interleaving is one of operations: this is none */
        return;
    t->turn.steps++;
    /* A sum, so that schedules which differ in the order of independent steps agree. */
    r->interleaving += hash_next(((uint64_t)t->hash << 32 | t->turn.steps) ^
                                 hash_next(o ? (uint64_t)o->id << 32 | o->version : 0) ^ flags);
    if (o)
        o->version++;
}

static void note_user(struct hdi_thread *t)
{
    struct hdi_object *o = t->op->object;
    uint32_t i;

    if (!o)
        return;
    for (i = 0; i < o->users; i++)
        if (o->user[i].thread == t->hash && o->user[i].kind == t->op->kind)
            break;
    if (i == o->users) {
        if (o->users < sizeof o->user / sizeof o->user[0])
            o->users++;
        else
            i = (uint32_t)(t->turn.steps % (sizeof o->user / sizeof o->user[0]));
    }
    o->user[i].thread = t->hash;
    o->user[i].kind = (uint16_t)t->op->kind;
    o->user[i].site = t->op->site;
}

/* It has just made one more try of a loop that waits; one that has made several waits for longer, unless
 * somebody has got on since. */
static bool tries_in_vain(const struct hdi_thread *t)
{
    uint32_t now = rt.region->result.steps + 1;

    return t->turn.retry_step == now ||
           (now <= t->turn.patient_until && rt.got_on < t->turn.retry_step);
}

static void grant(struct hdi_thread *t, enum hdi_wake wake)
{
    static const uint16_t flag[] = {[HDI_READY] = 0,
                                    [HDI_TIMED_OUT] = HDP_STEP_TIMEOUT,
                                    [HDI_SPURIOUS] = HDP_STEP_SPURIOUS,
                                    [HDI_CANCELLED] = HDP_STEP_CANCEL,
                                    [HDI_INTERRUPTED] = 0};
    struct hdi_thread *before = rt.current;
    bool preempts = before && before != t && before->op && before->enabled &&
                    before != rt.drainer && !tries_in_vain(before);

    if (__builtin_expect(rt.config.stop_at != 0, 0) &&
        rt.region->result.steps + 1 >= rt.config.stop_at)
        rt_stop_before(t);
    if (__builtin_expect(t->reach.finding != NULL, 0))
        hdi_reach_mistaken(t);
    if (rt.config.flags & HDP_EDITED)
        rt_edited_done(t);
    rt_record(t, flag[wake]);
    hdi_coverage_goes_on(t, t->op, wake);
    if (t->turn.published_move != rt.moves && ++t->turn.rounds <= RT_PERIODIC_ROUNDS)
        rt.still_move = rt.moves;
    note_user(t);
    rt_withdraw(t);
    rt.region->result.switches += before && before != t;
    rt.region->result.preemptions += preempts;
    if (!rt_only_tries(t->op))
        rt.got_on = rt.region->result.steps;
    t->last = *t->op;
    t->op = NULL;
    t->outside = false;
    t->turn.wake = (uint8_t)wake;
    t->state = HDP_T_RUNNING;
    rt.current = t;
    rt.region->result.from_outside += rt.idle_real_ns != 0;
    rt.idle_real_ns = 0;
    rt_explore_step(t, wake);
}

/* How t, which may run, would wake up. */
static enum hdi_wake wake_of(const struct hdi_thread *t)
{
    if (rt_cancel_due(t))
        return HDI_CANCELLED;
    if (t->enabled)
        return HDI_READY;
    return rt_due(t) || !hdi_signalled(t) ? HDI_TIMED_OUT : HDI_INTERRUPTED;
}

/* A timed wait may run out although others could still run, if they would not have been held back
 * for longer than is plausible. */
static struct hdi_thread *overtaken(struct hdi_thread *const *e, uint32_t n)
{
    struct hdi_thread *t;
    int64_t since = rt.now_ns;

    if (rt.strategy->no_early_time_outs || rt_random_below(8) != 0)
        return NULL;
    t = rt_earliest();
    if (!t || t->op->until_ns <= rt.now_ns ||
        !(t->op->elastic || (rt.config.flags & HDP_ELASTIC_SLEEP)))
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        if (e[i]->turn.enabled_since < since)
            since = e[i]->turn.enabled_since;
    return t->op->until_ns - since < rt.config.patience_ns ? t : NULL;
}

static struct hdi_thread *spuriously_woken(void)
{
    struct hdi_thread **live;
    uint32_t count, n = 0, k;

    if (!(rt.config.flags & HDP_SPURIOUS) || rt_random_below(16) != 0)
        return NULL;
    live = hdi_live(&count);
    for (uint32_t i = 0; i < count; i++)
        n += live[i]->op && !live[i]->enabled && live[i]->op->may_wake_spuriously;
    if (n == 0)
        return NULL;
    k = rt_random_below(n);
    for (uint32_t i = 0; i < count; i++)
        if (live[i]->op && !live[i]->enabled && live[i]->op->may_wake_spuriously && k-- == 0)
            return live[i];
    return NULL;
}

/* Those of a passed deadline join the n others that could run; in order of creation. */
static uint32_t with_those_due(struct hdi_thread **e, uint32_t n)
{
    uint32_t due = rt_deadlines_passed(rt.due);

    for (uint32_t i = 0; i < due; i++) {
        struct hdi_thread *t = rt.due[i];
        uint32_t at = n;
        if (rt_set_has(&rt.runnable, t->index))
            continue;
        for (; at > 0 && e[at - 1]->index > t->index; at--)
            e[at] = e[at - 1];
        e[at] = t;
        n++;
    }
    return n;
}

/* Who has the dynamic linker's lock goes first while it can: others may want it, and would wait for
 * it in the kernel, with the turn. */
static uint32_t loader_first(struct hdi_thread **e, uint32_t n)
{
    for (uint32_t k = 0; k < RT_LINKER_LOCKS; k++) {
        int owner = rt.linker_owner[k] ? *rt.linker_owner[k] : 0;
        for (uint32_t i = 0; owner && i < n; i++)
            if (e[i]->tid == owner) {
                e[0] = e[i];
                return 1;
            }
    }
    return n;
}

static uint32_t gather(struct hdi_thread **e)
{
    uint32_t n = 0, held_back = 0, patient = 0, now = rt.region->result.steps + 1;

    /* A handler may set it meanwhile. */
    if (__atomic_exchange_n(&rt.recheck, false, __ATOMIC_SEQ_CST)) {
        uint32_t live;
        struct hdi_thread **t = hdi_live(&live);
        for (uint32_t i = 0; i < live; i++)
            if (t[i]->op)
                rt_evaluate(t[i]);
    } else if (rt.outside_count) {
        for (uint32_t i = rt_set_next(&rt.outside, 0); i != RT_SET_END;
             i = rt_set_next(&rt.outside, i + 1))
            rt_evaluate(rt.all[i]);
    }
    for (uint32_t i = rt_set_next(&rt.runnable, 0); i != RT_SET_END;
         i = rt_set_next(&rt.runnable, i + 1))
        e[n++] = rt.all[i];
    n = with_those_due(e, n);
    n = loader_first(e, n);
    if (rt.exploring)
        return n;
    if (!rt.fair && !rt.replaying && !(rt.config.flags & HDP_REPLAY))
        n = rt_predicted_deadlock(e, n);
    for (uint32_t i = 0; i < n; i++)
        patient += e[i]->op->patient > now;
    if (patient && patient < n) {
        uint32_t m = 0;
        for (uint32_t i = 0; i < n; i++)
            if (e[i]->op->patient <= now)
                e[m++] = e[i];
        n = m;
    }
    for (uint32_t i = 0; i < n; i++)
        held_back += tries_in_vain(e[i]);
    if (held_back && held_back < n) {
        uint32_t m = 0;
        for (uint32_t i = 0; i < n; i++)
            if (!tries_in_vain(e[i]))
                e[m++] = e[i];
        n = m;
    }
    return n;
}

/* Where nothing says otherwise: who has the turn, while it can. */
static struct hdi_thread *runs_on(struct hdi_thread *const *e, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (e[i] == rt.current)
            return e[i];
    return e[0];
}

static bool replay_next(struct hdi_thread *const *e, uint32_t n)
{
    enum rt_replay how;
    uint16_t flags;
    struct hdi_thread *t = rt.config.flags & HDP_EDITED      ? rt_edited_next(e, n, &how, &flags)
                           : rt.config.flags & HDP_STRETCHES ? rt_stretches_next(&how, &flags)
                                                             : rt_replay_next(&how, &flags);

    if (!t) {
        if (how == RT_OVER)
            rt.replaying = false;
        return false;
    }
    rt.region->result.departures += n ? t != runs_on(e, n) : (flags & HDP_STEP_SPURIOUS) != 0;
    if (flags & HDP_STEP_SPURIOUS) {
        grant(t, HDI_SPURIOUS);
    } else {
        if ((flags & HDP_STEP_TIMEOUT) && rt_has_deadline(t->op) && t->op->until_ns > rt.now_ns)
            rt.now_ns = t->op->until_ns;
        /* What comes from outside may be there earlier than when this was recorded. */
        bool late = (flags & HDP_STEP_TIMEOUT) && t->op->outside && t->enabled && rt_due(t);
        grant(t, late ? HDI_TIMED_OUT : wake_of(t));
    }
    return true;
}

/* Has one of them been passed over so often that a program which polls for what it is about to do
 * would never end? For a while chance takes over from the strategy then. */
static struct hdi_thread *starved(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t step = rt.region->result.steps;
    struct hdi_thread *first = NULL;

    /* Once in each stretch, not always after the same operation of a loop. */
    if (step % STARVED_EVERY != hash_next(step / STARVED_EVERY) % STARVED_EVERY ||
        step < rt.fair_until)
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        if (e[i]->turn.passed_over++ > STARVED_STEPS / STARVED_EVERY &&
            (!first || e[i]->turn.passed_over > first->turn.passed_over))
            first = e[i];
    return n > 1 ? first : NULL;
}

/* std::terminate: there is a C++ library, whose std::lock tries again and yields, in step with another one for
 * ever if they take turns. A C program that does the same wrote that livelock itself. */
extern void terminate_of_cxx(void) __asm__("_ZSt9terminatev") __attribute__((weak));

/* Threads try again and again, but for those whose tries in step would be a livelock. */
static bool tries_forgivably(void)
{
    uint32_t tries = &terminate_of_cxx ? rt.retries : rt.sleeps;

    return tries > rt.region->result.steps / TRYING;
}

/* A strategy that takes turns can keep two threads in step for ever, each of which waits for what it
 * never finds free: in the second half of a long schedule chance has every other stretch. */
static bool late_stretch(void)
{
    uint32_t step = rt.region->result.steps;

    return rt.config.max_steps && step >= rt.config.max_steps / 2 && step / STARVED_STEPS % 2 &&
           rt.retries <= step / TRYING;
}

/* True: somebody was chosen. */
static bool explore_next(struct hdi_thread **e, uint32_t n)
{
    struct hdi_thread *next = NULL;
    bool early = false;

    if (!rt_explore_next(e, n, &next, &early) || !next)
        return false;
    if (early)
        rt.now_ns = next->op->until_ns;
    grant(next, early ? HDI_TIMED_OUT : wake_of(next));
    return true;
}

bool rt_choose_next(void)
{
    struct hdi_thread **e = rt.candidate, *t;
    uint32_t n;

    rt_work_takes_time();
    rt_expire_timers();
    if (rt.moves - rt.still_move > RT_STILL_MOVES)
        rt_look_for_still();
    if (rt.cycle_step && rt.region->result.steps >= rt.cycle_step)
        rt_look_for_old_cycles();
    if (rt.region->result.steps >= rt.reach_at)
        rt_look_for_unreachable();
    if (rt.config.max_steps && rt.region->result.steps >= rt.config.max_steps / 2 &&
        !rt.retries_half) {
        rt.retries_half = rt.retries + 1;
        rt.sleeps_half = rt.sleeps;
        /* Who tries again and again is kept in step with the others by a strategy alone. */
        rt.fair |= tries_forgivably();
        struct hdi_thread **live = hdi_live(&n);
        for (uint32_t i = 0; i < n; i++)
            live[i]->turn.steps_half = live[i]->turn.steps;
    }
    if ((rt.config.max_steps && rt.region->result.steps >= rt.config.max_steps) ||
        (rt.idle_ops > LIVELOCK_OPS && !rt.exploring))
        rt_step_bound();
    n = gather(e);
    rt_look_for_repetition();
    if (n > 1 && rt.drainer)
        for (uint32_t i = 0; i < n; i++)
            if (e[i] == rt.drainer) {
                memmove(&e[i], &e[i + 1], (n - i - 1) * sizeof e[0]);
                n--;
                break;
            }
    while (rt.exploring) {
        if (explore_next(e, n))
            return true;
        if (rt.exploring)
            return false;
        n = gather(e); /* the exploration ended here: chance takes over */
    }
    if (rt.replaying) {
        if (rt.current && rt_predicted_race_passes(rt.current)) {
            grant(rt.current, HDI_READY);
            return true;
        }
        if (replay_next(e, n))
            return true;
        if (rt.replaying)
            return false;
        /* Used up: the running thread goes on while it can. */
    }
    if (n == 0)
        return false;
    n = rt_predicted_race(e, n);
    if (rt.config.flags & HDP_REPLAY && rt.config.attempt < HDP_NEAR) {
        t = runs_on(e, n);
        grant(t, wake_of(t));
        return true;
    }
    if (!rt.draining && (t = overtaken(e, n))) {
        rt.now_ns = t->op->until_ns;
        grant(t, HDI_TIMED_OUT);
        return true;
    }
    if (!rt.draining && (t = spuriously_woken())) {
        grant(t, HDI_SPURIOUS);
        return true;
    }
    /* A strategy that holds threads back must not make a livelock of it: chance is fair. */
    rt.fair |= rt.idle_ops > LIVELOCK_OPS / 4;
    if ((t = starved(e, n)))
        rt.fair_until = rt.region->result.steps + STARVED_STEPS;
    else if (n == 1)
        t = e[0];
    else if (rt.fair || rt.region->result.steps < rt.fair_until || late_stretch())
        t = e[rt_random_below(n)];
    else
        t = e[rt.strategy->pick(e, n)];
    grant(t, wake_of(t));
    return true;
}
