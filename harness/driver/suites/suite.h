/* suite.h - suites of scenarios: where they are, what they expect, and whether they got it.
 *
 * A suite is a program that knows `--list` (one line a scenario: name, family, flags, expected
 * kinds, what it covers, why; separated by tabs) and `NAME` (run that scenario). Heddle's own lie
 * beside the command; a user's is named by its path.
 *
 *   ownership  a suite list owns all that it points to
 *   errors     sentences without full stop, the caller's to free
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_SUITE_H
#define HEDDLE_DRIVER_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stress_scenario {
    char *suite;   /* "patterns" */
    char *program; /* absolute path */
    char *name, *family, *flags, *expect;

    pid_t child;     /* while it runs, else 0 */
    int answer;      /* descriptor of its document */
    int64_t started; /* real time */
    bool done;
    bool met;          /* the verdict is the expected one */
    char *verdict;     /* "clean", the kinds that were found, or why it could not be run */
    int64_t first;     /* schedule of the first finding; 0 = none */
    int64_t schedules; /* run */
    double seconds, virtual_seconds;
};

struct stress_suites {
    struct stress_scenario *scenario;
    size_t count;
};

/* The names of Heddle's own suites, NULL-terminated. */
extern const char *const stress_names[];

/* Append the scenarios of a suite: one of stress_names, or the path of a program. `variant` is what
 * the program's name ends in for this tool: "", "-tsan", "-plain", "-inside". filter: a part of
 * "suite/family/name", NULL for all. NULL, or a sentence. */
char *stress_load(struct stress_suites *all, const char *suite, const char *variant,
                  const char *filter);
void stress_free(struct stress_suites *all);

/* Is the word in the comma-separated list? */
bool stress_listed(const char *list, const char *word);

/* Read the document that `heddle run --json`, or the suite itself in process, wrote; decide. */
void stress_judge(struct stress_scenario *s, int exit_code);

#endif /* HEDDLE_DRIVER_SUITE_H */
