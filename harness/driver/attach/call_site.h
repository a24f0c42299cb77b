/* call_site.h - stacks of functions that have no tables to unwind by, as those of musl. */
#ifndef HEDDLE_DRIVER_CALL_SITE_H
#define HEDDLE_DRIVER_CALL_SITE_H

#include "view.h"

/* On the stack from `sp` on, the return address of a call of a function that waits. False: none is
 * found. */
bool call_site_find(struct view *v, uint64_t sp, uint64_t *function, uint64_t *returns,
                    uint64_t *at);

#endif /* HEDDLE_DRIVER_CALL_SITE_H */
