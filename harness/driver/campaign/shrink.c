/* shrink.c - see shrink.h
 *
 * Plain is a schedule with few faults (--faults); among those, one with few preemptions; among
 * those, one with few decisions that differ from running each thread on; then a short one. Candidates
 * are outlines (outline.h) of which something was left out, or in which something was moved. One that
 * shows the finding is the next to be made plainer, if it is. The same tries in the same order,
 * whatever -j is, until there are enough of them; the time that they have at most is there for programs that are
 * slow, and it is told when it was up.
 */
#include "shrink.h"

#include <stdlib.h>
#include <string.h>

#include "confirm.h"
#include "judge.h"
#include "kept.h"
#include "outline.h"
#include "schedules/schedule.h"
#include "util/alloc.h"
#include "util/real_time.h"
#include "wire/hash.h"

/* Of one finding: decisions of all tries, and tries that ran out of time. */
#define DECISIONS 5000000u
#define TIME_OUTS 2u
/* For all findings together: as long as the schedules took, but at least so long. */
#define LEAST_NS 5000000000ll

struct cost {
    uint32_t faults;
    uint32_t preemptions;
    uint32_t others; /* decisions and choices that are not the plain ones */
    uint32_t steps;
    size_t stretches;
};

struct search {
    struct campaign *c;
    struct worker *w;
    const struct kept_schedule *kept;
    struct hdp_config config;
    bool printed; /* what it printed is the finding: */
    uint64_t output;
    struct outline best;
    struct cost first, cost; /* of the schedule as it was found; of the best one */
    struct hdp_step *point;  /* accesses that are points */
    size_t points;
    uint64_t *tried; /* hashes of outlines */
    size_t outlines;
    unsigned tries, time_outs;
    uint64_t decisions;
    bool over; /* no more tries */
};

/* ---- one try ---- */

static uint64_t output_of(const struct worker *w)
{
    size_t bytes;
    char *text = worker_output(w, false, &bytes);
    uint64_t hash = hash_bytes(bytes, text, bytes);

    free(text);
    return hash;
}

/* Which of them is the finding; count: none is. */
static size_t find(const struct search *s, const struct symptom *list, size_t count)
{
    size_t i = 0;

    while (i < count && list[i].key != s->kept->key)
        i++;
    return s->printed && i < count && output_of(s->w) != s->output ? count : i;
}

/* What a schedule of ours shows to be none of another finding is left to those of the campaign. */
static size_t judge_ours(struct search *s, struct symptom *list)
{
    size_t excluded = s->c->excluded_keys;

    campaign_look_at(s->c, s->w);
    size_t count = judge(s->c, s->w, 0, list);
    s->c->excluded_keys = excluded;
    return count;
}

static bool run(struct search *s)
{
    struct campaign *c = s->c;

    c->stats.shrink.time_up |= real_now() > c->shrink_until_ns;
    if (c->trouble || c->stats.shrink.time_up || !campaign_run_now(c, s->w)) {
        s->over = true;
        return false;
    }
    s->tries++;
    s->decisions += s->w->region->result.steps;
    s->time_outs += s->w->timed_out;
    s->over |= s->tries >= c->options.shrink_tries || s->decisions > DECISIONS ||
               s->time_outs == TIME_OUTS;
    return true;
}

/* Run what is in the region: does it show the finding? What the clock ended would end elsewhere the next
 * time. */
static bool shows(struct search *s)
{
    struct symptom list[SYMPTOMS];

    if (s->over || !run(s))
        return false;
    size_t count = judge_ours(s, list);
    bool shown = find(s, list, count) < count && !s->w->timed_out;
    symptoms_free(list, count);
    return shown;
}

static struct cost cost_of(const struct search *s, size_t stretches)
{
    const struct hdp_region *r = s->w->region;
    struct cost cost = {.faults = r->result.faults,
                        .preemptions = r->result.preemptions,
                        .others = r->result.departures,
                        .steps = r->result.steps,
                        .stretches = stretches};

