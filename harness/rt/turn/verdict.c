/* verdict.c - nobody can run any more, or nobody gets anywhere: what is it called?
 *
 * The waits-for graph has an edge from each blocked thread to those that hold what it waits for
 * (for a join: to the thread itself). A cycle is a deadlock. Without one somebody who could have
 * woken the others is gone: a lost wakeup.
 *
 * Whoever holds the units of a semaphore is waited for only if nobody else could give one: each of
 * them waits in a circle himself, and either units were given back by their takers before, or all
 * other threads wait for the circle, too.
 *
 * A value, room in a channel and the end of a group have no owner, and cannot come too early. Once
 * nobody else goes on, those are waited for who would bring it had they the lock that they want. What
 * else has no owner (a signal, a post, a byte) is looked at so only to say what a standstill is.
 */
#include "rt.h"

#include <string.h>

#include "core/units.h"
#include "models/signals.h"

/* Decisions that others make until a cycle of locks which anybody may unlock is one for good. */
#define HAND_OVER_STEPS 2000u

/* The threads that have not ended, and room for one mark and the like for each of them. */
static struct hdi_thread **live;
static uint32_t count;
static uint8_t *stuck; /* waits for locks, ends and units of the stuck alone */
static bool alone;     /* nobody goes on but those that bring nothing */
static bool certain;   /* that it is for ever: what else closes the circle? */

/* Lock held; before any of what follows. */
static void look(void)
{
    live = hdi_live(&count);
    if (rt.search.capacity < count) {
        uint32_t n = rt.search.capacity = rt.all_capacity;
        rt.search.stuck = hdi_alloc(n);
        rt.search.colour = hdi_alloc(n);
        rt.search.path = hdi_alloc(n * sizeof *rt.search.path);
        rt.search.next = hdi_alloc(n * sizeof *rt.search.next);
        rt.search.cycle = hdi_alloc(n * sizeof *rt.search.cycle);
    }
    stuck = rt.search.stuck;
    memset(stuck, 0, count);
    alone = certain = false;
}

static bool is_stuck(const struct hdi_thread *t)
{
    return !t->life.ended && stuck[t->turn.live_at];
}

/* i-th holder of units that t waits for; t itself only when it holds them all. */
static struct hdi_thread *holder(const struct hdi_thread *t, const struct hdi_units *u, uint32_t i)
{
    for (uint32_t k = 0; is_stuck(t) && k < u->holders; k++)
        if ((u->holder[k].thread != t || u->holders == 1) && i-- == 0)
            return u->holder[k].thread;
    return NULL;
}

/* Waits for what has no owner, and any other may bring. */
static bool waits_for_anyone(const struct hdi_thread *t)
{
    switch (t->op->kind) {
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_RECV:
    case HD_EV_SELECT:
    case HD_EV_HD_WAITGROUP_WAIT:
    case HD_EV_HD_SEMAPHORE:
        return true;
    default:
        return false;
    }
}

/* And this, too, once all stand still. */
static bool waits_for_signal(const struct hdi_thread *t)
{
    switch (t->op->kind) {
    case HD_EV_COND_WAIT:
    case HD_EV_HD_COND_WAIT:
    case HD_EV_BARRIER_WAIT:
        return true;
    case HD_EV_SEM_WAIT:
        return !hdi_units_awaited(t->op);
    case HD_EV_FD_WAIT:
        return t->op->own && !t->op->timed;
    default:
        return false;
    }
}

/* Whoever is left may end its wait. */
static bool needs_partner(const struct hdi_thread *t)
{
    return alone && (waits_for_anyone(t) || (certain && waits_for_signal(t)));
}

static bool wants_lock(const struct hdi_thread *t)
{
    const struct hdi_units *u = hdi_units_awaited(t->op);

    if (!t->op || t->enabled || !t->op->object || rt_has_deadline(t->op))
        return false;
    if (u && t->op->object->one_unit && u->holder[0].thread != t)
        return true;
    for (uint32_t k = 0; k < count; k++)
        if (live[k] != t && hdi_held_find(live[k], t->op->object))
            return true;
    return false;
}

/* Does k wait for a lock that t has? */
static bool is_kept(const struct hdi_thread *k, struct hdi_thread *t)
{
    return k->op && k->op->object && hdi_held_find(t, k->op->object);
}

/* i-th thread that could end the wait of t had it the lock that it wants: first those that t itself
 * keeps from it. */
