/* predicted_deadlocks.h - a predicted deadlock is driven: does it happen? */
#ifndef HEDDLE_DRIVER_PREDICTED_DEADLOCKS_H
#define HEDDLE_DRIVER_PREDICTED_DEADLOCKS_H

#include "campaign/campaign.h"

struct steering {
    uint32_t edges;
    struct hdp_steer edge[HDP_STEERS];
    uint64_t waits; /* where one must wait besides, for what is no lock; 0 = nowhere */
};

/* The places of a prediction of the runtime; no edges for any other finding. */
void steering_of(const struct hdp_finding *raw, struct steering *s);

/* Run up to options.steers schedules that steer into it, on an idle or done worker; the first that
 * deadlocks there is confirmed as schedule `number`. f's text then says what came of it. */
void steer(struct campaign *c, struct worker *w, const struct steering *s, uint64_t number,
           struct finding *f);

#endif /* HEDDLE_DRIVER_PREDICTED_DEADLOCKS_H */
