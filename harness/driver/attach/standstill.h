/* standstill.h - who waits for whom: threads that can never go on. */
#ifndef HEDDLE_DRIVER_STANDSTILL_H
#define HEDDLE_DRIVER_STANDSTILL_H

#include "findings/finding.h"
#include "view.h"

/* Appended to `to`: each ring of threads that wait for each other, each lock that is held by nobody
 * any more, or that all wait and nobody is left to wake them. */
void standstill_find(struct view *v, struct findings *to);

/* How heddle run --aim is told of the locks of a ring: "cache.lock,db.lock"; NULL: it has not two of
 * them, or a program that it cannot run. free() it. */
char *standstill_aim(struct view *v, const struct finding *f);

/* "waits for mutex cache.lock held by T3 (worker)"; free() it. */
char *standstill_wait(const struct view *v, const struct wait *w);

#endif /* HEDDLE_DRIVER_STANDSTILL_H */
