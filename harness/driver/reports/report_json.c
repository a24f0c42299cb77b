/* report_json.c - see report_json.h */
#include "report_json.h"

#include <stdlib.h>
#include <string.h>

#include "findings/suppress.h"
#include "earlier_runs.h"
#include "explored.h"
#include "json_text.h"
#include "report_text.h"
#include "util/alloc.h"
#include "util/fault_words.h"
#include "worth.h"

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *hex(uint64_t n)
{
    char digits[20];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)n);
    return json_string(digits);
}

static json_t *notes(const struct finding *f)
{
    static const char *const roles[] = {
#define ROLE(name, words) #name,
        HD_ROLE_MAP(ROLE)
#undef ROLE
    };
    json_t *list = json_array();
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        char role[32];
        size_t k = 0;
        for (const char *p = roles[n->role]; *p && k + 1 < sizeof role; p++)
            role[k++] = *p == '_' ? '-' : (char)(*p | 0x20);
        role[k] = '\0';
        json_t *o = json_object();
        json_object_set_new(o, "role", json_string(role));
        json_object_set_new(o, "event", json_string(event_word(n->kind)));
        json_object_set_new(o, "thread", json_text(n->thread));
        json_object_set_new(o, "object", json_text(n->object));
        json_object_set_new(o, "text", json_text(n->text));
        json_object_set_new(o, "history", json_text(n->history));
        json_object_set_new(o, "belongs_to", number(n->link));
        json_object_set_new(o, "stack", json_frames(&n->stack));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *moments(const struct finding *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->moments; i++) {
        const struct moment *m = &f->moment[i];
        json_t *o = json_object();
        json_object_set_new(o, "step", m->step ? number(m->step) : json_null());
        json_object_set_new(o, "thread", json_text(m->thread));
        json_object_set_new(o, "what", json_text(m->what));
        json_object_set_new(o, "where", json_text(m->place));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *tools(unsigned bits)
{
    json_t *list = json_array();
    char name[64];
    for (unsigned bit = 1; bit <= TOOL_OTHER; bit <<= 1)
        if (bits & bit)
            json_array_append_new(list, json_string(finding_tools(bit, name, sizeof name)));
    return list;
}

/* As people read it. */
static json_t *whole_report(const struct findings *all, const struct finding *f)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    json_t *value;

    if (!out)
        return json_string("");
    report_finding(out, f, false, true);
    report_same_cause(out, all, f);
    fclose(out);
    value = json_text(text);
    free(text);
    return value;
}

static json_t *shrunk(const struct finding *f)
{
    json_t *o;

    if (!f->shrunk.tries)
        return json_null();
    o = json_object();
    json_object_set_new(o, "preemptions", number(f->shrunk.preemptions));
    json_object_set_new(o, "preemptions_found", number(f->shrunk.preemptions_found));
    json_object_set_new(o, "steps", number(f->shrunk.steps));
    json_object_set_new(o, "steps_found", number(f->shrunk.steps_found));
    json_object_set_new(o, "tries", number(f->shrunk.tries));
    return o;
}

json_t *report_json_finding(const struct findings *all, const struct finding *f)
{
    json_t *o = json_object();
    char *headline = report_headline(f);
    json_object_set_new(o, "name", json_text(f->name));
    json_object_set_new(o, "kind", json_string(finding_word(f->kind)));
    json_object_set_new(o, "headline", json_text(headline));
    json_object_set_new(o, "detail", json_text(f->text));
    json_object_set_new(o, "fingerprint", hex(f->fingerprint));
    json_object_set_new(o, "tools", tools(f->tools));
    json_object_set_new(o, "same_as", json_text(f->same_as));
    json_object_set_new(o, "same_cause", json_text(f->same_cause));
    json_object_set_new(o, "doubtful", json_text(f->doubtful));
    json_object_set_new(o, "fault", json_text(f->fault));
    json_object_set_new(o, "schedules_without_fault", number(f->faultless));
    json_object_set_new(o, "known", json_boolean(f->known));
    json_object_set_new(o, "fails", json_boolean(f->fails));
    json_object_set_new(o, "first_schedule", f->first ? number(f->first) : json_null());
    json_object_set_new(o, "strategy", json_text(f->strategy));
    json_object_set_new(o, "schedules", number(f->count));
    json_object_set_new(o, "replays", number(f->replays));
    json_object_set_new(o, "reproduced", number(f->reproduced));
    json_object_set_new(o, "notes", notes(f));
    json_object_set_new(o, "interleaving", moments(f));
    json_object_set_new(o, "raw", json_text(f->raw));
    json_object_set_new(o, "advice", json_text(finding_advice(f)));
    char *line = suppress_line(f);
    json_object_set_new(o, "suppression", json_text(line));
    free(line);
    json_object_set_new(o, "report", whole_report(all, f));
    json_object_set_new(o, "schedule_file", json_text(f->schedule_file));
    json_object_set_new(o, "schedule_text", json_text(f->schedule_text));
    json_object_set_new(o, "shrunk", shrunk(f));
    json_object_set_new(o, "shrunk_file", json_text(f->shrunk.file));
    json_object_set_new(o, "report_file", json_text(f->report_file));
    json_object_set_new(o, "story_file", json_text(f->story_file));
    json_object_set_new(o, "stdout_file", json_text(f->output_file));
    json_object_set_new(o, "stderr_file", json_text(f->error_file));
    free(headline);
    return o;
}

static json_t *name_list(const struct names *n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n->count; i++) {
        uint32_t index;
        json_array_append_new(list, json_text(names_at(n, i, &index)));
    }
    return list;
}

