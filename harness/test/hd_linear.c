/* hd_linear.c - hd_linear(): scenarios are drawn, explored, judged and made smaller. heddle/linear.h states the
 * use.
 *
 * A schedule records its history in memory that the parent shares, and judges it itself, at its end. One thread runs
 * at a time, so that the order of begins and ends is what happened.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <heddle/seam.h>

#include "explore.h"
#include "models/linear.h"
#include "scenario.h"
#include "wire/finding_record.h"

#define DEFAULT_SCENARIOS 100u
#define DEFAULT_SCHEDULES 100u
#define NAME_BYTES 200u /* at most */
#define TRIES 200u      /* to make a scenario smaller */
#define UNSEEN 10u      /* scenarios in which nothing is seen are enough */

extern const struct hd_seam *heddle_rt_seam(uint32_t version);

static const char *const condition_words[] = {"linearizable", "sequentially consistent",
                                              "quiescently consistent"};

struct linear {
    const struct hd_linear_spec *spec;
    struct hd_linear_options options;
    struct scenario_bounds bounds;
    struct linear_history scenario;
    struct linear_history *history; /* of the schedule that runs, or ran last */
    void *structure;
    bool weak;                      /* memory: not all of what it allows is explored */
    bool from_outside;              /* `heddle run` explores the program */
    struct explore_failure failure; /* the one that is made smaller */
    bool contradicts;               /* and it is that there is no order of the calls */
    uint32_t tries;                 /* to make it smaller */
};

/* ---- one schedule ---- */

static void perform(struct linear *l, uint32_t thread, bool behind)
{
    struct linear_history *h = l->history;
    bool in_time = l->options.condition != HD_SEQUENTIAL;

    for (uint32_t i = 0; i < h->count; i++) {
        struct linear_call *c = &h->call[i];
        struct hd_call call; /* memory that others have no part in */
        unsigned steps;
        if (c->thread != thread || c->behind != behind)
            continue;
        heddle_rt_begins(h); /* others may come between two operations */
        if (in_time)
            heddle_rt_comes_behind(h);
        c->begun = ++h->clock;
        call = c->call;
        steps = heddle_rt_steps();
        c->op->run(l->structure, &call);
        h->points += heddle_rt_steps() - steps;
        c->call = call;
        c->ended = ++h->clock;
        if (in_time)
            heddle_rt_has_ended(h);
    }
}

struct worker {
    struct linear *linear;
    uint32_t thread;
    pthread_t id;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    perform(w->linear, w->thread, false);
    return NULL;
}

static void print_text(FILE *to, const struct linear *l)
{
    const struct linear_history *h = l->history;
    const struct linear_call *c = &h->call[h->wrong];

    scenario_print_call(to, c);
    fprintf(to, " of T%u has no place: %s is not %s", scenario_thread(h, c->thread), l->spec->name,
            condition_words[l->options.condition]);
}

/* Is there no order of the calls? Then text says which one is wrong. */
static bool contradicts(struct linear *l, char *text, size_t bytes)
{
    struct linear_history *h = l->history;
    FILE *to;

    h->wrong = linear_check(l->spec, h, l->options.condition);
    if (h->wrong == LINEAR_CALLS)
        return false;
    to = fmemopen(text, bytes, "w");
    if (to) {
        print_text(to, l);
        fclose(to);
    }
    if (l->from_outside) {
        fprintf(stderr, "%s\n\n", text);
        scenario_print(stderr, h);
        fflush(stderr);
    }
    return true;
}

static void judge(struct linear *l)
{
    char text[HDP_TEXT] = "";
    bool wrong;

    heddle_rt_aside(true);
    wrong = contradicts(l, text, sizeof text);
    heddle_rt_aside(false);
    if (wrong)
        heddle_rt_contradiction(text);
}

