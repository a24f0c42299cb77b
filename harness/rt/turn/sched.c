/* sched.c - who runs next.
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
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "reach/reach.h"
#include "core/real.h"
#include "models/signals.h"

/* How long the outside may take before the clock jumps. */
#define IDLE_GRACE_NS 20000000
/* How long a replay waits for a thread that came back from outside in the record. */
#define REPLAY_PATIENCE_NS 2000000000
#define RETRIES_ARE_A_LOOP 8u
#define LIVELOCK_OPS 20000u
/* Steps that a thread waits before somebody asks whether it can ever be woken. */
#define REACH_PATIENCE 1000u
/* Price of a look that is always taken when a schedule is cut or the program leaves. */
#define CHEAP_LOOK 100000u
/* How long a leak check lets threads run that could do so for ever. */
#define PATIENCE_STEPS 10000u
#define IDLE_OPS 250u

struct rt rt;
static __thread struct hdi_thread *self_ __attribute__((tls_model("initial-exec")));
static const struct rt_strategy *strategy = &rt_random_walk;

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

int64_t rt_real_ns(void)
{
    struct timespec ts;
    hdi_real.syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* ---- pending operations ---- */

static bool has_deadline(const struct hdi_op *op)
{
    return op->until_ns > 0 && op->until_ns != HDI_FOREVER;
}

bool rt_due(const struct hdi_thread *t)
{
    return t->op && has_deadline(t->op) && t->op->until_ns <= rt.now_ns;
}

static bool cancel_due(const struct hdi_thread *t)
{
    return t->cancel_pending && !t->cancel_disabled && t->op && t->op->cancellable;
}

/* Something makes t worth the turn although its operation cannot complete. */
static bool called(const struct hdi_thread *t)
{
    return rt_due(t) || cancel_due(t) || hdi_signalled(t);
}

static void evaluate(struct hdi_thread *t)
{
    bool ready = !t->op->ready || t->op->ready(t->op);

    if (ready && !t->enabled)
        t->enabled_since = rt.now_ns;
    if (__builtin_expect(t->reach.finding != NULL, 0) && ready)
        hdi_reach_mistaken(t);
    t->enabled = ready;
    t->state = ready ? HDP_T_ENABLED : t->op->kind == HD_EV_SLEEP ? HDP_T_SLEEPING : HDP_T_BLOCKED;
}

static void link_pending(struct hdi_thread *t)
{
    if (t->op->object) {
        t->pending_next = t->op->object->pending;
        t->op->object->pending = t;
    }
    if (t->outside)
        rt.outside_count++;
    rt.signal_waits += t->outside && t->op->kind == HD_EV_SIGNAL_WAIT;
}

static void unlink_pending(struct hdi_thread *t)
{
    if (t->op->object)
        for (struct hdi_thread **p = &t->op->object->pending; *p; p = &(*p)->pending_next)
            if (*p == t) {
                *p = t->pending_next;
                break;
            }
    if (t->outside)
        rt.outside_count--;
    rt.signal_waits -= t->outside && t->op->kind == HD_EV_SIGNAL_WAIT;
}

static void publish(struct hdi_thread *t, struct hdi_op *op)
{
    op->self = t;
    t->published = *op;
    op = t->op = &t->published;
    t->outside = op->outside;
    t->enabled = false;
    link_pending(t);
    evaluate(t);
    switch (op->kind) {
    case HD_EV_YIELD:
    case HD_EV_PREEMPT:
        rt.retries++;
        t->retry_step = rt.region->result.steps + 1;
        rt.idle_ops++;
        strategy->yielded ? strategy->yielded(t) : (void)0;
        break;
    case HD_EV_SLEEP:
        rt.retries++;
        rt.sleeps++;
        break;
    case HD_EV_MUTEX_TRYLOCK:
    case HD_EV_RWLOCK_TRYLOCK:
    case HD_EV_SPIN_TRYLOCK:
    case HD_EV_SEM_TRYWAIT:
    case HD_EV_READ:
    case HD_EV_ATOMIC_LOAD:
        break;
    default:
        t->idle_ops = 0;
        rt.idle_ops = 0;
        break;
    }
    if (!t->enabled)
        t->clock_reads = 0;
    t->reach.since = rt.region->result.steps;
}

void hdi_retry(void)
{
    struct hdi_thread *self = self_;

    rt.retries++;
    rt.idle_ops++;
    if (++self->idle_ops >= RETRIES_ARE_A_LOOP) {
        rt_lock();
        self->retry_step = rt.region->result.steps + 1;
        if (strategy->yielded)
            strategy->yielded(self);
        rt_unlock();
    }
}

void hdi_changed(struct hdi_object *o)
{
    for (struct hdi_thread *t = o->pending; t; t = t->pending_next)
        evaluate(t);
}

void hdi_reconsider(struct hdi_thread *t)
{
    if (t->op)
        evaluate(t);
}

void hdi_forked(void)
{
    rt.active = false;
    self_ = NULL;
}

void hdi_retarget(struct hdi_thread *t, enum hd_event kind, struct hdi_object *object,
                  bool (*ready)(const struct hdi_op *))
{
    struct hdi_op *op = t->suspended ? t->suspended : t->op;

    if (t->reach.finding) /* it was signalled, whether or not it gets the mutex */
        hdi_reach_mistaken(t);
    if (op == t->op)
        unlink_pending(t);
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
}

/* ---- choosing ---- */

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
    rt.region->progress = r->steps;
    t->steps++;
    /* A sum, so that schedules which differ in the order of independent steps agree. */
    r->interleaving += rt_mix(((uint64_t)t->hash << 32 | t->steps) ^
                              rt_mix(o ? (uint64_t)o->id << 32 | o->version : 0) ^ flags);
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
            i = (uint32_t)(t->steps % (sizeof o->user / sizeof o->user[0]));
    }
    o->user[i].thread = t->hash;
    o->user[i].kind = (uint16_t)t->op->kind;
    o->user[i].site = t->op->site;
}