static json_t *predicted(const struct stats *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "races", number(s->predicted.races));
    json_object_set_new(o, "shown", number(s->predicted.shown));
    json_object_set_new(o, "at_once", number(s->predicted.at_once));
    json_object_set_new(o, "guesses", number(s->predicted.guesses));
    json_object_set_new(o, "guesses_shown", number(s->predicted.guesses_shown));
    json_object_set_new(o, "tries", number(s->predicted.tries));
    json_object_set_new(o, "cut", number(s->predicted.cut));
    return o;
}

static json_t *strategies(const struct stats *s)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < HDP_STRATEGIES; i++) {
        if (!s->strategy[i].name)
            continue;
        json_t *o = json_object();
        json_object_set_new(o, "schedules", number(s->strategy[i].schedules));
        json_object_set_new(o, "cut", number(s->strategy[i].cut));
        json_object_set_new(o, "slow", number(s->strategy[i].slow));
        json_object_set_new(o, "found", number(s->strategy[i].found));
        json_object_set_new(all, s->strategy[i].name, o);
    }
    return all;
}

static json_t *dropped(const struct stats *s)
{
    json_t *o = json_object();
    for (unsigned i = 0; i < HD_FK_COUNT; i++)
        if (s->findings_dropped[i])
            json_object_set_new(o, finding_word((enum hd_finding_kind)i),
                                number(s->findings_dropped[i]));
    return o;
}

static json_t *in_place(const struct in_place_stats *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "schedules", number(s->schedules));
    json_object_set_new(o, "left", number(s->cannot));
    json_object_set_new(o, "did_not_pass", number(s->news + s->died));
    json_object_set_new(o, "compared", number(s->compared));
    json_object_set_new(o, "unconfirmed", number(s->unconfirmed));
    json_object_set_new(o, "why_not", json_text(s->why_not));
    json_object_set_new(o, "batches", number(s->batches));
    json_object_set_new(o, "looks", number(s->scans));
    json_object_set_new(o, "run_again", number(s->rerun));
    json_object_set_new(o, "pages", number(s->pages));
    json_object_set_new(o, "caught_calls", number(s->calls));
    json_object_set_new(o, "image_bytes", number(s->image_bytes));
    json_object_set_new(o, "seconds", json_real((double)s->took_ns / 1e9));
    json_object_set_new(o, "seconds_run", json_real((double)s->run_ns / 1e9));
    json_object_set_new(o, "seconds_restore", json_real((double)s->restore_ns / 1e9));
    json_object_set_new(o, "seconds_look", json_real((double)s->scan_ns / 1e9));
    return o;
}

static json_t *shrink(const struct stats *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "findings", number(s->shrink.findings));
    json_object_set_new(o, "tries", number(s->shrink.tries));
    json_object_set_new(o, "seconds", json_real((double)s->shrink.took_ns / 1e9));
    json_object_set_new(o, "time_up", json_boolean(s->shrink.time_up));
    return o;
}

static json_t *faults(const struct fault_stats *s)
{
    json_t *o = json_object(), *options = json_object();
    for (unsigned i = 0; i < HDP_FAULT_KINDS; i++) {
        const char *option = fault_words[i].option;
        if (!(s->wanted >> i & 1) || !fault_begins_option(i))
            continue;
        json_t *one = json_object();
        json_object_set_new(one, "points", number(fault_sum(s->points, option)));
        json_object_set_new(one, "tried", number(fault_sum(s->tried, option)));
        json_object_set_new(options, option, one);
    }
    json_object_set_new(o, "options", options);
    json_object_set_new(o, "schedules", number(s->schedules));
    json_object_set_new(o, "not_reached", number(s->missed));
    json_object_set_new(o, "forgotten", number(s->forgotten));
    return o;
}

static json_t *reopened(const struct stats *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "predictions", number(s->reopened.predictions));
    json_object_set_new(o, "tries", number(s->reopened.tries));
    json_object_set_new(o, "shown", number(s->reopened.shown));
    return o;
}

