/* outcomes.h - what the same decisions came to: where they once led to a failure and once did not,
 * something outside of the schedule decides. */
#ifndef HEDDLE_DRIVER_OUTCOMES_H
#define HEDDLE_DRIVER_OUTCOMES_H

#include "symptom.h"

/* What tells the decisions of the schedule that w has just run; 0: not all that decided it is
 * known. */
uint64_t outcomes_decisions(const struct worker *w);
/* Another schedule that began with them has passed. */
bool outcomes_has_passed(struct campaign *c, uint64_t decisions);
/* Say so of what the program failed with. */
void outcomes_doubt(struct finding *f);
/* It failed, with these symptoms. */
void outcomes_failed(struct campaign *c, uint64_t decisions, const struct symptom *list,
                     size_t count);
/* It came to its end. Key of a symptom that the same decisions led to; 0: of none. */
uint64_t outcomes_passed(struct campaign *c, const struct worker *w);
void outcomes_forget(struct campaign *c);

#endif /* HEDDLE_DRIVER_OUTCOMES_H */