static void grant(struct hdi_thread *t, enum hdi_wake wake)
{
    static const uint16_t flag[] = {[HDI_READY] = 0,
                                    [HDI_TIMED_OUT] = HDP_STEP_TIMEOUT,
                                    [HDI_SPURIOUS] = HDP_STEP_SPURIOUS,
                                    [HDI_CANCELLED] = HDP_STEP_CANCEL,
                                    [HDI_INTERRUPTED] = 0};
    struct hdi_thread *before = rt.current;

    if (__builtin_expect(t->reach.finding != NULL, 0))
        hdi_reach_mistaken(t);
    rt_record(t, flag[wake]);
    note_user(t);
    unlink_pending(t);
    if (before && before != t) {
        rt.region->result.switches++;
        if (before->op && before->enabled)
            rt.region->result.preemptions++;
    }
    t->last = *t->op;
    t->op = NULL;
    t->outside = false;
    t->wake = (uint8_t)wake;
    t->state = HDP_T_RUNNING;
    rt.current = t;
    rt.idle_real_ns = 0;
}

static struct hdi_thread *earliest(void)
{
    struct hdi_thread *first = NULL;

    for (uint32_t i = 0; i < rt.live_count; i++) {
        struct hdi_thread *t = rt.live[i];
        if (t->op && !t->enabled && has_deadline(t->op) &&
            (!first || t->op->until_ns < first->op->until_ns))
            first = t;
    }
    return first;
}

int64_t rt_first_deadline(void)
{
    struct hdi_thread *t = earliest();
    return t ? t->op->until_ns : 0;
}

/* How t, which may run, would wake up. */
static enum hdi_wake wake_of(const struct hdi_thread *t)
{
    if (cancel_due(t))
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

    if (rt.config.strategy == HDP_RR || rt_random_below(8) != 0)
        return NULL;
    t = earliest();
    if (!t || !(t->op->elastic || (rt.config.flags & HDP_ELASTIC_SLEEP)))
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        if (e[i]->enabled_since < since)
            since = e[i]->enabled_since;
    return t->op->until_ns - since < rt.config.patience_ns ? t : NULL;
}

static struct hdi_thread *spuriously_woken(void)
{
    uint32_t n = 0, k;

