/* predicted_deadlock.c - bring a predicted deadlock about: whoever holds the first lock of one of
 * its edges and is about to take the second waits there until nobody else can run, or for some decisions
 * (config.deadlock_patience), as what closes the ring may need that it went on before. When each edge
 * has its thread in place, they wait for each other. Or, without a first lock: whoever is about to
 * take one comes last, so that another waits for him with the lock held. The same of locks that the
 * user named (--aim): whoever holds one of them and is about to take another.
 *
 * Above any strategy, which chooses among the others.
 * source: Joshi, Park, Sen and Naik, "A randomized dynamic program analysis technique for detecting
 *         real deadlocks", PLDI 2009.
 */
#include "turn/rt.h"

#include "locks/lockgraph.h"

/* Decisions in a row for which threads are kept waiting: others may wait for them by polling. */
#define PATIENCE 2000u

static uint32_t kept;

static bool is_aimed(const struct hdi_object *o)
{
    for (uint32_t i = 0; o && i < rt.config.aimed_locks && i < HDP_DEADLOCK_EDGES; i++)
        if (o->addr == rt.config.aimed_lock[i])
            return true;
    return false;
}

static bool is_between_aimed(const struct hdi_thread *t)
{
    if (!is_aimed(t->op->object))
        return false;
    for (uint32_t i = 0; i < t->locks.count; i++)
        if (t->locks.held[i].object != t->op->object && is_aimed(t->locks.held[i].object))
            return true;
    return false;
}

static bool in_place(const struct hdi_thread *t)
{
    const struct hdp_config *c = &rt.config;

    if (!t->op)
        return false;
    if (is_between_aimed(t))
        return true;
    for (uint32_t i = 0; i < c->deadlock_edges && i < HDP_DEADLOCK_EDGES; i++) {
        uint64_t site;
        uint32_t mode;
        if (t->op->site != c->deadlock_edge[i].took)
            continue;
        if (!c->deadlock_edge[i].held)
            return true;
        for (uint32_t k = 0; t->locks.graph && hdi_lock_held_at(t->locks.graph, k, &site, &mode);
             k++)
            if (site == c->deadlock_edge[i].held)
                return true;
    }
    return false;
}

uint32_t rt_predicted_deadlock(struct hdi_thread **e, uint32_t n)
{
    uint32_t patience = rt.config.deadlock_patience ? rt.config.deadlock_patience : PATIENCE;
    uint32_t m = 0;

    if ((!rt.config.deadlock_edges && !rt.config.aimed_locks) || rt.draining)
        return n;
    for (uint32_t i = 0; i < n; i++)
        m += !in_place(e[i]);
    if (m == n || m == 0 || kept++ >= patience) {
        kept = 0;
        return n;
    }
    m = 0;
    for (uint32_t i = 0; i < n; i++) /* their order is kept */
        if (!in_place(e[i]))
            e[m++] = e[i];
    return m;
}