static json_t *statistics(const struct stats *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "schedules", number(s->schedules));
    json_object_set_new(o, "replays", number(s->replays));
    json_object_set_new(o, "predicted", predicted(s));
    json_object_set_new(o, "interleavings", number(distinct_count(&s->interleavings)));
    json_object_set_new(o, "interleavings_exact", json_boolean(!s->interleavings.full));
    json_object_set_new(o, "unseen", worth_unseen_json(s));
    json_object_set_new(o, "pct", worth_pct_json(s));
    json_object_set_new(o, "seconds", json_real((double)(s->ended_ns - s->started_ns) / 1e9));
    json_object_set_new(o, "virtual_seconds", json_real((double)s->virtual_ns / 1e9));
    json_object_set_new(o, "steps", number(s->steps));
    json_object_set_new(o, "steps_max", number(s->steps_max));
    json_object_set_new(o, "threads_max", number(s->threads_max));
    json_object_set_new(o, "judged", number(s->judged));
    json_object_set_new(o, "cut", number(s->cut));
    json_object_set_new(o, "strategies", strategies(s));
    json_object_set_new(o, "timed_out", number(s->timed_out));
    json_object_set_new(o, "slow", number(s->slow));
    json_object_set_new(o, "output_cut", number(s->output_cut));
    json_object_set_new(o, "control_lost", number(s->control_lost));
    json_object_set_new(o, "control_lost_at", name_list(&s->lost_places));
    json_object_set_new(o, "unmodelled", name_list(&s->unmodelled));
    json_object_set_new(o, "shared", name_list(&s->shared));
    json_object_set_new(o, "accesses_watched", json_boolean(s->accesses_watched));
    json_object_set_new(o, "modules_watched", name_list(&s->hooked));
    json_object_set_new(o, "modules_not_watched", name_list(&s->unhooked));
    json_object_set_new(o, "server_deaths", number(s->server_deaths));
    json_object_set_new(o, "starts_failed", number(s->starts_failed));
    json_object_set_new(o, "findings_dropped", dropped(s));
    json_object_set_new(o, "orders_forgotten", number(s->orders_forgotten));
    json_object_set_new(o, "reports_not_understood", number(s->not_understood));
    json_object_set_new(o, "reports_dropped", number(s->reports_dropped));
    json_object_set_new(o, "in_place", s->in_place.wanted ? in_place(&s->in_place) : json_null());
    json_object_set_new(o, "shrink", shrink(s));
    json_object_set_new(o, "exhaustive", s->explored.wanted ? explored_json(s) : json_null());
    json_object_set_new(o, "faults", s->faults.wanted ? faults(&s->faults) : json_null());
    json_object_set_new(o, "reopened", reopened(s));
    json_object_set_new(o, "earlier", earlier_json(&s->earlier));
    json_object_set_new(o, "interrupted", json_boolean(s->interrupted));
    return o;
}

/* As it is printed. */
static json_t *summary(const struct report *r)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (!out)
        return json_null();
    report_summary(out, r->findings, r->stats, false);
    fclose(out);
    json_t *value = json_text(text);
    free(text);
    return value;
}

json_t *report_json(const struct report *r, int code)
{
    json_t *doc = json_object(), *program = json_object(), *args = json_array(),
           *list = json_array(), *shard = json_object(), *excluded = json_array();
    for (char *const *a = r->argument; *a; a++)
        json_array_append_new(args, json_text(*a));
    json_object_set_new(program, "path", json_text(r->program));
    json_object_set_new(program, "build_id", json_text(r->build_id));
    json_object_set_new(program, "arguments", args);
    for (size_t i = 0; i < r->findings->count; i++)
        json_array_append_new(list, report_json_finding(r->findings, r->findings->list[i]));
    json_object_set_new(doc, "schema", json_string("heddle-report"));
    json_object_set_new(doc, "version", json_integer(REPORT_JSON_VERSION));
    json_object_set_new(doc, "heddle", json_string(HEDDLE_VERSION));
    json_object_set_new(doc, "program", program);
    json_object_set_new(doc, "strategy", json_string(r->strategy));
    json_object_set_new(doc, "seed", number(r->seed));
    json_object_set_new(doc, "exit_code", json_integer(code));
    json_object_set_new(doc, "trouble", json_text(r->trouble));
    for (size_t i = 0; i < r->excluded->count; i++)
        json_array_append_new(excluded, hex(r->excluded->list[i]->fingerprint));
    if (r->shards) {
        json_object_set_new(shard, "index", json_integer(r->shard));
        json_object_set_new(shard, "count", json_integer(r->shards));
    }
    json_object_set(doc, "shard", r->shards ? shard : json_null());
    json_decref(shard);
    json_object_set_new(doc, "excluded", excluded);
    json_object_set_new(doc, "suppressed", json_integer((json_int_t)r->suppressed));
    json_object_set_new(doc, "statistics", statistics(r->stats));
    json_object_set_new(doc, "summary", summary(r));
    json_object_set_new(doc, "coverage",
                        r->stats->coverage ? coverage_json(r->stats->coverage) : json_null());
    json_object_set_new(doc, "findings", list);
    return doc;
}
