/* reordered.c - races that another order of the same lock acquisitions may show.
 *
 * One run orders two conflicting accesses by chance when only the hand-over of a lock lies between
 * them, no lock is common to both, and the critical sections have nothing else to do with each
 * other (what one leaves in a queue and the other takes out keeps its order). Such a pair of places
 * is written down for later schedules, where strategy `hold` keeps threads in front of the one
 * place until others have passed the other: if the two can really meet, the detector then reports
 * the race, with a schedule. A pair that never meets (the program waits for one before the other in
 * a way that locks carry) is never reported.
 *
 * Every schedule proposes so, at next to no cost, and proves nothing by itself; the few schedules
 * that keep a tape are searched for what provably can happen
 * (harness/driver/predict/sync_preserving.h).
 */
#include "core/thread.h"
#include "memory/access.h"

#define SITES 4096u /* slots */
#define LOCKS 4u

/* The locks that were held at every access of a place so far. */
struct guarded {
    uint64_t pc;
    uint8_t locks;
    const struct hdi_object *lock[LOCKS];
};

static struct guarded *sites;

static struct guarded *site_of(uint64_t pc)
{
    if (!sites)
        sites = hdi_alloc_lasting(SITES * sizeof *sites);
    uint32_t at = (uint32_t)(pc * 0x9e3779b97f4a7c15ull >> 52);
    for (uint32_t tries = 0; tries < 64; tries++, at = (at + 1) % SITES)
        if (!sites[at].pc || sites[at].pc == pc)
            return &sites[at];
    return NULL;
}

static bool holds(const struct hdi_thread *t, const struct hdi_object *lock)
{
    for (uint32_t i = 0; i < t->locks.count; i++)
        if (t->locks.held[i].object == lock)
            return true;
    return false;
}

void hdi_predict_access(const struct hdi_thread *t, uint64_t pc)
{
    struct guarded *g = site_of(pc);
    if (!g || !t)
        return;
    if (!g->pc) {
        g->pc = pc;
        for (uint32_t i = 0; i < t->locks.count && g->locks < LOCKS; i++)
            g->lock[g->locks++] = t->locks.held[i].object;
        return;
    }
    for (uint8_t i = 0; i < g->locks;)
        if (holds(t, g->lock[i]))
            i++;
        else
            g->lock[i] = g->lock[--g->locks];
}

static bool common_lock(const struct guarded *a, const struct guarded *b)
{
    for (uint8_t i = 0; i < a->locks; i++)
        for (uint8_t j = 0; j < b->locks; j++)
            if (a->lock[i] == b->lock[j])
                return true;
    return false;
}

bool hdi_race_candidate(struct hdi_racer *t, uint64_t pc, const struct hdi_earlier *earlier)
{
    struct hdp_learned *news = hdi_watch.config.news;
    const struct hdi_thread *thread = hdi_memory_thread_of(t->tid)->thread;
    for (uint32_t i = 0; i < thread->locks.count; i++)
        if (hdi_race_lock_orders(t, thread->locks.held[i].object->addr, earlier))
            return false;
    for (uint32_t i = 0; i < news->pairs; i++)
        if (news->pair[i].second == pc && (uint32_t)news->pair[i].first == earlier->pc)
            return true;
    uint64_t first = hdi_full_pc(earlier->pc);
    const struct guarded *a = site_of(first), *b = site_of(pc);
    if (!a || !b || common_lock(a, b))
        return false;
    if (!hdi_watch.config.replay && news->pairs < HDP_LEARNED_PAIRS)
        news->pair[news->pairs++] = (struct hdp_learned_pair){.first = first, .second = pc};
    return true;
}
