/* batches.c - see batches.h */
#include "batches.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "util/alloc.h"
#include "util/real_time.h"
#include "wire/hash.h"

#define BATCH_NS 1000000000
#define MORE_THREADS 1u /* than schedules made so far */
/* --engine=auto: so many schedules are run in processes of their own first, since those learn from each
 * other in short phases; and whether it pays is asked after so many batches, or so much time. */
#define ALONE_FIRST 64u
#define TRIAL_BATCHES 8u
#define TRIAL_NS 1000000000

struct claim {
    uint64_t next, until;     /* claimed and not run yet: [next, until) */
    uint64_t alone;           /* of these, the first that is run in a process of its own; 0: none */
    uint64_t news;            /* it is `alone` that did not pass, */
    bool failed;              /* and not for what only hindered it there */
    struct hdp_config config; /* of the batch that runs */
    uint32_t steps;           /* decisions of those that were restored, */
    uint32_t last;            /* and which was the last of them */
    struct hdp_ran ran;       /* what the one came to that did not pass, */
    struct hdp_step *trace;   /* and, for --engine=compare, its decisions */
};

struct batches {
    struct claim *of; /* each worker */
    struct cost {
        uint64_t schedules;
        int64_t took_ns;
    } alone, in_place; /* in place: those that passed, and what all took */
};

