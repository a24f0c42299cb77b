/* campaign.c - the loop: give schedules to workers, take what comes back, keep to the plan.
 *
 * Schedules 1, 2, 4, 8 … 4096 start alone: what was learned from all before them (how many steps
 * the program makes) is then the same whatever -j is, so that a seed always means the same
 * campaign.
 */
#include "campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "batches.h"
#include "bring_about.h"
#include "confirm.h"
#include "corpus.h"
#include "earlier.h"
#include "judge.h"
#include "kept.h"
#include "outcomes.h"
#include "resume.h"
#include "shrink.h"
#include "reports/worth.h"
#include "symbols/hooked.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "schedules/config_words.h"
#include "util/quantity.h"
#include "util/read_file.h"
#include "util/real_time.h"

static unsigned running(const struct campaign *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->crew.workers; i++)
        n += c->crew.worker[i].schedule != 0;
    return n;
}

/* A schedule that is to be run again; NULL = none. */
static struct lost *next_lost(const struct campaign *c)
{
    for (unsigned i = 0; i < c->crew.workers; i++)
        if (c->lost[i].waits)
            return &c->lost[i];
    return NULL;
}

/* The entry of schedule `number`; of 0: a free one. There is one, as each belongs to a worker that
 * runs its schedule, or is free to. */
static struct lost *lost_entry(const struct campaign *c, uint64_t number)
{
    for (unsigned i = 0; i < c->crew.workers; i++)
        if (c->lost[i].number == number)
            return &c->lost[i];
    return NULL;
}

/* Is it up, and did it have to last for more schedules? */
static bool time_is_up(const struct campaign *c)
{
    return c->options.time_ns && c->next > c->options.at_least &&
           real_now() - c->phase_started_ns > c->options.time_ns;
}

/* Was enough seen for what is wanted of the estimate? It is of no worth before there were three times the
 * schedules that it is to say something about. */
static bool is_saturated(const struct campaign *c)
{
    double share = c->options.until_share;

    return share > 0 && (double)c->stats.unseen.draws * share >= 3 &&
           unseen_share(&c->stats.unseen) <= share;
}

/* With more points the tree of decisions is another one. False: first what runs is to end. */
static bool explore_anew(struct campaign *c)
{
    if (running(c))
        return false;
    feedback_share(c->feedback, &c->crew);
    exploration_restart(c->exploration);
    c->points_came = false;
    return true;
}

/* Are there as many as were asked for? One that shows no more than others did is not counted. */
static bool has_all(const struct campaign *c)
{
    uint64_t redundant = c->exploration ? c->stats.explored.counts.redundant : 0;

    return c->options.schedules && c->next > c->options.schedules + redundant;
}

/* Behind the last that was asked for there may be some that show no more, and nothing else. */
static bool may_go_on(const struct campaign *c)
{
    return c->exploration && !c->explored_beyond;
}

/* May w start the next schedule now? */
static bool may_start(struct campaign *c, const struct worker *w)
{
    uint64_t n = c->next;
    bool claimed = batches_left(c, w);
    if (c->points_came && !explore_anew(c))
        return false;
    if (c->exploration && !exploration_has_work(c->exploration, w->index))
        return false;
    if (!c->trouble && !campaign_stop && next_lost(c))
        return true;
    if (c->trouble || campaign_stop || (has_all(c) && !claimed && !may_go_on(c)) ||
        (c->options.stop_at_first && campaign_failures(c)))
        return false;
    if (time_is_up(c)) {
        c->stats.time_up = true;
        c->stats.by_time = c->options.at_least != 0;
        c->stats.seed = c->options.plan.seed;
        return false;
    }
    if (!c->exploration && !claimed && campaign_waits_before(c, n)) {
        if (running(c) || batches_left(c, NULL))
            return false;
        c->stats.saturated = is_saturated(c);
        if (c->stats.saturated)
            return false;
    }
    if (!c->exploration && !claimed && campaign_begins_phase(n)) {
        feedback_share(c->feedback, &c->crew);
        fault_plan_phase(c->faults, n);
        c->expected_steps = c->steps_seen;
        c->expected_threads = c->threads_seen;
        c->waited_steps = c->waited_steps_seen;
        c->work_jumps = c->work_jumps_seen;
        c->silent = n > 2 && !c->from_outside;
    }
    return true;
}

/* A tool looks for races itself. */
static bool may_predict(const struct campaign *c)
{
    return c->options.predict && !c->options.tool;
}

/* Behind c->next. */
static uint64_t next_number(const struct campaign *c)
{
    uint64_t n = c->next + 1, power = LEARN_UNTIL;

    if (n > LEARN_UNTIL &&
        n < c->options.begin) { /* the powers of two, from which races are predicted */
        while (power < n)
            power *= 2;
        n = power < c->options.begin ? power : c->options.begin;
    }
    while (!campaign_runs(c, n))
        n++;
    return n;
}

