/* exploration.c - see exploration.h */
#include "exploration_inside.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

/* So often a schedule is run again that was not under control, as on a machine with too much to do, before it is
 * taken as it is. */
#define TRIES 8u

static void begin(struct exploration *e)
{
    for (unsigned i = 0; i < e->workers; i++)
        e->search[i] = (struct search){.over = i > 0, .weight = i == 0};
}

struct exploration *exploration_new(const struct exploration_options *o, unsigned workers)
{
    struct exploration *e = mem_zeroed(1, sizeof *e);

    e->options = *o;
    e->workers = workers;
    e->search = mem_zeroed(workers, sizeof *e->search);
    begin(e);
    return e;
}

static void forget(struct exploration *e)
{
    for (unsigned i = 0; i < e->workers; i++)
        search_forget(&e->search[i]);
    distinct_free(&e->traces);
    distinct_free(&e->failed);
    e->traces = e->failed = (struct distinct){0};
}

void exploration_free(struct exploration *e)
{
    if (!e)
        return;
    forget(e);
    free(e->search);
    free(e);
}

void exploration_restart(struct exploration *e)
{
    forget(e);
    begin(e);
    e->counts = (struct exploration_counts){.restarts = e->counts.restarts + 1};
}

bool exploration_is_over(const struct exploration *e)
{
    for (unsigned i = 0; i < e->workers; i++)
        if (!e->search[i].over)
            return false;
    return true;
}

bool exploration_has_work(struct exploration *e, unsigned worker)
{
    struct search *mine = &e->search[worker];

    for (unsigned i = 0; i < e->workers && mine->over; i++)
        if (!e->search[i].over && !e->search[i].running) { /* nobody is at it */
            struct search idle = *mine;
            *mine = e->search[i];
            e->search[i] = idle;
        }
    for (unsigned i = 0; i < e->workers && mine->over; i++)
        if (!e->search[i].over && search_share(e, &e->search[i], mine))
            break;
    return !mine->over;
}

void exploration_drop(struct exploration *e, unsigned worker)
{
    e->search[worker].running = false;
}

/* The last decision for a thread among the first `depth`; NULL: none. */
static struct node *last_step(const struct search *s, uint32_t depth)
{
    while (depth--)
        if (!s->path[depth].is_choice)
            return &s->path[depth];
    return NULL;
}

void exploration_order(struct exploration *e, unsigned worker, struct hdp_region *r)
{
    struct search *s = &e->search[worker];
    struct hdp_explore *x = &r->explore;
    const struct node *last = last_step(s, s->depth);
    uint32_t touches = 0;

    s->running = true;
    x->orders = s->depth;
    x->own_first = e->options.inner;
    x->most_steps = e->options.steps;
    for (uint32_t i = 0; i < s->depth; i++)
        x->order[i] = (struct hdp_explore_order){
            .thread = s->path[i].is_choice ? 0 : s->path[i].thread, .choice = s->path[i].choice};
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

static bool followed(const struct search *search, const struct hdp_explore *x, uint32_t steps)
{
    if (steps < search->depth || x->end == HDP_EXPLORED_ASTRAY)
        return false;
    for (uint32_t i = 0; i < search->depth; i++) {
        const struct node *n = &search->path[i];
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

static void plan_new(struct exploration *e, struct search *s, const struct hdp_explore *x,
                     uint32_t old)
{
    const struct node *before = last_step(s, old);

    for (uint32_t i = old; i < s->depth; i++) {
        struct node *n = &s->path[i];
        if (n->is_choice)
            continue;
        if (!e->options.inner || !is_own_affair(&x->step[i], n))
            plan_all(e, n, before);
        before = n;
    }
}

static void take_steps(struct exploration *e, struct search *search, const struct hdp_explore *x,
                       uint32_t steps)
{
    uint32_t old = search->depth;
    struct node *before = NULL;

    if (steps > search->room) {
        search->room = 2 * steps;
        search->path = mem_resize(search->path, search->room * sizeof *search->path);
    }
    for (uint32_t i = 0; i < steps; i++) {
        const struct hdp_explored_step *s = &x->step[i];
        struct node *n = &search->path[i];
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
    search->depth = steps;
    if (e->options.plain)
        plan_new(e, search, x, old);
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

static double part_done(const struct exploration *e)
{
    double left = 0;

    for (unsigned i = 0; i < e->workers; i++)
        if (!e->search[i].over)
            left += e->search[i].weight * (1 - search_done(&e->search[i]));
    return 1 - left;
}

static void advance(struct exploration *e, struct search *s)
{
    while (s->depth > s->root) {
        if (take_branch(e, &s->path[s->depth - 1]))
            return;
        node_clear(&s->path[--s->depth]);
    }
    search_forget(s);
}

/* Who goes on is what the branch that follows the last schedule's path counts from. */
static uint32_t first_new(const struct search *s)
{
    uint32_t at = s->depth;

    while (at > 0 && s->path[at - 1].is_choice)
        at--;
    return at ? at - 1 : 0;
}

bool exploration_take(struct exploration *e, unsigned worker, const struct hdp_region *r)
{
    const struct hdp_explore *x = &r->explore;
    struct search *s = &e->search[worker];
    uint32_t steps = steps_of(x), from = first_new(s);
    struct exploration_counts *c = &e->counts;
    bool redundant = x->end == HDP_EXPLORED_REDUNDANT, same = followed(s, x, steps);

    s->running = false;
    if ((!same || r->result.control_lost) && s->tries++ < TRIES)
        return false;
    s->tries = 0;
    c->uncontrolled |= x->uncontrolled;
    c->full |= x->end == HDP_EXPLORED_FULL;
    c->died |= x->end == HDP_EXPLORED_DIED;
    c->schedules += !redundant;
    c->redundant += redundant;
    c->left_out |= x->end == HDP_EXPLORED_BOUND;
    if (!same) {
        c->astray = true;
    } else {
        take_steps(e, s, x, steps);
        uint64_t trace = races_look(e, s, x, from);
        const struct node *last = last_step(s, s->depth);
        if (!redundant)
            distinct_add(ends_for_all(x, last ? last->thread : 0) ? &e->failed : &e->traces, trace);
    }
    advance(e, s);
    return !redundant;
}

struct exploration_counts exploration_counts(const struct exploration *e)
{
    struct exploration_counts c = e->counts;
    double done = part_done(e);

    c.over = exploration_is_over(e);
    c.traces = distinct_count(&e->traces);
    c.cut_short = distinct_count(&e->failed);
    if (!e->traces.full && !e->failed.full && !c.astray)
        c.repeated = c.schedules - c.traces - c.cut_short;
    c.estimate = done > 0 ? (double)c.schedules / done : 0;
    return c;
}
