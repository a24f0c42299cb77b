/* exploration.c - see exploration.h */
#include "exploration_inside.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

/* So often a schedule is run again that was not under control, as on a machine with too much to do, before it is
 * taken as it is. */
#define TRIES 8u

struct exploration *exploration_new(const struct exploration_options *o)
{
    struct exploration *e = mem_zeroed(1, sizeof *e);
    e->options = *o;
    return e;
}

static void forget_path(struct exploration *e)
{
    while (e->depth)
        node_clear(&e->path[--e->depth]);
}

void exploration_free(struct exploration *e)
{
    if (!e)
        return;
    forget_path(e);
    distinct_free(&e->traces);
    distinct_free(&e->failed);
    free(e->path);
    free(e);
}

void exploration_restart(struct exploration *e)
{
    forget_path(e);
    distinct_free(&e->traces);
    distinct_free(&e->failed);
    e->traces = e->failed = (struct distinct){0};
    e->over = false;
    e->counts = (struct exploration_counts){.restarts = e->counts.restarts + 1};
}

bool exploration_is_over(const struct exploration *e)
{
    return e->over;
}

/* The last decision for a thread among the first `depth`; NULL: none. */
static struct node *last_step(const struct exploration *e, uint32_t depth)
{
    while (depth--)
        if (!e->path[depth].is_choice)
            return &e->path[depth];
    return NULL;
}

void exploration_order(const struct exploration *e, struct hdp_region *r)
{
    struct hdp_explore *x = &r->explore;
    const struct node *last = last_step(e, e->depth);
    uint32_t touches = 0;

    x->orders = e->depth;
    x->own_first = e->options.inner;
    for (uint32_t i = 0; i < e->depth; i++)
        x->order[i] = (struct hdp_explore_order){
            .thread = e->path[i].is_choice ? 0 : e->path[i].thread, .choice = e->path[i].choice};
    x->sleepers = 0;
    for (uint32_t i = 0; last && i < last->sleepers && i < HDP_SLEEPERS; i++) {
        const struct footprint *would = &last->sleeper[i].would;
        if (touches + would->count > HDP_TOUCHES)
            break; /* one fewer that sleeps is some work done twice */
        memcpy(&x->slept[touches], would->touch, would->count * sizeof *would->touch);
        x->sleeper[x->sleepers++] = (struct hdp_explored_thread){
            .thread = last->sleeper[i].thread, .touch = touches, .touches = would->count};
        touches += would->count;
    }
}

/* Of the first steps, those that were made; the record may be damaged. */
static uint32_t steps_of(const struct hdp_explore *x)
{
    uint32_t n = x->steps < HDP_EXPLORED_STEPS ? x->steps : HDP_EXPLORED_STEPS;

    for (uint32_t i = 0; i < n; i++)
        if (x->step[i].touch > HDP_TOUCHES || x->step[i].touches > HDP_TOUCHES - x->step[i].touch ||
            x->step[i].runnable > HDP_RUNNABLES ||
            x->step[i].runnables > HDP_RUNNABLES - x->step[i].runnable)
            return 0;
    return n;
}

static bool followed(const struct exploration *e, const struct hdp_explore *x, uint32_t steps)
{
    if (steps < e->depth || x->end == HDP_EXPLORED_ASTRAY)
        return false;
    for (uint32_t i = 0; i < e->depth; i++) {
        const struct node *n = &e->path[i];
        const struct hdp_explored_step *s = &x->step[i];
        bool choice = s->flags & HDP_EXPLORED_CHOICE;
        if (choice != n->is_choice || (choice ? s->options != n->options : s->thread != n->thread))
            return false;
    }
    return true;
}

/* Would going on with that thread switch away from one that could go on? */
static bool is_preemption(const struct node *before, const struct node *n, uint32_t thread)
{
    if (!before || before->thread == thread)
        return false;
    for (uint32_t i = 0; i < n->runnables; i++)
        if (n->runnable[i] == before->thread)
            return true;
    return false;
}

