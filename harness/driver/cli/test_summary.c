/* test_summary.c - see test_summary.h */
#include "test_summary.h"

#include <stdio.h>
#include <string.h>

#include "reports/test_document.h"
#include "util/quantity.h"

struct tally {
    size_t findings, known, doubtful, suppressed;
};

static struct tally count(const json_t *tests)
{
    struct tally t = {0};
    size_t i;
    json_t *test, *f;

    json_array_foreach(tests, i, test)
    {
        size_t at = 0;
        t.suppressed += (size_t)json_integer_value(
            json_object_get(json_object_get(test, "report"), "suppressed"));
        while ((f = document_finding(test, &at))) {
            bool known = json_is_true(json_object_get(f, "known"));
            t.known += known;
            t.findings += document_fails(f);
            t.doubtful += !known && !document_fails(f);
        }
    }
    return t;
}

/* Whole reports of what fails a test, each bug once though several tests may show it. */
static void print_reports(const json_t *tests)
{
    json_t *seen = json_object(), *test, *f;
    size_t i;

    json_array_foreach(tests, i, test)
    {
        size_t at = 0;
        while ((f = document_finding(test, &at))) {
            const char *print = document_word(f, "fingerprint");
            if (!document_fails(f) || json_object_get(seen, print))
                continue;
            json_object_set_new(seen, print, json_true());
            printf("%s: %s\n\n", document_word(test, "name"), document_word(f, "report"));
        }
    }
    json_decref(seen);
}

static void print_finding(const json_t *f)
{
    printf("%s: %s%s\n", document_word(f, "name"), document_word(f, "headline"),
           json_is_true(json_object_get(f, "known")) ? " (known)"
           : document_fails(f)                       ? ""
                                                     : " (does not fail it)");
}

static void print_test(const json_t *test, int width)
{
    const char *verdict = document_word(test, "verdict"), *why = document_word(test, "why");
    const json_t *statistics = json_object_get(json_object_get(test, "report"), "statistics");
    size_t at = 0;
    json_t *f = document_finding(test, &at);

    printf("  %-7s  %-*s  ", verdict, width, document_word(test, "name"));
    if (f && !why)
        print_finding(f);
    else if (why)
        printf("%s\n", why);
    else
        printf("%lld schedules\n",
               (long long)json_integer_value(json_object_get(statistics, "schedules")));
    if (f && !why)
        f = document_finding(test, &at);
    for (; f; f = document_finding(test, &at)) {
        printf("  %-7s  %-*s  ", "", width, "");
        print_finding(f);
    }
}

void summary_print(const json_t *document, const char *folder, int64_t took_ns)
{
    const json_t *tests = json_object_get(document, "tests");
    struct tally t = count(tests);
    char took[32];
    int width = 0;
    size_t i;
    json_t *test;

    print_reports(tests);
    json_array_foreach(tests, i, test)
    {
        int n = (int)strlen(document_word(test, "name"));
        width = n > width && n <= 40 ? n : width;
    }
    json_array_foreach(tests, i, test)
    {
        print_test(test, width);
    }
    printf("\n%zu test%s: %zu passed, %zu failed, %zu skipped, %zu could not be run or judged; in "
           "%s\n",
           json_array_size(tests), json_array_size(tests) == 1 ? "" : "s",
           test_document_count(document, "passed"), test_document_count(document, "failed"),
           test_document_count(document, "skipped"), test_document_count(document, "error"),
           show_time(took_ns, took, sizeof took));
    printf("%zu finding%s, and %zu known, %zu that fail%s no test, %zu suppressed; all in %s\n",
           t.findings, t.findings == 1 ? "" : "s", t.known, t.doubtful, t.doubtful == 1 ? "s" : "",
           t.suppressed, folder);
}