    for (uint32_t i = 0; i < r->result.steps && i < HDP_STEPS; i++)
        cost.others += r->trace[i].flags & HDP_STEP_CHOICE && r->trace[i].choice &&
                       !hdp_step_is_fault(&r->trace[i]);
    return cost;
}

static bool is_less(const struct cost *a, const struct cost *b)
{
    return a->faults != b->faults             ? a->faults < b->faults
           : a->preemptions != b->preemptions ? a->preemptions < b->preemptions
           : a->others != b->others           ? a->others < b->others
           : a->steps != b->steps             ? a->steps < b->steps
                                              : a->stretches < b->stretches;
}

static void add_points(struct search *s)
{
    struct hdp_region *r = s->w->region;
    uint32_t n = r->config.replay_steps;

    for (size_t i = 0; i < s->points && n < HDP_STEPS; i++)
        r->replay[n++] = s->point[i];
    r->config.replay_points = n - r->config.replay_steps;
}

static void write_outline(struct search *s, const struct outline *o)
{
    s->w->region->config = s->config;
    outline_write(o, s->w->region);
    add_points(s);
}

static bool was_tried(struct search *s, const struct outline *o)
{
    uint64_t hash = outline_hash(o);

    for (size_t i = 0; i < s->outlines; i++)
        if (s->tried[i] == hash)
            return true;
    s->tried = mem_grow(s->tried, s->outlines, sizeof *s->tried);
    s->tried[s->outlines++] = hash;
    return false;
}

/* Takes o over. True: it is the best one now. */
static bool try_outline(struct search *s, struct outline o)
{
    if (s->over || was_tried(s, &o)) {
        outline_free(&o);
        return false;
    }
    write_outline(s, &o);
    bool better = shows(s);
    struct cost cost = cost_of(s, o.stretches);
    if (!better || !is_less(&cost, &s->cost)) {
        outline_free(&o);
        return false;
    }
    outline_read(&o, s->w->region);
    outline_free(&s->best);
    s->best = o;
    s->cost = cost;
    return true;
}

/* ---- candidates ---- */

static bool try_without(struct search *s, size_t first, size_t count)
{
    struct outline o = outline_copy(&s->best);

    outline_cut(&o, first, count);
    return try_outline(s, o);
}

static bool try_moved(struct search *s, size_t from, size_t to)
{
    struct outline o = outline_copy(&s->best);

    outline_move(&o, from, to);
    return try_outline(s, o);
}

static bool try_to_its_end(struct search *s, size_t at)
{
    struct outline o = outline_copy(&s->best);

    o.stretch[at].upto = UINT32_MAX;
    return try_outline(s, o);
}

/* Choices from `first` on, `count` of them, are the plain ones. */
static bool try_plain(struct search *s, size_t first, size_t count)
{
    struct outline o = outline_copy(&s->best);

    for (size_t i = first; i < first + count && i < o.choices; i++)
        o.choice[i].value = 0;
    return try_outline(s, o);
}

/* Nothing is left to be made plainer but the length. */
static bool is_plain(const struct search *s)
{
    return s->over || (!s->cost.preemptions && !s->cost.others);
}

/* The shortest beginning, as far as halving tells. */
static void cut_tail(struct search *s)
{
    size_t fails = 0;

    while (!is_plain(s) && fails + 1 < s->best.stretches) {
        size_t middle = fails + (s->best.stretches - fails) / 2;
        if (!try_without(s, middle, s->best.stretches - middle))
            fails = middle;
    }
}

/* Without so many neighbours each, from the last ones on. */
static bool thin_out(struct search *s, size_t chunk)
{
    bool any = false;

    for (size_t end = s->best.stretches; end > 0 && !is_plain(s);) {
        size_t count = end < chunk ? end : chunk, before = s->best.stretches;
        bool done = try_without(s, end - count, count);
        any |= done;
        /* Neighbours of what was taken out may have been joined. */
        end -= count;
        if (done && end > s->best.stretches)
            end = s->best.stretches;
        if (done && before - s->best.stretches > count && end)
            end--;
    }
    return any;
}