static void plan_all(struct exploration *e, struct node *n, const struct node *before)
{
    for (uint32_t i = 0; i < n->runnables; i++) {
        uint32_t preemptions =
            (before ? before->preemptions : 0) + is_preemption(before, n, n->runnable[i]);
        if (e->options.bounded && preemptions > e->options.preemptions)
            e->counts.left_out = true;
        else
            node_add(n, n->runnable[i]);
    }
}

static void node_begin(struct node *n, const struct hdp_explore *x,
                       const struct hdp_explored_step *s, const struct node *before)
{
    *n = (struct node){.is_choice = s->flags & HDP_EXPLORED_CHOICE,
                       .choice = s->choice,
                       .options = s->options,
                       .thread = s->thread,
                       .runnables = s->runnables};
    if (n->is_choice)
        return;
    n->runnable = mem_zeroed(s->runnables + 1u, sizeof *n->runnable);
    n->branch = mem_zeroed(s->runnables + 1u, sizeof *n->branch);
    memcpy(n->runnable, &x->runnable[s->runnable], s->runnables * sizeof *n->runnable);
    for (uint32_t i = 0; before && i < before->sleepers; i++) {
        const struct sleeper *z = &before->sleeper[i];
        if (!hdp_touches(z->would.touch, z->would.count, before->step.touch, before->step.count,
                         hdp_modes_depend))
            node_sleep(n, z->thread, &z->would);
    }
    for (uint32_t i = 0; i < n->runnables; i++)
        if (n->runnable[i] == n->thread)
            n->branch[i] = BRANCH_TAKEN;
}

/* One that ends while others could have gone on keeps them from it. */
static bool ends_for_all(const struct hdp_explore *x, uint32_t thread)
{
    if (x->end != HDP_EXPLORED_ALL)
        return x->end == HDP_EXPLORED_DIED;
    for (uint32_t i = 0; i < x->left && i < HDP_SLEEPERS; i++)
        if (x->left_thread[i].can_run && x->left_thread[i].thread != thread)
            return true;
    return false;
}

/* A step that has to do with threads' lives alone comes before all else as well as behind it. */
static bool is_own_affair(const struct hdp_explored_step *s, const struct node *n)
{
    for (uint32_t i = 0; i < n->step.count; i++)
        if (n->step.touch[i].key == HDP_EVERYTHING)
            return false;
    return s->flags & HDP_EXPLORED_OWN;
}

static void plan_new(struct exploration *e, const struct hdp_explore *x, uint32_t old)
{
    const struct node *before = last_step(e, old);

    for (uint32_t i = old; i < e->depth; i++) {
        struct node *n = &e->path[i];
        if (n->is_choice)
            continue;
        if (!e->options.inner || !is_own_affair(&x->step[i], n))
            plan_all(e, n, before);
        before = n;
    }
}

static void take_steps(struct exploration *e, const struct hdp_explore *x, uint32_t steps)
{
    uint32_t old = e->depth;
    struct node *before = NULL;

    if (steps > e->room) {
        e->room = 2 * steps;
        e->path = mem_resize(e->path, e->room * sizeof *e->path);
    }
    for (uint32_t i = 0; i < steps; i++) {
        const struct hdp_explored_step *s = &x->step[i];
        struct node *n = &e->path[i];
        if (i >= old)
            node_begin(n, x, s, before);
        if (!n->is_choice) {
            n->preemptions =
                (before ? before->preemptions : 0) + is_preemption(before, n, n->thread);
            before = n;
            footprint_clear(&n->step);
        }
        if (before) {
            footprint_add(&before->step, &x->touch[s->touch], s->touches);
            footprint_add(&before->seen, &x->touch[s->touch], s->touches);
        }
        if (i + 1 == steps && before && ends_for_all(x, before->thread)) {
            static const struct hdp_touch everything = {.key = HDP_EVERYTHING};
            footprint_add(&before->step, &everything, 1);
            footprint_add(&before->seen, &everything, 1);
        }
    }
    e->depth = steps;
    if (e->options.plain)
        plan_new(e, x, old);
}

