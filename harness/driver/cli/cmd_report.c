/* cmd_report.c - heddle report: what a run found, once more: as text, as a page, as a trace. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "reports/formats.h"
#include "reports/json_text.h"
#include "reports/outdir.h"
#include "reports/test_document.h"
#include "reports/trace_events.h"
#include "test_summary.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"

struct arguments {
    const char *folder, *html, *trace, *finding;
};

enum { OPT_HTML = 256, OPT_TRACE, OPT_FINDING };

static const struct argp_option table[] = {
    {"html", OPT_HTML, "FILE", 0,
     "write one page with all findings and their schedules, to walk through in a browser; it loads "
     "nothing",
     0},
    {"trace", OPT_TRACE, "FILE", 0,
     "write the schedules as Chrome trace events, for ui.perfetto.dev", 0},
    {"finding", OPT_FINDING, "NAME", 0, "of this finding alone (deadlock-1)", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;

    switch (key) {
    case OPT_HTML:
        a->html = arg;
        return 0;
    case OPT_TRACE:
        a->trace = arg;
        return 0;
    case OPT_FINDING:
        a->finding = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (a->folder)
            argp_failure(state, EXIT_USAGE, 0,
                         "one folder at a time; `heddle merge` puts several together");
        a->folder = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->folder)
            argp_failure(state, EXIT_USAGE, 0,
                         "which run? heddle report DIR, its output folder (heddle-out)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Files of findings are named as the run saw them: from here on as they are found from here. */
static void find_files(json_t *document, const char *folder)
{
    size_t i, k;
    json_t *test, *f;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        json_array_foreach(json_object_get(json_object_get(test, "report"), "findings"), k, f)
        {
            const char *named = document_word(f, "story_file");
            char *path = named ? document_file(folder, named) : NULL;
            if (path)
                json_object_set_new(f, "story_file", json_text(path));
            free(path);
        }
    }
}

/* Keep the finding of that name, and those that belong to it. False: there is none. */
static bool keep(json_t *document, const char *name)
{
    size_t i, k;
    json_t *test, *f;
    bool found = false;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        json_t *list = json_object_get(json_object_get(test, "report"), "findings");
        for (k = json_array_size(list); k-- > 0;) {
            f = json_array_get(list, k);
            const char *of = document_word(f, "same_as"), *cause = document_word(f, "same_cause");
            bool it = strcmp(document_word(f, "name"), name) == 0;
            found |= it;
            if (it) { /* it stands for itself here, whatever it belongs to */
                json_object_set_new(f, "same_as", json_null());
                json_object_set_new(f, "same_cause", json_null());
            } else if (!(of && strcmp(of, name) == 0) && !(cause && strcmp(cause, name) == 0)) {
                json_array_remove(list, k);
            }
        }
    }
    return found;
}

/* ---- what is written ---- */

static void print_text(const json_t *document, const struct arguments *a)
{
    const json_t *tests = json_object_get(document, "tests"), *report;
    double seconds = 0;
    const char *summary;
    size_t i;
    json_t *test;

    json_array_foreach(tests, i, test)
    {
        seconds += json_number_value(json_object_get(test, "seconds"));
    }
    report = json_object_get(json_array_get(tests, 0), "report");
    summary = document_word(report, "summary");
    if (json_array_size(tests) != 1 || !summary) {
        summary_print(document, a->folder, (int64_t)(seconds * 1e9));
        return;
    }
    size_t at = 0;
    bool any = false;
    for (json_t *f; (f = document_finding(json_array_get(tests, 0), &at));) {
        if (json_is_true(json_object_get(f, "known")) && !a->finding)
            continue;
        printf("%s%s", any ? "\n\n" : "", document_word(f, "report"));
        any = true;
    }
    if (!a->finding)
        fputs(summary, stdout);
}

static bool write_html(const json_t *document, const char *path)
{
    struct formats f = {0};
    char *list = mem_format("html:%s", path), *why = formats_parse(&f, list);
    bool written = !why && formats_write(&f, document);

    if (why)
        complain("%s", why);
    formats_free(&f);
    free(list);
    free(why);
    return written;
}

/* Of the findings that stand for themselves, as in the page. *whole: none had to be left out. */
static json_t *trace_of(const json_t *document, bool *whole)
{
    json_t *trace = trace_new(), *test, *f;
    int findings = 0;
    size_t i;

    *whole = true;
    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        size_t at = 0;
        while ((f = document_finding(test, &at))) {
            const char *file = document_word(f, "story_file");
            json_t *story = file ? json_load_file(file, 0, NULL) : NULL;
            char *name =
                mem_format("%s: %s", document_word(f, "name"), document_word(f, "headline"));
            if (story && trace_add(trace, story, findings + 1, name)) {
                findings++;
            } else if (file) {
                complain("%s cannot be read, or is damaged: left out", file);
                *whole = false;
            }
            json_decref(story);
            free(name);
        }
    }
    if (!findings)
        complain("there is no schedule to write a trace of");
    if (!findings)
        json_decref(trace);
    return findings ? trace : NULL;
}

static bool write_trace(const json_t *document, const char *path)
{
    bool whole;
    json_t *trace = trace_of(document, &whole);
    char *text = trace ? json_dumps(trace, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    bool written = text && formats_save(path, text, strlen(text));

    json_decref(trace);
    free(text);
    return written && whole;
}

int cmd_report(int argc, char **argv)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .args_doc = "DIR",
        .doc =
            "Print what is in DIR, the output folder of `heddle run`, once more; or write it as a "
            "page, or as a trace."
            "\vExit codes: 0 printed or written, 2 wrong usage, or DIR holds no report, 3 "
            "something could not be written."};
    struct arguments a = {0};
    char *why;

    options_parse(&argp, "heddle report", argc, argv, 0, &a);
    json_t *document = test_document_read(a.folder, &why);
    if (!document) {
        complain("%s", why);
        free(why);
        return EXIT_USAGE;
    }
    char *last = outdir_last(a.folder);
    if (strcmp(last, a.folder) != 0)
        complain("%s holds several runs: this is the last one, %s", a.folder, last);
    a.folder = last;
    find_files(document, a.folder);
    bool written = true, known = !a.finding || keep(document, a.finding);
    if (!known)
        complain("%s has no finding %s", a.folder, a.finding);
    else if (!a.html && !a.trace)
        print_text(document, &a);
    if (known && a.html)
        written &= write_html(document, a.html);
    if (known && a.trace)
        written &= write_trace(document, a.trace);
    json_decref(document);
    free(last);
    return !known ? EXIT_USAGE : written ? EXIT_NOTHING : EXIT_CANNOT;
}
