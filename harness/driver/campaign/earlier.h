/* earlier.h - what earlier campaigns found is tried before anything else: their schedules are followed, in the build of
 * now, and what one shows is a finding like any other.
 *
 * As replays they count as no schedules, and nothing is learned from them: the schedules of the campaign are the same
 * with and without.
 */
#ifndef HEDDLE_DRIVER_EARLIER_H
#define HEDDLE_DRIVER_EARLIER_H

#include "campaign_state.h"

/* Follow all schedule files of `folder`, but those that were shrunk, on an idle or done worker. There may be no such
 * folder. c->stats.earlier says what became of each. */
void earlier_try(struct campaign *c, struct worker *w, const char *folder);
/* Keep the schedules of c's findings there, by fingerprint. False: one cannot be written, which is said. */
bool earlier_keep(const struct campaign *c, const char *folder);

#endif /* HEDDLE_DRIVER_EARLIER_H */