static bool is_power(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

static void turn_off(struct campaign *c, const char *why)
{
    if (!c->stats.in_place.why_not)
        c->stats.in_place.why_not = mem_copy(why);
    c->stats.in_place.off = true;
}

/* What is asked for is done in the fork engine alone. */
static const char *excluded_by_options(const struct campaign_options *o)
{
    if (o->tool)
        return "another tool looks at the program";
    if (o->check_output || o->oracle)
        return "the output of each schedule is asked for";
    if (o->check_determinism)
        return "each schedule is run twice";
    if (o->config.faults)
        return "faults are asked for";
    if (o->lock_graph)
        return "the lock-order graph is asked for";
    if (o->launch.show_output)
        return "the program's output is shown";
    if (o->shards > 1)
        return "only some of the schedules are run (--shard)";
    if (o->config.flags & HDP_REAL_CLOCK)
        return "the clock is the real one";
    if (o->config.flags & HDP_FRESH)
        return "each schedule starts with the program (--fresh)";
    return NULL;
}

void batches_open(struct campaign *c)
{
    const char *why;

    c->stats.in_place.wanted =
        c->options.engine != ENGINE_FORK && !c->options.native && !c->exploration;
    c->stats.in_place.by_itself = c->options.engine == ENGINE_AUTO;
    c->batches = NULL;
    if (!c->stats.in_place.wanted)
        return;
    c->batches = mem_zeroed(1, sizeof *c->batches);
    c->batches->of = mem_zeroed(c->options.jobs, sizeof *c->batches->of);
    why = excluded_by_options(&c->options);
    if (why)
        turn_off(c, why);
}

void batches_close(struct campaign *c)
{
    if (!c->batches)
        return;
    for (unsigned i = 0; i < c->options.jobs; i++)
        free(c->batches->of[i].trace);
    free(c->batches->of);
    free(c->batches);
    c->batches = NULL;
}

bool batches_left(const struct campaign *c, const struct worker *w)
{
    if (!c->batches)
        return false;
    if (w)
        return c->batches->of[w->index].next < c->batches->of[w->index].until;
    for (unsigned i = 0; i < c->options.jobs; i++)
        if (c->batches->of[i].next < c->batches->of[i].until)
            return true;
    return false;
}

uint64_t batches_first_left(const struct campaign *c)
{
    uint64_t first = 0;

    for (unsigned i = 0; c->batches && i < c->options.jobs; i++) {
        const struct claim *v = &c->batches->of[i];
        if (v->next < v->until && (!first || v->next < first))
            first = v->next;
    }
    return first;
}

/* Numbers for batches, up to the next schedule that starts alone. */
static void claim(struct campaign *c, struct claim *v)
{
    uint64_t until = c->next;

    if (c->stats.in_place.off || c->next < 3 || is_power(c->next) ||
        (c->options.engine == ENGINE_AUTO && c->next <= ALONE_FIRST))
        return;
    while (until - c->next < HDP_BATCH && !is_power(until) &&
           (until == c->next || !campaign_waits_before(c, until)) &&
           (!c->options.schedules || until <= c->options.schedules))
        until++;
    v->next = c->next;
    v->until = c->next = until;
    v->alone = 0;
}

enum batches_next batches_next(struct campaign *c, struct worker *w, uint64_t *first,
                               uint32_t *count)
{
    struct hdp_batch *b = &w->region->batch;
    struct claim *v = c->batches ? &c->batches->of[w->index] : NULL;
    uint64_t until;

    if (v && v->next >= v->until)
        claim(c, v);
    if (!v || v->next >= v->until)
        return BATCHES_NONE;
    *first = v->next;
    if (c->stats.in_place.off || v->alone == v->next) {
        v->alone = 0;
        v->next++;
        return BATCHES_ALONE;
    }
    until = v->alone > v->next && v->alone < v->until ? v->alone : v->until;
    *count = (uint32_t)(until - v->next);
    b->threads = c->threads_seen + MORE_THREADS;
    b->check = c->options.check_restore;
    b->time_ns = BATCH_NS;
    if (c->options.time_ns && *first > c->options.at_least) {
        int64_t left = c->options.time_ns - (real_now() - c->phase_started_ns);
        b->time_ns = left < BATCH_NS ? left : BATCH_NS;
    }
    return BATCHES_BATCH;
}

static void add_costs(struct campaign *c, const struct hdp_batch *b)
{
    struct in_place_stats *s = &c->stats.in_place;
    double ns = b->cycles ? (double)b->took_ns / (double)b->cycles : 0;

    s->batches++;
    s->scans += b->scans;
    s->rerun += b->rerun;
    s->calls += b->calls;
    s->took_ns += b->took_ns;
    s->run_ns += (int64_t)((double)b->run_cycles * ns);
    s->restore_ns += (int64_t)((double)b->restore_cycles * ns);
    s->scan_ns += (int64_t)((double)b->scan_cycles * ns);
    s->image_bytes = b->image_bytes;
    if (b->pages > s->pages)
        s->pages = b->pages;
}

/* The program can write what it likes there. */
static uint32_t trusted_done(const struct worker *w)
{
    const struct hdp_batch *b = &w->region->batch;
    uint32_t done = b->done < w->batch ? b->done : w->batch;
    uint64_t steps = 0;

    for (uint32_t i = 0; i < done; i++) {
        steps += b->ran[i].result.steps;
        if (steps > HDP_BATCH_STEPS)
            return i;
    }
    return done;
}

static void note_why(struct campaign *c, const char *what)
{
    struct in_place_stats *s = &c->stats.in_place;

    if (!s->why_not)
        s->why_not = mem_format("%s%.79s", s->off ? "" : "the program ", what);
}

/* --engine=auto: what is left there is run again, and a batch costs something by itself. */
static void ask_whether_it_pays(struct campaign *c, const struct worker *w, uint32_t passed)
{
    struct cost *here = &c->batches->in_place, *alone = &c->batches->alone;

    here->schedules += passed;
    here->took_ns += real_now() - w->started_ns;
    if (c->options.engine != ENGINE_AUTO || !alone->schedules ||
        (c->stats.in_place.batches < TRIAL_BATCHES && here->took_ns < TRIAL_NS) ||
        (double)here->took_ns / (double)alone->took_ns <
            (double)here->schedules / (double)alone->schedules)
        return;
    note_why(c, "is slower in place");
    c->stats.in_place.off = true;
}

static bool fails(const struct hdp_result *r)
{
    return r->outcome != HDP_RAN || r->findings || r->wait_status;
}

/* The record of the one that did not pass, to be held against what the fork engine makes of it. */
static void keep_news(struct campaign *c, const struct worker *w, struct claim *v, uint32_t i)
{
    const struct hdp_region *r = w->region;
    uint32_t steps;

    v->news = v->next;
    v->ran = r->batch.ran[i];
    v->failed = fails(&v->ran.result);
    steps = v->ran.result.steps;
    free(v->trace);
    v->trace = NULL;
    if (c->options.engine != ENGINE_COMPARE)
        return;
    v->trace = mem_zeroed(steps + 1ul, sizeof *v->trace);
    memcpy(v->trace, r->trace, steps * sizeof *v->trace);
}

uint32_t batches_end(struct campaign *c, struct worker *w, uint64_t first)
{
    struct hdp_batch *b = &w->region->batch;
    struct claim *v = &c->batches->of[w->index];
    uint32_t done = trusted_done(w);

    b->what[sizeof b->what - 1] = '\0';
    v->next = first + done;
    v->config = w->region->config;
    v->steps = 0;
    v->news = 0;
    add_costs(c, b);
    c->stats.in_place.schedules += done;
    switch (b->end) {
    case HDP_BATCH_RAN:
        break;
    case HDP_BATCH_REFUSED:
        c->stats.in_place.off = true;
        note_why(c, b->what);
        break;
    case HDP_BATCH_UNHEALED:
        campaign_trouble(c, mem_format("schedule %llu in place: %.79s",
                                       (unsigned long long)(first + b->at), b->what));
        break;
    case HDP_BATCH_CANNOT:
        c->stats.in_place.cannot++;
        note_why(c, b->what);
        v->alone = v->next;
        break;
    case HDP_BATCH_NEWS:
        c->stats.in_place.news++;
        v->alone = v->next;
        if (v->next < v->until && b->ran[done].result.steps < HDP_STEPS)
            keep_news(c, w, v, done);
        break;
    default: /* it died: which schedule it was is known, but not whether those before passed */
        c->stats.in_place.died++;
        v->alone = b->at > done && b->at < w->batch ? first + b->at : v->next;
        v->news = c->options.engine == ENGINE_COMPARE ? 0 : v->alone;
        v->failed = !w->killed;
        break;
    }
    ask_whether_it_pays(c, w, done);
    return done;
}

void batches_restore(struct campaign *c, struct worker *w, uint32_t i)
{
    struct hdp_region *r = w->region;
    const struct hdp_batch *b = &r->batch;
    const struct hdp_ordered *o = &b->ordered[i];
    struct claim *v = &c->batches->of[w->index];

    r->config = v->config;
    r->config.seed = o->seed;
    r->config.flags = o->flags;
    r->config.strategy = o->strategy;
    r->config.depth = o->depth;
    r->config.work_steps = o->work_steps;
    r->result = b->ran[i].result;
    memcpy(r->trace, b->trace + v->steps, r->result.steps * sizeof *r->trace);
    v->steps += r->result.steps;
    v->last = i;
}

void batches_lost(struct campaign *c, struct worker *w, uint64_t first)
{
    struct claim *v = &c->batches->of[w->index];

    v->next = first;
    turn_off(c, "the process that starts the schedules died");
}

/* ---- both engines side by side ---- */

static char *difference(const struct worker *w, const struct hdp_ran *ran,
                        const struct hdp_step *trace)
{
    const struct hdp_result *a = &ran->result, *b = &w->region->result;
    const struct {
        const char *name;
        int64_t a, b;
    } number[] = {{"outcome", a->outcome, b->outcome},
                  {"decisions", a->steps, b->steps},
                  {"switches", a->switches, b->switches},
                  {"preemptions", a->preemptions, b->preemptions},
                  {"threads", a->threads, b->threads},
                  {"interleaving", (int64_t)a->interleaving, (int64_t)b->interleaving},
                  {"virtual time", a->virtual_ns, b->virtual_ns},
                  {"findings", a->findings, b->findings},
                  {"exclusions", a->excluded, b->excluded},
                  {"exit code", a->wait_status, b->wait_status},
                  {"steps waited", a->waited_steps, b->waited_steps},
                  {"jumps of the clock", a->work_jumps, b->work_jumps},
                  {"releases", a->behind_release, b->behind_release}};

    for (uint32_t i = 0; i < a->steps && i < b->steps && i < HDP_STEPS; i++)
        if (memcmp(&trace[i], &w->region->trace[i], sizeof *trace) != 0)
            return mem_format("decision %u differs", i + 1);
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        if (number[i].a != number[i].b)
            return mem_format("%s: %lld in place, %lld in a process of its own", number[i].name,
                              (long long)number[i].a, (long long)number[i].b);
    for (int err = 0; err < 2; err++) {
        size_t prefix = (size_t)(err ? w->err_prefix : w->out_prefix), bytes;
        char *text = worker_output(w, err, &bytes);
        uint64_t hash = hash_bytes(HASH_BASIS, text + prefix, bytes - prefix);
        free(text);
        if (hash != ran->output[err])
            return mem_format("what it wrote to %s differs", err ? "stderr" : "stdout");
    }
    return NULL;
}

static void compare(struct campaign *c, struct worker *w, uint64_t number,
                    const struct hdp_ran *ran, const struct hdp_step *trace)
{
    char *text = difference(w, ran, trace);

    c->stats.in_place.compared++;
    if (text)
        campaign_trouble(c, mem_format("the engines differ in schedule %llu: %s",
                                       (unsigned long long)number, text));
    free(text);
}

void batches_compare(struct campaign *c, struct worker *w, uint64_t number)
{
    struct hdp_region *r = w->region;
    uint32_t steps = r->result.steps;
    struct hdp_ran ran = {.result = r->result};
    struct hdp_step *trace;

    if (c->options.engine != ENGINE_COMPARE || c->trouble)
        return;
    memcpy(ran.output, r->batch.ran[c->batches->of[w->index].last].output, sizeof ran.output);
    trace = mem_zeroed(steps + 1ul, sizeof *trace);
    memcpy(trace, r->trace, steps * sizeof *trace);
    if (campaign_run_now(c, w))
        compare(c, w, number, &ran, trace);
    free(trace);
}

void batches_alone_ended(struct campaign *c, struct worker *w, uint64_t number)
{
    struct claim *v = c->batches ? &c->batches->of[w->index] : NULL;
    struct in_place_stats *s = &c->stats.in_place;

    if (!v || !number)
        return;
    c->batches->alone.schedules++;
    c->batches->alone.took_ns += real_now() - w->started_ns;
    if (v->news != number)
        return;
    v->news = 0;
    if (c->options.engine == ENGINE_COMPARE)
        compare(c, w, number, &v->ran, v->trace);
    else if (v->failed && w->state == WORKER_DONE && !fails(&w->region->result) &&
             !s->unconfirmed++)
        s->first_unconfirmed = number;
}