static struct hdi_thread *partner(struct hdi_thread *t, uint32_t i)
{
    for (int kept = 1; kept >= 0; kept--)
        for (uint32_t k = 0; k < count; k++)
            if (live[k] != t && wants_lock(live[k]) && is_kept(live[k], t) == kept && i-- == 0)
                return live[k];
    return NULL;
}

/* i-th thread that t waits for, or NULL. */
static struct hdi_thread *awaited(struct hdi_thread *t, uint32_t i)
{
    const struct hdi_object *o = t->op ? t->op->object : NULL;
    const struct hdi_units *u = hdi_units_awaited(t->op);

    if (!t->op || t->enabled || rt_has_deadline(t->op))
        return NULL;
    if (u && is_stuck(t))
        return holder(t, u, i);
    if (needs_partner(t))
        return partner(t, i);
    if (!o || u)
        return NULL;
    for (uint32_t k = 0; k < count; k++) {
        struct hdi_thread *h = live[k];
        if ((t->op->kind == HD_EV_THREAD_JOIN ? &h->object == o : hdi_held_find(h, o) != NULL) &&
            i-- == 0)
            return h;
    }
    return NULL;
}

/* known: only units that were given back by their takers before have owners. */
static bool waits_for_stuck(struct hdi_thread *t, bool known)
{
    const struct hdi_units *u = hdi_units_awaited(t->op);
    struct hdi_thread *h;

    if (u) {
        for (uint32_t i = 0; i < u->holders; i++)
            if (!is_stuck(u->holder[i].thread))
                return false;
        return u->returned || (!known && (u->holders > 1 || u->holder[0].thread != t));
    }
    for (uint32_t i = 0; (h = awaited(t, i)); i++)
        if (is_stuck(h))
            return true;
    return false;
}

static void find_stuck(bool known)
{
    bool changed = true;

    for (uint32_t i = 0; i < count; i++)
        stuck[i] = live[i]->op && !live[i]->enabled;
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < count; i++)
            if (stuck[i] && !waits_for_stuck(live[i], known)) {
                stuck[i] = 0;
                changed = true;
            }
    }
}

/* Does everybody wait for the stuck? Who waits for a group of them to be done cannot give units to
 * a semaphore; a channel could be read by anyone. */
static bool are_all(void)
{
    bool channel = false, group = false;

    for (uint32_t i = 0; i < count; i++) {
        const struct hdi_op *op = live[i]->op;
        if (live[i] == rt.drainer || (alone && live[i]->enabled))
            continue;
        channel |= stuck[i] && (op->kind == HD_EV_CHAN_SEND || op->kind == HD_EV_CHAN_RECV);
        if (!stuck[i] && (!op || op->kind != HD_EV_HD_WAITGROUP_WAIT))
            return false;
        group |= !stuck[i];
    }
    return !channel || !group;
}

/* Threads of a cycle in order, into out; 0 when there is none. Depth first, on a stack of our
 * own. */
static uint32_t find_cycle(struct hdi_thread **out)
{
    uint32_t *path = rt.search.path, *next = rt.search.next;
    uint8_t *colour = rt.search.colour; /* 0 new, 1 on the path, 2 done */

    memset(colour, 0, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t depth = 0;
        if (colour[i])
            continue;
        path[depth++] = i;
        colour[i] = 1;
        next[i] = 0;
        while (depth) {
            uint32_t at = path[depth - 1], to;
            struct hdi_thread *u = awaited(live[at], next[at]++);
            if (!u) {
                colour[at] = 2;
                depth--;
                continue;
            }
            to = u->turn.live_at;
            if (colour[to] == 1) {
                uint32_t from = depth, n = 0;
                while (path[from - 1] != to)
                    from--;
                for (from--; from < depth; from++)
                    out[n++] = live[path[from]];
                return n;
            }
            if (colour[to] == 0) {
                colour[to] = 1;
                next[to] = 0;
                path[depth++] = to;
            }
        }
    }
    return 0;
}

/* t waits at ..., for what ... holds since ... */
static void note_waiter(struct hdp_finding *f, struct hdi_thread *t, bool users)
{
    uint32_t link = f->notes, before;
    struct hdi_object *o = t->op->object;
    const struct hdi_units *u = hdi_units_awaited(t->op);

    hdi_note_wait(f, t, t->op);
    before = f->notes;
    if (!o)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct hdi_held *h = hdi_held_find(live[i], o);
        if (h)
            hdi_note(f, HD_ROLE_HOLDS, live[i], h->kind, o, h->site, h->stack)->link = link;
    }
    for (uint32_t i = 0; u && is_stuck(t) && i < u->holders; i++) {
        const struct hdi_unit *h = &u->holder[i];
        hdi_note(f, HD_ROLE_HOLDS, h->thread, h->kind, o, h->site, h->stack)->link = link;
    }
    if (users && f->notes == before)
        hdi_note_wakers(f, t, t->op, link);
}

