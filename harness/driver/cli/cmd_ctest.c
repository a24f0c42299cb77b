/* cmd_ctest.c - heddle ctest: the tests of a CMake project, each under heddle run.
 *
 * CTest itself says which tests there are, and runs them: from a list of our own, in which heddle run
 * stands before each command and the properties are those of the project. So fixtures, dependencies,
 * resource locks, folders and environments are what they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "reports/test_document.h"
#include "test_suite.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "util/read_file.h"
#include "util/whole_file.h"

#define LIST_BOUND (256u << 20)

enum { OPT_TEST_DIR = 256 };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Which tests (ctest's own options; more of them behind --):", 2},
    {"test-dir", OPT_TEST_DIR, "DIR", 0, "The build folder (the current one)", 0},
    {"tests-regex", 'R', "REGEX", 0, "Only tests whose names match", 0},
    {"exclude-regex", 'E', "REGEX", 0, "No tests whose names match", 0},
    {"label-regex", 'L', "REGEX", 0, "Only tests with labels that match", 0},
    {"build-config", 'C', "CONFIG", 0, "Of a build folder with several configurations", 0},
    {0},
};

struct arguments {
    struct test_suite suite;
    char **select; /* for ctest --show-only */
    size_t selects;
};

static void add_select(struct arguments *a, const char *option, const char *arg)
{
    a->select = mem_grow(a->select, a->selects, sizeof *a->select);
    a->select[a->selects++] = mem_copy(option);
    if (arg) {
        a->select = mem_grow(a->select, a->selects, sizeof *a->select);
        a->select[a->selects++] = mem_copy(arg);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    char option[] = {'-', (char)key, '\0'};

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->suite;
        return 0;
    case OPT_TEST_DIR:
        add_select(a, "--test-dir", arg);
        return 0;
    case 'R':
    case 'E':
    case 'L':
    case 'C':
        add_select(a, option, arg);
        return 0;
    case ARGP_KEY_ARG:
        if (!state->quoted)
            argp_failure(state, EXIT_USAGE, 0,
                         "what is \"%s\"? More options of ctest come behind --", arg);
        add_select(a, arg, NULL);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What ctest prints about its tests; NULL: then why was said. */
static json_t *list_tests(const struct arguments *a)
{
    char **argv = mem_zeroed(a->selects + 3, sizeof *argv), *text = NULL;
    int out[2], status = 0;
    size_t bytes = 0;
    json_error_t error;
    json_t *list;
    pid_t pid;

    argv[0] = "ctest";
    argv[1] = "--show-only=json-v1";
    for (size_t i = 0; i < a->selects; i++)
        argv[2 + i] = a->select[i];
    if (pipe2(out, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        complain("no process for ctest: %s", strerror(errno));
        free(argv);
        return NULL;
    }
    if (pid == 0) {
        dup2(out[1], 1);
        execvp(argv[0], argv);
        complain("ctest cannot be run: %s", strerror(errno));
        _exit(127);
    }
    close(out[1]);
    text = read_descriptor(out[0], LIST_BOUND, &bytes);
    close(out[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    /* Before the list, ctest says in which folder it is. */
    const char *begin = text ? strchr(text, '{') : NULL;
    list = status == 0 && begin ? json_loads(begin, 0, &error) : NULL;
    if (!list && WIFEXITED(status) && WEXITSTATUS(status) != 127)
        complain("ctest did not list its tests (exit code %d): is this a build folder?",
                 WEXITSTATUS(status));
    free(text);
    free(argv);
    return list;
}

/* ---- the list of our own ---- */

/* An argument that CMake takes as it is: in brackets with more = signs than stand in it. */
static void bracket(FILE *to, const char *text)
{
    int longest = 0;

    for (const char *p = text; *p; p++)
        if (*p == ']') {
            int n = (int)strspn(p + 1, "=");
            longest = n >= longest ? n + 1 : longest;
        }
    fprintf(to, " [%.*s[%s%s]%.*s]", longest,
            "================================", *text == '\n' ? "\n" : "", text, longest,
            "================================");
}

/* A list's elements have ; between them, and none of their own. */
static char *list_value(const json_t *list)
{
    char *text = NULL;
    size_t bytes, i;
    json_t *item;
    FILE *out = open_memstream(&text, &bytes);

    json_array_foreach(list, i, item)
    {
        if (i)
            fputc(';', out);
        for (const char *p = json_string_value(item); p && *p; p++)
            fprintf(out, "%s%c", *p == ';' ? "\\" : "", *p);
    }
    fclose(out);
    return text;
}

static char *value_of(const json_t *value)
{
    if (json_is_array(value))
        return list_value(value);
    if (json_is_string(value))
        return mem_copy(json_string_value(value));
    if (json_is_boolean(value))
        return mem_copy(json_is_true(value) ? "ON" : "OFF");
    if (json_is_integer(value))
        return mem_format("%lld", (long long)json_integer_value(value));
    return mem_format("%g", json_number_value(value));
}

/* What is of the program's own output, end or time. Under heddle run it is judged by schedules. */
static const char *const judged[] = {"PASS_REGULAR_EXPRESSION", "FAIL_REGULAR_EXPRESSION",
                                     "SKIP_REGULAR_EXPRESSION", "WILL_FAIL",
                                     "SKIP_RETURN_CODE",        "TIMEOUT",
                                     "TIMEOUT_AFTER_MATCH",     NULL};

static const json_t *property(const json_t *test, const char *name)
{
    size_t i;
    json_t *p;

    json_array_foreach(json_object_get(test, "properties"), i, p)
    {
        const char *n = document_word(p, "name");
        if (n && strcmp(n, name) == 0)
            return json_object_get(p, "value");
    }
    return NULL;
}

static void write_properties(FILE *to, const json_t *test)
{
    size_t i;
    json_t *p;

    fputs("set_tests_properties(", to);
    bracket(to, document_word(test, "name"));
    fputs(" PROPERTIES", to);
    json_array_foreach(json_object_get(test, "properties"), i, p)
    {
        const char *name = document_word(p, "name");
        bool ours = !name;
        for (size_t k = 0; !ours && judged[k]; k++)
            ours = strcmp(name, judged[k]) == 0;
        if (ours)
            continue;
        char *value = value_of(json_object_get(p, "value"));
        bracket(to, name);
        bracket(to, value);
        free(value);
    }
    /* Ours ends each schedule, and the whole when its share of the budget is over. */
    fputs(" [[TIMEOUT]] [[0]])\n", to);
}

/* Which exit codes are fine, where the test says that not 0 alone is; NULL: no others. free() it. */
static char *exit_codes(const json_t *test)
{
    const json_t *skip = property(test, "SKIP_RETURN_CODE");

    if (json_is_true(property(test, "WILL_FAIL")) || property(test, "PASS_REGULAR_EXPRESSION") ||
        property(test, "SKIP_REGULAR_EXPRESSION"))
        return mem_copy("--exit-code=any");
    if (json_is_integer(skip))
        return mem_format("--exit-code=%lld", (long long)json_integer_value(skip));
    return NULL;
}

static void write_test(FILE *to, const json_t *test, char *const *wrapper)
{
    const char *name = document_word(test, "name");
    char *option = mem_format("--name=%s", name), *codes = exit_codes(test);
    size_t i;
    json_t *word;

    fputs("add_test(", to);
    bracket(to, name);
    for (char *const *w = wrapper; *w; w++)
        bracket(to, *w);
    bracket(to, option);
    if (codes)
        bracket(to, codes);
    fputs(" [[--]]", to);
    json_array_foreach(json_object_get(test, "command"), i, word)
    {
        bracket(to, json_string_value(word) ? json_string_value(word) : "");
    }
    fputs(")\n", to);
    write_properties(to, test);
    free(option);
    free(codes);
}

static bool can_run(const json_t *test)
{
    return document_word(test, "name") && json_array_size(json_object_get(test, "command")) &&
           !json_is_true(property(test, "DISABLED"));
}

/* False: it cannot be written, which is said. */
static bool write_list(const struct test_suite *s, const json_t *tests)
{
    static const char name[] = "CTestTestfile.cmake";
    char *text = NULL, **wrapper = suite_wrapper(s);
    size_t bytes, i;
    json_t *test;
    FILE *out = open_memstream(&text, &bytes);

    json_array_foreach(tests, i, test)
    {
        if (can_run(test))
            write_test(out, test, wrapper);
    }
    fclose(out);
    int error = whole_file_write(s->folder.folder, name, 0666, false, text, bytes);
    if (error)
        complain("%s/%s cannot be written: %s", s->folder.path, name, strerror(error));
    free(text);
    suite_wrapper_free(wrapper);
    return !error;
}

/* ---- what came of it ---- */

static json_t *left_by(const json_t *left, const char *name)
{
    size_t i;
    json_t *test;

    json_array_foreach(json_object_get(left, "tests"), i, test)
    {
        if (strcmp(document_word(test, "name"), name) == 0)
            return test;
    }
    return NULL;
}

/* What is of the output and was not looked at. */
static void tell_unjudged(const json_t *tests)
{
    size_t n = 0, i;
    json_t *test;

    json_array_foreach(tests, i, test)
    {
        n += property(test, "PASS_REGULAR_EXPRESSION") ||
             property(test, "FAIL_REGULAR_EXPRESSION") || property(test, "SKIP_REGULAR_EXPRESSION");
    }
    if (n)
        complain("note: of %zu test%s the output was not held against its PASS_, FAIL_ or "
                 "SKIP_REGULAR_EXPRESSION",
                 n, n == 1 ? "" : "s");
}

/* In the order of the project; each test has a verdict. */
static json_t *in_order(const json_t *tests, const json_t *left)
{
    json_t *all = test_document_new(), *test;
    size_t i;

    json_array_foreach(tests, i, test)
    {
        const char *name = document_word(test, "name");
        json_t *one = name ? left_by(left, name) : NULL;
        if (!name)
            continue;
        if (one)
            json_array_append(json_object_get(all, "tests"), one);
        else if (json_is_true(property(test, "DISABLED")))
            test_document_add(all, name, "skipped", "disabled in the project", 0, NULL);
        else if (!can_run(test))
            test_document_add(all, name, "error", "its program is not there: was it built?", 0,
                              NULL);
        else
            test_document_add(all, name, "error",
                              "it was not run, or ended without a report (LastTest.log in "
                              "Testing/Temporary of the output folder)",
                              0, NULL);
    }
    return all;
}

static int run_tests(struct arguments *a, const json_t *tests)
{
    struct test_suite *s = &a->suite;
    char *jobs = mem_format("-j%u", s->jobs);
    char *argv[] = {"ctest", "--test-dir", s->folder.path, jobs, NULL};
    int code = suite_run(s, argv);

    free(jobs);
    if (code < 0) {
        complain("ctest cannot be run: %s", strerror(errno));
        return EXIT_CANNOT;
    }
    json_t *left = suite_documents(s), *document = in_order(tests, left);
    code = suite_conclude(s, document);
    tell_unjudged(tests);
    json_decref(left);
    json_decref(document);
    return code;
}

int cmd_ctest(int argc, char **argv)
{
    static const struct argp_child children[] = {{&suite_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .children = children,
        .args_doc = "[-- CTEST-OPTION...]",
        .doc =
            "Run every test of a CMake project's build folder under `heddle run`, and report them "
            "together. Tests that create no thread, and scripts, are run as they are."
            "\vExit codes: 0 nothing found, 1 something found in a test, 2 wrong usage, 3 a test "
            "failed as it is, or could not be run or judged, 130 Ctrl-C."};
    struct arguments a = {0};
    int code = EXIT_CANNOT;

    suite_start(&a.suite);
    options_parse(&argp, "heddle ctest", argc, argv, ARGP_IN_ORDER, &a);
    json_t *list = list_tests(&a), *tests = json_object_get(list, "tests");
    if (list && !json_array_size(tests)) {
        complain("there are no such tests in this build folder");
        code = EXIT_USAGE;
    } else if (list) {
        code = suite_open(&a.suite, "heddle ctest " HEDDLE_VERSION "\n", json_array_size(tests));
        if (code == EXIT_NOTHING)
            code = write_list(&a.suite, tests) ? run_tests(&a, tests) : EXIT_CANNOT;
    }
    json_decref(list);
    for (size_t i = 0; i < a.selects; i++)
        free(a.select[i]);
    free(a.select);
    suite_end(&a.suite);
    return code;
}
