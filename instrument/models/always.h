/* always.h - the invariants of the program that stand (heddle/always.h).
 *
 *   threads  the one that has the turn
 */
#ifndef HEDDLE_MODELS_ALWAYS_H
#define HEDDLE_MODELS_ALWAYS_H

#include <stdint.h>

extern uint32_t hdi_always_standing; /* how many */

/* The caller has done a step, and is about to give the turn away, at `site`. One that does not hold is a finding that
 * ends the schedule. */
void hdi_always_look(uint64_t site);
/* In the in-process explorer: those that the last schedule began stand no more. */
void hdi_always_reset(void);

#endif /* HEDDLE_MODELS_ALWAYS_H */
