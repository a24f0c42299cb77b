/* test.h - explore the schedules of a function inside an ordinary test program.
 *
 * Link with Heddle::test (libheddle-test, which brings the runtime library). hd_explore() runs fn
 * again and again, each time under another schedule, in a child process; goroutines, and threads that fn makes,
 * are switched on one kernel thread, so a schedule costs microseconds. Thread-local variables of the program are the
 * same for all of them: a program that needs its own is explored by `heddle run`. A schedule fails when a
 * goroutine deadlocks or is still blocked when fn has returned, when an assertion or a panic ends
 * it, when an invariant does not hold (heddle/always.h), and when it crashes; other schedules go on.
 *
 * Of code that is built with heddle-cc, accesses to memory that threads share are decisions as well, and each schedule is a
 * process of its own. Data races are not reported: `heddle run` does that. heddle/linear.h compares a whole data structure
 * with a sequential model of it.
 *
 * fn must start from the same state each time: what it changes outside its own variables it must
 * set back itself.
 *
 *   HEDDLE_SCHEDULE=NAME:N  in the environment: of the test with that name (or, as N alone, of the
 *                           first) show schedule N again, then run it in place, for a debugger
 *   HEDDLE_SCHEDULES=N      instead of the number that the test asks for
 *
 * source: Shuttle's check_random, Loom's model; Go's testing/synctest.
 */
#ifndef HEDDLE_TEST_H
#define HEDDLE_TEST_H

#include <stdint.h>
#include <stdio.h>

#include <heddle/api.h>
#include <heddle/leak.h>
#include <heddle/seam.h>

HD_BEGIN_DECLS

struct hd_explore_options {
    uint32_t schedules;       /* 0 = 1000; with exhaustive, at most: 0 = 100000 */
    uint32_t max_steps;       /* a schedule's step bound; 0 = 20000 */
    uint64_t seed;            /* 0 = 1 */
    const char *strategy;     /* "auto" (NULL), "random", "pct", "pos", "burst", "rr" */
    int ignore_leaks;         /* goroutines may be left when fn returns */
    int keep_going;           /* do not stop at the first schedule that fails */
    const char *name;         /* of the test, for HEDDLE_SCHEDULE=NAME:N; NULL = none */
    const char *memory_model; /* "sc" (NULL), "tso", "c11": of code that is built with heddle-cc */
    const char
        *faults; /* what may fail, as heddle run --faults=LIST takes it; NULL = nothing does */
    /* Every schedule that differs from the others in more than the order of independent steps, as heddle run
     * --exhaustive; goes with none of strategy, memory_model and faults. */
    int exhaustive;
};

struct hd_explore_result {
    uint64_t schedules; /* run */
    uint64_t failing;   /* of those */
    uint64_t first;     /* number of the first failing one, from 1; 0 = none */
    uint64_t steps;     /* decisions in all */
    uint64_t cut;       /* ended by the step bound */
    int64_t virtual_ns; /* virtual time spent in all */
    uint64_t
        exhausted; /* exhaustive: 1 = all schedules were explored, and nothing was out of control;
                           of hd_linear(): the scenarios of which all schedules were */
    int kind;      /* of the first failure: enum hd_finding_kind, -1 = none */
    char word[32]; /* its word: "deadlock", "leak-blocked", "assertion" ... */
    char report[16384]; /* what a person reads: who waits where, and how to run it again; of a test
                           that passed: which faults could not happen at all, what an exhaustive
                           exploration covers, or "" */
};

/* Explore fn(arg). Returns 0 when no schedule failed, 1 when one did, -1 when it could not be done
 * (result->report says why): with exhaustive, also when not all schedules were explored, or something was not under
 * control. options may be NULL; result may be NULL.
 *   threads: a process with one thread   blocks: until done */
static inline int hd_explore(void (*fn)(void *arg), void *arg,
                             const struct hd_explore_options *options,
                             struct hd_explore_result *result);

/* The same for tests of any framework (Unity, Check, GoogleTest): the whole report goes to stderr, and
 * the test asserts that this is 0. options->name may be NULL: then it is `name`.
 *     ck_assert_int_eq(hd_explore_print("puts_and_takes", puts_and_takes, NULL, NULL), 0);
 */
static inline int hd_explore_print(const char *name, void (*fn)(void *arg), void *arg,
                                   const struct hd_explore_options *options);

