/* campaign.h - many schedules of one program: planned, run, judged, confirmed, saved. */
#ifndef HEDDLE_DRIVER_CAMPAIGN_H
#define HEDDLE_DRIVER_CAMPAIGN_H

#include "campaign_state.h"

/* A campaign with nothing done yet; c->trouble when it cannot be. Pair with campaign_close(). */
void campaign_open(struct campaign *c, const struct campaign_options *options);
/* Go on with other options (another tool), keeping what was found. */
void campaign_reopen(struct campaign *c, const struct campaign_options *options);
/* Run the schedules asked for. Reports nothing but the live line. Afterwards c->trouble says
 * whether it ended for a bad reason. */
void campaign_explore(struct campaign *c);
/* Take findings that belong to no schedule; log is emptied. */
void campaign_take_log(struct campaign *c, struct tool_log *log);
/* No schedule will follow: c->findings and c->stats become complete, the lock-order graph is
 * written. */
void campaign_finish(struct campaign *c);
/* The first schedule that was not run to its end: where the next campaign may go on. */
uint64_t campaign_reached(const struct campaign *c);
void campaign_close(struct campaign *c);

/* For a replay, after campaign_open(): the first worker, idle. NULL when there is none; c->trouble
 * or c->findings says why. */
struct worker *campaign_first_worker(struct campaign *c);

#endif /* HEDDLE_DRIVER_CAMPAIGN_H */