static void schedule(void *arg)
{
    struct linear *l = arg;
    struct worker worker[LINEAR_THREADS];
    uint32_t threads = 0, points = l->history->points;

    *l->history = l->scenario;
    l->history->points = points;
    l->structure = l->spec->make();
    if (!l->structure)
        heddle_rt_contradiction("make() returned no structure");
    perform(l, 0, false);
    for (uint32_t t = 1; t <= LINEAR_THREADS; t++) {
        struct worker *w = &worker[threads];
        if (scenario_thread(l->history, t) == threads)
            continue;
        *w = (struct worker){.linear = l, .thread = t};
        if (pthread_create(&w->id, NULL, work, w))
            abort();
        threads++;
    }
    for (uint32_t t = 0; t < threads; t++)
        pthread_join(worker[t].id, NULL);
    perform(l, 0, true);
    judge(l);
    if (l->spec->destroy)
        l->spec->destroy(l->structure);
}

/* ---- scenarios ---- */

static void draw(struct linear *l, uint64_t scenario)
{
    scenario_draw(&l->scenario, l->spec, &l->bounds,
                  l->options.seed * 0x9e3779b97f4a7c15u + scenario);
}

static struct explore explorer(struct linear *l, void (*attach)(const struct hd_seam *seam),
                               uint64_t scenario)
{
    return (struct explore){.attach = attach,
                            .fn = schedule,
                            .arg = l,
                            .options = {.schedules = l->options.schedules,
                                        .max_steps = l->options.max_steps,
                                        .seed = l->options.seed ^ scenario << 32,
                                        .strategy = l->options.strategy,
                                        .memory_model = l->options.memory_model},
                            .all_accesses = true};
}

static bool is_contradiction(const struct linear *l)
{
    return l->history->wrong < l->history->count;
}

/* The first failure: whichever it is. */
static bool sets_the_way(void *arg, const struct explore_failure *how)
{
    struct linear *l = arg;

    l->failure = *how;
    l->contradicts = is_contradiction(l);
    return true;
}

/* Of what contradicts, the text is about the calls; that of a panic may be about values. */
static bool fails_in_the_same_way(void *arg, const struct explore_failure *how)
{
    const struct linear *l = arg;
    const struct explore_failure *first = &l->failure;

    return how->kind == first->kind && how->status == first->status && how->site == first->site &&
           (l->contradicts || how->kind == HD_FK_PANIC || strcmp(how->text, first->text) == 0);
}

static void add_counts(struct hd_explore_result *to, const struct hd_explore_result *more)
{
    to->schedules += more->schedules;
    to->steps += more->steps;
    to->cut += more->cut;
    to->virtual_ns += more->virtual_ns;
    to->exhausted += more->exhausted;
}

/* All schedules of a scenario that has no more than are asked for; of others so many by chance, behind the first of
 * all. It stays with e which of both showed a failure: numbers of schedules go by that. */
static int explore_scenario(const struct linear *l, struct explore *e, struct hd_explore_result *r)
{
    static struct hd_explore_result all;
    int failed;

    all = (struct hd_explore_result){0};
    e->options.exhaustive = !l->options.strategy && !l->weak;
    if (e->options.exhaustive) {
        e->while_small = true;
        failed = explore(e, 1, e->options.schedules, &all);
        e->while_small = false;
        if (failed == 1 || all.exhausted) {
            *r = all;
            return failed;
        }
        e->options.exhaustive = 0;
    }
    failed = explore(e, 1, e->options.schedules, r);
    add_counts(r, &all);
    return failed;
}

/* Fewer threads and calls, smaller arguments, as long as a schedule fails in the same way. What was in vain is tried
 * again once something else is smaller. */
static void make_smaller(struct linear *l, struct explore *e, struct hd_explore_result *r)
{
    static struct hd_explore_result tried;
    struct linear_history smallest = l->scenario;
    uint32_t way = 0;
    bool anew = false;

    for (l->tries = 0; l->tries < TRIES; l->tries++) {
        if (!scenario_smaller(&l->scenario, &smallest, &way)) {
            if (!anew)
                break;
            anew = false;
            way = 0;
            continue;
        }
        int failed = explore_scenario(l, e, &tried);
        r->schedules += tried.schedules;
        if (failed != 1)
            continue;
        smallest = l->scenario;
        anew = true;
        way--;
    }
    l->scenario = smallest;
}

