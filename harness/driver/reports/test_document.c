/* test_document.c - see test_document.h */
#include "test_document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_text.h"
#include "outdir.h"
#include "symbols/symbol.h"
#include "util/alloc.h"
#include "util/exit_code.h"
#include "util/shell.h"

json_t *test_document_new(void)
{
    json_t *document = json_object();

    json_object_set_new(document, "schema", json_string("heddle-tests"));
    json_object_set_new(document, "version", json_integer(TEST_DOCUMENT_VERSION));
    json_object_set_new(document, "heddle", json_string(HEDDLE_VERSION));
    json_object_set_new(document, "tests", json_array());
    return document;
}

void test_document_add(json_t *document, const char *name, const char *verdict, const char *why,
                       double seconds, json_t *report)
{
    json_t *test = json_object();

    json_object_set_new(test, "name", json_text(name));
    json_object_set_new(test, "verdict", json_string(verdict));
    json_object_set_new(test, "why", json_text(why));
    json_object_set_new(test, "seconds", json_real(seconds));
    json_object_set_new(test, "report", report ? report : json_null());
    json_array_append_new(json_object_get(document, "tests"), test);
}

const char *test_document_verdict(int code)
{
    return code == EXIT_NOTHING ? "passed" : code == EXIT_FOUND ? "failed" : "error";
}

/* Are these strings? NULL ends the list of them. */
static bool has_words(const json_t *object, const char *const *key)
{
    for (; *key; key++)
        if (!document_word(object, *key))
            return false;
    return true;
}

/* Is all there that the formats rely on? What a report has besides may be missing. */
static bool is_whole(const json_t *document)
{
    static const char
        *const of_document[] = {"schema", "heddle", NULL},
               *const of_test[] = {"name", "verdict", NULL}, *const of_program[] = {"path", NULL},
               *const of_finding[] = {"name", "kind", "headline", "fingerprint", "report", NULL},
               *const of_note[] = {"role", NULL}, *const of_step[] = {"thread", "what", NULL};
    const json_t *tests = json_object_get(document, "tests");
    size_t i, k, n;
    json_t *test, *f, *part;
    bool whole = has_words(document, of_document) && json_is_array(tests) &&
                 strcmp(document_word(document, "schema"), "heddle-tests") == 0;

    json_array_foreach(tests, i, test)
    {
        const json_t *report = json_object_get(test, "report");
        whole =
            whole && has_words(test, of_test) &&
            (!json_is_object(report) || has_words(json_object_get(report, "program"), of_program));
        json_array_foreach(json_object_get(report, "findings"), k, f)
        {
            whole = whole && has_words(f, of_finding);
            json_array_foreach(json_object_get(f, "notes"), n, part)
            {
                whole = whole && has_words(part, of_note);
            }
            json_array_foreach(json_object_get(f, "interleaving"), n, part)
            {
                whole = whole && has_words(part, of_step);
            }
        }
    }
    return whole;
}

json_t *test_document_read(const char *path, char **why)
{
    struct stat st;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    char *last = outdir_last(path);
    char *file = folder ? mem_format("%s/report.json", last) : mem_copy(path);
    json_error_t error;
    json_t *document = NULL;

    *why = NULL;
    if (access(file, R_OK) != 0)
        *why =
            folder && errno == ENOENT
                ? mem_format("there is no report.json in %s: was it written by `heddle run`?", path)
                : mem_format("%s cannot be read: %s", file, strerror(errno));
    else if (!(document = json_load_file(file, 0, &error)))
        *why = mem_format("%s:%d: %s", file, error.line, error.text);
    else if (!is_whole(document))
        *why = mem_format("%s is no heddle-tests document (docs/json.md)", file);
    else if (json_integer_value(json_object_get(document, "version")) > TEST_DOCUMENT_VERSION)
        *why = mem_format("%s is from a newer Heddle", file);
    free(file);
    free(last);
    if (*why) {
        json_decref(document);
        document = NULL;
    }
    return document;
}

size_t test_document_count(const json_t *document, const char *verdict)
{
    size_t n = 0, i;
    json_t *test;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        n += strcmp(document_word(test, "verdict"), verdict) == 0;
    }
    return n;
}

/* A document without the counts is an older one. */
static bool is_judged(const json_t *test)
{
    const json_t *statistics = json_object_get(json_object_get(test, "report"), "statistics");
    const json_t *judged = json_object_get(statistics, "judged");
    size_t at = 0;

    if (!json_is_integer(judged))
        return strcmp(document_word(test, "verdict"), "passed") == 0 || document_finding(test, &at);
    json_int_t n = json_integer_value(judged);
    return document_finding(test, &at) ||
           (n > 0 && n * 10 >= json_integer_value(json_object_get(statistics, "schedules")));
}

size_t test_document_judged(const json_t *tests)
{
    size_t n = 0, i;
    json_t *test;

    json_array_foreach(tests, i, test)
    {
        n += is_judged(test);
    }
    return n;
}

const char *document_word(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

json_t *document_finding(const json_t *test, size_t *at)
{
    const json_t *list = json_object_get(json_object_get(test, "report"), "findings");

    while (*at < json_array_size(list)) {
        json_t *f = json_array_get(list, (*at)++);
        if (!document_word(f, "same_as") && !document_word(f, "same_cause"))
            return f;
    }
    return NULL;
}

bool document_fails(const json_t *finding)
{
    return json_is_true(json_object_get(finding, "fails"));
}

char *document_file(const char *from, const char *named)
{
    for (const char *rest = base_name(named);; rest--) {
        char *path = rest == named || rest[-1] == '/' ? mem_format("%s/%s", from, rest) : NULL;
        if (path && access(path, R_OK) == 0)
            return path;
        free(path);
        if (rest == named)
            return mem_copy(named);
    }
}

char *document_replay(const json_t *finding)
{
    const char *file = document_word(finding, "schedule_file");
    char *command = NULL;
    size_t bytes;
    FILE *to = file ? open_memstream(&command, &bytes) : NULL;

    if (!to)
        return NULL;
    fputs("heddle replay ", to);
    shell_quote(to, file);
    fclose(to);
    return command;
}
