/* test_suite.h - existing tests of a project, each under heddle run: what heddle ctest and heddle test
 * share. Their options, the suite's folder, and the report in the end.
 */
#ifndef HEDDLE_DRIVER_TEST_SUITE_H
#define HEDDLE_DRIVER_TEST_SUITE_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findings/baseline.h"
#include "reports/formats.h"
#include "reports/outdir.h"

struct test_suite {
    const char *out;
    unsigned jobs;     /* tests side by side */
    int64_t budget_ns; /* for all of them; 0 = no limit */
    bool quiet, json, counted;
    struct formats formats;
    struct baseline *baseline;
    char **option; /* for each heddle run; owned */
    size_t options;
    int first; /* index of what is not ours in argv; 0 = nothing is */
    struct outdir folder;
    char *self; /* path of this command */
    int64_t started_ns;
};

/* The options of both; a parser that has it as a child takes them with state->child_inputs[0] = suite. */
extern const struct argp suite_argp;

/* Before the options. */
void suite_start(struct test_suite *s);
/* Make the folder for `tests` tests (0: not known). EXIT_NOTHING, or what the command exits with: then why
 * was said. */
int suite_open(struct test_suite *s, const char *about, size_t tests);
/* The command that each test's program is put behind, without the test's name: NULL-terminated, owned by
 * the caller. */
char **suite_wrapper(const struct test_suite *s);
void suite_wrapper_free(char **wrapper);
/* Run a command, whose output goes to stderr, or nowhere when quiet. Its exit code, 128 + N for signal N;
 * -1: it cannot be run. */
int suite_run(const struct test_suite *s, char *const *argv);
/* What the tests left, one document. */
json_t *suite_documents(const struct test_suite *s);
/* Report it. Returns the exit code. */
int suite_conclude(struct test_suite *s, const json_t *document);
void suite_end(struct test_suite *s);

#endif /* HEDDLE_DRIVER_TEST_SUITE_H */
