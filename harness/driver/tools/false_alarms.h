/* false_alarms.h - findings of shapes about which a tool is known to be wrong.
 *
 * They are marked, with the reason, and ranked last; never dropped. When a second tool without the
 * weakness sees the same, the mark goes (findings_add). The probes of stress/probes show each
 * case for the versions on the machine.
 */
#ifndef HEDDLE_DRIVER_FALSE_ALARMS_H
#define HEDDLE_DRIVER_FALSE_ALARMS_H

#include "findings/finding.h"

/* What was learned of source files. One for a campaign. */
struct doubts;

struct doubts *doubts_new(void);
void doubts_free(struct doubts *d);

/* Mark f if its shape is one that its tool does not understand. Findings of several tools, and
 * those of Heddle alone, are left alone. Reads the source files of the finding's places, each once.
 */
void doubt_mark(struct doubts *d, struct finding *f);

/* When Heddle's lock graph watched the same schedules: mark the lock-order findings that it did not
 * confirm (guarded by a gate lock, by one thread only, or taken with try-lock). */
void doubt_unconfirmed(struct findings *all);

/* Mark predictions that did not come true. */
void doubt_predictions(struct findings *all);

/* When no schedule ended by itself: mark the livelocks whose threads only sleep, as a server does.
 */
void doubt_endless(struct findings *all);

/* Stable: what is not doubtful first. */
void doubt_rank(struct findings *all);

#endif /* HEDDLE_DRIVER_FALSE_ALARMS_H */
