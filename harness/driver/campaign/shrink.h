/* shrink.h - once a campaign's schedules are run: each finding's own is made as plain as one that
 * still shows it can be, and told by that one.
 *
 * What a finding is, and what shows it as it was found, never depends on what comes of that.
 */
#ifndef HEDDLE_DRIVER_SHRINK_H
#define HEDDLE_DRIVER_SHRINK_H

#include "campaign_state.h"

/* Shrink those that were kept (kept.h), and release them. */
void shrink_all(struct campaign *c);

#endif /* HEDDLE_DRIVER_SHRINK_H */
