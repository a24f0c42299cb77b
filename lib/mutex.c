/* mutex.c - see mutex.h.
 *
 * state        who changes it
 *   0  -> 1    a lock, or a try                       [fast path, try, take]
 *   1  -> 0    an unlock                              [fast path]
 *   1  -> 3    a lock that is about to wait, in its lot       [take]
 *   2  -> 3    a lock that overtakes the one being woken      [take, try]
 *   3  -> 2|0  an unlock that wakes the first in line         [give]
 *   3  -> 3|1  an unlock that hands over to the first in line [give]
 *   0  -> 5    its end: who uses it then is told so
 * Bit 1 is set exactly while somebody is in the line, except between the two steps of a lot's
 * owner.
 */
#include <unistd.h>

#include "misuse.h"
#include "mutex_take.h"

#define LOCKED 1u
#define WAITERS 2u
#define ENDED (4u | LOCKED) /* so that the fast paths leave it alone */
#define SPINS 60
#define STARVING_NS 1000000 /* Go's starvationThresholdNs */

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

bool hdi_mutex_try_take(struct hd_mutex *mutex)
{
    uint32_t seen;

    hdi_inner(mutex);
    seen = atomic_load_explicit(&mutex->state, memory_order_relaxed);
    while (!(seen & LOCKED))
        if (atomic_compare_exchange_weak_explicit(&mutex->state, &seen, seen | LOCKED,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    return false;
}

/* A critical section is often shorter than going to sleep; never with others already in line. */
static bool spin(struct hd_mutex *mutex)
{
    for (int i = 0; i < SPINS; i++) {
        uint32_t seen = atomic_load_explicit(&mutex->state, memory_order_relaxed);
        if (seen == 0 && hdi_mutex_try_take(mutex))
            return true;
        if (seen & WAITERS)
            return false;
        relax();
    }
    return false;
}

/* With the lot held: take it (true) or mark that somebody waits (false). */
static bool take_or_mark(struct hd_mutex *mutex)
{
    uint32_t seen = atomic_load_explicit(&mutex->state, memory_order_relaxed);

    for (;;) {
        if (!(seen & LOCKED)) {
            if (hdi_mutex_try_take(mutex))
                return true;
            seen = atomic_load_explicit(&mutex->state, memory_order_relaxed);
        } else if ((seen & WAITERS) || atomic_compare_exchange_weak_explicit(
                                           &mutex->state, &seen, seen | WAITERS,
                                           memory_order_relaxed, memory_order_relaxed)) {
            return false;
        }
    }
}

void hdi_mutex_take(struct hd_mutex *mutex, const struct hdi_why *why)
{
    struct hdi_waiter self;
    bool waited = false;

    if (hdi_mutex_try_take(mutex) || (!hdi_seam && spin(mutex)))
        return;
    self.since_ns = hdi_seam ? 0 : hdi_now_ns();
    for (;;) {
        struct hdi_lot *lot = hdi_lot_lock(mutex);
        if (take_or_mark(mutex)) {
            hdi_lot_unlock(lot);
            return;
        }
        hdi_lot_push(lot, &self, mutex, waited);
        hdi_lot_unlock(lot);
        hdi_lot_sleep(&self, why, HD_SEAM_FOREVER);
        if (self.handed || hdi_mutex_try_take(mutex))
            return;
        waited = true;
    }
}

bool hdi_mutex_give(struct hd_mutex *mutex)
{
    uint32_t alone = LOCKED;
    int64_t now = 0;
    struct hdi_lot *lot;
    struct hdi_waiter *first;

    hdi_inner(mutex);
    if (atomic_compare_exchange_strong_explicit(&mutex->state, &alone, 0, memory_order_release,
                                                memory_order_relaxed))
        return true;
    if (!(alone & LOCKED))
        return false;
    if (!hdi_seam)
        now = hdi_now_ns();
    lot = hdi_lot_lock(mutex);
    first = hdi_lot_pop(lot, mutex);
    /* Under the seam who comes next is the scheduler's choice, and time says nothing. */
    if (first)
        first->handed = !hdi_seam && now - first->since_ns > STARVING_NS;
    atomic_store_explicit(&mutex->state,
                          (first && first->handed ? LOCKED : 0) |
                              (hdi_lot_first(lot, mutex) ? WAITERS : 0),
                          memory_order_release);
    hdi_lot_unlock(lot);
    if (first)
        hdi_lot_wake(first);
    return true;
}

void hdi_mutex_tell_taken(struct hd_mutex *mutex, const void *site)
{
    if (hdi_seam)
        hdi_seam->acquired(mutex, 0, site);
    hdi_acquire(mutex);
}

void hdi_mutex_tell_given(struct hd_mutex *mutex, const void *site)
{
    hdi_release(mutex);
    if (hdi_seam)
        hdi_seam->released(mutex, site);
}

static void need_alive(const struct hd_mutex *mutex, const void *site)
{
    if (HDI_UNLIKELY(atomic_load_explicit(&mutex->state, memory_order_relaxed) == ENDED))
        hdi_misuse_late("sync: use of a mutex after its end", mutex, site, NULL);
}

void hdi_mutex_lock(struct hd_mutex *mutex)
{
    struct hdi_why why = {HD_EV_HD_MUTEX_LOCK, mutex, HDI_SITE()};

    hdi_point(&why);
    hdi_hide(mutex, sizeof *mutex);
    need_alive(mutex, why.site);
    hdi_mutex_take(mutex, &why);
    hdi_mutex_tell_taken(mutex, why.site);
}

bool hdi_mutex_trylock(struct hd_mutex *mutex)
{
    struct hdi_why why = {HD_EV_HD_MUTEX_TRYLOCK, mutex, HDI_SITE()};

    hdi_point(&why);
    hdi_hide(mutex, sizeof *mutex);
    need_alive(mutex, why.site);
    if (!hdi_mutex_try_take(mutex))
        return false;
    hdi_mutex_tell_taken(mutex, why.site);
    return true;
}

void hdi_mutex_unlock(struct hd_mutex *mutex)
{
    struct hdi_why why = {HD_EV_HD_MUTEX_UNLOCK, mutex, HDI_SITE()};

    hdi_point(&why);
    hdi_hide(mutex, sizeof *mutex);
    need_alive(mutex, why.site);
    if (!(atomic_load_explicit(&mutex->state, memory_order_relaxed) & LOCKED))
        hdi_misuse("sync: unlock of unlocked mutex", mutex, why.site);
    hdi_mutex_tell_given(mutex, why.site);
    hdi_mutex_give(mutex);
    hdi_released(why.site);
}

void hd_mutex_init(struct hd_mutex *mutex, const char *name)
{
    if (hdi_seam)
        hdi_seam->born(HD_OB_HD_MUTEX, mutex, name, HDI_SITE());
    atomic_store_explicit(&mutex->state, 0, memory_order_relaxed);
    hdi_hide(mutex, sizeof *mutex);
}

void hd_mutex_destroy(struct hd_mutex *mutex)
{
    need_alive(mutex, HDI_SITE());
    if (atomic_load_explicit(&mutex->state, memory_order_relaxed) & LOCKED)
        hdi_misuse("sync: end of a locked mutex", mutex, HDI_SITE());
    atomic_store_explicit(&mutex->state, ENDED, memory_order_relaxed);
    if (hdi_seam)
        hdi_seam->gone(mutex, HDI_SITE());
}

static void lock(void *of)
{
    hd_mutex_lock(of);
}

static void unlock(void *of)
{
    hd_mutex_unlock(of);
}

struct hd_locker hd_mutex_locker(struct hd_mutex *mutex)
{
    return (struct hd_locker){lock, unlock, mutex};
}