/* `remark`: of the scenario. */
static void write_report(struct linear *l, struct hd_explore_result *r, uint64_t scenario,
                         const char *remark, const char *detail)
{
    FILE *to = fmemopen(r->report, sizeof r->report - 1, "w");
    const struct linear_history *h = l->history;

    if (!to)
        return;
    if (is_contradiction(l))
        print_text(to, l);
    else
        fprintf(to, "%s: %s", l->spec->name, r->word);
    fprintf(to, "\n  scenario %llu, %s:\n\n", (unsigned long long)scenario, remark);
    scenario_print(to, h);
    fprintf(to, "\n%s", detail);
    fclose(to);
}

/* `first`: the history of schedule r->first, which failed. */
static void report_what_came_once(struct linear *l, struct hd_explore_result *r, uint64_t scenario,
                                  const struct linear_history *first)
{
    const char *text = l->contradicts ? "" : l->failure.text;
    char remark[100], detail[HDP_TEXT + 200];

    *l->history = *first;
    snprintf(remark, sizeof remark, "as schedule %llu of it was", (unsigned long long)r->first);
    snprintf(detail, sizeof detail,
             "%s%s  It did not come again: what happens depends on more than the schedule.\n", text,
             text[0] ? "\n" : "");
    write_report(l, r, scenario, remark, detail);
    r->failing = 1;
}

/* A schedule of the scenario failed. `number`: the one of the smaller scenario that is asked for; 0: the one
 * with the fewest preemptions. */
static int report(struct linear *l, struct explore *e, uint64_t scenario, uint64_t number,
                  struct hd_explore_result *r)
{
    static struct hd_explore_result smallest;
    const struct linear_history first = *l->history;
    char remark[100] = "made smaller";
    bool again = false;
    int failed;

    e->counts = fails_in_the_same_way;
    make_smaller(l, e, r);
    e->fewest = true;
    e->again_so = &again;
    e->only_kind = number != 0;
    failed = explore_scenario(l, e, &smallest);
    if (number) {
        e->only_kind = false;
        e->counts = NULL; /* whatever it does */
        failed = explore(e, number, number, &smallest);
    }
    smallest.schedules += r->schedules;
    r->schedules = smallest.schedules;
    if (!number && !again) {
        report_what_came_once(l, r, scenario, &first);
        return 1;
    }
    *r = smallest;
    if (l->tries == TRIES)
        snprintf(remark, sizeof remark, "made smaller as far as %u tries went", TRIES);
    if (failed == 1)
        write_report(l, r, scenario, remark, smallest.report);
    return failed;
}

/* ---- what is asked for ---- */

/* False: text says what is wrong with the i-th operation. */
static bool op_is_right(const struct hd_linear_op *op, size_t i, char *text, size_t bytes)
{
    const char *before = "", *wrong = NULL;

    if (!op->name) {
        snprintf(text, bytes, "operation %zu has no name", i + 1);
        return false;
    }
    for (int a = 0; a < op->args && a < HD_CALL_VALUES; a++)
        if (op->range[a].most < op->range[a].least)
            before = "a range of ", wrong = " ends before it begins";
    if (op->args < 0 || op->args > HD_CALL_VALUES || op->results < 0 ||
        op->results > HD_CALL_VALUES)
        before = "", wrong = " has 0 to 3 arguments and results";
    if (op->only < 0 || op->only > (int)LINEAR_THREADS)
        before = "only of ", wrong = " is the number of a thread, 1 to 4";
    if (!op->apply)
        before = "", wrong = " has no apply()";
    if (!op->run)
        before = "", wrong = " has no run()";
    if (wrong)
        snprintf(text, bytes, "%s%s%s", before, op->name, wrong);
    return !wrong;
}

static const char *wrong_spec(const struct hd_linear_spec *spec)
{
    if (!spec)
        return "there is no specification";
    if (!spec->name)
        return "the specification has no name";
    if (strlen(spec->name) > NAME_BYTES)
        return "the specification's name is too long";
    if (!spec->make)
        return "there is no make()";
    if (!spec->ops || !spec->op_count)
        return "there are no operations";
    if ((spec->copy || spec->clear || spec->equal) && !(spec->copy && spec->clear && spec->equal))
        return "copy(), clear() and equal() belong together";
    return NULL;
}