static void configure(struct campaign *c, const struct worker *w, uint64_t number,
                      struct hdp_config *config)
{
    *config = c->options.config;
    config->expected_steps = c->expected_steps;
    config->expected_threads = c->expected_threads;
    plan_schedule(&c->options.plan, number, config);
    if (w->region->learned.full && config->points == HDP_POINTS_SHARED)
        config->points = HDP_POINTS_ALL;
    if (config->faults)
        fault_plan_choose(c->faults, c->options.plan.seed, number, config);
    config->work_steps = plan_work_steps(config, c->waited_steps, c->work_jumps);
    if (c->silent)
        config->flags |= HDP_SILENT;
    if (c->lockgraph)
        config->flags |= HDP_LOCK_GRAPH;
    config->deadlock_edges = c->aimed.deadlock_edges;
    config->aimed_locks = c->aimed.aimed_locks;
    memcpy(config->deadlock_edge, c->aimed.deadlock_edge, sizeof config->deadlock_edge);
    memcpy(config->aimed_lock, c->aimed.aimed_lock, sizeof config->aimed_lock);
}

/* Schedules that start side by side with others: none of them keeps a tape. */
static void give_batch(struct campaign *c, struct worker *w, uint64_t first, uint32_t count)
{
    struct hdp_config *config = &w->region->config;
    for (uint32_t i = 0; i < count; i++) {
        configure(c, w, first + i, config);
        w->region->batch.ordered[i] = (struct hdp_ordered){.seed = config->seed,
                                                           .flags = config->flags,
                                                           .strategy = config->strategy,
                                                           .depth = config->depth,
                                                           .work_steps = config->work_steps};
    }
    w->schedule = first;
    worker_run_batch(w, count);
}

/* What is to be explored does not hang together with chance, nor with the schedules before. */
static void explore_plan(struct campaign *c, struct worker *w)
{
    struct hdp_config *config = &w->region->config;

    config->flags &= ~(uint32_t)(HDP_SCOUT | HDP_RELEASED | HDP_SILENT);
    config->flags |= HDP_EXHAUSTIVE;
    config->strategy = HDP_RANDOM; /* others have points of their own */
    config->work_steps = config->depth = 0;
    config->seed = c->options.plan.seed;
    exploration_order(c->exploration, w->index, w->region);
}

/* False: it was like one before, or is one more than was asked for. */
static bool explore_take(struct campaign *c, struct worker *w)
{
    const struct hdp_learned *news = &w->region->news;
    if (c->options.schedules && c->stats.explored.counts.schedules >= c->options.schedules &&
        w->region->explore.end != HDP_EXPLORED_REDUNDANT) {
        c->explored_beyond = true;
        exploration_drop(c->exploration, w->index);
        return false;
    }
    bool is_new = exploration_take(c->exploration, w->index, w->region);

    /* Where all accesses are points, or none, what was learned makes no more of them. */
    if (w->region->config.points == HDP_POINTS_SHARED) {
        c->points_came |= feedback_is_new(c->feedback, news);
        c->stats.explored.words_lost |= w->region->learned.words_lost || news->words_lost;
    }
    c->stats.explored.counts = exploration_counts(c->exploration);
    c->stats.explored.counts.over &= !c->points_came;
    return is_new;
}

static void give_work(struct campaign *c, struct worker *w)
{
    struct lost *again = next_lost(c);
    uint64_t number = again ? again->number : 0;
    uint32_t count;
    if (again) {
        again->waits = false;
    } else {
        switch (batches_next(c, w, &number, &count)) {
        case BATCHES_BATCH:
            give_batch(c, w, number, count);
            return;
        case BATCHES_ALONE:
            break;
        case BATCHES_NONE:
            number = c->next;
            c->next = next_number(c);
        }
    }
    configure(c, w, number, &w->region->config);
    if (c->exploration)
        explore_plan(c, w);
    else if (may_predict(c) &&
             !w->region->config.fault[0].nth) /* another order might not have it */
        predict_plan(number, w->region);
    w->schedule = number;
    worker_run(w);
}

/* What was named is looked up once the program is there. */
static bool is_aimed(struct campaign *c, const struct worker *w)
{
    if (!c->options.aim.names || c->aimed.deadlock_edges || c->aimed.aimed_locks)
        return true;
    symbols_map(c->symbols, c->maps[w->index] ? c->maps[w->index] : "");
    char *why = aim_at(&c->options.aim, c->symbols, &c->aimed);
    if (why)
        campaign_trouble(c, why);
    return !why;
}

static void add_name(struct names *names, const char *text)
{
    uint32_t known;
    if (!names_number(names, text, &known) && names->count < 256)
        names_add(names, (uint32_t)names->count, text);
}

