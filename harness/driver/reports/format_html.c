/* format_html.c - one page that shows all: findings as cards, each with its schedule to walk through.
 *
 * What is said of findings stands in the page itself and can be read without its script, which draws the schedules
 * (html/). The page loads nothing, and its Content-Security-Policy lets no other script run. Everything that comes
 * from the program (names, messages, paths, lines of source) goes through text() or data().
 */
#include <stdlib.h>
#include <string.h>

#include "formats.h"
#include "html_page.h"
#include "story_document.h"
#include "test_document.h"
#include "util/alloc.h"
#include "util/read_file.h"

/* Of the schedules of one page together; those behind it are left out, which the page says. */
#define STORIES_BOUND ((size_t)64 << 20)

struct page {
    FILE *to;
    unsigned findings; /* so far */
    unsigned shown;    /* of them, with a schedule */
    size_t stories;    /* bytes of their stories so far */
};

/* ---- text ---- */

/* Characters that change the direction of what is beside them: U+202A to U+202E, U+2066 to U+2069. */
static unsigned direction(const char *p)
{
    const unsigned char *c = (const unsigned char *)p;

    if (c[0] != 0xe2)
        return 0;
    if (c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae)
        return 0x2000u + c[2] - 0x80;
    return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9 ? 0x2040u + c[2] - 0x80 : 0;
}

static void text(FILE *to, const char *value)
{
    for (const char *p = value ? value : ""; *p; p++) {
        unsigned other = direction(p);
        if (other) {
            fprintf(to, "\\u%04x", other);
            p += 2;
        } else if (strchr("&<>\"'", *p)) {
            fprintf(to, "&#%d;", *p);
        } else if ((unsigned char)*p < ' ' && *p != '\n' && *p != '\t') {
            fprintf(to, "\\x%02x", (unsigned)*p);
        } else {
            fputc(*p, to);
        }
    }
}

static void element(FILE *to, const char *name, const char *value)
{
    fprintf(to, "<%s>", name);
    text(to, value);
    fprintf(to, "</%.*s>\n", (int)strcspn(name, " "), name);
}

/* JSON within a script element: no "</script", no "<!--". */
static void data(FILE *to, const char *json)
{
    for (const char *p = json; *p; p++)
        if (*p == '<')
            fputs("\\u003c", to);
        else
            fputc(*p, to);
}

static void number(FILE *to, const json_t *of, const char *key, const char *words)
{
    const json_t *n = json_object_get(of, key);

    if (json_is_integer(n))
        fprintf(to, "<tr><th scope=\"row\">%s</th><td>%lld</td></tr>\n", words,
                (long long)json_integer_value(n));
    else if (json_is_real(n))
        fprintf(to, "<tr><th scope=\"row\">%s</th><td>%.3g</td></tr>\n", words,
                json_number_value(n));
}

/* ---- a finding ---- */

static void tag(FILE *to, const char *kind, const char *words)
{
    fprintf(to, "<li class=\"tag %s\">", kind);
    text(to, words);
    fputs("</li>\n", to);
}

static void tags(FILE *to, const json_t *report, const json_t *f)
{
    long long schedules = json_integer_value(json_object_get(f, "schedules")),
              all = json_integer_value(
                  json_object_get(json_object_get(report, "statistics"), "schedules")),
              replays = json_integer_value(json_object_get(f, "replays")),
              reproduced = json_integer_value(json_object_get(f, "reproduced")),
              first = json_integer_value(json_object_get(f, "first_schedule"));
    const json_t *shrunk = json_object_get(f, "shrunk");
    char *seen = all >= schedules ? mem_format("seen in %lld of %lld schedules", schedules, all)
                                  : mem_format("seen in %lld schedules", schedules);
    char *again = mem_format("reproduced %lld of %lld times", reproduced, replays);
    char *number = mem_format("first in schedule %lld", first);

    fputs("<ul class=\"tags\">\n", to);
    tag(to, "kind", document_word(f, "kind"));
    if (json_is_true(json_object_get(f, "known")))
        tag(to, "known", "known: in the baseline");
    else if (document_fails(f))
        tag(to, "fails", "fails the run");
    else
        tag(to, "passes", document_word(f, "doubtful") ? "doubtful" : "does not fail the run");
    if (schedules)
        tag(to, "seen", seen);
    if (replays)
        tag(to, "seen", again);
    if (first)
        tag(to, "seen", number);
    if (json_is_object(shrunk)) {
        long long switches = json_integer_value(json_object_get(shrunk, "preemptions"));
        char *needs = mem_format("%lld preemption%s", switches, switches == 1 ? "" : "s");
        tag(to, "seen", needs);
        free(needs);
    }
    fputs("</ul>\n", to);
    free(seen);
    free(again);
    free(number);
}

