/* fault_plan.h - which fault is to happen in which schedule (--faults).
 *
 * Schedules tell where something could have failed (wire/faults.h). Each of these points is tried
 * once, alone: first the first time that each thread comes to a place, in the order in which
 * schedules came there, then the second time, and so on. Then come those that are met behind
 * another fault alone (a second try), each behind that. When all known ones were tried, chance picks
 * one or two. Every fourth schedule, and the first, has none.
 *
 * A pure function of the seed, the number and what the schedules of earlier phases have told, so
 * that it is the same whatever -j.
 *
 *   threads  one at a time
 */
#ifndef HEDDLE_DRIVER_FAULT_PLAN_H
#define HEDDLE_DRIVER_FAULT_PLAN_H

#include <stdbool.h>

#include "reports/stats.h"
#include "wire/protocol.h"

struct fault_plan;

struct fault_plan *fault_plan_new(void);
void fault_plan_free(struct fault_plan *p);
/* Schedule `number` has told of these, and may have had some. */
void fault_plan_learn(struct fault_plan *p, const struct hdp_region *r, uint64_t number);
/* A phase begins with schedule `number`: what was told so far is known from now on. */
void fault_plan_phase(struct fault_plan *p, uint64_t number);
/* Set config->fault, if any of config->faults is to happen in schedule `number`. */
void fault_plan_choose(const struct fault_plan *p, uint64_t seed, uint64_t number,
                       struct hdp_config *config);
/* How many points there are and were tried, by kind. */
void fault_plan_count(const struct fault_plan *p, struct fault_stats *s);

#endif /* HEDDLE_DRIVER_FAULT_PLAN_H */
