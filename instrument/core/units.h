/* units.h - who holds the units of a semaphore, or of a channel that is used as one.
 *
 * A unit has no owner in general: whoever likes may post. But while each thread gives back only
 * what it took itself the object is used as a lock, and a wait on it is a wait for those that hold
 * its units. One give by a thread that holds none ends that for good.
 *
 * A channel is read in both ways: as room, taken by a send and given back by a receive, and as
 * content, taken by a receive. Semaphores have content alone.
 *
 *   threads   the one that has the turn
 *   memory    hdi_alloc(), as much as holders at one time
 */
#ifndef HEDDLE_UNITS_H
#define HEDDLE_UNITS_H

#include "observers.h"
#include "thread.h"

enum hdi_units_side { HDI_UNITS_CONTENT, HDI_UNITS_ROOM, HDI_UNITS_SIDES };

/* What one thread holds of them. */
struct hdi_unit {
    struct hdi_thread *thread;
    int64_t count;
    uint64_t site; /* where it took the last one */
    uint32_t stack;
    uint16_t kind; /* enum hd_event */
};

struct hdi_units {
    int64_t total; /* there at the start, or put in while no other thread was alive */
    int64_t out;   /* taken, and not given back by their taker */
    bool handed;   /* given by a thread that held none: nobody owns them */
    bool returned; /* a thread gave back what it had taken */
    uint32_t holders, capacity;
    struct hdi_unit *holder; /* in the order in which they became holders */
};

/* So far each thread gave back only what it had taken. False as well: not told how many there
 * are. */
bool hdi_units_owned(const struct hdi_object *o);
/* What a blocked operation waits for, if its holders are its only wakers so far; else NULL. */
const struct hdi_units *hdi_units_awaited(const struct hdi_op *op);

#endif /* HEDDLE_UNITS_H */