/* What ends such a wait. */
static enum hd_event ends(enum hd_event wait)
{
    switch (wait) {
    case HD_EV_COND_WAIT:
        return HD_EV_COND_SIGNAL;
    case HD_EV_HD_COND_WAIT:
        return HD_EV_HD_COND_SIGNAL;
    case HD_EV_SEM_WAIT:
        return HD_EV_SEM_POST;
    case HD_EV_CHAN_SEND:
        return HD_EV_CHAN_RECV;
    case HD_EV_CHAN_RECV:
        return HD_EV_CHAN_SEND;
    case HD_EV_HD_WAITGROUP_WAIT:
        return HD_EV_HD_WAITGROUP_ADD;
    default:
        return wait;
    }
}

/* Where t has done before what ends such a wait; 0: it has not. */
static uint64_t used_before(const struct hdi_object *o, const struct hdi_thread *t,
                            enum hd_event wait)
{
    for (uint32_t i = 0; o && i < o->users; i++)
        if (o->user[i].thread == t->hash && o->user[i].kind == ends(wait))
            return o->user[i].site;
    return 0;
}

/* t waits for `next`, or one of several of whom it is one. */
static void note_partner(struct hdp_finding *f, struct hdi_thread *t, struct hdi_thread *next,
                         uint32_t link)
{
    struct hdi_object *o = t->op->object;

    if (t->op->kind == HD_EV_THREAD_JOIN)
        return;
    for (uint32_t i = link + 1; i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_HOLDS)
            return;
    hdi_note(f, HD_ROLE_WOULD_WAKE, next, ends(t->op->kind), o, used_before(o, next, t->op->kind),
             0)
        ->link = link;
    f->note[f->notes - 1].extra = partner(t, 1) ? HD_WOULD_PERHAPS : 0;
}

static bool member(struct hdi_thread *const *set, uint32_t n, const struct hdi_thread *t)
{
    for (uint32_t i = 0; i < n; i++)
        if (set[i] == t)
            return true;
    return false;
}

static struct hdp_finding *describe(enum hd_finding_kind kind, const char *text,
                                    struct hdi_thread *const *first, uint32_t n)
{
    struct hdp_finding *f = hdi_finding_begin(kind, text);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t link = f->notes;
        note_waiter(f, first[i], false);
        if (n > 1)
            note_partner(f, first[i], first[(i + 1) % n], link);
    }
    f->causes = f->notes;
    for (uint32_t i = 0; i < count; i++) {
        struct hdi_thread *t = live[i];
        bool stands_still = kind != HD_FK_LIVELOCK && kind != HD_FK_HANG;
        if (!t->op || member(first, n, t))
            continue;
        if (t->enabled && stands_still)
            hdi_note(f, HD_ROLE_LAST_OP, t, t->last.kind, t->last.object, t->last.site,
                     t->end_stack);
        else
            note_waiter(f, t, n == 0);
    }
    return f;
}

/* ---- a cycle that closes while others run ---- */

/* Waits for as long as it takes, for a lock, a once or a thread's end. */
static bool waits_for_owner(const struct hdi_thread *t)
{
    return t->op && !t->enabled && t->op->object && !rt_has_deadline(t->op) &&
           !hdi_units_awaited(t->op) && !waits_for_anyone(t) && !rt_cancel_due(t);
}

/* Go and lib/ let anybody unlock: its owner need not be the one who ends the wait. */
static bool may_be_handed_over(const struct hdi_thread *t)
{
    return t->op->kind >= HD_EV_CHAN_SEND && t->op->kind != HD_EV_HD_ONCE;
}

/* The cycle through t, in order, into rt.search.cycle; its length, 0: there is none. */
static uint32_t cycle_through(struct hdi_thread *t)
{
    struct hdi_thread **cycle = rt.search.cycle;
    uint32_t *next = rt.search.next, depth = 0;
    uint8_t *seen = rt.search.colour;

    memset(seen, 0, count);
    cycle[depth] = t;
    next[depth++] = 0;
    while (depth) {
        struct hdi_thread *u = awaited(cycle[depth - 1], next[depth - 1]++);
        if (!u) {
            depth--;
        } else if (u == t) {
            return depth;
        } else if (!seen[u->turn.live_at] && waits_for_owner(u)) {
            seen[u->turn.live_at] = 1;
            cycle[depth] = u;
            next[depth++] = 0;
        }
    }
    return 0;
}

