/* batches.h - schedules of a campaign that one process runs in place, one after another.
 *
 * A worker claims an interval of numbers and runs them in batches. What passes in a batch counts as
 * run. The first that does not, and what cannot be undone, is run in a process of its own, as every
 * schedule of the fork engine is: so what is reported was seen there.
 *
 * Layer: beside feedback.h; only campaign.c calls it.
 */
#ifndef HEDDLE_DRIVER_BATCHES_H
#define HEDDLE_DRIVER_BATCHES_H

#include "campaign_state.h"

void batches_open(struct campaign *c);
void batches_close(struct campaign *c);

/* Numbers that w, or anybody (NULL), has claimed and not run yet. */
bool batches_left(const struct campaign *c, const struct worker *w);
/* The first of all of them; 0: none. */
uint64_t batches_first_left(const struct campaign *c);

/* What w runs next. */
enum batches_next {
    BATCHES_NONE,  /* nothing of its own: schedule c->next, as ever */
    BATCHES_ALONE, /* schedule *first, in a process of its own */
    BATCHES_BATCH, /* schedules *first to *first + *count - 1: write region->batch.ordered */
};
enum batches_next batches_next(struct campaign *c, struct worker *w, uint64_t *first,
                               uint32_t *count);
/* The batch of w, which began with schedule `first`, is over: how many of them passed. */
uint32_t batches_end(struct campaign *c, struct worker *w, uint64_t first);
/* Write the i-th, from 0 and in order, into w's region as if it had just been run there. */
void batches_restore(struct campaign *c, struct worker *w, uint32_t i);
/* --engine=compare: run what batches_restore() wrote in a process of its own, too; a difference is
 * trouble. */
void batches_compare(struct campaign *c, struct worker *w, uint64_t number);
/* Schedule `number` was run in a process of its own. If that was since it did not pass in place: is
 * it the same? */
void batches_alone_ended(struct campaign *c, struct worker *w, uint64_t number);
/* The process that ran it died with its server. */
void batches_lost(struct campaign *c, struct worker *w, uint64_t first);

#endif /* HEDDLE_DRIVER_BATCHES_H */