/* The next branch of a decision; false: it has no more. */
static bool take_branch(struct exploration *e, struct node *n)
{
    if (n->is_choice)
        return ++n->choice < n->options;
    if (!e->options.plain)
        node_sleep(n, n->thread, &n->seen);
    footprint_clear(&n->seen);
    for (uint32_t i = 0; i < n->runnables; i++)
        if (n->branch[i] == BRANCH_OPEN && !node_sleeps(n, n->runnable[i])) {
            n->branch[i] = BRANCH_TAKEN;
            n->thread = n->runnable[i];
            return true;
        }
    return false;
}

static void advance(struct exploration *e)
{
    while (e->depth) {
        if (take_branch(e, &e->path[e->depth - 1]))
            return;
        node_clear(&e->path[--e->depth]);
    }
    e->over = true;
}

/* Knuth 1975, along all paths so far: of the tree below each decision, the part that is done is that of its
 * branches which are, and of the one that is being explored. */
static double part_done(const struct exploration *e)
{
    double done = 0, width = 1;

    for (uint32_t i = 0; i < e->depth; i++) {
        const struct node *n = &e->path[i];
        uint32_t all = 0, taken = 0;
        if (n->is_choice) {
            all = n->options;
            taken = n->choice;
        }
        for (uint32_t k = 0; !n->is_choice && k < n->runnables; k++) {
            bool sleeps = n->branch[k] == BRANCH_OPEN && node_sleeps(n, n->runnable[k]);
            all += n->branch[k] != BRANCH_NONE && !sleeps;
            taken += n->branch[k] == BRANCH_TAKEN;
        }
        if (!n->is_choice)
            taken--; /* it is being explored */
        if (all < 2)
            continue;
        done += width * taken / all;
        width /= all;
    }
    return done;
}

/* Who goes on is what the branch that follows the last schedule's path counts from. */
static uint32_t first_new(const struct exploration *e)
{
    uint32_t at = e->depth;

    while (at > 0 && e->path[at - 1].is_choice)
        at--;
    return at ? at - 1 : 0;
}

bool exploration_take(struct exploration *e, const struct hdp_region *r)
{
    const struct hdp_explore *x = &r->explore;
    uint32_t steps = steps_of(x), from = first_new(e);
    struct exploration_counts *c = &e->counts;
    bool redundant = x->end == HDP_EXPLORED_REDUNDANT, same = followed(e, x, steps);

    if ((!same || r->result.control_lost) && e->tries++ < TRIES)
        return false;
    e->tries = 0;
    c->uncontrolled |= x->uncontrolled;
    c->full |= x->end == HDP_EXPLORED_FULL;
    c->died |= x->end == HDP_EXPLORED_DIED;
    c->schedules += !redundant;
    c->redundant += redundant;
    if (!same) {
        c->astray = true;
    } else {
        take_steps(e, x, steps);
        uint64_t trace = races_look(e, x, from);
        const struct node *last = last_step(e, e->depth);
        if (!redundant)
            distinct_add(ends_for_all(x, last ? last->thread : 0) ? &e->failed : &e->traces, trace);
    }
    advance(e);
    return !redundant;
}

struct exploration_counts exploration_counts(const struct exploration *e)
{
    struct exploration_counts c = e->counts;
    double done = e->over ? 1 : part_done(e);

    c.over = e->over;
    c.traces = distinct_count(&e->traces);
    if (!e->traces.full && !e->failed.full && !c.astray)
        c.repeated = c.schedules - c.traces - distinct_count(&e->failed);
    c.estimate = done > 0 ? (double)c.schedules / done : 0;
    return c;
}
