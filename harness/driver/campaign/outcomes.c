/* outcomes.c - see outcomes.h
 *
 * A schedule that fails ends early: its decisions are compared with the first ones of those that
 * pass. Only how the program ended counts: detectors may see more or less of the same decisions.
 */
#include "outcomes.h"

#include <sys/wait.h>
#include <uthash.h>

#include "util/alloc.h"
#include "wire/hash.h"

#define KEPT 200000u /* sequences of decisions; with no more is compared */

struct outcome {
    uint64_t decisions;
    uint64_t failed; /* key of the symptom that they led to; 0: to more decisions, or the end */
    UT_hash_handle hh;
};

/* Whether a thread went on behind a release before the others did is no operation, and decides what they
 * see: of such a schedule its operations do not say all. */
static bool stops_behind_releases(const struct hdp_region *r)
{
    for (uint32_t i = 0; i < r->result.steps; i++)
        if (r->trace[i].kind == HD_EV_RELEASED)
            return true;
    return r->result.behind_release;
}

static bool is_known(const struct worker *w)
{
    const struct hdp_region *r = w->region;

    if (r->result.outcome == HDP_CUT || r->result.outcome == HDP_KILLED || !r->result.steps ||
        r->result.steps >= HDP_STEPS || r->result.external || r->result.control_lost ||
        r->result.unmodelled || stops_behind_releases(r))
        return false;
    for (uint32_t i = 0; i < r->result.steps; i++)
        if (r->trace[i].kind == HD_EV_PREEMPT) /* in the middle of a computation */
            return false;
    return true;
}

static uint64_t with(uint64_t h, const struct hdp_step *s)
{
    h = hash_mix(h, (uint64_t)s->thread << 32 | (uint64_t)s->kind << 16 | s->flags);
    if (hdp_step_is_fault(s))
        h = hash_mix(h, s->site);
    return hash_mix(h, (uint64_t)s->choice << 32 | s->object);
}

uint64_t outcomes_decisions(const struct worker *w)
{
    uint64_t h = 1;

    if (!is_known(w))
        return 0;
    /* That may come after somebody has called exit(): in a handler, or while others run. */
    bool crashed = WIFSIGNALED(w->region->result.wait_status);
    for (uint32_t i = 0; i < w->region->result.steps; i++) {
        if (w->region->trace[i].kind == HD_EV_EXIT && !crashed) /* that is the failure already */
            break;
        h = with(h, &w->region->trace[i]);
    }
    return h;
}

static struct outcome *find(struct campaign *c, uint64_t decisions)
{
    struct outcome *o = NULL;

    HASH_FIND(hh, c->outcomes, &decisions, sizeof decisions, o);
    return o;
}

static void keep(struct campaign *c, uint64_t decisions, uint64_t failed)
{
    struct outcome *o;

    if (HASH_COUNT(c->outcomes) >= KEPT)
        return;
    o = mem_zeroed(1, sizeof *o);
    o->decisions = decisions;
    o->failed = failed;
    c->outcomes_failed |= failed != 0;
    HASH_ADD(hh, c->outcomes, decisions, sizeof o->decisions, o);
}

static bool is_ending(enum hd_finding_kind kind)
{
    return kind == HD_FK_CRASH || kind == HD_FK_ASSERTION || kind == HD_FK_EXIT_CODE;
}

void outcomes_doubt(struct finding *f)
{
    if (is_ending(f->kind) && !f->doubtful)
        f->doubtful =
            mem_copy("another schedule took the same decisions, and went on without it: what "
                     "decides it lies outside of the schedule, such as a file that one leaves for "
                     "the next, or what was made before the first thread (--fresh starts each from "
                     "the beginning of the program)");
}

bool outcomes_has_passed(struct campaign *c, uint64_t decisions)
{
    const struct outcome *o = decisions ? find(c, decisions) : NULL;
    return o && !o->failed;
}

void outcomes_failed(struct campaign *c, uint64_t decisions, const struct symptom *list,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_ending(list[i].kind) && decisions && !find(c, decisions))
            keep(c, decisions, list[i].key);
}

uint64_t outcomes_passed(struct campaign *c, const struct worker *w)
{
    uint64_t h = 1, failed = 0;

    if (HASH_COUNT(c->outcomes) >= KEPT && !c->outcomes_failed)
        return 0; /* nothing is kept any more, nor looked for */
    if (!is_known(w))
        return 0;
    for (uint32_t i = 0; i < w->region->result.steps; i++) {
        const struct outcome *o;
        h = with(h, &w->region->trace[i]);
        o = find(c, h);
        if (!o)
            keep(c, h, 0);
        else if (o->failed)
            failed = o->failed;
    }
    return failed;
}

void outcomes_forget(struct campaign *c)
{
    struct outcome *o, *next;

    HASH_ITER(hh, c->outcomes, o, next)
    {
        HASH_DEL(c->outcomes, o);
        free(o);
    }
}