static void interleaving(FILE *to, const json_t *f)
{
    const json_t *list = json_object_get(f, "interleaving");
    size_t i;
    json_t *row;

    if (!json_array_size(list))
        return;
    fputs("<table class=\"moments\"><caption>How it came about: the last decisions about "
          "it</caption>\n<thead><tr><th scope=\"col\">Step</th><th scope=\"col\">Thread</th>"
          "<th scope=\"col\">What</th><th scope=\"col\">Where</th></tr></thead><tbody>\n",
          to);
    json_array_foreach(list, i, row)
    {
        const json_t *step = json_object_get(row, "step");
        if (json_is_integer(step))
            fprintf(to, "<tr><td>%lld</td>", (long long)json_integer_value(step));
        else
            fputs("<tr><td>end</td>", to);
        element(to, "td", document_word(row, "thread"));
        element(to, "td", document_word(row, "what"));
        element(to, "td", document_word(row, "where"));
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table>\n", to);
}

/* The story of a finding, whole and valid; else NULL and why not, which is constant. */
static char *story_of(struct page *page, const json_t *f, const char **why)
{
    const char *file = document_word(f, "story_file");
    size_t bytes = 0;
    char *json = NULL;
    json_t *document = NULL;

    *why = "No replay of its schedule showed it again, or it was not run under Heddle's control: "
           "there is no schedule to walk through.";
    if (!file)
        return NULL;
    *why = "Its schedule is not shown: the file with its story cannot be read.";
    json = read_file(file, STORIES_BOUND + 1, &bytes);
    if (!json)
        return NULL;
    document = json_loadb(json, bytes, 0, NULL);
    const char *schema = document_word(document, "schema");
    if (!schema || strcmp(schema, "heddle-story") != 0 ||
        json_integer_value(json_object_get(document, "version")) != STORY_VERSION)
        *why = "Its schedule is not shown: the file with its story is damaged, or from another "
               "Heddle.";
    else if (page->stories + bytes > STORIES_BOUND)
        *why = "Its schedule is left out: the page would be too large. heddle report "
               "--finding=NAME --html=FILE makes a page of this one.";
    else
        *why = NULL;
    json_decref(document);
    if (*why) {
        free(json);
        return NULL;
    }
    page->stories += bytes;
    return json;
}

static void story(struct page *page, const json_t *f)
{
    const char *why;
    char *json = story_of(page, f, &why);

    if (!json) {
        fprintf(page->to, "<p class=\"no-story\">%s</p>\n", why);
        return;
    }
    page->shown++;
    fprintf(page->to,
            "<section class=\"story\" data-story=\"story-%u\">"
            "<noscript><p>With scripts on, the schedule can be walked through here.</p></noscript>"
            "</section>\n<script type=\"application/json\" id=\"story-%u\">",
            page->shown, page->shown);
    data(page->to, json);
    fputs("</script>\n", page->to);
    free(json);
}

/* Does this one belong to the finding of that name? */
static const char *belongs(const json_t *f, const char *name)
{
    const char *to = document_word(f, "same_as"), *cause = document_word(f, "same_cause");

    return to && strcmp(to, name) == 0         ? "predicted it before it happened"
           : cause && strcmp(cause, name) == 0 ? "has the same cause"
                                               : NULL;
}

static void those_that_belong(struct page *page, const json_t *report, const json_t *f)
{
    FILE *to = page->to;
    const char *name = document_word(f, "name"), *how;
    size_t i;
    json_t *other;

    json_array_foreach(json_object_get(report, "findings"), i, other)
    {
        if (!(how = belongs(other, name)))
            continue;
        fputs("<details class=\"also\"><summary>", to);
        text(to, document_word(other, "name"));
        fprintf(to, " %s: ", how);
        text(to, document_word(other, "headline"));
        fputs("</summary>", to);
        story(page, other);
        element(to, "pre", document_word(other, "report"));
        fputs("</details>\n", to);
    }
}

static void finding(struct page *page, const json_t *report, const json_t *f)
{
    FILE *to = page->to;
    const char *doubt = document_word(f, "doubtful"), *advice = document_word(f, "advice");
    char *replay = document_replay(f);

    page->findings++;
    fprintf(to, "<article class=\"finding\" id=\"finding-%u\" aria-labelledby=\"name-%u\">\n",
            page->findings, page->findings);
    fprintf(to, "<h3 id=\"name-%u\"><span class=\"name\">", page->findings);
    text(to, document_word(f, "name"));
    fputs("</span> ", to);
    text(to, document_word(f, "headline"));
    fputs("</h3>\n", to);
    tags(to, report, f);
    if (doubt) {
        fputs("<p class=\"doubt\">Doubtful: ", to);
        text(to, doubt);
        fputs("</p>\n", to);
    }
    story(page, f);
    fputs("<details class=\"whole\" open><summary>Report</summary>", to);
    element(to, "pre", document_word(f, "report"));
    fputs("</details>\n<details><summary>How it came about, as a table</summary>", to);
    interleaving(to, f);
    fputs("</details>\n", to);
    those_that_belong(page, report, f);
    if (advice && *advice) {
        fputs("<p class=\"advice\"><strong>Usually fixed so:</strong> ", to);
        text(to, advice);
        fputs("</p>\n", to);
    }
    fputs("<p class=\"replay\">What it means: <code>heddle explain ", to);
    text(to, document_word(f, "kind"));
    if (replay) {
        fputs("</code>; to see it again: <code>", to);
        text(to, replay);
    }
    fputs("</code></p>\n", to);
    fputs("</article>\n", to);
    free(replay);
}

/* ---- a test ---- */

static void names(FILE *to, const json_t *list, const char *words)
{
    size_t i;
    json_t *name;

    if (!json_array_size(list))
        return;
    fprintf(to, "<li>%s: ", words);
    json_array_foreach(list, i, name)
    {
        fputs(i ? ", " : "", to);
        text(to, json_string_value(name));
    }
    fputs("</li>\n", to);
}

/* The remarks of the summary: each begins with "  note: ", and goes on in lines that are indented further. */
static void remarks(FILE *to, const char *summary)
{
    static const char begins[] = "\n  note: ", goes_on[] = "        ";

    for (const char *at = summary; (at = strstr(at, begins));) {
        const char *line = at + strlen(begins);
        for (const char *between = "<li>";; between = " ", line += strlen(goes_on)) {
            char *words = mem_format("%.*s", (int)strcspn(line, "\n"), line);
            fputs(between, to);
            text(to, words);
            free(words);
            at = line + strcspn(line, "\n");
            line = at + (*at == '\n');
            if (strncmp(line, goes_on, strlen(goes_on)) != 0)
                break;
        }
        fputs("</li>\n", to);
    }
}

/* The same of what was merged from several, as far as it is known of all. */
static void remarks_of_all(FILE *to, const json_t *s)
{
    if (json_is_false(json_object_get(s, "accesses_watched")))
        fputs("<li>memory accesses were not watched, so data races were not looked for: build with "
              "heddle-cc</li>\n",
              to);
    names(to, json_object_get(s, "unmodelled"), "not under control");
    names(to, json_object_get(s, "control_lost_at"), "control was lost at");
    names(to, json_object_get(s, "shared"), "shared by all schedules");
}

/* What was tried of all schedules, and why that is no proof. */
static void covered(FILE *to, const json_t *exhaustive)
{
    const json_t *reasons = json_object_get(exhaustive, "no_proof");
    const json_t *preemptions = json_object_get(exhaustive, "preemptions");
    json_int_t schedules = json_integer_value(json_object_get(exhaustive, "schedules"));
    size_t i;
    json_t *reason;

    if (!json_is_object(exhaustive)) {
        fputs("<li>schedules were tried, not all of them: nothing found is no proof</li>\n", to);
        return;
    }
    fprintf(to, "<li>explored: %s%" JSON_INTEGER_FORMAT " schedule%s",
            json_is_true(json_object_get(exhaustive, "complete"))
                ? "every order of the operations that Heddle models, in "
                : "",
            schedules, schedules == 1 ? "" : "s");
    if (json_is_integer(preemptions))
        fprintf(to, ", with at most %" JSON_INTEGER_FORMAT " preemption%s",
                json_integer_value(preemptions), json_integer_value(preemptions) == 1 ? "" : "s");
    fputs("</li>\n", to);
    if (json_array_size(reasons) == 0)
        return;
    fputs("<li>nothing found is no proof: ", to);
    json_array_foreach(reasons, i, reason)
    {
        fputs(i ? "; " : "", to);
        text(to, json_string_value(reason));
    }
    fputs("</li>\n", to);
}

/* What was looked at, and what was not. */
static void looked_at(FILE *to, const json_t *report)
{
    const json_t *s = json_object_get(report, "statistics");
    const char *summary = document_word(report, "summary");

    fputs("<section class=\"looked-at\"><h3>What was and was not looked at</h3>\n<table>"
          "<caption>Counts</caption><tbody>\n",
          to);
    number(to, s, "schedules", "Schedules");
    number(to, s, "interleavings", "Distinct interleavings");
    number(to, s, "judged", "Schedules that came to an end");
    number(to, s, "cut", "Schedules that were cut (--max-steps)");
    number(to, s, "steps", "Decisions");
    number(to, s, "threads_max", "Most threads in one schedule");
    number(to, s, "seconds", "Seconds");
    fputs("</tbody></table>\n<ul>\n", to);
    if (summary)
        remarks(to, summary);
    else
        remarks_of_all(to, s);
    covered(to, json_object_get(s, "exhaustive"));
    fputs("</ul>\n", to);
    if (summary) {
        fputs("<details><summary>Summary</summary>", to);
        element(to, "pre", summary);
        fputs("</details>\n", to);
    }
    fputs("</section>\n", to);
}

static void command(FILE *to, const json_t *report)
{
    const json_t *program = json_object_get(report, "program");
    size_t i;
    json_t *word;

    fputs("<p class=\"command\"><code>", to);
    json_array_foreach(json_object_get(program, "arguments"), i, word)
    {
        fputs(i ? " " : "", to);
        text(to, json_string_value(word));
    }
    fputs("</code></p>\n", to);
}

/* alone: it is the only one of the page. */
static void one_test(struct page *page, const json_t *test, bool alone)
{
    const json_t *report = json_object_get(test, "report");
    const char *verdict = document_word(test, "verdict"), *why = document_word(test, "why");
    size_t at = 0, before = page->findings;
    FILE *to = page->to;

    fputs("<section class=\"test\"><h2>", to);
    text(to, document_word(test, "name"));
    fputs(" <span class=\"verdict\">", to);
    text(to, verdict);
    fputs("</span></h2>\n", to);
    command(to, report);
    if (why) {
        fputs("<p class=\"why\">", to);
        text(to, why);
        fputs("</p>\n", to);
    }
    for (json_t *f; (f = document_finding(test, &at));)
        finding(page, report, f);
    if (page->findings == before && strcmp(verdict, "passed") == 0)
        fputs("<p class=\"nothing\">Nothing was found.</p>\n", to);
    if (json_is_object(report) && alone) {
        looked_at(to, report);
    } else if (json_is_object(report)) {
        fputs("<details><summary>What was and was not looked at</summary>\n", to);
        looked_at(to, report);
        fputs("</details>\n", to);
    }
    fputs("</section>\n", to);
}

/* ---- the page ---- */

static size_t count(const json_t *tests)
{
    size_t n = 0, i;
    json_t *test;

    json_array_foreach(tests, i, test)
    {
        size_t at = 0;
        while (document_finding(test, &at))
            n++;
    }
    return n;
}

static void contents(FILE *to, const json_t *tests)
{
    unsigned n = 0;
    size_t i;
    json_t *test;

    fputs("<nav aria-label=\"Findings\"><ol>\n", to);
    json_array_foreach(tests, i, test)
    {
        size_t at = 0;
        for (json_t *f; (f = document_finding(test, &at));) {
            fprintf(to, "<li><a href=\"#finding-%u\"%s><span class=\"name\">", ++n,
                    document_fails(f) ? " class=\"fails\"" : "");
            text(to, document_word(f, "name"));
            fputs("</span> ", to);
            text(to, document_word(f, "headline"));
            fputs("</a></li>\n", to);
        }
    }
    fputs("</ol></nav>\n", to);
}

static void title(FILE *to, const json_t *tests)
{
    size_t n = count(tests), many = json_array_size(tests);
    size_t judged = test_document_judged(tests), unjudged = many - judged;

    if (n)
        fprintf(to, "%zu finding%s in ", n, n == 1 ? "" : "s");
    else
        fputs(judged ? "Nothing found in " : "Nothing judged in ", to);
    if (many == 1)
        text(to, document_word(json_array_get(tests, 0), "name"));
    else
        fprintf(to, "%zu tests", judged ? judged : many);
    if (judged && unjudged)
        fprintf(to, ", %zu not judged", unjudged);
}

static void head(FILE *to, const json_t *tests)
{
    fprintf(to,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "style-src 'sha256-%s'; script-src 'sha256-%s'; img-src data:; base-uri 'none'; "
            "form-action 'none'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            "<link rel=\"icon\" href=\"data:,\">\n<title>",
            html_style_hash, html_script_hash);
    title(to, tests);
    fprintf(to, " - Heddle</title>\n<style>%s</style>\n</head>\n", html_style);
}

/* Those that failed first. A new reference. */
static json_t *in_order(const json_t *tests)
{
    static const char *const order[] = {"failed", "error", "passed", "skipped"};
    json_t *sorted = json_array(), *test;
    size_t i;

    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        json_array_foreach(tests, i, test)
        {
            if (strcmp(document_word(test, "verdict"), order[k]) == 0)
                json_array_append(sorted, test);
        }
    return sorted;
}

void format_html(FILE *to, const json_t *document)
{
    json_t *tests = in_order(json_object_get(document, "tests"));
    struct page page = {.to = to};
    size_t i;
    json_t *test;

    head(to, tests);
    fputs("<body>\n<header><h1>", to);
    title(to, tests);
    fputs("</h1>\n<p>Heddle ", to);
    text(to, document_word(document, "heddle"));
    fputs("</p></header>\n<div class=\"page\">\n", to);
    if (count(tests) > 1)
        contents(to, tests);
    fputs("<main>\n", to);
    json_array_foreach(tests, i, test)
    {
        one_test(&page, test, json_array_size(tests) == 1);
    }
    fprintf(to, "</main>\n</div>\n<script>%s</script>\n</body>\n</html>\n", html_script);
    json_decref(tests);
}