static void note_oddities(struct campaign *c, struct worker *w)
{
    const struct hdp_region *r = w->region;
    const struct hdp_result *result = &r->result;
    if (result->control_lost) {
        campaign_look_at(c, w);
        char *site = symbols_site(c->symbols, result->control_lost_site);
        add_name(&c->stats.lost_places, site ? site : "an unknown place");
        free(site);
    }
    for (uint32_t i = 0; i < result->unmodelled && i < HDP_UNMODELLED; i++) {
        char name[sizeof r->unmodelled[i].name + 1];
        snprintf(name, sizeof name, "%.31s", r->unmodelled[i].name);
        add_name(&c->stats.unmodelled, name);
    }
    for (uint32_t i = 0; i < r->shared_count && i < HDP_SHARED; i++) {
        char what[sizeof r->shared[i] + 1];
        snprintf(what, sizeof what, "%.63s", r->shared[i]);
        add_name(&c->stats.shared, what);
    }
}

/* Was it stopped because its threads only sleep and go on? Where all schedules are, the program is
 * meant to. */
static bool is_endless(const struct hdp_region *r)
{
    for (uint32_t i = 0; i < r->result.findings && i < HDP_FINDINGS; i++)
        if (r->finding[i].only_sleeps)
            return true;
    return false;
}

/* Which of the program's files have hooks: once is enough. */
static void note_modules(struct stats *s, const struct hdp_region *r)
{
    if (!s->accesses_watched || s->hooked.count + s->unhooked.count)
        return;
    char *maps = read_maps(r->server);
    if (maps)
        hooked_modules(maps, &s->hooked, &s->unhooked);
    free(maps);
}

/* What later schedules are planned with. */
static void learn(struct campaign *c, const struct hdp_result *result)
{
    if (result->outcome != HDP_KILLED && result->outcome != HDP_CUT &&
        result->steps > c->steps_seen)
        c->steps_seen = result->steps;
    if (result->waited_steps > c->waited_steps_seen)
        c->waited_steps_seen = result->waited_steps;
    c->work_jumps_seen += result->work_jumps;
    c->from_outside += result->from_outside;
    if (result->threads > c->threads_seen)
        c->threads_seen = result->threads;
}

static void count_interleaving(struct stats *s, const struct hdp_region *r, uint64_t number)
{
    distinct_add(&s->interleavings, r->result.interleaving);
    unseen_add(&s->unseen, r->result.interleaving, s->numbered + number);
    worth_count_pct(s, &r->config, &r->result);
}

static void count(struct campaign *c, struct worker *w, uint64_t number)
{
    const struct hdp_result *result = &w->region->result;
    struct stats *s = &c->stats;
    s->schedules++;
    s->steps += result->steps;
    s->virtual_ns += result->virtual_ns;
    s->control_lost += result->control_lost;
    s->external += result->external;
    for (unsigned i = 0; i < HD_FK_COUNT; i++)
        s->findings_dropped[i] += result->findings_dropped[i];
    s->orders_forgotten += result->orders_forgotten;
    s->elastic |= (w->region->config.flags & (HDP_ELASTIC_SLEEP | HDP_REAL_CLOCK)) != 0;
    s->races_wanted |= (w->region->config.flags & HDP_RACES) != 0;
    s->accesses_watched |= w->region->reached.watched != 0;
    note_modules(s, w->region);
    s->aslr_on |= c->crew.bell->randomised != 0;
    struct strategy_stats *strategy = &s->strategy[w->region->config.strategy % HDP_STRATEGIES];
    strategy->name = strategy_word(w->region->config.strategy);
    strategy->schedules++;
    bool cut = result->outcome == HDP_CUT && w->region->explore.end != HDP_EXPLORED_BOUND;
    strategy->cut += cut;
    strategy->slow += w->slow;
    s->cut += cut;
    s->endless += is_endless(w->region);
    s->timed_out += w->timed_out;
    s->slow += w->slow;
    s->output_cut += w->out_cut || w->err_cut;
    s->faults.schedules += result->faults != 0;
    s->faults.missed += w->region->config.fault[0].nth && !result->faults;
    if (result->steps > s->steps_max)
        s->steps_max = result->steps;
    if (result->threads > s->threads_max)
        s->threads_max = result->threads;
    if (result->outcome != HDP_KILLED && result->outcome != HDP_CUT)
        count_interleaving(s, w->region, number);
    if (result->control_lost || result->unmodelled || w->region->shared_count)
        note_oddities(c, w);
}

/* Run the same schedule once more and compare every decision. */
static void check_determinism(struct campaign *c, struct worker *w, uint64_t number)
{
    uint32_t steps = w->region->result.steps < HDP_STEPS ? w->region->result.steps : HDP_STEPS;
    struct hdp_step *old = mem_zeroed(steps, sizeof *old);
    memcpy(old, w->region->trace, steps * sizeof *old);
    if (campaign_run_now(c, w)) {
        campaign_look_at(c, w);
        char *text = judge_difference(c, old, steps, w->region);
        if (text) {
            struct symptom s = {.key = 3, .kind = HD_FK_NONDETERMINISM, .index = -1, .text = text};
            report_symptoms(c, w, number, &s, 1);
        }
    }
    free(old);
}