    if (!(rt.config.flags & HDP_SPURIOUS) || rt_random_below(16) != 0)
        return NULL;
    for (uint32_t i = 0; i < rt.live_count; i++)
        n += rt.live[i]->op && !rt.live[i]->enabled && rt.live[i]->op->may_wake_spuriously;
    if (n == 0)
        return NULL;
    k = rt_random_below(n);
    for (uint32_t i = 0; i < rt.live_count; i++)
        if (rt.live[i]->op && !rt.live[i]->enabled && rt.live[i]->op->may_wake_spuriously &&
            k-- == 0)
            return rt.live[i];
    return NULL;
}

static uint32_t gather(struct hdi_thread **e)
{
    uint32_t n = 0, held_back = 0, patient = 0, now = rt.region->result.steps + 1;

    if (rt.outside_count || rt.recheck)
        for (uint32_t i = 0; i < rt.live_count; i++)
            if (rt.live[i]->op && (rt.recheck || rt.live[i]->outside))
                evaluate(rt.live[i]);
    rt.recheck = false;
    for (uint32_t i = 0; i < rt.live_count; i++) {
        struct hdi_thread *t = rt.live[i];
        if (!t->op || !(t->enabled || called(t)))
            continue;
        e[n++] = t;
    }
    if (!rt.fair && !rt.replaying && !(rt.config.flags & HDP_REPLAY))
        n = rt_steer(e, n);
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
        held_back += e[i]->retry_step == now;
    if (held_back && held_back < n) {
        uint32_t m = 0;
        for (uint32_t i = 0; i < n; i++)
            if (e[i]->retry_step != now)
                e[m++] = e[i];
        n = m;
    }
    return n;
}

static bool replay_next(void)
{
    enum rt_replay how;
    uint16_t flags;
    struct hdi_thread *t = rt_replay_next(&how, &flags);

    if (!t) {
        if (how == RT_OVER)
            rt.replaying = false;
        return false;
    }
    if (flags & HDP_STEP_SPURIOUS) {
        grant(t, HDI_SPURIOUS);
    } else {
        if ((flags & HDP_STEP_TIMEOUT) && has_deadline(t->op) && t->op->until_ns > rt.now_ns)
            rt.now_ns = t->op->until_ns;
        grant(t, wake_of(t));
    }
    return true;
}

/* Threads that only look again and again would do so until something else happens. */
static void idlers_let_time_pass(void)
{
    struct hdi_thread *t;
    int64_t at = hdi_timer_next();

    if (rt.idle_ops == 0 || rt.idle_ops % IDLE_OPS != 0 || rt.draining)
        return;
    t = earliest();
    if (t && (!at || t->op->until_ns < at))
        at = t->op->until_ns;
    if (at > rt.now_ns)
        rt.now_ns = at;
}

static void expire_timers(void)
{
    int64_t at = hdi_timer_next();

    if (at && at <= rt.now_ns && !rt.draining)
        hdi_timer_expire(rt.now_ns);
}

/* Seldom, and more and more seldom: a look costs as much as some hundred steps, and more in a large
 * heap. */
static void look_for_unreachable(void)
{
    uint32_t steps = rt.region->result.steps, price = hdi_reach_price();

    if (rt.draining)
        return;
    if (steps - rt.reach_last < price) {
        rt.reach_at = rt.reach_last + price;
        return;
    }
    switch (hdi_reach_look(steps - REACH_PATIENCE)) {
    case HDI_REACH_NOBODY:
        rt.reach_at = steps + REACH_PATIENCE / 4;
        break;
    case HDI_REACH_LOOKED:
    case HDI_REACH_UNSURE:
        rt.reach_last = steps;
        rt.reach_at = 2 * steps;
        break;
    }
}

