/* predicted_deadlocks.h - how a predicted deadlock is brought about. */
#ifndef HEDDLE_DRIVER_PREDICTED_DEADLOCKS_H
#define HEDDLE_DRIVER_PREDICTED_DEADLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "findings/finding.h"
#include "wire/protocol.h"

struct steering {
    uint32_t edges;
    struct hdp_deadlock_edge edge[HDP_DEADLOCK_EDGES];
    uint64_t waits; /* where one must wait besides, for what is no lock; 0 = nowhere */
};

/* The places of a prediction of the runtime; no edges for any other finding. */
void steering_of(const struct hdp_finding *raw, struct steering *s);
bool steering_is_same(const struct steering *a, const struct steering *b);
/* Make config, that of any schedule, steer into it: try number `attempt`, from 1. `fingerprint` of
 * the prediction. */
void steering_prepare(const struct steering *s, uint64_t fingerprint, unsigned attempt,
                      struct hdp_config *config);
/* Is `raw`, a finding of the schedule that ended in r, what was predicted? Everybody stands still,
 * at every second lock of the ring. */
bool steering_is_it(const struct steering *s, const struct hdp_region *r,
                    const struct hdp_finding *raw);
/* Why the prediction f, which no try could show, may be wrong. */
const char *steering_doubt(const struct finding *f);

#endif /* HEDDLE_DRIVER_PREDICTED_DEADLOCKS_H */
