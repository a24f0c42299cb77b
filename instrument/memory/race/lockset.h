/* lockset.h - the locks that a thread holds, as a number: what each access of a rich schedule
 * remembers.
 *
 *   threads  the one that has the turn
 */
#ifndef HEDDLE_LOCKSET_H
#define HEDDLE_LOCKSET_H

#include "core/thread.h"

#define HDI_LOCKSET 8u
struct hdi_lockset {
    uint32_t count;
    struct hdi_held lock[HDI_LOCKSET]; /* the first of them */
};

/* The number of what t holds now; 0: nothing, or too many different sets. */
uint32_t hdi_lockset_of(const struct hdi_thread *t);
/* NULL for 0. */
const struct hdi_lockset *hdi_lockset_at(uint32_t number);

#endif /* HEDDLE_LOCKSET_H */
