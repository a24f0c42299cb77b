/* linear_check.h - histories of calls, and whether a sequential model explains them. */
#ifndef HEDDLE_LINEAR_CHECK_H
#define HEDDLE_LINEAR_CHECK_H

#include <stdbool.h>

#include <heddle/linear.h>

#define LINEAR_THREADS 4u
#define LINEAR_CALLS 32u /* of a history; a set of them is a uint32_t */

struct linear_call {
    const struct hd_linear_op *op;
    struct hd_call call;
    uint32_t thread;       /* from 1; 0: while no thread runs */
    uint32_t behind;       /* of those: after the threads' end */
    uint32_t begun, ended; /* moments, from 1; 0: not yet */
};

/* What is to be called, thread by thread in the order of its calls; once it was run, what came of it. */
struct linear_history {
    uint32_t clock; /* the last moment */
    uint32_t count;
    uint32_t wrong;  /* the call that has no place; LINEAR_CALLS: none was found */
    uint32_t points; /* that calls came to, in all schedules */
    struct linear_call call[LINEAR_CALLS];
};

/* Is there an order of the calls, one that `condition` allows, in which the model gives the results that
 * they had? What has not ended may have had any effect or none. */
bool linear_explained(const struct hd_linear_spec *spec, const struct linear_history *h,
                      enum hd_linear_condition condition);

/* The first call, in the order of their ends, that has no place: the history is explained if calls that ended
 * with it or later may have had any effect or none and is not if only those that ended later may.
 * LINEAR_CALLS: the history is explained. */
uint32_t linear_check(const struct hd_linear_spec *spec, const struct linear_history *h,
                      enum hd_linear_condition condition);

#endif /* HEDDLE_LINEAR_CHECK_H */
