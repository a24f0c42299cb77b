/* stop_at.h - where each thread stands before a given decision of a schedule. */
#ifndef HEDDLE_DRIVER_STOP_AT_H
#define HEDDLE_DRIVER_STOP_AT_H

#include <stdio.h>

#include "replaying.h"

/* Replay up to that decision, from 1. NULL, which is said: it could not be, or ends before. Else where each thread
 * stands then, the one that is next first; finding_free() it. */
struct finding *stop_at(struct replaying *r, uint32_t attempt, uint32_t step);
void stop_at_tell(FILE *to, const struct finding *standing, uint32_t step);
/* The function of the user's that the first side of a finding is in, or NULL. Borrowed. */
const char *stop_at_function(const struct finding *f);

#endif /* HEDDLE_DRIVER_STOP_AT_H */