/* A preemption: the thread goes on to the end of its next stretch first, or of its last one, or those that come between
 * have gone on before, or do not come between. */
static bool straighten(struct search *s)
{
    bool any = false;

    for (size_t i = s->best.stretches; i-- > 0 && !is_plain(s);) {
        const struct stretch *at = &s->best.stretch[i];
        if (i + 1 >= s->best.stretches || !at->could_go_on || at[1].thread == at->thread)
            continue;
        size_t next = outline_next(&s->best, i + 1, at->thread);
        bool done = (next < s->best.stretches ? try_moved(s, next, i + 1) : try_to_its_end(s, i)) ||
                    try_moved(s, i + 1, i) || try_without(s, i, 1) || try_without(s, i + 1, 1);
        any |= done;
        if (done && i > s->best.stretches)
            i = s->best.stretches;
    }
    return any;
}

static void plain_choices(struct search *s)
{
    for (size_t chunk = s->best.choices / 2; chunk > 0 && outline_chosen(&s->best); chunk /= 2)
        for (size_t first = 0; first < s->best.choices && !is_plain(s); first += chunk)
            try_plain(s, first, chunk);
}

/* ---- one finding ---- */

/* Where the threads of the last run stood, and where each place is a point from the beginning: which
 * are some time later depends on how many decisions were made until then. */
static void take_points(struct search *s, bool from_the_beginning)
{
    const struct hdp_reached *reached = &s->w->region->reached;

    free(s->point);
    s->point = mem_zeroed(reached->sites + 1ul, sizeof *s->point);
    s->points = 0;
    for (uint32_t i = 0; i < reached->sites && i < HDP_LEARNED_SITES; i++)
        s->point[s->points++] =
            (struct hdp_step){.kind = HD_EV_READ,
                              .choice = from_the_beginning ? 0 : reached->from[i],
                              .object = from_the_beginning ? 0 : reached->until[i],
                              .site = reached->site[i]};
}

static bool some_come_later(const struct hdp_reached *reached)
{
    for (uint32_t i = 0; i < reached->sites && i < HDP_LEARNED_SITES; i++)
        if (reached->from[i] || reached->until[i])
            return true;
    return false;
}

/* Without each of the faults; those that happened are in the configuration. */
static void drop_faults(struct search *s)
{
    for (uint32_t i = 0; i < HDP_FAULTS && !s->over; i++) {
        struct hdp_fault was = s->config.fault[i];
        if (!was.nth)
            continue;
        s->config.fault[i].nth = 0;
        write_outline(s, &s->best);
        if (!shows(s)) {
            s->config.fault[i] = was;
            continue;
        }
        outline_read(&s->best, s->w->region);
        s->cost = cost_of(s, s->best.stretches);
    }
    s->outlines = 0; /* they were tried with others */
}

/* Follow each decision of the schedule that has just run, past those at points that were none. */
static bool shows_with_all_points(struct search *s)
{
    struct hdp_region *r = s->w->region;
    uint32_t steps = 0;

    if (r->result.steps > HDP_STEPS)
        return false;
    for (uint32_t i = 0; i < r->result.steps; i++)
        if (!hdp_step_is_fault(&r->trace[i]))
            r->replay[steps++] = r->trace[i];
    r->config = s->config;
    r->config.flags |= HDP_REPLAY;
    r->config.replay_steps = steps;
    take_points(s, true);
    add_points(s);
    return shows(s) && !r->result.diverged_at;
}

