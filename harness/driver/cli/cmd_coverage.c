/* cmd_coverage.c - heddle coverage: which ways the synchronisation of a run went, or how two runs differ there. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "reports/coverage_document.h"
#include "reports/test_document.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"

struct arguments {
    char *path[2];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num == 2)
            argp_failure(state, EXIT_USAGE, 0, "two runs are compared, no more");
        a->path[state->arg_num] = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_USAGE, 0,
                     "of which run? heddle coverage RUN [RUN], output folders or documents of "
                     "heddle run --report=json:FILE");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const json_t *coverage_of(const json_t *test)
{
    const json_t *c = json_object_get(json_object_get(test, "report"), "coverage");
    return json_is_object(c) ? c : NULL;
}

static json_t *test_named(const json_t *document, const char *name)
{
    size_t i;
    json_t *test;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        if (strcmp(document_word(test, "name"), name) == 0)
            return test;
    }
    return NULL;
}

static void say_none(const char *name, const char *path)
{
    complain("%s: %s has no coverage: it was not under control, or not run", path, name);
}

static int show(const json_t *document, const char *path)
{
    size_t i, shown = 0;
    json_t *test;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        const json_t *c = coverage_of(test);
        shown += c != NULL;
        if (!c) {
            say_none(document_word(test, "name"), path);
            continue;
        }
        printf("%s\n", document_word(test, "name"));
        if (!coverage_lacks(c))
            puts("  nothing is missing: all that was met went each way");
        coverage_print(stdout, c, SIZE_MAX);
    }
    return shown ? EXIT_NOTHING : EXIT_CANNOT;
}

static int compare(const json_t *one, const json_t *other, char *const *path)
{
    size_t i, lost = 0, missing = 0, compared = 0;
    json_t *test;

    json_array_foreach(json_object_get(one, "tests"), i, test)
    {
        const char *name = document_word(test, "name");
        const json_t *a = coverage_of(test), *b = coverage_of(test_named(other, name));
        if (!a || !b) {
            say_none(name, path[a ? 1 : 0]);
            missing += a != NULL;
            continue;
        }
        compared++;
        printf("%s\n", name);
        lost += coverage_compare(stdout, a, b);
    }
    return !compared ? EXIT_CANNOT : lost || missing ? EXIT_FOUND : EXIT_NOTHING;
}

int cmd_coverage(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "RUN [RUN]",
        .doc =
            "Print what never happened in RUN: locks that nobody waited for, timed waits that "
            "never "
            "ran out, places that never came in the other order. With two, how they differ: - for "
            "what only the first did, + for what only the second did. RUN is an output folder of "
            "`heddle run`, or a file that --report=json:FILE wrote."
            "\vExit codes: 0 printed, and the second lacks nothing, 1 the first did what the "
            "second did not, or has a test that the second lacks, 2 wrong usage, or RUN holds no "
            "report, "
            "3 there is nothing to print, or none of the tests is in both."};
    struct arguments a = {0};
    json_t *document[2] = {0};
    int code = EXIT_USAGE;
    bool read = true;

    options_parse(&argp, "heddle coverage", argc, argv, 0, &a);
    for (int i = 0; i < 2 && a.path[i] && read; i++) {
        char *why;
        document[i] = test_document_read(a.path[i], &why);
        read = document[i] != NULL;
        if (!read)
            complain("%s", why);
        free(why);
    }
    if (read)
        code =
            document[1] ? compare(document[0], document[1], a.path) : show(document[0], a.path[0]);
    json_decref(document[0]);
    json_decref(document[1]);
    return code;
}