/* Somebody waits for what t has. */
static bool is_awaited(const struct hdi_thread *t)
{
    for (uint32_t i = 0; i < t->locks.count; i++)
        if (t->locks.held[i].object->pending)
            return true;
    return t->object.pending != NULL;
}

static enum hd_finding_kind kind_of_circle(uint32_t n)
{
    return n == 0 ? HD_FK_LOST_WAKEUP : n == 1 ? HD_FK_SELF_DEADLOCK : HD_FK_DEADLOCK;
}

static void report_cycle(uint32_t n, bool fatal)
{
    hdi_finding_end(describe(kind_of_circle(n), NULL, rt.search.cycle, n), fatal);
}

/* Nobody goes on any more, or to no end. Whoever waits now beside a cycle that was told waits for it. */
static void end_beside_cycle(void)
{
    if (rt.cycle_told)
        rt_finish(HDP_STOPPED);
}

void rt_look_for_cycle(struct hdi_thread *t)
{
    uint32_t n;

    if (rt.cycle_told || !waits_for_owner(t) || !is_awaited(t))
        return;
    look();
    n = cycle_through(t);
    if (!n)
        return;
    for (uint32_t i = 0; i < n; i++)
        if (may_be_handed_over(rt.search.cycle[i])) {
            if (!rt.cycle_step)
                rt.cycle_step = rt.region->result.steps + HAND_OVER_STEPS;
            return;
        }
    /* What the others may still do is in some order with all that came before: to be explored, it must be seen. */
    rt.cycle_told = rt.exploring;
    report_cycle(n, !rt.exploring);
}

void rt_look_for_old_cycles(void)
{
    uint32_t n = 0;

    rt.cycle_step = 0;
    if (rt.cycle_told)
        return;
    look();
    for (uint32_t i = 0; i < count && !n; i++)
        if (waits_for_owner(live[i]))
            n = cycle_through(live[i]);
    if (n)
        report_cycle(n, true);
}

bool rt_circle(void)
{
    look();
    return find_cycle(rt.search.cycle) != 0;
}

/* A lock that its owner left locked when it ended: whoever waits is a consequence of that finding. */
static void name_the_owner_that_ended(void)
{
    for (uint32_t i = 0; i < count; i++) {
        struct hdp_finding *f = live[i]->op ? hdi_left_locked(live[i]->op->object) : NULL;
        if (!f)
            continue;
        f->causes = f->notes;
        for (uint32_t k = 0; k < count; k++)
            if (live[k]->op)
                note_waiter(f, live[k], false);
        f->fatal = true;
        rt_finish(HDP_STOPPED);
    }
}

/* It is certain that they wait for ever, n of them in a circle. Without one: does it close by way of
 * signals and the like? */
static uint32_t circle_or_signals(uint32_t n)
{
    certain = alone = true;
    return n ? n : find_cycle(rt.search.cycle);
}

/* The cycle of those that wait for ever, into rt.search.cycle; its length, 0: there is none. */
static uint32_t cycle_for_ever(void)
{
    look();
    alone = true;
    find_stuck(false);
    if (!are_all())
        find_stuck(true);
    return find_cycle(rt.search.cycle);
}

/* What Go says then. Who waits for a signal may have missed it. */
static bool all_are_goroutines(void)
{
    for (uint32_t i = 0; i < count; i++) {
        enum hd_event kind = live[i]->op ? live[i]->op->kind : HD_EV_NONE;
        if (kind < HD_EV_CHAN_SEND || kind == HD_EV_HD_COND_WAIT)
            return false;
    }
    return true;
}

void rt_all_asleep(void)
{
    uint32_t n;

    end_beside_cycle();
    hdi_held_for_good();
    n = cycle_for_ever();
    if (n == 0)
        name_the_owner_that_ended();
    n = circle_or_signals(n);
    if (n == 0 && all_are_goroutines())
        hdi_finding_end(describe(HD_FK_DEADLOCK, "all goroutines are asleep", NULL, 0), true);
    hdi_finding_end(describe(kind_of_circle(n), NULL, rt.search.cycle, n), true);
    rt_finish(HDP_STOPPED);
}

void rt_look_at_the_left(void)
{
    end_beside_cycle();
    uint32_t n = cycle_for_ever(); /* whoever signals may still do so: others go on */

    rt.cycle_step = 0;
    if (n)
        report_cycle(n, true);
}