static const char *wrong_options(const struct hd_linear_options *o)
{
    if ((unsigned)o->condition > HD_QUIESCENT)
        return "unknown condition";
    if (o->threads && (o->threads < 2 || o->threads > (int)LINEAR_THREADS))
        return "threads are 2 to 4";
    if (o->calls < 0 || o->calls > 5)
        return "calls of a thread are 1 to 5";
    if (o->alone < -1 || o->alone > 5)
        return "calls while no thread runs are at most 5";
    return NULL;
}

/* False: text says why it cannot be. */
static bool settle(struct linear *l, const struct hd_linear_options *options, char *text,
                   size_t bytes)
{
    struct hd_linear_options *o = &l->options;
    struct hd_explore_options explored;
    const char *wrong;

    if (options)
        *o = *options;
    wrong = wrong_spec(l->spec);
    if (!wrong)
        wrong = wrong_options(o);
    if (wrong) {
        snprintf(text, bytes, "%s", wrong);
        return false;
    }
    for (size_t i = 0; i < l->spec->op_count; i++)
        if (!op_is_right(&l->spec->ops[i], i, text, bytes))
            return false;
    if (!o->scenarios)
        o->scenarios = DEFAULT_SCENARIOS;
    explored =
        (struct hd_explore_options){.schedules = o->schedules ? o->schedules : DEFAULT_SCHEDULES,
                                    .max_steps = o->max_steps,
                                    .seed = o->seed,
                                    .strategy = o->strategy,
                                    .memory_model = o->memory_model};
    if (!explore_settle(&explored, text, bytes))
        return false;
    o->schedules = explored.schedules;
    o->max_steps = explored.max_steps;
    o->seed = explored.seed;
    o->strategy = explored.strategy;
    l->weak = o->memory_model && strcmp(o->memory_model, "sc") != 0;
    l->bounds = (struct scenario_bounds){.threads = o->threads ? (uint32_t)o->threads : 3,
                                         .calls = o->calls ? (uint32_t)o->calls : 4,
                                         .alone = o->alone < 0 ? 0
                                                  : o->alone   ? (uint32_t)o->alone
                                                               : 3};
    return true;
}

/* HEDDLE_SCHEDULE=NAME:S.N, behind the colon; NULL: nobody asks. *other: it is of another test. */
static const char *asked_for(const char *name, bool *other)
{
    const char *value = getenv("HEDDLE_SCHEDULE"), *colon = value ? strrchr(value, ':') : NULL;
    size_t n = colon ? (size_t)(colon - value) : 0;

    *other = value && *value && !(colon && strlen(name) == n && strncmp(value, name, n) == 0);
    return colon && !*other ? colon + 1 : NULL;
}

/* Behind the number; NULL: there is none, or 0. */
static const char *read_number(const char *text, uint64_t *number)
{
    char *end;

    if (*text < '0' || *text > '9')
        return NULL;
    *number = strtoull(text, &end, 10);
    return *number ? end : NULL;
}

/* "S.N". False: text says why it cannot be. */
static bool names_schedule(const struct linear *l, const char *asked, uint64_t *scenario,
                           uint64_t *number, char *text, size_t bytes)
{
    const char *at = read_number(asked, scenario);

    if (at)
        at = *at == '.' ? read_number(at + 1, number) : NULL;
    if (!at || *at) {
        snprintf(text, bytes, "HEDDLE_SCHEDULE=%s:%s is none: %s:S.N is schedule N of scenario S",
                 l->spec->name, asked, l->spec->name);
        return false;
    }
    if (*number > l->options.schedules) {
        snprintf(text, bytes,
                 "there are %u schedules of each scenario, and no schedule %llu: "
                 "HEDDLE_SCHEDULES=N asks for more",
                 l->options.schedules, (unsigned long long)*number);
        return false;
    }
    return true;
}

static int run_from_outside(struct linear *l, struct hd_explore_result *r)
{
    const struct hd_seam *seam = heddle_rt_seam(HD_SEAM_VERSION);
    struct linear_history history;

    history.points = 0;
    l->history = &history;
    l->from_outside = true;
    draw(l, 1 + seam->choose(l->options.scenarios, __builtin_return_address(0)));
    schedule(l);
    r->schedules = 1;
    return 0;
}

