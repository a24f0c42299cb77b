/* feedback.h - what schedules tell the later ones: points that matter, predicted races, a profile.
 *
 * Workers write news side by side; between the phases of a campaign they are joined, sorted and
 * given to all, so that what a schedule knows does not depend on how many workers there are.
 */
#ifndef HEDDLE_DRIVER_FEEDBACK_H
#define HEDDLE_DRIVER_FEEDBACK_H

#include <jansson.h>

#include "program/worker.h"

struct feedback;

struct feedback *feedback_new(void);
void feedback_free(struct feedback *f);
/* Take the first steps of schedule `number`, which `r` has just run, as the profile of the next phase, if
 * none before did more that is different; of several, the last. */
void feedback_profile(struct feedback *f, const struct hdp_region *r, uint64_t number);
/* Keep what `r` has just run, if threads did there what they did in none that is kept; of a phase one schedule
 * only, always the same. */
void feedback_path(struct feedback *f, const struct hdp_region *r);
/* Count what followed what in the schedule that `r` has just run. */
void feedback_count(struct feedback *f, const struct hdp_region *r);
/* Does a schedule's news hold what is not known to all yet, and can be kept? */
bool feedback_is_new(const struct feedback *f, const struct hdp_learned *news);
/* A phase begins and no schedule runs: join the news of all workers and give them to all. */
void feedback_share(struct feedback *f, struct crew *crew);
/* All of it as data, for the next campaign of the same build; and back, into what is new. False: it is none. */
json_t *feedback_json(const struct feedback *f);
bool feedback_read(struct feedback *f, const json_t *from);

#endif /* HEDDLE_DRIVER_FEEDBACK_H */
