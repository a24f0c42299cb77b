/* linear.h - is a concurrent data structure linearizable?
 *
 * Link with Heddle::test. A test gives the operations of a structure and a sequential model of it: the
 * same operations on a plain state that one thread uses. hd_linear() draws small scenarios (which thread
 * calls what, with which arguments), explores schedules of each as hd_explore() does (heddle/test.h), all of them where
 * they are few, and
 * looks for an order of the calls, one after the other, in which the model gives the same results. If there
 * is none, scenario and schedule are made smaller, and the history is printed as a table.
 *
 *   static void run_inc(void *counter, struct hd_call *c)   { c->result[0] = counter_inc(counter); }
 *   static void apply_inc(void *state, struct hd_call *c)   { c->result[0] = ++*(long *)state; }
 *   static const struct hd_linear_op ops[] = {
 *       {.name = "inc", .run = run_inc, .apply = apply_inc, .results = 1},
 *   };
 *   static const struct hd_linear_spec counter = {
 *       .name = "counter", .ops = ops, .op_count = 1,
 *       .make = counter_make, .destroy = counter_destroy, .state_bytes = sizeof(long)};
 *   ...
 *   assert_int_equal(hd_linear_print(&counter, NULL), 0);
 *
 * Structures that use plain memory, atomics or pthreads are built with heddle-cc (heddle_instrument() in
 * CMake), so that each of their accesses to memory may come before or after one of another thread. What
 * waits through lib/ or pthreads alone need not be. Thread-local variables of the program are the same for
 * all threads.
 *
 * Each operation returns: one that waits for another (a pop from an empty queue) is a deadlock in scenarios
 * where that never comes. Model functions and make() see no other thread.
 *
 * A schedule that crashes, deadlocks or fails an assertion is reported likewise, with what had returned.
 * Under `heddle run` each schedule runs one of the scenarios, by a choice that is explored and replayed.
 *
 *   HEDDLE_SCHEDULE=NAME:S.N  in the environment: scenario S alone, made smaller as before; its schedule N is
 *                             shown, then run in place, for a debugger; with the HEDDLE_SCHEDULES that found it
 *   HEDDLE_SCHEDULES=N        of each scenario, instead of the number that the test asks for
 *
 * source: Herlihy and Wing 1990; Wing and Gong 1993; Lowe 2017; Burckhardt et al. 2010 (Line-Up).
 */
#ifndef HEDDLE_LINEAR_H
#define HEDDLE_LINEAR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <heddle/test.h>

HD_BEGIN_DECLS

#define HD_CALL_VALUES 3

/* One call of an operation. What is not used stays 0. */
struct hd_call {
    long arg[HD_CALL_VALUES];
    long result[HD_CALL_VALUES];
};

struct hd_linear_op {
    const char *name;
    void (*run)(void *structure, struct hd_call *call); /* the operation: sets call->result */
    void (*apply)(void *state, struct hd_call *call);   /* the same on the model's state */
    int args, results;                                  /* used entries of each */

    /* Arguments are drawn from least to most, both included. Shrinking goes towards least. */
    struct {
        long least, most;
    } range[HD_CALL_VALUES];
    int distinct; /* arg[0] is another number in each call, from 1, instead */
    /* Or sets call->arg itself, by hd_draw(random, ...); shrinking leaves these. */
    void (*draw)(struct hd_call *call, uint64_t *random);

    /* Are the results of a call those that the model gave? NULL: equal numbers. */
    int (*same)(const struct hd_call *got, const struct hd_call *model);
    /* Arguments, and results if it returned; NULL: name(1, 2) = 3. */
    void (*print)(FILE *to, const struct hd_call *call, int returned);

    int only;        /* n > 0: of the threads, only the n-th calls it (a queue's one consumer) */
    unsigned weight; /* how often it is drawn, compared with the others; 0 = 1 */
};

struct hd_linear_spec {
    const char *name;
    const struct hd_linear_op *ops;
    size_t op_count;
    void *(*make)(void);              /* a structure; NULL fails the test */
    void (*destroy)(void *structure); /* NULL: nothing to do */

    size_t state_bytes;         /* of the model's state */
    void (*begin)(void *state); /* the state of a new structure; NULL: zeros */
    /* A state is its bytes: copied, and compared as such. One that has pointers gives these. */
    void (*copy)(void *to, const void *from);
    void (*clear)(void *state);
    int (*equal)(const void *a, const void *b);
};

enum hd_linear_condition {
    HD_LINEARIZABLE, /* who returned before another began comes before it */
    HD_SEQUENTIAL, /* each thread's calls are in its order; those before the threads come first, those after
                        them last */
    HD_QUIESCENT, /* calls with a moment between them when none was running are in that order */
};

struct hd_linear_options {
    enum hd_linear_condition condition;
    uint32_t scenarios; /* 0 = 100 */
    uint32_t
        schedules; /* of each; 0 = 100. All, where there are no more: with neither strategy nor memory_model */
    uint32_t max_steps; /* a schedule's step bound; 0 = 20000 */
    uint64_t seed;      /* 0 = 1 */
    int threads;        /* at most, 2 to 4; 0 = 3 */
    int calls;          /* of a thread at most, 1 to 5; 0 = 4 */
    int alone; /* at most as many calls before the threads begin, and behind their end: 1 to 5; 0 = 3, -1: none */
    const char *strategy;     /* as for hd_explore() */
    const char *memory_model; /* "sc" (NULL), "tso", "c11" */
};

/* 0: no schedule failed; 1: one did; -1: it could not be done; result->report says what, and with 0 in how many schedules,
 * or how many were cut at max_steps and not judged. result->schedules counts those of all scenarios, result->exhausted the
 * scenarios of which all schedules were explored. options and result may be NULL.
 *   threads: a process with one thread   blocks: until done */
static inline int hd_linear(const struct hd_linear_spec *spec,
                            const struct hd_linear_options *options,
                            struct hd_explore_result *result);

/* The same, with the report on stderr. */
static inline int hd_linear_print(const struct hd_linear_spec *spec,
                                  const struct hd_linear_options *options);

/* For hd_linear_op.draw: a number from least to most. */
HD_API long hd_draw(uint64_t *random, long least, long most);

/* What hd_linear() calls; `attach` is hd_seam_attach of the library that the program uses. */
HD_API int hd_linear_through(void (*attach)(const struct hd_seam *seam),
                             const struct hd_linear_spec *spec,
                             const struct hd_linear_options *options,
                             struct hd_explore_result *result);

static inline int hd_linear(const struct hd_linear_spec *spec,
                            const struct hd_linear_options *options,
                            struct hd_explore_result *result)
{
    return hd_linear_through(hd_seam_attach, spec, options, result);
}

static inline int hd_linear_print(const struct hd_linear_spec *spec,
                                  const struct hd_linear_options *options)
{
    static struct hd_explore_result result; /* too large for small stacks */
    int failed = hd_linear(spec, options, &result);

    if (result.report[0]) {
        fputs(result.report, stderr);
        fflush(stderr);
    }
    return failed;
}

HD_END_DECLS

#endif /* HEDDLE_LINEAR_H */
