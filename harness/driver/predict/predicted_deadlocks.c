/* predicted_deadlocks.c - see predicted_deadlocks.h */
#include "predicted_deadlocks.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

/* Whoever needs the lock comes for it last. */
static void whoever_needs_it(const struct hdp_finding *raw, struct steering *s)
{
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES && s->edges < HDP_STEERS; i++)
        if (raw->note[i].role == HD_ROLE_NEEDED && raw->note[i].site)
            s->edge[s->edges++] = (struct hdp_steer){0, raw->note[i].site};
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
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES && s->edges < HDP_STEERS; i++) {
        const struct hdp_note *took = &raw->note[i];
        if (took->role == HD_ROLE_EDGE_TOOK && took->link < i && took->site)
            s->edge[s->edges++] = (struct hdp_steer){raw->note[took->link].site, took->site};
    }
    if (s->edges < 2)
        s->edges = 0;
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

/* Everybody stands still, at every second lock of the ring. */
static bool is_it(const struct hdp_region *r, const struct hdp_finding *raw,
                  const struct steering *s)
{
    if (!is_standstill(raw) || (s->waits && !waits_at(raw, s->waits)))
        return false;
    for (uint32_t i = 0; i < s->edges; i++)
        if (!stands_at(r, raw, s->edge[i].took))
            return false;
    return true;
}

static void prepare(const struct campaign *c, struct hdp_config *config, const struct steering *s,
                    const struct finding *f, unsigned attempt)
{
    *config = c->options.config;
    config->expected_steps = c->expected_steps;
    config->expected_threads = c->expected_threads;
    config->strategy = attempt % 2 ? HDP_RANDOM : HDP_BURST;
    config->seed = (f->fingerprint ^ attempt) * 0x9e3779b97f4a7c15ull;
    config->depth = 1;
    config->steers = s->edges;
    for (uint32_t i = 0; i < s->edges; i++)
        config->steer[i] = s->edge[i];
}

static void conclude(struct finding *f, char *verdict)
{
    char *text = *f->text ? mem_format("%s; %s", f->text, verdict) : mem_copy(verdict);
    free(f->text);
    f->text = text;
    free(verdict);
}

/* The graph takes a semaphore that starts at 1 for a lock; but another thread may post it, and then
 * holding it orders nothing. Only the deadlock itself tells. */
static bool has_semaphore(const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].object && strncmp(f->note[i].object, "semaphore ", 10) == 0)
            return true;
    return false;
}

static void doubt(struct finding *f)
{
    const char *why = NULL;

    if (f->kind == HD_FK_WAIT_HOLDING_LOCK)
        why = "the lock may also decide whether there is a wait at all, and then its waker had it "
              "before";
    else if (has_semaphore(f))
        why = "a semaphore of the ring may be posted by a thread that did not take it, and then "
              "excludes nobody";
    if (why && !f->doubtful)
        f->doubtful = mem_copy(why);
}

void steer(struct campaign *c, struct worker *w, const struct steering *s, uint64_t number,
           struct finding *f)
{
    unsigned attempt = 0;
    if (!s->edges || (!c->options.steers && !s->waits))
        return;
    while (attempt < c->options.steers) {
        struct symptom list[SYMPTOMS];
        prepare(c, &w->region->config, s, f, ++attempt);
        if (!campaign_run_now(c, w))
            return;
        size_t count = judge(c, w, 0, list);
        for (size_t i = 0; i < count; i++) {
            uint64_t key = list[i].key;
            if (list[i].index < 0 || !is_it(w->region, &w->region->finding[list[i].index], s))
                continue;
            confirm(c, w, number, list, count);
            const struct finding *real = confirm_known(c, key);
            conclude(f, mem_format("confirmed by try %u to bring it about, see %s", attempt,
                                   real && real->name ? real->name : "the deadlock"));
            if (real && real != f && !f->same_as)
                f->same_as = mem_copy(real->name);
            return;
        }
        symptoms_free(list, count);
    }
    if (attempt)
        conclude(f, mem_format("not confirmed by %u tries to bring it about", attempt));
    doubt(f);
}