static void take_lock_graph(struct campaign *c, struct worker *w, uint64_t number,
                            const struct symptom *list, size_t count)
{
    campaign_look_at(c, w);
    struct scene scene = campaign_scene(c, w);
    lockgraph_take(c->lockgraph, &scene, number);
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == HD_FK_LOCK_ORDER && list[i].index >= 0)
            lockgraph_predicted(c->lockgraph, &scene, &w->region->finding[list[i].index],
                                list[i].key);
}

/* Suppressed predictions are none. */
static bool is_reported(const struct campaign *c, const struct finding *f)
{
    for (size_t i = 0; i < c->findings.count; i++)
        if (c->findings.list[i] == f)
            return true;
    return false;
}

static void save_lock_graph(struct campaign *c)
{
    struct lockgraph *g = c->lockgraph;
    struct lockgraph_about about = {"run", c->options.target->path, c->options.argv};
    for (size_t i = 0; i < g->arcs; i++) {
        struct lock_arc *a = &g->arc[i];
        a->finding = mem_zeroed(a->symptoms + 1, sizeof *a->finding);
        for (size_t k = 0; k < a->symptoms; k++) {
            const struct finding *f = confirm_known(c, a->symptom[k]);
            bool said = !f || !is_reported(c, f);
            for (size_t n = 0; n < a->findings; n++)
                said |= a->finding[n] == f->name;
            if (!said)
                a->finding[a->findings++] = f->name;
        }
        a->predicted = a->findings != 0;
    }
    lockgraph_finish(g, &c->objects);
    char *why = lockgraph_save(g, &about, c->options.lock_graph);
    if (why)
        complain("%s", why);
    c->stats.not_saved |= why != NULL;
    free(why);
}

static void take(struct campaign *c, struct worker *w, uint64_t number)
{
    struct symptom list[SYMPTOMS];
    struct lost *again = lost_entry(c, number);
    if (again)
        *again = (struct lost){0};
    uint64_t decisions = outcomes_decisions(w);
    learn(c, &w->region->result);
    if (campaign_counts(c, number))
        count(c, w, number);
    if (number <= LEARN_UNTIL) {
        feedback_profile(c->feedback, w->region, number);
        feedback_count(c->feedback, w->region);
        if (campaign_begins_phase(number))
            feedback_path(c->feedback, w->region);
    }
    if (w->region->config.faults)
        fault_plan_learn(c->faults, w->region, number);
    if (w->region->result.findings) {
        campaign_look_at(c, w);
        if (c->options.predict)
            predict_note(&c->races, c->symbols, w->region);
    }
    if (w->region->config.flags & HDP_PREDICT)
        campaign_look_at(c, w);
    struct prediction *prediction =
        predict_read(&c->races, c->symbols, w->region, &c->stats.predicted.cut);
    size_t symptoms = judge(c, w, number, list);
    if (c->lockgraph)
        take_lock_graph(c, w, number, list, symptoms);
    uint64_t failed = symptoms ? 0 : outcomes_passed(c, w);
    if (failed && confirm_known(c, failed))
        outcomes_doubt(confirm_known(c, failed));
    if (symptoms)
        report_symptoms(c, w, number, list, symptoms);
    else if (c->options.check_determinism && w->state == WORKER_DONE)
        check_determinism(c, w, number);
    outcomes_failed(c, decisions, list, symptoms);
    bring_races_about(c, w, number, prediction);
}

static void take_batch(struct campaign *c, struct worker *w, uint64_t first)
{
    uint32_t passed = batches_end(c, w, first);
    for (uint32_t i = 0; i < passed && !c->trouble; i++) {
        batches_restore(c, w, i);
        take(c, w, first + i);
        batches_compare(c, w, first + i);
    }
}

static void take_work(struct campaign *c, struct worker *w)
{
    uint64_t number = w->schedule;
    w->schedule = 0;
    if (w->batch) {
        take_batch(c, w, number);
    } else {
        batches_alone_ended(c, w, number);
        if (!c->exploration || explore_take(c, w))
            take(c, w, number);
    }
    if (w->state == WORKER_DONE)
        worker_next(w);
}

static void flooded(struct campaign *c)
{
    campaign_trouble(c, mem_copy("the program makes processes without end: stopped"));
}

