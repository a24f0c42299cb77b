/* tuples.h - what follows what on one object: an operation and the one before it, and both with the one before
 * those, hashed. How often schedules had each is what is new in the next one.
 *
 * Places stand for operations, not objects: those of another schedule are others. Threads count in two ways: by who
 * they are, or, where many do the same, by who of the two or three is the same.
 */
#ifndef HEDDLE_TUPLES_H
#define HEDDLE_TUPLES_H

#include <stdbool.h>
#include <string.h>

#include "heddle/event.h"
#include "wire/hash.h"

#define HDP_TUPLES (1u << 14)
#define HDP_TUPLE_OBJECTS 4096u

/* The last operations on objects; one that shares its slot with another is forgotten. Few schedules
 * have many objects, and to clear all of it would cost more than they do: those in use are listed. */
struct hdp_history {
    struct {
        uint32_t object, thread[2];
        uint64_t site[2];
    } last[HDP_TUPLE_OBJECTS];
    uint32_t used;
    uint16_t slot[HDP_TUPLE_OBJECTS];
};

/* Its order among others matters. Whoever took a lock decided; that it is given back does not. */
static inline bool hdp_tuple_tells(enum hd_event kind)
{
    switch (kind) {
    case HD_EV_MUTEX_UNLOCK:
    case HD_EV_RWLOCK_UNLOCK:
    case HD_EV_SPIN_UNLOCK:
    case HD_EV_HD_MUTEX_UNLOCK:
    case HD_EV_HD_RWMUTEX_UNLOCK:
        return false;
    default:
        return true;
    }
}

static inline uint32_t hdp_tuple_slot(uint32_t object)
{
    return (uint32_t)(hash_next(object) % HDP_TUPLE_OBJECTS);
}

/* Indices of the pair and of the triple that this operation would end. */
static inline void hdp_tuples(const struct hdp_history *h, uint32_t object, uint64_t site,
                              uint32_t thread, bool by_thread, uint32_t index[2])
{
    uint32_t at = hdp_tuple_slot(object), same = 0;
    uint64_t pair = hash_place(0, site) + by_thread, triple = pair + 2;

    if (h->last[at].object == object) {
        const uint32_t *before = h->last[at].thread;
        same = (thread == before[0]) | (uint32_t)(thread == before[1]) << 1 |
               (uint32_t)(before[0] == before[1]) << 2;
        pair = hash_place(pair, h->last[at].site[0]);
        pair = hash_next(pair ^ (by_thread ? thread + (uint64_t)before[0] * 31 : same & 1));
        triple = hash_place(pair, h->last[at].site[1]);
        triple = hash_next(triple ^ (by_thread ? before[1] : same));
    }
    index[0] = (uint32_t)(pair % HDP_TUPLES);
    index[1] = (uint32_t)(triple % HDP_TUPLES);
}

static inline void hdp_history_clear(struct hdp_history *h)
{
    while (h->used)
        memset(&h->last[h->slot[--h->used]], 0, sizeof h->last[0]);
}

static inline void hdp_history_add(struct hdp_history *h, uint32_t object, uint64_t site,
                                   uint32_t thread)
{
    uint32_t at = hdp_tuple_slot(object);

    if (!h->last[at].object)
        h->slot[h->used++] = (uint16_t)at;
    if (h->last[at].object != object)
        memset(&h->last[at], 0, sizeof h->last[at]);
    h->last[at].object = object;
    h->last[at].thread[1] = h->last[at].thread[0];
    h->last[at].site[1] = h->last[at].site[0];
    h->last[at].thread[0] = thread;
    h->last[at].site[0] = site;
}

#endif /* HEDDLE_TUPLES_H */
