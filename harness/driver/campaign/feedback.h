/* feedback.h - what schedules tell the later ones: points that matter, predicted races, a profile.
 *
 * Workers write news side by side; between the phases of a campaign they are joined, sorted and
 * given to all, so that what a schedule knows does not depend on how many workers there are.
 */
#ifndef HEDDLE_DRIVER_FEEDBACK_H
#define HEDDLE_DRIVER_FEEDBACK_H

#include "program/worker.h"

struct learn;

struct learn *learn_new(void);
void learn_free(struct learn *l);
/* Take the first steps of the schedule that `r` has just run, for the next phase. */
void learn_profile(struct learn *l, const struct hdp_region *r);
/* A phase begins and no schedule runs: join the news of all workers and give them to all. */
void learn_share(struct learn *l, struct crew *crew);

#endif /* HEDDLE_DRIVER_FEEDBACK_H */