bool rt_choose_next(void)
{
    static struct hdi_thread *e[RT_MAX_LIVE];
    struct hdi_thread *t;
    uint32_t n;

    idlers_let_time_pass();
    expire_timers();
    if (rt.region->result.steps >= rt.reach_at)
        look_for_unreachable();
    if (rt.config.max_steps && rt.region->result.steps >= rt.config.max_steps / 2 &&
        !rt.retries_half) {
        rt.retries_half = rt.retries + 1;
        rt.sleeps_half = rt.sleeps;
        for (uint32_t i = 0; i < rt.live_count; i++)
            rt.live[i]->steps_half = rt.live[i]->steps;
    }
    if ((rt.config.max_steps && rt.region->result.steps >= rt.config.max_steps) ||
        rt.idle_ops > LIVELOCK_OPS)
        rt_step_bound();
    n = gather(e);
    if (n > 1 && rt.drainer)
        for (uint32_t i = 0; i < n; i++)
            if (e[i] == rt.drainer) {
                memmove(&e[i], &e[i + 1], (n - i - 1) * sizeof e[0]);
                n--;
                break;
            }
    if (rt.replaying) {
        if (rt.current && rt_meet_passes(rt.current)) {
            grant(rt.current, HDI_READY);
            return true;
        }
        if (replay_next())
            return true;
        if (rt.replaying)
            return false;
        /* Used up: the running thread goes on while it can. */
    }
    if (n == 0)
        return false;
    n = rt_meet(e, n);
    if (rt.config.flags & HDP_REPLAY) {
        t = e[0];
        for (uint32_t i = 0; i < n; i++)
            if (e[i] == rt.current)
                t = e[i];
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
    t = e[n == 1 ? 0 : rt.fair ? rt_random_below(n) : strategy->pick(e, n)];
    grant(t, wake_of(t));
    return true;
}

/* Nobody can run: let time pass. True when it is worth choosing again. Lock held; dropped while
 * waiting for the outside. False: nobody ever will. */
static bool let_time_pass(bool may_wait)
{
    struct hdi_thread *first = earliest();
    bool child = hdi_children_live(), outside = rt.external_count || rt.outside_count || child;
    bool near = rt.external_count || rt.outside_count > rt.signal_waits || child;
    int64_t timer = hdi_timer_next(), at = first ? first->op->until_ns : 0, now;

    /* Nobody else will move: an alarm that would only kill the program is no way on. */
    if (timer && !outside && !first && (rt_circle() || !hdi_timer_helps()))
        timer = 0;
    if (timer && (!at || timer < at))
        at = timer;
    if (at && rt.now_ns >= at)
        return at == timer || !rt.drainer;
    /* Who waits for a signal from outside holds nobody up. */
    if (at && (at == timer ? !child && !rt.external_count : !near) && !rt.drainer) {
        rt.now_ns = at;
        return true;
    }
    if (!outside)
        return false;
    now = rt_real_ns();
    if (!rt.idle_real_ns)
        rt.idle_real_ns = now;
    if (rt.replaying) {
        if (now - rt.idle_real_ns > REPLAY_PATIENCE_NS) {
            rt.region->result.diverged_at = rt.replay_at + 1;
            rt.replaying = false;
        }
    } else if (at && now - rt.idle_real_ns > (child ? at - rt.now_ns : IDLE_GRACE_NS)) {
        rt.now_ns = at;
        rt.idle_real_ns = 0;
        return true;
    }
    if (rt.config.timeout_ms && now - rt.real_start_ns > rt.config.timeout_ms * 1000000LL)
        rt_hang();
    if (!may_wait)
        return true;
    rt_unlock();
    {
        struct timespec ts = {0, now - rt.idle_real_ns < 2000000 ? 50000 : 1000000};
        hdi_real.syscall(SYS_nanosleep, &ts, NULL);
    }
    rt_lock();
    return true;
}

/* Give the turn to somebody; lock held, still held on return. The caller has published its
 * operation (or ended, or left). Returns the thread that has the turn now: NULL when all that is
 * left is outside and the caller cannot wait for it. */
struct hdi_thread *rt_pass_on(bool may_wait)
{
    struct hdi_thread *me = rt.current;

    while (!rt_choose_next()) {
        if (!let_time_pass(may_wait)) {
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
    return rt.current;
}

static void publish_and_wait(struct hdi_thread *self, struct hdi_op *op)
{
    struct hdi_thread *next;

    hdi_reach_registers(self->reach.registers);
    self->inside = true;
    rt_note_place(self);
    rt_lock();
    publish(self, op);
    next = rt_pass_on(true);
    rt_unlock();
    if (next != self) {
        if (next)
            rt_vehicle->give(next);
        rt_vehicle->wait(self);
    }
    self->inside = false;
}

/* Handlers run now. True: the wait that they interrupted goes on, as *op. */
static bool handlers_ran(struct hdi_thread *self, enum hdi_wake wake, struct hdi_op *op)
{
    struct hdi_op *outer = self->suspended;
    enum hdi_handled handled;

    *op = self->last;
    self->suspended = op;
    handled = hdi_deliver(self);
    self->suspended = outer;
    return wake == HDI_INTERRUPTED &&
           (handled == HDI_NONE_RAN || op->interrupt == HDI_GOES_ON ||
            (op->interrupt == HDI_RESTARTS && handled == HDI_ALL_RESTART));
}

enum hdi_wake hdi_perform(struct hdi_op *op)
{
    struct hdi_thread *self = self_;
    int saved = errno; /* it is the program's: no pthread function touches it */
    struct hdi_op again;
    enum hdi_wake wake;

    publish_and_wait(self, op);
    wake = self->wake;
    while (__builtin_expect(hdi_signalled(self), 0) && handlers_ran(self, wake, &again)) {
        publish_and_wait(self, &again);
        wake = self->wake;
    }
    errno = saved;
    if (self->cancel_pending && self->cancel_async && !self->cancel_disabled)
        hdi_cancel_self();
    return wake;
}

void hdi_point(enum hd_event kind, struct hdi_object *object, uint64_t site)
{
    struct hdi_op op = {.kind = kind, .object = object, .site = site};
    hdi_perform(&op);
}

uint32_t hdi_choose(uint32_t n, uint64_t site)
{
    struct hdp_result *r = &rt.region->result;
    uint32_t value = 0;
    bool followed = false;

    if (n <= 1)
        return 0;
    rt_lock();
    if (rt.replaying)
        value = rt_replay_choice(n, site, &followed);
    if (!followed && !(rt.config.flags & HDP_REPLAY))
        value = rt_random_below(n);
    if (r->steps < HDP_STEPS)
        rt.region->trace[r->steps] = (struct hdp_step){
            .thread = self_->hash, .flags = HDP_STEP_CHOICE, .choice = value, .site = site};
    r->steps++;
    r->interleaving += rt_mix(((uint64_t)self_->hash << 32 | self_->steps) ^ rt_mix(value + 1));
    rt_unlock();
    return value;
}

/* ---- outside ---- */

void hdi_external_enter(uint64_t site)
{
    struct hdi_thread *self = self_, *next;

    if (rt.in_process)
        return; /* there is no other thread that could go on */
    hdi_reach_registers(self->reach.registers);
    self->inside = true;
    rt_lock();
    rt.region->result.external++;
    self->last = (struct hdi_op){.kind = HD_EV_EXTERNAL, .site = site};
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

    hdi_reach_registers(self->reach.registers);
    self->inside = true;
    rt_lock();
    if (self->state == HDP_T_EXTERNAL || self->state == HDP_T_LOST)
        rt.external_count--;
    publish(self, &op);
    if (!rt.current)
        next = rt_pass_on(true);
    rt_unlock();
    if (next != self) {
        if (next)
            rt_vehicle->give(next);
        rt_vehicle->wait(self);
    }
    self->inside = false;
    if (hdi_signalled(self))
        hdi_deliver(self);
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

/* ---- threads ---- */

void rt_become(struct hdi_thread *t)
{
    self_ = t;
}

struct hdi_thread **hdi_live(uint32_t *count)
{
    *count = rt.live_count;
    return rt.live;
}

struct hdi_thread *hdi_thread_known(uint32_t i)
{
    return i < rt.all_count ? rt.all[i] : NULL;
}

struct hdi_thread *hdi_thread_of(pthread_t handle)
{
    for (uint32_t i = rt.all_count; i-- > 0;)
        if (rt.all[i]->known && pthread_equal(rt.all[i]->handle, handle))
            return rt.all[i];
    return NULL;
}

static uint32_t fnv1a(const char *s)
{
    uint32_t h = 2166136261u;
    while (*s)
        h = (h ^ (unsigned char)*s++) * 16777619u;
    return h;
}

static void append_number(char *out, size_t size, uint32_t n)
{
    char digits[12];
    size_t k = 0, at = strlen(out);

    do
        digits[k++] = (char)('0' + n % 10);
    while (n /= 10);
    while (k && at + 1 < size)
        out[at++] = digits[--k];
    out[at] = 0;
}

/* Creation path: the n-th thread of main is "Tn", the m-th of that one "Tn.m". A path that does not
 * fit is cut to its hash. */
static void name_thread(struct hdi_thread *t)
{
    struct hdi_thread *by = t->creator;

    if (!by) {
        strcpy(t->name, "T0");
    } else {
        size_t length = strlen(by->name);
        if (!by->creator)
            strcpy(t->name, "T");
        else if (length + 6 < sizeof t->name) {
            memcpy(t->name, by->name, length);
            strcpy(t->name + length, ".");
        } else {
            strcpy(t->name, "T~");
            append_number(t->name, sizeof t->name, by->hash);
            strcat(t->name, ".");
        }
        append_number(t->name, sizeof t->name, ++by->children);
    }
    t->hash = fnv1a(t->name);
}

struct hdi_thread *hdi_thread_new(struct hdi_thread *creator, const void *start, uint64_t site)
{
    static struct hdi_op birth = {.kind = HD_EV_THREAD_START};
    struct hdi_thread *t = hdi_alloc(sizeof *t);
    struct hdi_op *op = hdi_alloc(sizeof *op);

    t->creator = creator;
    t->check = creator ? creator->check : NULL;
    t->start = (uint64_t)(uintptr_t)start;
    t->created_site = site;
    t->created_stack = creator ? hdi_stack() : 0;
    name_thread(t);
    t->object.kind = HD_OB_THREAD;
    t->object.id = t->hash | 1;
    t->object.created_site = site;
    t->object.creator = creator;
    t->state = HDP_T_RUNNING;
    rt_lock();
    if (rt.all_count == rt.all_capacity) {
        uint32_t capacity = rt.all_capacity ? 2 * rt.all_capacity : 64;
        struct hdi_thread **all = hdi_alloc(capacity * sizeof *all);
        if (rt.all_count)
            memcpy(all, rt.all, rt.all_count * sizeof *all);
        rt.all = all;
        rt.all_capacity = capacity;
    }
    t->index = rt.all_count;
    rt.all[rt.all_count++] = t;
    rt.live[rt.live_count++] = t;
    rt.region->result.threads = rt.all_count;
    if (creator) {
        *op = birth;
        op->site = t->start;
        publish(t, op);
        rt.lively_step = rt.region->result.steps;
    } else {
        self_ = t;
        rt.main = rt.current = t;
        t->known = true;
        t->handle = pthread_self();
    }
    if (strategy->created && rt.started)
        strategy->created(t);
    rt_export_thread(t);
    rt_unlock();
    return t;
}

static void remove_live(struct hdi_thread *t)
{
    for (uint32_t i = 0; i < rt.live_count; i++)
        if (rt.live[i] == t) {
            memmove(&rt.live[i], &rt.live[i + 1], (rt.live_count - i - 1) * sizeof rt.live[0]);
            rt.live_count--;
            return;
        }
}

void hdi_thread_discard(struct hdi_thread *t)
{
    rt_lock();
    unlink_pending(t);
    t->op = NULL;
    t->state = HDP_T_ENDED;
    t->ended = t->joined = true;
    remove_live(t);
    rt_unlock();
}

void hdi_thread_begin(struct hdi_thread *t)
{
    self_ = t;
    t->inside = true;
    t->tid = (int)hdi_real.syscall(SYS_gettid);
    rt_vehicle->wait(t);
    t->inside = false;
    if (hdi_signalled(t))
        hdi_deliver(t);
}

void hdi_thread_end(void)
{
    struct hdi_thread *self = self_, *next;

    self->inside = true;
    rt_lock();
    self->state = HDP_T_ENDED;
    self->ended = true;
    if (self->detached)
        self->known = false;
    remove_live(self);
    rt.lively_step = rt.region->result.steps;
    hdi_changed(&self->object);
    next = rt.live_count ? rt_pass_on(false) : NULL;
    if (!rt.live_count)
        rt.current = NULL;
    rt.leaving = self == rt.main ? 0 : self->tid; /* main stays as a zombie */
    rt_unlock();
    self_ = NULL;
    if (next)
        rt_vehicle->give(next);
}

/* ---- time ---- */

int64_t hdi_now(void)
{
    return rt.now_ns;
}

int64_t hdi_realtime_offset(void)
{
    return rt.config.clock_base_ns - RT_CLOCK_START_NS;
}

bool hdi_real_clock(void)
{
    return (rt.config.flags & HDP_REAL_CLOCK) != 0;
}

int64_t hdi_clock_read(void)
{
    struct hdi_thread *self = self_;
    uint32_t n = self ? ++self->clock_reads : 0, shift = n > 128 ? (n - 128) / 16 : 0;

    rt.now_ns += shift > 13 ? 10000000 : 1000LL << shift;
    if (rt.started && hdi_timer_next() && hdi_timer_next() <= rt.now_ns)
        hdi_point(HD_EV_YIELD, NULL, 0);
    return rt.now_ns;
}

/* ---- the end of the program ---- */

void hdi_look_for_unreachable(void)
{
    hdi_reach_registers(self_->reach.registers);
    rt_lock();
    if (rt.started)
        rt_last_look();
    rt_unlock();
}

void rt_last_look(void)
{
    uint32_t price = hdi_reach_price();

    if (rt.reach_at != UINT32_MAX && !rt.draining &&
        (price < CHEAP_LOOK || price / 4 < rt.region->result.steps))
        hdi_reach_look(UINT32_MAX);
}

void hdi_drain(uint32_t jumps)
{
    struct hdi_thread *first;

    rt.draining = true;
    rt.replaying = false;
    rt.drainer = self_;
    for (;;) {
        struct hdi_op op = {.kind = HD_EV_EXIT};
        uint32_t steps = rt.region->result.steps;
        hdi_perform(&op);
        if (jumps-- == 0 || rt.region->result.steps - steps > 100000)
            break;
        rt_lock();
        first = earliest();
        if (first)
            rt.now_ns = first->op->until_ns;
        rt_unlock();
        if (!first)
            break;
    }
    rt.drainer = NULL;
}

void hdi_let_others_run(bool (*go_on)(void *arg), void *arg, uint32_t jumps, uint64_t site)
{
    uint32_t until = rt.region->result.steps + PATIENCE_STEPS;
    struct hdi_thread *first;

    if (rt.config.max_steps && until > rt.config.max_steps / 2)
        until = rt.config.max_steps / 2;
    do {
        struct hdi_op op = {.kind = HD_EV_LEAK_CHECK, .site = site, .patient = until};
        hdi_perform(&op);
        if (!go_on(arg))
            break;
        rt_lock();
        first = earliest();
        if (first && jumps > 0 && first->op->until_ns > rt.now_ns)
            rt.now_ns = first->op->until_ns;
        rt_unlock();
    } while (first && jumps-- > 0);
}

/* ---- a schedule ---- */

void rt_schedule_begin(void)
{
    static const struct rt_strategy *const table[HDP_STRATEGIES] = {
        [HDP_RANDOM] = &rt_random_walk, [HDP_PCT] = &rt_pct,        [HDP_POS] = &rt_pos,
        [HDP_BURST] = &rt_burst,        [HDP_RR] = &rt_round_robin, [HDP_SURW] = &rt_surw,
        [HDP_HOLD] = &rt_hold,
    };
    struct hdp_result *r = &rt.region->result;

    rt.config = rt.region->config;
    if (rt.config.strategy >= HDP_STRATEGIES)
        rt.config.strategy = HDP_RANDOM;
    strategy = table[rt.config.strategy];
    rt.replaying = (rt.config.flags & HDP_REPLAY) != 0;
    rt.replay_at = 0;
    rt.real_start_ns = rt_real_ns();
    memset(r, 0, sizeof *r);
    r->threads = rt.all_count;
    r->findings = rt.prefix_findings;
    r->unmodelled = rt.prefix_unmodelled;
    rt.reach_at = rt.config.flags & HDP_REACH && hdi_reach_on ? 2 * REACH_PATIENCE : UINT32_MAX;
    rt.reach_last = 0;
    rt_random_seed(rt.config.seed);
    rt_meet_begin();
    if (strategy->begin)
        strategy->begin(&rt.config);
    if (strategy->created)
        strategy->created(rt.main);
}