/* The schedule as it was found is run, and its outline. False: it does not show the finding so. */
static bool begin(struct search *s, const struct schedule *as_found)
{
    struct hdp_region *r = s->w->region;

    r->config = s->config;
    campaign_look_at(s->c, s->w);
    schedule_expand(as_found, s->c->symbols, r);
    s->config.faults = r->config.faults;
    memcpy(s->config.fault, r->config.fault, sizeof s->config.fault);
    if (!run(s))
        return false;
    s->output = output_of(s->w);
    struct symptom list[SYMPTOMS];
    size_t count = judge_ours(s, list);
    bool shown = find(s, list, count) < count;
    symptoms_free(list, count);
    s->first = cost_of(s, SIZE_MAX);
    if (!shown || s->over)
        return false;
    if (s->kept->finding->kind != HD_FK_LIVELOCK && r->result.steps < s->config.max_steps / 8)
        s->config.max_steps = 4 * r->result.steps + 1000;
    struct outline o = outline_of(r);
    take_points(s, false);
    if (some_come_later(&r->reached)) {
        if (shows_with_all_points(s)) {
            outline_free(&o);
            o = outline_of(r);
        } else {
            outline_free(&o);
            s->over = true;
            return false;
        }
    }
    s->cost = (struct cost){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, SIZE_MAX};
    return try_outline(s, o);
}

static void search(struct search *s)
{
    drop_faults(s);
    try_plain(s, 0, s->best.choices);
    try_without(s, 0, s->best.stretches);
    cut_tail(s);
    for (size_t chunk = s->best.stretches / 2; chunk > 1 && !is_plain(s); chunk /= 2)
        thin_out(s, chunk);
    while (!is_plain(s) && (straighten(s) || thin_out(s, 1)))
        continue;
    plain_choices(s);
}

/* ---- the result ---- */

static void forget_runs(struct schedule *s)
{
    names_free(&s->threads);
    names_free(&s->objects);
    names_free(&s->sites);
    free(s->run);
    free(s->point);
    identity_free(&s->identity);
    s->run = NULL;
    s->point = NULL;
    s->runs = s->points = s->steps = 0;
}

/* Replayed as often as findings are. The first time it is told; NULL: it is not the same each time. */
static struct finding *confirmed(struct search *s, struct schedule *plain)
{
    const struct finding *f = s->kept->finding;
    struct finding *told = NULL;
    struct hdp_region *r = s->w->region;
    bool same = true;

    for (unsigned n = 0; n < s->c->options.replays && same; n++) {
        struct symptom list[SYMPTOMS];
        r->config = s->kept->config;
        schedule_expand(plain, s->c->symbols, r);
        r->config.flags |= n == 0 ? HDP_RICH : 0;
        if (!campaign_run_now(s->c, s->w)) {
            same = false;
            break;
        }
        if (n == 0)
            identity_record(plain, r, s->c->symbols);
        size_t count = judge_ours(s, list), at = find(s, list, count);
        same = at < count && !s->w->timed_out;
        if (same && n == 0) {
            told = symptom_finding(s->c, s->w, &list[at]);
            same = finding_is_print(told, f->fingerprint);
            confirm_take_story(s->c, s->w, told, list[at].index);
        }
        symptoms_free(list, count);
    }
    if (!same)
        finding_free(told);
    return same ? told : NULL;
}

/* f is told by another schedule that shows it. What is the same of both is left as it is. */
static void tell_by(struct finding *f, struct finding *told)
{
    struct finding old = *f;

    f->note = told->note;
    f->notes = told->notes;
    f->causes = told->causes;
    f->moment = told->moment;
    f->moments = told->moments;
    f->weak = told->weak;
    f->fault = told->fault;
    told->fault = old.fault;
    f->story = told->story;
    f->story_bytes = told->story_bytes;
    told->story = old.story;
    told->note = old.note;
    told->notes = old.notes;
    told->moment = old.moment;
    told->moments = old.moments;
}