/* The server died in the middle of its work. Its schedule gets a few more chances. */
static void server_died(struct campaign *c, struct worker *w)
{
    int status = w->status;
    uint64_t number = w->schedule;
    struct lost *lost = number ? lost_entry(c, number) : NULL;

    w->schedule = 0;
    if (c->exploration)
        exploration_drop(c->exploration, w->index);
    worker_stop(&c->crew, w);
    free(c->maps[w->index]);
    c->maps[w->index] = NULL;
    if (campaign_is_flooded(c, w)) {
        flooded(c);
        return;
    }
    c->stats.server_deaths++;
    if (!number)
        return;
    if (w->batch) {
        batches_lost(c, w, number);
        return;
    }
    if (!lost)
        lost = lost_entry(c, 0);
    *lost = (struct lost){.number = number, .deaths = lost->deaths + 1, .waits = true};
    if (lost->deaths < SERVER_DEATHS)
        return;
    if (WIFSIGNALED(status))
        campaign_trouble(c, mem_format("the process that starts the schedules was killed by signal "
                                       "%d (%s) %u times in schedule %llu: does the program signal "
                                       "its parent?",
                                       WTERMSIG(status), strsignal(WTERMSIG(status)), lost->deaths,
                                       (unsigned long long)number));
    else
        campaign_trouble(c, mem_format("the process that starts the schedules ended with exit code "
                                       "%d",
                                       WEXITSTATUS(status)));
}

/* By us, by the system for want of memory, by somebody: it says nothing about the program. */
static bool killed_from_outside(int status)
{
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM ||
                                   WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGHUP);
}

/* A start that failed and did not fail again: found, and the campaign goes on. */
static void report_flaky_start(struct campaign *c, struct confirmation *k)
{
    struct steering predicted;
    struct finding *f;

    while (k && (f = confirm_next(c, k, &predicted))) {
        char *text = mem_format("%s before the first thread was created, but not in the next start",
                                f->text);
        free(f->text);
        f->text = text;
        confirm_save(c, k, f);
        live_found(&c->live, f);
    }
}

/* The program failed before it made a thread: once more, with stacks. */
static void start_failed(struct campaign *c, struct worker *w)
{
    struct symptom list[SYMPTOMS], again[SYMPTOMS];
    struct hdp_config rich = c->options.config;
    size_t symptoms = judge(c, w, 0, list);
    struct confirmation *k = confirm(c, w, 0, list, symptoms);

    rich.flags |= HDP_RICH;
    symptoms = 0;
    if (campaign_start_now(c, w, &rich) && w->state == WORKER_ENDED &&
        !killed_from_outside(w->status)) {
        w->region->result.wait_status = w->status;
        symptoms = judge(c, w, 0, again);
    }
    if (symptoms) {
        confirm_drop(k);
        report_symptoms(c, w, 0, again, symptoms);
    } else {
        report_flaky_start(c, k);
    }
}

/* The program is over before it made a thread. Where others got there, it is only this start. */
static void ended_without_thread(struct campaign *c, struct worker *w)
{
    char limit[32];

    w->region->result.wait_status = w->status;
    w->starts_failed++;
    if (campaign_is_flooded(c, w)) {
        flooded(c);
    } else if (w->timed_out) {
        show_time(c->options.timeout_ns, limit, sizeof limit);
        if (!c->started)
            campaign_trouble(c, mem_format("the program created no thread within %s (--timeout "
                                           "gives it more time)",
                                           limit));
    } else if (killed_from_outside(w->status)) {
        c->stats.server_deaths++;
        if (w->starts_failed == SERVER_DEATHS && !c->started)
            campaign_trouble(c, mem_format("the program was killed by signal %d (%s) in each of %u "
                                           "starts, before it created a thread",
                                           WTERMSIG(w->status), strsignal(WTERMSIG(w->status)),
                                           w->starts_failed));
    } else if (WIFSIGNALED(w->status) || w->region->result.findings) {
        start_failed(c, w);
        c->ended_early = !c->started && w->state == WORKER_ENDED;
    } else if (!c->started && c->options.allow_no_threads && WIFEXITED(w->status) &&
               campaign_exit_is_fine(c, WEXITSTATUS(w->status))) {
        c->ended_early = c->no_threads = true;
    } else if (!c->started) {
        c->ended_early = true;
        campaign_trouble(c, mem_format("the program ended (exit code %d) without creating a "
                                       "thread: there is nothing to schedule. What it may have "
                                       "started, or become (exec), ran without Heddle",
                                       WEXITSTATUS(w->status)));
    }
    if (w->state != WORKER_IDLE && !c->ended_early) {
        c->stats.starts_failed++;
        worker_stop(&c->crew, w);
    }
}

/* Every worker has given up. */
static bool nobody_starts(const struct campaign *c)
{
    for (unsigned i = 0; i < c->crew.workers; i++)
        if (c->crew.worker[i].state != WORKER_DOWN ||
            c->crew.worker[i].starts_failed < SERVER_DEATHS)
            return false;
    return true;
}

static void start(struct campaign *c, struct worker *w)
{
    char *why = worker_start(&c->crew, w, &c->options.config);
    if (why)
        campaign_trouble(c, why);
}

