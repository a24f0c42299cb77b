/* waits.h - what the threads of a view wait for. */
#ifndef HEDDLE_DRIVER_WAITS_H
#define HEDDLE_DRIVER_WAITS_H

#include "view.h"

void waits_find(struct view *v);

/* Does the thread wait in this way? Then *w is filled in. */
bool wait_on_futex(struct view *v, const struct viewed *t, struct wait *w);
bool wait_in_library(struct view *v, const struct viewed *t, struct wait *w);
bool wait_in_call(struct view *v, const struct viewed *t, struct wait *w);
/* What a function of libc waits for, by its name; HD_EV_NONE: it is none that sleeps on a futex. */
enum hd_event wait_function(const char *name);
/* Without what libc puts before the names of its own entries; borrowed. */
const char *wait_bare_name(const char *name);
/* It runs, then. */
void wait_by_running(struct view *v, const struct viewed *t, struct wait *w);

#endif /* HEDDLE_DRIVER_WAITS_H */