/* Where nothing is written at all, it is for the story. */
static bool write_file(struct campaign *c, struct finding *f, struct schedule *plain)
{
    size_t bytes;
    char *text = f->schedule_file ? confirm_schedule(c, f, plain, &bytes) : NULL;
    bool done = !c->outdir.wanted ||
                (text && campaign_write(c, f->name, ".min.schedule", text, bytes, &f->shrunk.file));

    free(text);
    return done;
}

static void conclude(struct search *s, struct schedule *plain)
{
    struct finding *f = s->kept->finding, *told;

    write_outline(s, &s->best);
    if (s->c->trouble || !campaign_run_now(s->c, s->w)) /* no try: the time may be up */
        return;
    forget_runs(plain);
    schedule_record(plain, s->w->region, s->c->symbols, &s->c->objects);
    told = confirmed(s, plain);
    if (told && write_file(s->c, f, plain)) {
        if (f->tools == TOOL_HEDDLE)
            tell_by(f, told);
        f->shrunk.tries = s->tries;
        f->shrunk.preemptions = s->cost.preemptions;
        f->shrunk.steps = s->cost.steps;
        confirm_report(s->c, f);
    }
    if (told)
        finding_free(told);
}

static void shrink(struct campaign *c, struct worker *w, const struct kept_schedule *kept)
{
    struct finding *f = kept->finding;
    struct search s = {.c = c,
                       .w = w,
                       .kept = kept,
                       .config = kept->config,
                       .printed = f->kind == HD_FK_OUTPUT || f->kind == HD_FK_ORACLE};
    struct schedule schedule;
    char *why = schedule_parse(f->name, kept->text, kept->bytes, &schedule);

    s.config.flags &= ~(uint32_t)(HDP_PREDICT | HDP_LOCK_GRAPH);
    if (!why && begin(&s, &schedule)) {
        search(&s);
        s.cost.stretches = s.first.stretches;
        f->shrunk.preemptions = f->shrunk.preemptions_found = s.first.preemptions;
        f->shrunk.steps = f->shrunk.steps_found = s.first.steps;
        if (is_less(&s.cost, &s.first))
            conclude(&s, &schedule);
        f->shrunk.tries = s.tries;
    }
    c->stats.shrink.tries += s.tries;
    c->stats.shrink.findings++;
    free(why);
    schedule_free(&schedule);
    outline_free(&s.best);
    free(s.tried);
    free(s.point);
}

/* Those whose schedule shows them each time. A hang takes the whole of its time in each try. */
static bool is_wanted(const struct finding *f)
{
    return f->name && !f->same_as && f->replays && f->reproduced == f->replays &&
           f->kind != HD_FK_HANG && f->kind != HD_FK_NONDETERMINISM;
}

static bool is_reported(const struct campaign *c, const struct finding *f)
{
    for (size_t i = 0; i < c->findings.count; i++)
        if (c->findings.list[i] == f)
            return true;
    return false;
}

void shrink_all(struct campaign *c)
{
    struct worker *w = NULL;
    int64_t began = real_now(), took = began - c->phase_started_ns;
    uint64_t deaths = c->stats.server_deaths;
    bool had_trouble = c->trouble != NULL;

    for (unsigned i = 0; i < c->crew.workers && !w; i++)
        if (c->crew.worker[i].state == WORKER_IDLE || c->crew.worker[i].state == WORKER_DONE)
            w = &c->crew.worker[i];
    c->shrink_until_ns = began + (took > LEAST_NS ? took : LEAST_NS);
    for (size_t i = 0; i < c->kept_count && w && !c->trouble && !campaign_stop; i++)
        if (is_wanted(c->kept[i].finding) && is_reported(c, c->kept[i].finding))
            shrink(c, w, &c->kept[i]);
    c->stats.shrink.took_ns += real_now() - began;
    c->stats.server_deaths = deaths;
    if (!had_trouble) { /* the schedules of the campaign had none */
        free(c->trouble);
        c->trouble = NULL;
    }
    kept_forget(c);
}
