/* plan.h - which strategy and which seed for which schedule. A pure function of the options and the
 * schedule's number, so that a campaign with the same seed tries the same schedules, whatever -j.
 */
#ifndef HEDDLE_DRIVER_PLAN_H
#define HEDDLE_DRIVER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/protocol.h"

#define PLAN_AUTO UINT32_MAX

struct plan {
    uint32_t strategy; /* enum hdp_strategy, or PLAN_AUTO: a portfolio */
    uint32_t depth;    /* pct; 0 = the portfolio's, 3 for pct alone */
    uint64_t seed;
    bool reference; /* others are compared with the first schedule: nobody is interrupted there */
};

/* How much threads do before a sleep beside them ends (hdp_config.work_steps), for a planned
 * schedule: 0, the runtime's own and large number, until a schedule showed that threads do not stop
 * by themselves while one sleeps; then a few thousand decisions, more than twice as many as were
 * ever seen to end by themselves. */
uint32_t plan_work_steps(const struct hdp_config *planned, uint32_t waited_steps,
                         uint32_t work_jumps);
/* Set strategy, depth and seed of config for schedule `number`, from 1. Every second one has
 * decisions after releases as well: one would be enough for none of the bugs that need them, and
 * too many for all others. */
void plan_schedule(const struct plan *plan, uint64_t number, struct hdp_config *config);

#endif /* HEDDLE_DRIVER_PLAN_H */
