/* conclude.c - see conclude.h */
#include "conclude.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/campaign.h"
#include "campaign/corpus.h"
#include "campaign/resume.h"
#include "program/worker.h"
#include "progress_file.h"
#include "suite_member.h"
#include "reports/json_text.h"
#include "reports/report_json.h"
#include "reports/report_text.h"
#include "reports/test_document.h"
#include "schedules/config_words.h"
#include "symbols/symbol.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/real_time.h"

#define NAME_BOUND 120

char *kinds_parse(const char *list, uint64_t *kinds)
{
    char *copy = mem_copy(list), *rest = copy, *word, *why = NULL;

    *kinds = 0;
    while (!why && (word = strsep(&rest, ","))) {
        enum hd_finding_kind kind = finding_kind(word);
        if (strcmp(word, "all") == 0)
            *kinds = ~(uint64_t)0;
        else if (kind == HD_FK_COUNT)
            why = mem_format("--fail-on: there is no kind of finding \"%s\" (docs/json.md has them "
                             "all)",
                             word);
        else
            *kinds |= (uint64_t)1 << kind;
    }
    free(copy);
    return why;
}

/* What the program itself said when it ended before anything could be scheduled. */
static void show_stderr(const struct campaign *c)
{
    char text[1024];
    if (!c->ended_early || !c->crew.worker)
        return;
    size_t n = worker_output_read(&c->crew.worker[0], true, 0, text, sizeof text - 1);
    text[n] = '\0';
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        fprintf(stderr, "  | %.*s\n", (int)(next - line), line);
        next += *next == '\n';
    }
}

