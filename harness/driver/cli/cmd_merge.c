/* cmd_merge.c - heddle merge: what several machines found, in one folder with one report. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "reports/formats.h"
#include "reports/json_text.h"
#include "reports/merge_documents.h"
#include "reports/outdir.h"
#include "reports/test_document.h"
#include "symbols/symbol.h"
#include "test_summary.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "util/read_file.h"

#define FILE_BOUND (64u << 20)

enum { OPT_REPORT = 256, OPT_JSON };

static const struct argp_option table[] = {
    {"output", 'o', "DIR", 0, "Folder for what is put together (heddle-merged)", 0},
    {"report", OPT_REPORT, "LIST", 0, "Write the report in these formats, as heddle run does", 0},
    {"json", OPT_JSON, 0, 0, "Print one JSON document (docs/json.md) instead of text", 0},
    {0},
};

struct arguments {
    const char *out;
    struct formats formats;
    bool json;
    char **folder; /* borrowed from argv */
    size_t folders;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    char *why = NULL;

    switch (key) {
    case 'o':
        a->out = arg;
        return 0;
    case OPT_REPORT:
        if ((why = formats_parse(&a->formats, arg)))
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        return 0;
    case OPT_JSON:
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        a->folder = mem_grow(a->folder, a->folders, sizeof *a->folder);
        a->folder[a->folders++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->folders)
            argp_failure(state, EXIT_USAGE, 0,
                         "which folders? heddle merge DIR... -o DIR, the output folders of runs");
        if (a->json && formats_to_stdout(&a->formats))
            argp_failure(state, EXIT_USAGE, 0,
                         "--json has stdout for itself: give the report a file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- files ---- */

/* `old` by `new` wherever it stands. */
static char *replaced(const char *text, const char *old, const char *new)
{
    char *result = NULL;
    size_t bytes, n = strlen(old);
    FILE *out = open_memstream(&result, &bytes);

    for (const char *at; n && (at = strstr(text, old)); text = at + n)
        fprintf(out, "%.*s%s", (int)(at - text), text, new);
    fputs(text, out);
    fclose(out);
    return result;
}

static void set_report(json_t *finding, char *text)
{
    json_object_set_new(finding, "report", json_string(text));
    free(text);
}

/* Copy a file of the finding under its new name. False: it cannot be, which is said. */
static bool copy_file(struct outdir *dir, json_t *finding, const char *stem, const char *key)
{
    const char *named = document_word(finding, key), *base = named ? base_name(named) : "";
    const char *ending = strchr(base, '.');
    char *from, *text, *written = NULL, *why = NULL;
    size_t bytes;

    if (!named)
        return true;
    from = document_file(document_word(finding, "from"), named);
    text = read_file(from, FILE_BOUND, &bytes);
    if (!text)
        why = mem_format("%s cannot be read: %s", from, strerror(errno));
    else
        why = outdir_write(dir, "heddle merge " HEDDLE_VERSION "\n", stem, ending ? ending : "",
                           text, bytes, &written);
    if (written)
        set_report(finding, replaced(document_word(finding, "report"), named, written));
    json_object_set_new(finding, key, written ? json_string(written) : json_null());
    if (why)
        complain("%s", why);
    free(from);
    free(text);
    free(why);
    free(written);
    return !why;
}

static char *stem_of(const json_t *test, const char *name, bool alone)
{
    char *stem = alone ? mem_copy(name) : mem_format("%s.%s", document_word(test, "name"), name);

    for (char *p = stem; *p; p++)
        if (*p == '/' || (unsigned char)*p <= ' ' || (p == stem && *p == '.'))
            *p = '_';
    return stem;
}

static bool take_files(struct outdir *dir, const json_t *document)
{
    static const char *const keys[] = {"schedule_file", "shrunk_file", "stdout_file", "stderr_file",
                                       "report_file",   "story_file",  NULL};
    const json_t *tests = json_object_get(document, "tests");
    bool taken = true;
    size_t i, k;
    json_t *test, *f;

    json_array_foreach(tests, i, test)
    {
        json_array_foreach(json_object_get(json_object_get(test, "report"), "findings"), k, f)
        {
            const char *name = document_word(f, "name"), *was = document_word(f, "was");
            char *stem = stem_of(test, name, json_array_size(tests) == 1);
            if (strncmp(document_word(f, "report"), was, strlen(was)) == 0)
                set_report(f, mem_format("%s%s", name, document_word(f, "report") + strlen(was)));
            for (size_t n = 0; keys[n]; n++)
                taken &= copy_file(dir, f, stem, keys[n]);
            json_object_del(f, "from");
            json_object_del(f, "was");
            free(stem);
        }
    }
    return taken;
}

/* ---- the result ---- */

static bool save(struct outdir *dir, const json_t *document)
{
    char *text = json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII), *written = NULL;
    char *why = text ? outdir_write(dir, "heddle merge " HEDDLE_VERSION "\n", "report", ".json",
                                    text, strlen(text), &written)
                     : NULL;
    bool saved = text && !why;

    if (why)
        complain("%s", why);
    free(why);
    free(text);
    free(written);
    return saved;
}

/* Of all runs together. */
static int64_t time_of(const json_t *document)
{
    double seconds = 0;
    size_t i;
    json_t *test;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        seconds += json_number_value(json_object_get(test, "seconds"));
    }
    return (int64_t)(seconds * 1e9);
}

static int report(const struct arguments *a, json_t *document, const json_t *missing)
{
    struct outdir dir = {.wanted = a->out};
    bool whole = take_files(&dir, document);
    size_t i;
    json_t *text;
    int code;

    whole &= save(&dir, document);
    code = test_document_count(document, "failed")            ? EXIT_FOUND
           : test_document_count(document, "error") || !whole ? EXIT_CANNOT
                                                              : EXIT_NOTHING;
    if (a->json)
        json_print(stdout, document);
    else
        summary_print(document, dir.path ? dir.path : a->out, time_of(document));
    if (!formats_write(&a->formats, document) && code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    json_array_foreach(missing, i, text)
    {
        complain("%s", json_string_value(text));
    }
    if (json_array_size(missing) && code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    outdir_close(&dir);
    return code;
}

static int merge(const struct arguments *a)
{
    struct merge *all = merge_new();
    json_t *missing = json_array(), *document;
    bool misuse = true;
    char *why = outdir_check(a->out, &misuse);
    int code = misuse ? EXIT_USAGE : EXIT_CANNOT;

    for (size_t i = 0; i < a->folders && !why; i++) {
        code = EXIT_USAGE;
        char *last = outdir_last(a->folder[i]);
        if ((document = test_document_read(last, &why)))
            why = merge_add(all, document, last);
        json_decref(document);
        free(last);
    }
    document = merge_finish(all, missing);
    if (why)
        complain("%s", why);
    else
        code = report(a, document, missing);
    free(why);
    json_decref(missing);
    json_decref(document);
    return code;
}

int cmd_merge(int argc, char **argv)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .args_doc = "DIR...",
        .doc = "Put the output folders of several runs together, the shards of one campaign or "
               "others: "
               "each finding once, counts added, one report."
               "\vExit codes: 0 nothing found, 1 something found, 2 wrong usage, or they do not "
               "belong "
               "together, 3 a shard is missing, or one could not be run or judged."};
    struct arguments a = {.out = "heddle-merged"};

    options_parse(&argp, "heddle merge", argc, argv, 0, &a);
    int code = merge(&a);
    free(a.folder);
    formats_free(&a.formats);
    return code;
}
