/* scenario.h - which thread calls what: drawn, made smaller, printed. */
#ifndef HEDDLE_TEST_SCENARIO_H
#define HEDDLE_TEST_SCENARIO_H

#include "linear_check.h"

/* Bounds of what is drawn; of calls by a thread, and while no thread runs. */
struct scenario_bounds {
    uint32_t threads, calls, alone;
};

/* The same for the same seed. */
void scenario_draw(struct linear_history *h, const struct hd_linear_spec *spec,
                   const struct scenario_bounds *bounds, uint64_t seed);

/* The next way to make `from` smaller: *way begins as 0, and is set back by one to go on from what became of it.
 * False: there are no more. */
bool scenario_smaller(struct linear_history *to, const struct linear_history *from, uint32_t *way);

/* Which of the threads that call anything it is, from 1: so the runtime counts them. */
uint32_t scenario_thread(const struct linear_history *h, uint32_t thread);

/* "push(3) = 1" */
void scenario_print_call(FILE *to, const struct linear_call *c);
/* A column a thread, downwards in time. */
void scenario_print(FILE *to, const struct linear_history *h);

#endif /* HEDDLE_TEST_SCENARIO_H */
