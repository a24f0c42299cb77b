/* predicted_races.h - races that one schedule predicts, brought about.
 *
 * Schedules 1, 2, 4, 8 … 4096 keep a tape. From it come the races of all sync-preserving
 * reorderings (sync_preserving.h), each with the schedule that shows it, which is then run; and guesses,
 * pairs that only locks keep in order, for which two threads are made to meet. What is shown is
 * found like any other race; a prediction that no try could show is reported as doubtful, a guess
 * never.
 */
#ifndef HEDDLE_DRIVER_PREDICTED_RACES_H
#define HEDDLE_DRIVER_PREDICTED_RACES_H

#include "campaign/campaign.h"

/* Does schedule `number` keep a tape? Then its config says so. */
void predict_plan(const struct campaign *c, uint64_t number, struct worker *w);
/* The schedule that ended in w has been judged: races that it showed need no prediction. */
void predict_note(struct campaign *c, const struct worker *w);
/* Read the tape of the schedule that ended in w, before anything else runs there. NULL: it kept
 * none, or nothing is predicted. */
struct prediction *predict_read(struct campaign *c, struct worker *w);
/* Bring about what is predicted, on an idle or done worker, as of schedule `number`. Releases p. */
void predict_drive(struct campaign *c, struct worker *w, uint64_t number, struct prediction *p);
/* Release what is remembered of a campaign. */
void predict_forget(struct campaign *c);

#endif /* HEDDLE_DRIVER_PREDICTED_RACES_H */