/* What hd_explore() calls; `attach` is hd_seam_attach of the library that fn uses. */
HD_API int hd_explore_through(void (*attach)(const struct hd_seam *seam), void (*fn)(void *arg),
                              void *arg, const struct hd_explore_options *options,
                              struct hd_explore_result *result);

static inline int hd_explore(void (*fn)(void *arg), void *arg,
                             const struct hd_explore_options *options,
                             struct hd_explore_result *result)
{
    return hd_explore_through(hd_seam_attach, fn, arg, options, result);
}

static inline int hd_explore_print(const char *name, void (*fn)(void *arg), void *arg,
                                   const struct hd_explore_options *options)
{
    static struct hd_explore_result result; /* too large for small stacks */
    struct hd_explore_options mine = {0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0};
    int failed;

    if (options)
        mine = *options;
    if (!mine.name)
        mine.name = name;
    failed = hd_explore(fn, arg, &mine, &result);
    if (failed || result.report[0]) {
        fputs(name, stderr);
        fputs(": ", stderr);
        fputs(result.report, stderr);
        fflush(stderr);
    }
    return failed;
}

/* A return address of this process: "function  file.c:12"; the number of bytes, 0 unknown. Give it
 * to hd_leak_places().   threads: any */
HD_API size_t heddle_test_place(const void *address, char *text, size_t bytes);

HD_END_DECLS

/* Leak checks as fixtures of cmocka (heddle/leak.h): of each test,
 *
 *     HD_LEAK_CHECKED(fetches_all)                 behind the test function
 *     hd_leak_unit_test(fetches_all)               in place of cmocka_unit_test(fetches_all)
 *
 * of each test under the name "test", and of what the group's own fixtures leave behind:
 *
 *     cmocka_unit_test_setup_teardown(fetches_all, hd_leak_setup, hd_leak_teardown)
 *     cmocka_run_group_tests(tests, hd_leak_setup, hd_leak_teardown)
 *
 * A test that leaves something fails in its teardown, which says what. */
static inline int hd_leak_setup(void **state)
{
    (void)state;
    hd_leak_places(heddle_test_place);
    hd_leak_check_begin_at("test", NULL, 0);
    return 0;
}

static inline int hd_leak_teardown(void **state)
{
    char text[4096];

    (void)state;
    if (hd_leak_check_end(text, sizeof text) == 0)
        return 0;
#ifdef CMOCKA_H_
    print_error("%s", text);
#else
    fputs(text, stderr);
#endif
    return -1;
}

#define HD_LEAK_CHECKED(fn)                                                                        \
    static int hd_leak_begin_##fn(void **state)                                                    \
    {                                                                                              \
        (void)state;                                                                               \
        hd_leak_places(heddle_test_place);                                                         \
        hd_leak_check_begin(#fn);                                                                  \
        return 0;                                                                                  \
    }
#define hd_leak_unit_test(fn)                                                                      \
    {                                                                                              \
#fn, fn, hd_leak_begin_##fn, hd_leak_teardown, NULL                                        \
    }

/* In a cmocka program, behind the test function fn(void **state):
 *     HD_EXPLORED(fn)                               or, with options,
 *     HD_EXPLORED_WITH(fn, .schedules = 5000, .strategy = "pct")
 * and in the list of tests
 *     hd_unit_test(fn)                              in place of cmocka_unit_test(fn)
 *     hd_unit_test_setup_teardown(fn, setup, teardown)
 * setup and teardown are called once, before and after all schedules; what each schedule changes it sets
 * back itself. */
#define hd_unit_test(fn) hd_unit_test_setup_teardown(fn, NULL, NULL)
#define hd_unit_test_setup_teardown(fn, setup, teardown)                                           \
    {                                                                                              \
#fn, hd_explored_##fn, setup, teardown, NULL                                               \
    }
#define HD_EXPLORED(fn) HD_EXPLORED_WITH(fn, .schedules = 0)
#define HD_EXPLORED_WITH(fn, ...)                                                                  \
    static void hd_body_##fn(void *state)                                                          \
    {                                                                                              \
        fn((void **)state);                                                                        \
    }                                                                                              \
    static void hd_explored_##fn(void **state)                                                     \
    {                                                                                              \
        const struct hd_explore_options options_ = {__VA_ARGS__};                                  \
        if (hd_explore_print(#fn, hd_body_##fn, state, &options_) != 0)                            \
            fail_msg("a schedule failed: the report is above");                                    \
    }

#endif /* HEDDLE_TEST_H */
