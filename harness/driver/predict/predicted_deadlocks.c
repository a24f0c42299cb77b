/* predicted_deadlocks.c - see predicted_deadlocks.h */
#include "predicted_deadlocks.h"

#include <string.h>

/* Whoever needs the lock comes for it last. */
static void whoever_needs_it(const struct hdp_finding *raw, struct steering *s)
{
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES && s->edges < HDP_DEADLOCK_EDGES; i++)
        if (raw->note[i].role == HD_ROLE_NEEDED && raw->note[i].site)
            s->edge[s->edges++] = (struct hdp_deadlock_edge){0, raw->note[i].site};
        else if (raw->note[i].role == HD_ROLE_WAITED)
            s->waits = raw->note[i].site;
    if (!s->waits)
        s->edges = 0;
}

void steering_of(const struct hdp_finding *raw, struct steering *s)
{
    *s = (struct steering){0};
    if (raw->kind == HD_FK_WAIT_HOLDING_LOCK)
        whoever_needs_it(raw, s);
    if (raw->kind != HD_FK_LOCK_ORDER)
        return;
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES && s->edges < HDP_DEADLOCK_EDGES; i++) {
        const struct hdp_note *took = &raw->note[i];
        if (took->role == HD_ROLE_EDGE_TOOK && took->link < i && took->site)
            s->edge[s->edges++] =
                (struct hdp_deadlock_edge){raw->note[took->link].site, took->site};
    }
    if (s->edges < 2)
        s->edges = 0;
}

bool steering_is_same(const struct steering *a, const struct steering *b)
{
    bool same = a->edges == b->edges && a->waits == b->waits;

    for (uint32_t i = 0; i < a->edges && same; i++)
        same = a->edge[i].held == b->edge[i].held && a->edge[i].took == b->edge[i].took;
    return same;
}

static bool waits_at(const struct hdp_finding *raw, uint64_t site)
{
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES; i++)
        if (raw->note[i].role == HD_ROLE_WAITS && raw->note[i].site == site)
            return true;
    return false;
}

static bool is_standstill(const struct hdp_finding *raw)
{
    return raw->kind == HD_FK_DEADLOCK || raw->kind == HD_FK_LOST_WAKEUP ||
           raw->kind == HD_FK_LEAK_BLOCKED;
}

/* Somebody waits there, by this finding or, of threads that the program's end leaves behind,
 * another of the same schedule. */
static bool stands_at(const struct hdp_region *r, const struct hdp_finding *raw, uint64_t site)
{
    if (waits_at(raw, site))
        return true;
    for (uint32_t i = 0; i < r->result.findings && i < HDP_FINDINGS; i++)
        if (raw->kind == HD_FK_LEAK_BLOCKED && r->finding[i].kind == HD_FK_LEAK_BLOCKED &&
            waits_at(&r->finding[i], site))
            return true;
    return false;
}

bool steering_is_it(const struct steering *s, const struct hdp_region *r,
                    const struct hdp_finding *raw)
{
    if (!is_standstill(raw) || (s->waits && !waits_at(raw, s->waits)))
        return false;
    for (uint32_t i = 0; i < s->edges; i++)
        if (!stands_at(r, raw, s->edge[i].took))
            return false;
    return true;
}

/* So many tries keep threads in front of their second locks as long as anybody else can run. The others let one
 * on now and then: what closes the ring may come only after somebody went through. */
enum { WITH_PATIENCE = 3 };

void steering_prepare(const struct steering *s, uint64_t fingerprint, unsigned attempt,
                      struct hdp_config *config)
{
    config->strategy = attempt % 2 ? HDP_RANDOM : HDP_BURST;
    config->seed = (fingerprint ^ attempt) * 0x9e3779b97f4a7c15ull;
    config->depth = 1;
    config->deadlock_patience = attempt <= WITH_PATIENCE ? 0 : 1u << hash_next(config->seed) % 6;
    config->deadlock_edges = s->edges;
    for (uint32_t i = 0; i < s->edges; i++)
        config->deadlock_edge[i] = s->edge[i];
}

/* The graph takes a semaphore that starts at 1 for a lock; but another thread may post it, and then
 * holding it orders nothing. Only the deadlock itself tells. */
static bool has_semaphore(const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].object_kind == HD_OB_SEM)
            return true;
    return false;
}

const char *steering_doubt(const struct finding *f)
{
    if (f->kind == HD_FK_WAIT_HOLDING_LOCK)
        return "the lock may also decide whether there is a wait at all, and then its waker had it "
               "before";
    if (has_semaphore(f))
        return "a semaphore of the ring may be posted by a thread that did not take it, and then "
               "excludes nobody";
    return "it was not brought about: what keeps the two orders apart may be something that Heddle "
           "does not see";
}
