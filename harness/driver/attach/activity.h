/* activity.h - what the threads did between the looks. */
#ifndef HEDDLE_DRIVER_ACTIVITY_H
#define HEDDLE_DRIVER_ACTIVITY_H

#include "view.h"

struct activity {
    int percent;        /* of a processor, between the first look and the last; -1 unknown */
    int64_t idle_ns;    /* has not run for so long; -1 unknown */
    const char *within; /* the function of the user's that it was in at each look, or NULL */
};

/* Of thread i of the last look. at: when each was taken (monotonic, ns). */
struct activity activity_of(struct view *const *look, const int64_t *at, size_t looks, size_t i);

#endif /* HEDDLE_DRIVER_ACTIVITY_H */
