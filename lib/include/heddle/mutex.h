/* mutex.h - a mutual exclusion lock, Go's sync.Mutex.
 *
 * The zero value is unlocked and ready. Not recursive; a locked mutex belongs to no thread: one may
 * lock it and another unlock it. Waiters are served in order; one that runs may overtake them for
 * at most a millisecond, after which the mutex is handed to the first in line (as Go's does,
 * natively).
 *   ownership  embed it where it protects; it holds no memory and needs no end. It may be freed by
 *              whoever unlocked it last, even while another's unlock is still returning.
 *   errors     misuse panics: unlocking an unlocked mutex, ending a locked one
 *   threads    any
 * memory: the n-th unlock happens before the m-th lock returns, for n < m.
 * source: Go package sync, type Mutex.
 */
#ifndef HEDDLE_MUTEX_H
#define HEDDLE_MUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <heddle/api.h>

struct hd_mutex {
    _Atomic uint32_t state; /* bit 0: locked, bit 1: somebody waits */
};

#define HD_MUTEX_INIT                                                                              \
    {                                                                                              \
        0                                                                                          \
    }

/* Give it a name (copied; may be NULL) for reports; the mutex must be zero or ended. */
HD_API void hd_mutex_init(struct hd_mutex *mutex, const char *name);

/* Say that it is no longer used; optional, panics if it is locked. Who uses it then, and did not make
 * it anew, panics. */
HD_API void hd_mutex_destroy(struct hd_mutex *mutex);

HD_API void hdi_mutex_lock(struct hd_mutex *mutex);
HD_API bool hdi_mutex_trylock(struct hd_mutex *mutex);
HD_API void hdi_mutex_unlock(struct hd_mutex *mutex);

/* Blocks while it is locked ("hd_mutex lock").  Go: Lock */
static inline void hd_mutex_lock(struct hd_mutex *mutex)
{
    uint32_t unlocked = 0;

    if (!HDI_UNWATCHED() ||
        !atomic_compare_exchange_strong_explicit(&mutex->state, &unlocked, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        hdi_mutex_lock(mutex);
}

/* Lock it if that needs no waiting; whether it did. A false orders nothing.  Go: TryLock */
HD_MUST_USE static inline bool hd_mutex_trylock(struct hd_mutex *mutex)
{
    return hdi_mutex_trylock(mutex);
}

/* Never blocks.  Go: Unlock */
static inline void hd_mutex_unlock(struct hd_mutex *mutex)
{
    uint32_t uncontended = 1;

    if (!HDI_UNWATCHED() ||
        !atomic_compare_exchange_strong_explicit(&mutex->state, &uncontended, 0,
                                                 memory_order_release, memory_order_relaxed))
        hdi_mutex_unlock(mutex);
}

/* Anything that can be locked and unlocked, by value; `of` is borrowed.  Go: sync.Locker */
struct hd_locker {
    void (*lock)(void *of), (*unlock)(void *of);
    void *of;
};
HD_API struct hd_locker hd_mutex_locker(struct hd_mutex *mutex);

#endif /* HEDDLE_MUTEX_H */