static void serve(struct campaign *c, struct worker *w)
{
    switch (worker_poll(w)) {
    case WORKER_DOWN:
        if (nobody_starts(c))
            campaign_trouble(c, mem_format("the program could be started no more: %llu starts "
                                           "ended before the first thread was created",
                                           (unsigned long long)c->stats.starts_failed));
        /* One server first: what is wrong with the program is said once. */
        if (!c->trouble && w->starts_failed < SERVER_DEATHS && (w->index == 0 || c->started))
            start(c, w);
        break;
    case WORKER_IDLE:
        c->started = true;
        w->starts_failed = 0;
        if (!c->maps[w->index])
            c->maps[w->index] = read_maps(w->pid);
        if (is_aimed(c, w) && may_start(c, w))
            give_work(c, w);
        break;
    case WORKER_DONE:
        take_work(c, w);
        if (w->state == WORKER_IDLE && may_start(c, w))
            give_work(c, w);
        break;
    case WORKER_ENDED:
        ended_without_thread(c, w);
        break;
    case WORKER_REFUSED:
        campaign_trouble(c, mem_format("%.255s", w->region->refusal));
        w->schedule = 0;
        break;
    case WORKER_DIED:
        server_died(c, w);
        break;
    case WORKER_STARTING:
    case WORKER_RUNNING:
        break;
    }
}

static bool is_over(struct campaign *c)
{
    if (running(c) && !campaign_stop)
        return false;
    if (c->trouble || c->ended_early || campaign_stop || c->stats.time_up || c->stats.saturated)
        return true;
    if (next_lost(c))
        return false;
    if (c->exploration && c->started && !c->points_came && exploration_is_over(c->exploration))
        return true;
    return (has_all(c) && !batches_left(c, NULL) && !may_go_on(c)) ||
           (c->options.stop_at_first && campaign_failures(c));
}

static void run_loop(struct campaign *c)
{
    int64_t checked = real_now();
    while (!is_over(c)) {
        for (unsigned i = 0; i < c->crew.workers; i++)
            serve(c, &c->crew.worker[i]);
        if (is_over(c))
            break;
        crew_wait(&c->crew, TICK_MS);
        int64_t now = real_now();
        if (now - checked < TICK_MS * 1000000ll)
            continue;
        checked = now;
        crew_check(&c->crew, c->options.timeout_ns);
        live_update(&c->live, &c->stats, &c->findings);
        resume_write(c, false);
    }
}

static void forget_stuck(struct campaign *c)
{
    for (size_t i = 0; i < c->stuck_count; i++)
        stack_clear(&c->stuck[i].stack);
    free(c->stuck);
    c->stuck = NULL;
    c->stuck_count = 0;
}

/* A replay for people hangs: see where, while it still lives. */
static void look_at_stuck(void *arg, struct worker *w)
{
    struct campaign *c = arg;
    if (!(w->region->config.flags & HDP_RICH) || w->region->child <= 1)
        return;
    forget_stuck(c);
    c->stuck_count = running_stacks(w->region->child, c->options.launch.runtime, &c->stuck);
}

static void open_crew(struct campaign *c)
{
    c->phase_started_ns = real_now();
    c->feedback = feedback_new();
    c->faults = fault_plan_new();
    c->symbols = symbols_new();
    symbols_hide(c->symbols, c->options.launch.runtime);
    c->maps = mem_zeroed(c->options.jobs, sizeof *c->maps);
    c->lost = mem_zeroed(c->options.jobs, sizeof *c->lost);
    c->trouble =
        c->options.native ? NULL : crew_open(&c->crew, &c->options.launch, c->options.jobs);
    c->crew.last_look = look_at_stuck;
    c->crew.last_look_arg = c;
}

static void close_crew(struct campaign *c)
{
    for (unsigned i = 0; i < c->options.jobs; i++)
        free(c->maps[i]);
    free(c->maps);
    free(c->lost);
    if (!c->options.native)
        crew_close(&c->crew);
    symbols_free(c->symbols);
    feedback_free(c->feedback);
    fault_plan_free(c->faults);
}

static char *describe(const struct campaign_options *o)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (!out)
        return mem_copy("");
    fprintf(out, "heddle %s\nprogram %s\nbuild-id %s\n", HEDDLE_VERSION, o->target->path,
            o->target->build_id);
    for (char *const *a = o->argv; *a; a++)
        fprintf(out, "argument %s\n", *a);
    fprintf(out, "seed %llu\n", (unsigned long long)o->plan.seed);
    fclose(out);
    return text;
}

void campaign_open(struct campaign *c, const struct campaign_options *options)
{
    *c = (struct campaign){.options = *options, .next = 1};
    c->outdir.wanted = options->out;
    c->about = describe(options);
    c->stats.planned = options->shards > 1 || options->begin > 1 ? 0 : options->schedules;
    c->stats.started_ns = real_now();
    c->exploration = options->exhaustive ? exploration_new(&options->explore, options->jobs) : NULL;
    c->stats.explored = (struct explored_stats){.wanted = options->exhaustive,
                                                .plain = options->explore.plain,
                                                .bounded = options->explore.bounded,
                                                .stops = options->stop_at_first,
                                                .preemptions = options->explore.preemptions,
                                                .steps = options->explore.steps,
                                                .points = options->config.points};
    live_start(&c->live, options->quiet);
    c->doubts = doubts_new();
    c->lockgraph = options->lock_graph ? lockgraph_new() : NULL;
    open_crew(c);
    batches_open(c);
    if (options->learned)
        corpus_give(c, options->learned);
    if (options->explored)
        resume_give(c, options->explored);
}

