/* cmd_test.c - heddle test: the tests that another command runs, each under heddle run.
 *
 * What starts the tests puts a wrapper before each program when it is asked to: Meson with --wrapper,
 * Automake's make check with LOG_COMPILER. Others find it in the environment.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "symbols/symbol.h"
#include "test_suite.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "util/shell.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct test_suite *s = state->input;

    (void)arg;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = s;
        return 0;
    case ARGP_KEY_ARG:
        s->first = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_USAGE, 0,
                     "which command runs the tests? heddle test -- meson test, or make check");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The wrapper as one word for a shell. */
static char *shell_words(char *const *wrapper)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    for (; *wrapper; wrapper++) {
        shell_quote(out, *wrapper);
        fputc(' ', out);
    }
    fputs("--", out);
    fclose(out);
    return text;
}

/* Where the command is Meson's or make's, the options that make it use the wrapper. *extra is theirs, owned. */
static char **command_of(char *const *given, int count, const char *wrapper, char **extra)
{
    const char *name = base_name(given[0]);
    char **argv = mem_zeroed((size_t)count + 3, sizeof *argv);
    int n = 0, at = 0;
    bool meson = strcmp(name, "meson") == 0 && count > 1 && strcmp(given[1], "test") == 0;
    bool make = strcmp(name, "make") == 0 || strcmp(name, "gmake") == 0;

    argv[n++] = given[at++];
    if (meson) {
        argv[n++] = given[at++];
        argv[n++] = *extra = mem_format("--wrapper=%s", wrapper);
    } else if (make) {
        argv[n++] = *extra = mem_format("LOG_COMPILER=%s", wrapper);
    }
    while (at < count)
        argv[n++] = given[at++];
    return argv;
}

static int run(struct test_suite *s, char *const *given, int count)
{
    char **wrapper = suite_wrapper(s), *word = shell_words(wrapper), *extra = NULL;
    char **argv = command_of(given, count, word, &extra);
    int code;

    setenv("HEDDLE_WRAPPER", word, 1);
    code = suite_run(s, argv);
    if (code < 0) {
        complain("%s cannot be run: %s", argv[0], strerror(errno));
        code = EXIT_CANNOT;
    } else {
        json_t *document = suite_documents(s);
        bool any = json_array_size(json_object_get(document, "tests")) != 0;
        int ended = code;
        code = any ? suite_conclude(s, document) : EXIT_CANNOT;
        if (!any)
            complain(
                "no test was put behind heddle run (%s ended with exit code %d): for commands "
                "other than meson test and make check, put $HEDDLE_WRAPPER before each program",
                argv[0], ended);
        json_decref(document);
    }
    suite_wrapper_free(wrapper);
    free(word);
    free(extra);
    free(argv);
    return code;
}

int cmd_test(int argc, char **argv)
{
    static const struct argp_child children[] = {{&suite_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .parser = parse,
        .children = children,
        .args_doc = "-- COMMAND [ARGUMENT...]",
        .doc =
            "Let COMMAND run its tests, each under `heddle run`, and report them together: `meson "
            "test`, `make check` (Automake), or any other that puts $HEDDLE_WRAPPER before each "
            "program. Tests that create no thread, and scripts, are run as they are."
            "\vExit codes: 0 nothing found, 1 something found in a test, 2 wrong usage, 3 a test "
            "failed as it is, or could not be run or judged, 130 Ctrl-C."};
    struct test_suite s;
    int code;

    suite_start(&s);
    options_parse(&argp, "heddle test", argc, argv, ARGP_IN_ORDER, &s);
    if (s.budget_ns) {
        complain("--budget wants to know how many tests there are, which heddle ctest does alone: "
                 "here, -n says how many schedules each gets");
        code = EXIT_USAGE;
    } else {
        code = suite_open(&s, "heddle test " HEDDLE_VERSION "\n", 0);
    }
    if (code == EXIT_NOTHING)
        code = run(&s, argv + s.first, argc - s.first);
    suite_end(&s);
    return code;
}
