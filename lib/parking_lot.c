/* parking_lot.c - buckets of waiting threads. parking_lot.h states the use.
 *
 * A bucket's lock guards its line and the `queued` of those in it. A waiter leaves the line once,
 * by the one that pops it, or by itself when its time is over; it leaves its stack frame only after
 * it was unparked or has taken itself out, so a popped waiter stays alive until it is woken.
 */
#include "parking_lot.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define BUCKETS 256u

struct hdi_lot {
    _Alignas(64) struct hdi_lock lock;
    struct hdi_waiter *head, *tail;
};

static struct hdi_lot lots[BUCKETS];

/* A child has but the thread that forked: what another was in the middle of stays so for ever. */
static void forget_the_locked(void)
{
    for (struct hdi_lot *lot = lots; lot < lots + BUCKETS; lot++)
        if (atomic_load(&lot->lock.word) != 0)
            memset(lot, 0, sizeof *lot);
}

__attribute__((constructor(102))) static void hide_lots(void)
{
    pthread_atfork(NULL, NULL, forget_the_locked);
    hdi_hide(lots, sizeof lots);
    hdi_weak(lots, sizeof lots);
}

struct hdi_lot *hdi_lot_lock(const void *key)
{
    uintptr_t bits = (uintptr_t)key;
    struct hdi_lot *lot = &lots[((bits >> 3) ^ (bits >> 12)) % BUCKETS];

    hdi_lock(&lot->lock);
    return lot;
}

void hdi_lot_unlock(struct hdi_lot *lot)
{
    hdi_unlock(&lot->lock);
}

/* Out of line on purpose: gcc takes a waiter in a list for a dangling pointer, not seeing who
 * unlinks it. */
__attribute__((noinline)) void hdi_lot_push(struct hdi_lot *lot, struct hdi_waiter *waiter,
                                            const void *key, bool front)
{
    hdi_hide(waiter, sizeof *waiter);
    waiter->key = key;
    waiter->handed = 0;
    waiter->queued = true;
    hdi_parker_init(&waiter->parker);
    if (front) {
        waiter->next = lot->head;
        lot->head = waiter;
        if (!lot->tail)
            lot->tail = waiter;
        return;
    }
    waiter->next = NULL;
    if (lot->tail)
        lot->tail->next = waiter;
    else
        lot->head = waiter;
    lot->tail = waiter;
}

struct hdi_waiter *hdi_lot_first(struct hdi_lot *lot, const void *key)
{
    struct hdi_waiter *at = lot->head;

    while (at && at->key != key)
        at = at->next;
    return at;
}

static void take_out(struct hdi_lot *lot, struct hdi_waiter *waiter)
{
    struct hdi_waiter *before = NULL;

    for (struct hdi_waiter *at = lot->head; at != waiter; at = at->next)
        before = at;
    if (before)
        before->next = waiter->next;
    else
        lot->head = waiter->next;
    if (lot->tail == waiter)
        lot->tail = before;
    waiter->queued = false;
}

struct hdi_waiter *hdi_lot_pop(struct hdi_lot *lot, const void *key)
{
    struct hdi_waiter *first = hdi_lot_first(lot, key);

    if (first)
        take_out(lot, first);
    return first;
}

/* Time is over: out of the line, unless a waker was faster. */
static bool give_up(struct hdi_waiter *waiter)
{
    struct hdi_lot *lot = hdi_lot_lock(waiter->key);
    bool was_queued = waiter->queued;

    if (was_queued)
        take_out(lot, waiter);
    hdi_lot_unlock(lot);
    return was_queued;
}

bool hdi_lot_sleep(struct hdi_waiter *waiter, const struct hdi_why *why, int64_t until_ns)
{
    if (hdi_park(&waiter->parker, why, until_ns))
        return true;
    if (give_up(waiter))
        return false;
    return hdi_park(&waiter->parker, why, HD_SEAM_FOREVER); /* its waker is on the way */
}

void hdi_lot_wake(struct hdi_waiter *waiter)
{
    hdi_unpark(&waiter->parker);
}

/* Woken in turn, each link read before its owner may go. */
static void wake_list(struct hdi_waiter *list)
{
    while (list) {
        struct hdi_waiter *next = list->woken;
        hdi_lot_wake(list);
        list = next;
    }
}

void hdi_lot_unlock_wake_all(struct hdi_lot *lot, const void *key)
{
    struct hdi_waiter *list = NULL, **end = &list, *one;

    while ((one = hdi_lot_pop(lot, key))) {
        one->woken = NULL;
        *end = one;
        end = &one->woken;
    }
    hdi_lot_unlock(lot);
    wake_list(list);
}

void hdi_lot_acquire(uint32_t *count, const struct hdi_why *why)
{
    struct hdi_lot *lot = hdi_lot_lock(count);
    struct hdi_waiter self;

    hdi_hide(count, sizeof *count);
    if (*count > 0) {
        --*count;
        hdi_lot_unlock(lot);
        return;
    }
    hdi_lot_push(lot, &self, count, false);
    hdi_lot_unlock(lot);
    hdi_lot_sleep(&self, why, HD_SEAM_FOREVER);
}

void hdi_lot_post(uint32_t *count, uint32_t posts)
{
    struct hdi_lot *lot = hdi_lot_lock(count);
    struct hdi_waiter *list = NULL, **end = &list, *one;

    while (posts > 0 && (one = hdi_lot_pop(lot, count))) {
        one->woken = NULL;
        *end = one;
        end = &one->woken;
        posts--;
    }
    if (posts > 0)
        *count += posts;
    hdi_lot_unlock(lot);
    wake_list(list);
}

int64_t hdi_now_ns(void)
{
    struct timespec now;

    if (hdi_seam)
        return hdi_seam->now();
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