/* Nothing failed. -1: nothing can be said. */
static int silent(const struct linear *l, struct hd_explore_result *r)
{
    const char *name = l->spec->name;

    if (!l->history->points) {
        snprintf(r->report, sizeof r->report,
                 "hd_linear: nothing of %s is seen: build it with heddle-cc\n", name);
        return -1;
    }
    if (r->cut)
        snprintf(
            r->report, sizeof r->report,
            "hd_linear: %llu of %llu schedules of %s did not end within %u steps, and were not "
            "judged\n",
            (unsigned long long)r->cut, (unsigned long long)r->schedules, name,
            l->options.max_steps);
    else
        snprintf(r->report, sizeof r->report,
                 "%s: silent in %llu schedules of %u scenarios; of %llu of these they are all that "
                 "there are\n",
                 name, (unsigned long long)r->schedules, l->options.scenarios,
                 (unsigned long long)r->exhausted);
    return r->cut && r->cut == r->schedules ? -1 : 0;
}

/* Scenario s. `number`: the schedule that is asked for, in which the process ends; 0: none. */
static int run_scenario(struct linear *l, void (*attach)(const struct hd_seam *seam), uint64_t s,
                        uint64_t number, struct hd_explore_result *r)
{
    char again[300] = "";
    struct explore e = explorer(l, attach, s);
    size_t used = 0;
    int failed;

    if (explore_schedules_asked()) /* what is smallest depends on it */
        used = (size_t)snprintf(again, sizeof again, "HEDDLE_SCHEDULES=%u ", l->options.schedules);
    snprintf(again + used, sizeof again - used, "HEDDLE_SCHEDULE=%s:%llu.", l->spec->name,
             (unsigned long long)s);
    e.again = again;
    e.counts = sets_the_way;
    e.only_kind = true;
    draw(l, s);
    failed = explore_scenario(l, &e, r);
    if (failed == 1)
        failed = report(l, &e, s, number, r);
    else if (number)
        failed = explore(&e, number, number, r);
    if (!number || failed < 0)
        return failed;
    fputs(failed ? r->report : "passes\n", stderr);
    explore_in_place(&e, number);
}

static int run_scenarios(struct linear *l, void (*attach)(const struct hd_seam *seam),
                         struct hd_explore_result *r)
{
    struct hd_explore_result before = {0};
    int failed = 0;

    for (uint64_t s = 1; !failed && s <= l->options.scenarios; s++) {
        failed = run_scenario(l, attach, s, 0, r);
        add_counts(r, &before);
        before = *r;
        if (s >= UNSEEN && !l->history->points)
            break;
    }
    return failed ? failed : silent(l, r);
}

int hd_linear_through(void (*attach)(const struct hd_seam *seam), const struct hd_linear_spec *spec,
                      const struct hd_linear_options *options, struct hd_explore_result *result)
{
    static struct hd_explore_result own;
    struct hd_explore_result *r = result ? result : &own;
    struct linear l = {.spec = spec};
    uint64_t scenario = 0, number = 0;
    const char *asked;
    bool other;
    char text[700];
    int failed;

    memset(r, 0, sizeof *r);
    r->kind = -1;
    if (!settle(&l, options, text, sizeof text)) {
        snprintf(r->report, sizeof r->report, "hd_linear: %s\n", text);
        return -1;
    }
    if (explored_from_outside())
        return run_from_outside(&l, r);
    asked = asked_for(spec->name, &other);
    if (other)
        return 0;
    if (asked && !names_schedule(&l, asked, &scenario, &number, text, sizeof text)) {
        snprintf(r->report, sizeof r->report, "hd_linear: %s\n", text);
        return -1;
    }
    l.history =
        mmap(NULL, sizeof *l.history, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (l.history == MAP_FAILED) {
        snprintf(r->report, sizeof r->report, "hd_linear: no memory to share with a child\n");
        return -1;
    }
    failed =
        scenario ? run_scenario(&l, attach, scenario, number, r) : run_scenarios(&l, attach, r);
    munmap(l.history, sizeof *l.history);
    return failed;
}
