/* conflict.h - which operations on one object have an order that matters. */
#ifndef HEDDLE_CONFLICT_H
#define HEDDLE_CONFLICT_H

#include "heddle/event.h"

enum hdp_access { HDP_ACCESS_NONE, HDP_ACCESS_READS, HDP_ACCESS_WRITES };

/* What the order of two operations on one object means to them. */
static inline enum hdp_access hdp_access_of(enum hd_event kind)
{
    switch (kind) {
    case HD_EV_READ:
    case HD_EV_ATOMIC_LOAD:
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_HD_RWMUTEX_RLOCK:
        return HDP_ACCESS_READS;
    case HD_EV_MUTEX_UNLOCK:
    case HD_EV_RWLOCK_UNLOCK:
    case HD_EV_SPIN_UNLOCK:
    case HD_EV_HD_MUTEX_UNLOCK:
    case HD_EV_HD_RWMUTEX_UNLOCK:
    case HD_EV_COND_RELOCK:
    case HD_EV_RELEASED:
    case HD_EV_THREAD_CREATE:
    case HD_EV_THREAD_JOIN:
    case HD_EV_THREAD_START:
    case HD_EV_THREAD_EXIT:
        return HDP_ACCESS_NONE; /* whoever took the lock decided */
    default:
        return HDP_ACCESS_WRITES;
    }
}

#endif /* HEDDLE_CONFLICT_H */