/* Where addresses are others in each start, places of several starts cannot be told from each other. */
static void take_coverage(struct campaign *c)
{
    bool whole = !c->options.native && !(c->crew.bell && c->crew.bell->randomised);

    for (unsigned i = 0; whole && c->crew.worker && i < c->crew.workers; i++) {
        struct worker *w = &c->crew.worker[i];
        if (!c->maps[i] || !w->region)
            continue;
        symbols_map(c->symbols, c->maps[i]);
        if (!c->stats.coverage)
            c->stats.coverage = coverage_new();
        coverage_take(c->stats.coverage, &w->region->covered, c->symbols);
    }
}

void campaign_reopen(struct campaign *c, const struct campaign_options *options)
{
    close_crew(c);
    batches_close(c);
    free(c->trouble);
    c->options = *options;
    c->no_oracle = false;
    c->next = 1;
    c->started = c->ended_early = c->stats.time_up = c->stats.saturated = false;
    c->stats.planned += options->schedules;
    c->stats.numbered = c->stats.unseen.last;
    c->expected_steps = c->expected_threads = c->steps_seen = c->threads_seen = 0;
    c->waited_steps = c->waited_steps_seen = c->work_jumps = c->work_jumps_seen = 0;
    c->from_outside = 0;
    c->silent = false;
    for (size_t i = 0; i < c->findings.count; i++)
        c->findings.list[i]->last = 0; /* the numbers of schedules start again */
    open_crew(c);
    batches_open(c);
}

void campaign_take_log(struct campaign *c, struct tool_log *log)
{
    bool is_new, hidden;

    tool_symbolise(log, NULL, false);
    for (size_t i = 0; i < log->count; i++) {
        struct finding *f = log->finding[i];
        if (f->kind == HD_FK_CRASH && !c->options.native) { /* the runtime tells of it */
            finding_free(f);
            continue;
        }
        doubt_mark(c->doubts, f);
        f = campaign_keep(c, f, &hidden, &is_new);
        if (is_new && !hidden)
            live_found(&c->live, f);
    }
    c->stats.not_understood += log->raw;
    c->stats.reports_dropped += log->dropped;
    log->count = 0;
    tool_log_free(log);
}

struct worker *campaign_first_worker(struct campaign *c)
{
    struct worker *w = &c->crew.worker[0];

    while (!c->trouble && !c->ended_early && w->state == WORKER_DOWN) {
        if (!campaign_start_now(c, w, &c->options.config))
            return NULL;
        if (w->state == WORKER_ENDED)
            ended_without_thread(c, w);
        else if (w->state == WORKER_REFUSED)
            campaign_trouble(c, mem_format("%.255s", w->region->refusal));
    }
    return w->state == WORKER_IDLE ? w : NULL;
}

/* Before anything else: what earlier campaigns left open, and what they found. */
static void begin_with_earlier(struct campaign *c)
{
    bool open = c->opens || (c->races.opens && c->options.predict);
    struct worker *w = c->options.earlier || open ? campaign_first_worker(c) : NULL;

    if (w && open)
        bring_open_about(c, w);
    if (w && c->options.earlier)
        earlier_try(c, w, c->options.earlier);
}

void campaign_explore(struct campaign *c)
{
    if (!c->trouble)
        begin_with_earlier(c);
    if (!c->trouble)
        run_loop(c);
    take_coverage(c); /* how many tries there is time for is chance */
    shrink_all(c);
}

/* Did no schedule end by itself? Then those whose threads only sleep and go on are as they should
 * be, and did not come to their end. */
static bool only_endless(const struct campaign *c)
{
    for (size_t i = 0; i < sizeof c->exits / sizeof *c->exits; i++)
        if (c->exits[i])
            return false;
    return c->stats.schedules > 1;
}

/* What brought the schedules about was a child process, and no thread. */
static bool only_children(const struct campaign *c)
{
    return c->stats.schedules && c->stats.threads_max == 1 && !c->options.config.faults &&
           !c->options.native && distinct_count(&c->stats.interleavings) <= 1;
}

