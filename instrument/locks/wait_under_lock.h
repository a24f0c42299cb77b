/* wait_under_lock.h - waits that hold a lock which their waker needs: predicted from a schedule
 * that went well.
 *
 * A thread waits (for a value, a unit, a signal, a thread's end) while it holds a lock. Whoever
 * ended its wait had taken that lock before, at a moment that nothing but the lock itself ordered
 * before the wait: had the waiter been first, each would wait for the other. Said at the program's
 * end, when all who could have ended the wait are known.
 *
 * Nothing is said when some waker did not need the lock, when the wait could have gone on without
 * any (a buffer with room, a unit that was there), when fork, join or a message orders the waker's
 * lock before the wait, and of waits with a time-out or several ways out.
 *
 *   threads   the one that has the turn
 *   memory    hdi_alloc(); bounded by HDI_WAITS_MOST, beyond which nothing is predicted
 */
#ifndef HEDDLE_WAIT_UNDER_LOCK_H
#define HEDDLE_WAIT_UNDER_LOCK_H

#include <stdbool.h>

#include "core/observers.h"

struct hdi_lock_ring;

#define HDI_WAITS_MOST (32u << 20) /* bytes of one schedule */
#define HDI_WAITS_SITES 8u         /* waits that are looked at of each place */
#define HDI_WAITS_ALL 256u         /* of all places */
#define HDI_WAITS_GIVEN 16u        /* findings of one schedule */

/* Does a message, a fork or a join keep two threads of the ring from taking their second locks at one
 * time, in all that was seen of them so far? What the calling thread is taking now counts. */
bool hdi_waits_exclude(const struct hdi_lock_ring *ring);

#endif /* HEDDLE_WAIT_UNDER_LOCK_H */
