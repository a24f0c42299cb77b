/* parking_lot.h - the parking lot: where threads wait in line for an address.
 *
 * The synchronising types are a word or two that need no making; who waits for them is kept here,
 * in buckets by address, first come first served. The address is a key and is never followed, so an
 * object may be freed as soon as its last waiter is released, while its releaser is still on its
 * way out of here.
 *
 *     waiter                                  releaser
 *     lot = hdi_lot_lock(key)                 lot = hdi_lot_lock(key)
 *     look at the object; if it must wait:    change the object; choose whom to release:
 *     hdi_lot_push(lot, &waiter)              hdi_lot_pop(lot, key) ...
 *     hdi_lot_unlock(lot)                     hdi_lot_unlock(lot)
 *     hdi_lot_sleep(lot, &waiter, ...)        hdi_lot_wake(waiter) ...
 *
 * Each lock of a bucket is a leaf: between lock and unlock nothing else may be locked or called.
 * Under the seam a bucket's lock is never contended: no point is inside.
 */
#ifndef HDI_PARKING_LOT_H
#define HDI_PARKING_LOT_H

#include <stdbool.h>
#include <stdint.h>

#include "park.h"

struct hdi_lot;

/* One waiting thread; on its stack. A releaser must not touch it after hdi_lot_wake(). */
struct hdi_waiter {
    struct hdi_waiter *next;  /* in its bucket */
    struct hdi_waiter *woken; /* in a releaser's list of those that it popped */
    const void *key;
    int64_t since_ns; /* when it first began to wait for this; 0 under the seam */
    uint32_t handed;  /* set by the waker: what it was given */
    bool queued;      /* in the bucket; guarded by its lock */
    struct hdi_parker parker;
};

struct hdi_lot *hdi_lot_lock(const void *key);
void hdi_lot_unlock(struct hdi_lot *lot);

/* Join the line for `key`, at its end or (one that waited before and lost) at its front. */
void hdi_lot_push(struct hdi_lot *lot, struct hdi_waiter *waiter, const void *key, bool front);

/* Who is first in the line for `key`, or NULL; pop takes it out. */
struct hdi_waiter *hdi_lot_first(struct hdi_lot *lot, const void *key);
struct hdi_waiter *hdi_lot_pop(struct hdi_lot *lot, const void *key);

/* Wait until woken (true) or until until_ns on the monotonic clock (false: out of the line again).
 * The lot is not locked. */
bool hdi_lot_sleep(struct hdi_waiter *waiter, const struct hdi_why *why, int64_t until_ns);

/* Release one that was popped; the lot is not locked. */
void hdi_lot_wake(struct hdi_waiter *waiter);

/* Pop all that wait for `key`, unlock, and wake them in their order. */
void hdi_lot_unlock_wake_all(struct hdi_lot *lot, const void *key);

/* A counting semaphore with hand-off, on which rwlocks are built: `count` belongs to the lot. */
void hdi_lot_acquire(uint32_t *count, const struct hdi_why *why);
void hdi_lot_post(uint32_t *count, uint32_t posts);

#endif /* HDI_PARKING_LOT_H */
