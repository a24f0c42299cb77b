/* format_tap.c - TAP version 13: a line a test, and in a YAML block behind it what was found. */
#include <stdlib.h>
#include <string.h>

#include "formats.h"
#include "test_document.h"

/* In a description # begins a directive. */
static void description(FILE *to, const char *text)
{
    for (; *text; text++)
        if (*text == '#' || *text == '\\')
            fprintf(to, "\\%c", *text);
        else
            fputc(*text == '\n' ? ' ' : *text, to);
}

/* A string of JSON is one of YAML as well. */
static void scalar(FILE *to, const char *key, const char *value)
{
    json_t *text = json_string(value);
    fprintf(to, "%s: ", key);
    json_dumpf(text, to, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    fputc('\n', to);
    json_decref(text);
}

static void diagnostics(FILE *to, const json_t *test)
{
    const char *why = document_word(test, "why");
    size_t at = 0;
    json_t *f = document_finding(test, &at);

    if (!f && !why)
        return;
    fputs("  ---\n", to);
    if (why)
        scalar(to, "  message", why);
    if (f)
        fputs("  findings:\n", to);
    for (; f; f = document_finding(test, &at)) {
        scalar(to, "    - kind", document_word(f, "kind"));
        scalar(to, "      headline", document_word(f, "headline"));
        fprintf(to, "      fails: %s\n", document_fails(f) ? "true" : "false");
        scalar(to, "      report", document_word(f, "report"));
    }
    fputs("  ...\n", to);
}

void format_tap(FILE *to, const json_t *document)
{
    const json_t *tests = json_object_get(document, "tests");
    size_t i;
    json_t *test;

    fprintf(to, "TAP version 13\n1..%zu\n", json_array_size(tests));
    json_array_foreach(tests, i, test)
    {
        const char *verdict = document_word(test, "verdict");
        bool skipped = strcmp(verdict, "skipped") == 0;
        bool good = skipped || strcmp(verdict, "passed") == 0;
        fprintf(to, "%s %zu - ", good ? "ok" : "not ok", i + 1);
        description(to, document_word(test, "name"));
        if (skipped) {
            fputs(" # SKIP ", to);
            description(to, document_word(test, "why") ? document_word(test, "why") : "");
        }
        fputc('\n', to);
        if (!skipped)
            diagnostics(to, test);
    }
}