/* Nothing found means little where hardly anything was looked at. */
static void find_unjudged(struct campaign *c)
{
    struct stats *s = &c->stats;
    char limit[32];

    s->judged = s->schedules - s->cut - s->slow - (only_endless(c) ? s->endless : 0);
    s->hardly_judged = !s->schedules || s->judged * 10 < s->schedules;
    if (c->resumed && !s->schedules && exploration_is_over(c->exploration))
        s->hardly_judged = false; /* an earlier part did all */
    if (campaign_failures(c) || c->no_threads || campaign_stop)
        return;
    if (only_children(c)) {
        s->no_threads = s->hardly_judged = true;
        s->judged = 0;
        c->no_threads = c->options.allow_no_threads;
        if (!c->no_threads)
            campaign_trouble(c, mem_copy("no schedule created a thread: there is nothing to "
                                         "schedule. The program's child processes ran without "
                                         "Heddle: name the program that creates threads"));
        return;
    }
    if (!s->hardly_judged)
        return;
    if (!s->schedules && (c->options.shards > 1 || (c->options.begin > 1 && !c->options.corpus)))
        campaign_trouble(c, mem_format("the time was up before the first %u schedules, from which "
                                       "the others learn, were done",
                                       LEARN_UNTIL));
    else if (!s->schedules)
        campaign_trouble(c, mem_copy(s->time_up ? "the time was up before a schedule came to its "
                                                  "end (--time gives it more)"
                                                : "no schedule was run to its end"));
    else if (s->endless > s->cut + s->slow)
        campaign_trouble(c, mem_copy("no schedule came to its end: a program that is meant to run "
                                     "for ever, such as a server, is for `heddle watch`"));
    else if (s->cut >= s->slow)
        campaign_trouble(c,
                         mem_format("%llu of %llu schedules came to their end, the others took "
                                    "more than %u decisions (--max-steps)",
                                    (unsigned long long)s->judged, (unsigned long long)s->schedules,
                                    c->options.config.max_steps));
    else
        campaign_trouble(c,
                         mem_format("%llu of %llu schedules came to their end, the others were "
                                    "still making decisions after %s (--timeout)",
                                    (unsigned long long)s->judged, (unsigned long long)s->schedules,
                                    show_time(c->options.timeout_ns, limit, sizeof limit)));
}

static void leave_out_excluded(struct campaign *c)
{
    struct findings *all = &c->findings, *out = &c->excluded;
    size_t kept = 0;

    for (size_t i = 0; i < all->count; i++) {
        if (!confirm_is_excluded(c, all->list[i])) {
            all->list[kept++] = all->list[i];
            continue;
        }
        out->list = mem_grow(out->list, out->count, sizeof *out->list);
        out->list[out->count++] = all->list[i];
    }
    all->count = kept;
}

/* 0: none. */
static uint64_t earlier(uint64_t a, uint64_t b)
{
    return b && b < a ? b : a;
}

uint64_t campaign_reached(const struct campaign *c)
{
    uint64_t reached = earlier(c->next, batches_first_left(c));

    for (unsigned i = 0; i < c->crew.workers; i++)
        reached = earlier(earlier(reached, c->crew.worker[i].schedule), c->lost[i].number);
    return reached > c->options.begin ? reached : c->options.begin;
}

void campaign_finish(struct campaign *c)
{
    c->stats.interrupted = campaign_stop;
    c->stats.ended_ns = real_now();
    c->stats.faults.wanted = c->options.config.faults;
    fault_plan_count(c->faults, &c->stats.faults);
    leave_out_excluded(c);
    if (!c->options.native && c->options.config.flags & HDP_LOCK_ORDER)
        doubt_unconfirmed(&c->findings);
    doubt_predictions(&c->findings);
    if (only_endless(c))
        doubt_endless(&c->findings);
    judge_finish(c);
    find_unjudged(c);
    doubt_rank(&c->findings);
    for (size_t i = 0; i < c->findings.count; i++)
        c->findings.list[i]->fails = campaign_fails(c, c->findings.list[i]);
    for (size_t i = 0; i < c->findings.count; i++)
        if (c->findings.list[i]->report_file && c->findings.list[i]->doubtful)
            confirm_report(c, c->findings.list[i]);
    if (c->lockgraph)
        save_lock_graph(c);
    live_end(&c->live);
}

void campaign_close(struct campaign *c)
{
    close_crew(c);
    batches_close(c);
    free(c->stats.in_place.why_not);
    exploration_free(c->exploration);
    json_decref(c->stats.explored.doubts);
    doubts_free(c->doubts);
    lockgraph_free(c->lockgraph);
    names_free(&c->objects);
    confirm_forget(c);
    kept_forget(c);
    outcomes_forget(c);
    predict_forget(&c->races);
    for (size_t i = 0; i < c->opens; i++)
        free(c->open[i]);
    free(c->open);
    forget_stuck(c);
    findings_free(&c->findings);
    findings_free(&c->suppressed);
    findings_free(&c->excluded);
    free(c->excluded_key);
    distinct_free(&c->stats.interleavings);
    unseen_free(&c->stats.unseen);
    coverage_free(c->stats.coverage);
    earlier_free(&c->stats.earlier);
    names_free(&c->stats.lost_places);
    names_free(&c->stats.unmodelled);
    names_free(&c->stats.shared);
    names_free(&c->stats.hooked);
    names_free(&c->stats.unhooked);
    outdir_close(&c->outdir);
    free(c->about);
    free(c->input_file);
    free(c->usual_output);
    free(c->trouble);
}
