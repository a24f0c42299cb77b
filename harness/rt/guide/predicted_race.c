/* predicted_race.c - bring a predicted race about: each of two threads is kept back at its access
 * until the other has come to its own; then one goes, and the other right behind it.
 *
 * With a replay of the schedule that the prediction computed, the threads are named, and so is the
 * entry of the replay from which on they wait: what they did at the same place before is part of
 * the way there. Third threads that the prediction stops in the middle of their code wait where
 * that is. Without a replay, whichever threads come to the two places first are meant, above any
 * strategy, which chooses among the others.
 */
#include "turn/rt.h"

/* Decisions in a row for which threads are kept waiting: others may wait for them by polling. */
#define PATIENCE 5000u

static enum { COMING, FIRST, SECOND, OVER } phase;
static struct hdi_thread *pair[2];
static uint32_t kept;

void rt_predicted_race_begin(void)
{
    phase = rt.config.race_places >= 2 && rt.config.race_places <= HDP_RACE_PLACES ? COMING : OVER;
    pair[0] = pair[1] = NULL;
    kept = 0;
}

static bool is_memory(enum hd_event kind)
{
    return kind >= HD_EV_READ && kind <= HD_EV_FREE;
}

static bool stands_at(const struct hdi_thread *t, const struct hdp_race_place *m)
{
    return t->op && is_memory(t->op->kind) && (!m->thread || m->thread == t->hash) &&
           t->op->site == m->site && (!m->addr || m->addr == (uintptr_t)t->op->data) &&
           rt.replay_at >= m->from;
}

bool rt_predicted_race_passes(const struct hdi_thread *t)
{
    bool extra = false;

    if (phase == OVER || !t->op || !t->enabled || !is_memory(t->op->kind))
        return false;
    for (uint32_t i = 0; i < rt.config.race_places; i++) {
        const struct hdp_race_place *m = &rt.config.race_place[i];
        if (stands_at(t, m))
            return false;
        extra |= m->extra && m->site == t->op->site;
    }
    return extra;
}

/* Two different threads that stand at the two places. */
static bool both_are_there(struct hdi_thread *const *e, uint32_t n)
{
    const struct hdp_race_place *m = rt.config.race_place;

    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++)
            if (i != k && stands_at(e[i], &m[0]) && stands_at(e[k], &m[1]) &&
                (m[0].addr || m[1].addr ||
                 (((uintptr_t)e[i]->op->data ^ (uintptr_t)e[k]->op->data) & ~(uintptr_t)7) == 0)) {
                pair[0] = e[i];
                pair[1] = e[k];
                return true;
            }
    return false;
}

static uint32_t only(struct hdi_thread **e, uint32_t n, struct hdi_thread *t)
{
    for (uint32_t i = 0; i < n; i++)
        if (e[i] == t) {
            e[0] = t;
            return 1;
        }
    phase = OVER;
    return n;
}

static bool waits(const struct hdi_thread *t)
{
    for (uint32_t i = 0; i < rt.config.race_places; i++)
        if (stands_at(t, &rt.config.race_place[i]))
            return true;
    return false;
}

uint32_t rt_predicted_race(struct hdi_thread **e, uint32_t n)
{
    uint32_t m = 0;

    if (phase == OVER || rt.draining)
        return n;
    if (phase == COMING && both_are_there(e, n))
        phase = FIRST;
    else if (phase == COMING && kept++ >= PATIENCE)
        phase = OVER;
    if (phase == FIRST) {
        phase = SECOND;
        return only(e, n, pair[0]);
    }
    if (phase == SECOND) {
        phase = OVER;
        return only(e, n, pair[1]);
    }
    /* a named thread that is still on its way goes first */
    for (uint32_t k = 0; k < 2 && phase == COMING; k++)
        for (uint32_t i = 0; rt.config.race_place[k].thread && i < n; i++)
            if (e[i]->hash == rt.config.race_place[k].thread && !waits(e[i]))
                return only(e, n, e[i]);
    for (uint32_t i = 0; i < n; i++)
        m += !waits(e[i]);
    if (m == 0 || phase == OVER)
        return n; /* one of those that wait goes on, and may come again */
    m = 0;
    for (uint32_t i = 0; i < n; i++) /* their order is kept */
        if (!waits(e[i]))
            e[m++] = e[i];
    return m;
}
