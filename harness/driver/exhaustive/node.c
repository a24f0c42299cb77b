/* node.c - a decision on the path to the schedule that runs: its branches, and who sleeps there. */
#include "exploration_inside.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

void footprint_clear(struct footprint *f)
{
    free(f->touch);
    *f = (struct footprint){0};
}

void footprint_add(struct footprint *f, const struct hdp_touch *touch, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < f->count && !known; k++)
            known = f->touch[k].key == touch[i].key && f->touch[k].mode == touch[i].mode;
        if (known)
            continue;
        f->touch = mem_grow(f->touch, f->count, sizeof *f->touch);
        f->touch[f->count++] = touch[i];
    }
}

void node_clear(struct node *n)
{
    for (uint32_t i = 0; i < n->sleepers; i++)
        footprint_clear(&n->sleeper[i].would);
    free(n->sleeper);
    free(n->runnable);
    free(n->branch);
    footprint_clear(&n->step);
    footprint_clear(&n->seen);
    *n = (struct node){0};
}

const struct footprint *node_would(const struct node *n, uint32_t thread)
{
    for (uint32_t i = 0; i < n->sleepers; i++)
        if (n->sleeper[i].thread == thread)
            return &n->sleeper[i].would;
    return NULL;
}

bool node_sleeps(const struct node *n, uint32_t thread)
{
    return node_would(n, thread);
}

bool node_takes(const struct node *n, uint32_t thread)
{
    for (uint32_t i = 0; i < n->runnables; i++)
        if (n->runnable[i] == thread)
            return n->branch[i] != BRANCH_NONE;
    return false;
}

bool node_add(struct node *n, uint32_t thread)
{
    for (uint32_t i = 0; i < n->runnables; i++)
        if (n->runnable[i] == thread) {
            if (n->branch[i] == BRANCH_NONE)
                n->branch[i] = BRANCH_OPEN;
            return true;
        }
    return false;
}

void node_add_all(struct node *n)
{
    for (uint32_t i = 0; i < n->runnables; i++)
        node_add(n, n->runnable[i]);
}

void node_sleep(struct node *n, uint32_t thread, const struct footprint *would)
{
    struct sleeper s = {.thread = thread};
    footprint_add(&s.would, would->touch, would->count);
    n->sleeper = mem_grow(n->sleeper, n->sleepers, sizeof *n->sleeper);
    n->sleeper[n->sleepers++] = s;
}

bool node_has_more(const struct node *n)
{
    if (n->is_choice)
        return n->choice + 1 < n->options;
    for (uint32_t i = 0; i < n->runnables; i++)
        if (n->branch[i] == BRANCH_OPEN && !node_sleeps(n, n->runnable[i]))
            return true;
    return false;
}

struct node node_copy(const struct node *n)
{
    struct node copy = *n;

    copy.step = copy.seen = (struct footprint){0};
    copy.sleeper = NULL;
    copy.sleepers = 0;
    for (uint32_t i = 0; i < n->sleepers; i++)
        node_sleep(&copy, n->sleeper[i].thread, &n->sleeper[i].would);
    if (n->is_choice)
        return copy;
    copy.runnable = mem_zeroed(n->runnables + 1u, sizeof *copy.runnable);
    copy.branch = mem_zeroed(n->runnables + 1u, sizeof *copy.branch);
    memcpy(copy.runnable, n->runnable, n->runnables * sizeof *copy.runnable);
    memcpy(copy.branch, n->branch, n->runnables * sizeof *copy.branch);
    return copy;
}