/* "bank --threads 4": the command, on one line. */
char *outcome_name(const struct outcome_options *o, char *const *argv)
{
    char *name = mem_copy(o->name ? o->name : base_name(argv[0]));

    for (size_t i = 1; !o->name && argv[i] && strlen(name) < NAME_BOUND; i++) {
        char *more = mem_format("%s %s", name, argv[i]);
        free(name);
        name = more;
    }
    if (!o->name && strlen(name) > NAME_BOUND)
        name[NAME_BOUND] = '\0';
    for (char *p = name; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    return name;
}

static json_t *document_of(const struct campaign *c, int code)
{
    const struct campaign_options *o = &c->options;
    struct report report = {
        .program = o->target->path,
        .build_id = o->target->build_id,
        .argument = o->argv,
        .strategy = o->plan.strategy == PLAN_AUTO ? "auto" : strategy_word(o->plan.strategy),
        .seed = o->plan.seed,
        .trouble = c->trouble,
        .stats = &c->stats,
        .findings = &c->findings,
        .excluded = &c->excluded,
        .suppressed = c->suppressed.count,
        .shard = o->shard,
        .shards = o->shards};
    return report_json(&report, code);
}

/* Known findings have their line in the summary alone. */
static void print_text(const struct campaign *c, bool bold)
{
    bool any = false;

    for (size_t i = 0; i < c->findings.count; i++) {
        const struct finding *f = c->findings.list[i];
        if (f->same_as || f->same_cause || f->known)
            continue;
        fputs(any ? "\n\n" : "", stdout);
        report_finding(stdout, f, bold, true);
        report_same_cause(stdout, &c->findings, f);
        any = true;
    }
    if (c->stats.schedules || c->findings.count || c->stats.earlier.count ||
        !c->stats.hardly_judged)
        report_summary(stdout, &c->findings, &c->stats, bold);
}

/* What was asked for, but had nothing to work on. */
static void tell_no_effect(const struct campaign *c)
{
    const struct hdp_config *config = &c->options.config;
    bool asked = config->memory_model != 0 || config->points != HDP_POINTS_SHARED;

    if (asked && c->stats.schedules && c->stats.races_wanted && !c->stats.accesses_watched)
        complain("%s had no effect: nothing that the program loaded was built with heddle-cc",
                 config->memory_model ? "--memory-model" : "--points");
}

static void tell_set_aside(struct campaign *c, const char *name)
{
    size_t known = 0;

    if (c->suppressed.count)
        complain("%zu finding%s suppressed", c->suppressed.count,
                 c->suppressed.count == 1 ? " was" : "s were");
    for (size_t i = 0; i < c->findings.count; i++)
        known += c->findings.list[i]->known;
    if (known)
        complain("%zu finding%s in the baseline", known, known == 1 ? " is" : "s are");
    if (c->options.baseline && !c->trouble && !campaign_stop)
        baseline_gone(c->options.baseline, name, stderr);
}

/* The folder of the findings keeps the whole document for `heddle baseline` and `heddle merge`. A shard's has
 * one without findings, too: it is not lost. So has one where earlier findings lie, which are not this campaign's. */
static bool save(struct campaign *c, const json_t *document)
{
    bool nothing = !c->findings.count && !c->outdir.path, saved = true;
    char *text, *written = NULL, *why = NULL;

    if (!c->options.out || (nothing && !c->options.shards && !outdir_is_used(c->options.out)))
        return true;
    text = json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    if (text && nothing)
        why = outdir_found_nothing(&c->outdir, c->about, text, strlen(text));
    else if (text)
        saved = campaign_write(c, "report", ".json", text, strlen(text), &written);
    if (why)
        complain("%s", why);
    saved &= !why;
    free(text);
    free(written);
    free(why);
    return saved;
}

int run_conclude(struct campaign *c, const struct outcome_options *o, bool bold)
{
    findings_group(&c->findings);
    bool failed = c->trouble || c->tool_failed || c->stats.not_saved;
    int code = campaign_failures(c) || c->stats.explored.failures ? EXIT_FOUND
               : c->no_oracle                                     ? EXIT_USAGE
               : failed                                           ? EXIT_CANNOT
               : campaign_stop                                    ? 128 + campaign_stop
                                                                  : EXIT_NOTHING;
    char *name = outcome_name(o, c->options.argv);
    json_t *report = document_of(c, code), *document = test_document_new();
    double seconds = (double)(c->stats.ended_ns - c->stats.started_ns) / 1e9;
    const char *why = c->trouble      ? c->trouble
                      : c->no_threads ? "the program created no thread"
                      : code > 128    ? "interrupted"
                                      : NULL;

    test_document_add(document, name, c->no_threads ? "skipped" : test_document_verdict(code), why,
                      seconds, json_incref(report));
    if (!save(c, document) && code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    if (o->json)
        json_print(stdout, report);
    else
        print_text(c, bold);
    if (!formats_write(&o->formats, document) && code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    if (o->progress && !c->trouble &&
        !progress_write(o->progress, c->options.argv, &c->options.plan, campaign_reached(c)) &&
        code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    if (!c->trouble && !resume_write(c, true) && code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    if (c->options.corpus && !c->trouble && !corpus_write(c, campaign_reached(c)) &&
        code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    if (o->suite && !member_leave(o->suite, name, document) && code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    tell_no_effect(c);
    tell_set_aside(c, name);
    if (c->no_threads)
        complain("the program created no thread: there was nothing to schedule");
    if (c->trouble) {
        complain("%s", c->trouble);
        show_stderr(c);
    }
    json_decref(document);
    json_decref(report);
    free(name);
    return code;
}

int run_uncontrolled(char *const *argv, const struct outcome_options *o,
                     const struct campaign_options *options, char *why)
{
    struct campaign c = {.options = *options};
    char *name = outcome_name(o, argv);
    json_t *document = test_document_new();
    int64_t started = real_now();
    int ended = member_run_plain(argv);
    bool fine = ended >= 0 && campaign_exit_is_fine(&c, ended);
    char *text = fine         ? mem_format("not under Heddle: %s", why)
                 : ended >= 0 ? mem_format("not under Heddle: %s; exit code %d", why, ended)
                              : mem_copy(why);

    complain("%s", text);
    test_document_add(document, name, fine ? "skipped" : "error", text,
                      (double)(real_now() - started) / 1e9, NULL);
    bool left = member_leave(o->suite, name, document);
    json_decref(document);
    free(name);
    free(text);
    free(why);
    return fine && left ? EXIT_NOTHING : EXIT_CANNOT;
}
