/* search.c - a part of the tree that one worker explores: how much of it is left, and leaving some to another.
 *
 * What is left to another are the branches that a decision still has, next to the one that is being explored. Whose
 * branch comes first sleeps in the others', so that what that one's step touches must be known. Races that lie
 * before the first decision of one's own add no branches: all that can go on there does, in somebody's part.
 */
#include "exploration_inside.h"

#include <stdlib.h>

#include "util/alloc.h"

void search_forget(struct search *s)
{
    while (s->depth)
        node_clear(&s->path[--s->depth]);
    free(s->path);
    *s = (struct search){.over = true};
}

/* The branches of a decision that are a search's own, and how many of them are done. */
static uint32_t branches(const struct node *n, uint32_t *done)
{
    uint32_t all = 0, taken = 0;

    for (uint32_t i = 0; !n->is_choice && i < n->runnables; i++) {
        bool sleeps = n->branch[i] == BRANCH_OPEN && node_sleeps(n, n->runnable[i]);
        all += n->branch[i] != BRANCH_NONE && !sleeps;
        taken += n->branch[i] == BRANCH_TAKEN;
    }
    *done = n->is_choice ? n->choice : taken - 1; /* one is being explored */
    return n->is_choice ? n->options : all;
}

/* Knuth 1975, along all paths so far: of the tree below each decision, the part that is done is that of its
 * branches which are, and of the one that is being explored. */
double search_done(const struct search *s)
{
    double done = 0, width = 1;

    for (uint32_t i = s->root; i < s->depth; i++) {
        uint32_t taken, all = branches(&s->path[i], &taken);
        if (all < 2)
            continue;
        done += width * taken / all;
        width /= all;
    }
    return done;
}

/* Has all been seen that the step at a decision may touch, whatever is chosen within it? */
static bool step_is_known(const struct search *s, uint32_t at)
{
    for (uint32_t i = at + 1; i < s->depth; i++) {
        if (!s->path[i].is_choice)
            return true;
        if (node_has_more(&s->path[i]))
            return false;
    }
    return false;
}

static void give_branches(const struct exploration *e, struct search *s, uint32_t at,
                          struct search *other)
{
    struct node *n = &s->path[at], *rest;
    uint32_t done, all = branches(n, &done);

    *other = (struct search){.depth = at + 1, .room = at + 1, .root = at};
    other->weight = s->weight * (all - done - 1) / all;
    s->weight /= all;
    other->path = mem_zeroed(at + 1u, sizeof *other->path);
    for (uint32_t i = 0; i <= at; i++)
        other->path[i] = node_copy(&s->path[i]);
    rest = &other->path[at];
    if (n->is_choice) {
        rest->choice++;
        return;
    }
    if (!e->options.plain)
        node_sleep(rest, n->thread, &n->seen);
    rest->thread = 0;
    for (uint32_t i = 0; i < n->runnables; i++) {
        bool open = n->branch[i] == BRANCH_OPEN && !node_sleeps(n, n->runnable[i]);
        rest->branch[i] = open ? BRANCH_OPEN : BRANCH_NONE;
        if (open && !rest->thread) {
            rest->thread = n->runnable[i];
            rest->branch[i] = BRANCH_TAKEN;
        }
    }
}

bool search_share(const struct exploration *e, struct search *s, struct search *other)
{
    for (; s->root + 1 < s->depth; s->root++) {
        struct node *n = &s->path[s->root];
        if (!n->is_choice && !e->options.plain)
            node_add_all(n);
        if (node_has_more(n)) {
            if (!n->is_choice && !step_is_known(s, s->root))
                return false;
            give_branches(e, s, s->root, other);
            s->root++;
            return true;
        }
        uint32_t done, all = branches(n, &done);
        s->weight /= all ? all : 1;
    }
    return false;
}
