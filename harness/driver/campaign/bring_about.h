/* bring_about.h - what a schedule showed is made a finding, and what it predicts is tried. */
#ifndef HEDDLE_DRIVER_BRING_ABOUT_H
#define HEDDLE_DRIVER_BRING_ABOUT_H

#include "symptom.h"

/* The schedule that ended in w showed `list`, which is taken over: new findings are confirmed,
 * deadlocks that they predict tried, all saved. */
void report_symptoms(struct campaign *c, struct worker *w, uint64_t number, struct symptom *list,
                     size_t count);
/* Steer at the predictions that earlier campaigns left open, on an idle or done worker. */
void bring_open_about(struct campaign *c, struct worker *w);
/* Try the races that schedule `number` predicts, on an idle or done worker. Releases p; NULL =
 * none.
 */
void bring_races_about(struct campaign *c, struct worker *w, uint64_t number, struct prediction *p);

#endif /* HEDDLE_DRIVER_BRING_ABOUT_H */