/* Waits for what no periodic thread is to bring by its end. */
static bool waits_for_ever(struct hdi_thread *t)
{
    struct hdi_thread *owner;

    if (!t->op || t->enabled || rt_has_deadline(t->op) || t->op->timed ||
        (t->outside && (hdi_has_forked() || !t->op->own)))
        return false;
    for (uint32_t i = 0; (owner = awaited(t, i)); i++)
        if (owner != t && !waits_for_ever(owner))
            return false;
    return true;
}

static bool has_used(const struct hdi_thread *t, const struct hdi_object *o)
{
    for (uint32_t i = 0; o && i < o->users; i++)
        if (o->user[i].thread == t->hash)
            return true;
    return false;
}

/* Has a thread that goes on had to do with what another waits for? It may bring it some day. */
static bool may_come_yet(void)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; waits_for_ever(live[i]) && k < count; k++) {
            struct hdi_thread *t = live[i], *u = live[k];
            bool used = has_used(u, t->op->object) || has_used(u, t->wait.relock);
            for (uint32_t c = 0; c < t->wait.count; c++)
                used |= has_used(u, t->wait.cases[c].object);
            if (used && !waits_for_ever(u))
                return true;
        }
    return hdi_timer_next() && hdi_timer_helps();
}

void rt_look_for_still(void)
{
    struct hdp_finding *f;
    uint32_t waiting = 0, n;
    bool only_sleeps;

    rt.still_move = rt.moves;
    if (rt.draining || rt.external_count)
        return;
    look();
    alone = true;
    find_stuck(false);
    n = find_cycle(rt.search.cycle);
    for (uint32_t i = 0; i < count; i++) {
        bool waits = n ? live[i]->op && !live[i]->enabled && !rt_has_deadline(live[i]->op)
                       : waits_for_ever(live[i]);
        waiting += waits;
        if (!waits && live[i]->turn.rounds <= RT_PERIODIC_ROUNDS)
            return; /* it may wake the others yet */
    }
    if (!waiting)
        return;
    end_beside_cycle();
    only_sleeps = n == 0 && may_come_yet(); /* a server that is idle looks the same */
    n = circle_or_signals(n);
    f = describe(kind_of_circle(n), "beside it only periodic threads go on", rt.search.cycle, n);
    f->only_sleeps = only_sleeps;
    hdi_finding_end(f, true);
}

void rt_look_for_repetition(void)
{
    uint32_t n;
    bool any = false;

    if (!rt_repeats_itself())
        return;
    n = cycle_for_ever();
    for (uint32_t i = 0; i < count && !any; i++)
        any = n || waits_for_ever(live[i]);
    if (!any)
        return;
    end_beside_cycle();
    n = circle_or_signals(n);
    rt_forget_repetition();
    hdi_finding_end(describe(kind_of_circle(n), "beside it a thread does the same again and again",
                             rt.search.cycle, n),
                    true);
}

void rt_step_bound(void)
{
    uint32_t steps = rt.region->result.steps;
    uint32_t late = rt.retries_half ? rt.retries - (rt.retries_half - 1) : 0;
    uint32_t slept = rt.retries_half ? rt.sleeps - rt.sleeps_half : 0;

    if (rt.draining)
        rt_finish(HDP_RAN);
    end_beside_cycle();
    rt_last_look();
    rt_look_for_old_cycles();
    /* One that could run and was not let: what the others did meanwhile says nothing. */
    for (uint32_t i = 0; i < count; i++)
        if (rt.retries_half && live[i]->op && live[i]->enabled &&
            live[i]->turn.steps == live[i]->turn.steps_half)
            rt_finish(HDP_CUT);
    /* Failed tries and sleeps make up a good part of the second half, and no thread came or
     * went. */
    if (rt.idle_ops > 1000 || (rt.lively_step < steps / 2 && late > steps / 2 / 8)) {
        bool retries = late - slept > steps / 32 || rt.idle_ops > 1000;
        struct hdp_finding *f = describe(HD_FK_LIVELOCK,
                                         retries ? "threads run, but only try again and again"
                                                 : "threads sleep and go on, without an end",
                                         NULL, 0);
        f->only_sleeps = !retries;
        hdi_finding_end(f, true);
    }
    rt_finish(HDP_CUT);
}

void rt_hang(void)
{
    if (rt.draining)
        rt_finish(HDP_RAN);
    look();
    hdi_finding_end(describe(HD_FK_HANG, "no progress until the schedule's time was up", NULL, 0),
                    true);
    rt_finish(HDP_STOPPED);
}
