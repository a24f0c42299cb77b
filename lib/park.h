/* park.h - one thread waits until another lets it go on; and a lock for a few instructions.
 *
 * Where parking_lot.h keeps the waiters of objects that are a bare word, these are for objects with
 * memory of their own: channels, timers, contexts. A parker is made anew for each wait and is let
 * go once.
 *
 *     waiter                                  waker
 *     hdi_lock(&object->lock)                 hdi_lock(&object->lock)
 *     hdi_parker_init(&self)                  take the waiter out of the object's line
 *     join the object's line                  hdi_unlock(&object->lock)
 *     hdi_unlock(&object->lock)               hdi_unpark(parker)
 *     hdi_park(&self, ...)
 *
 * Under the seam the lock is never contended: no point, and nothing that waits, between lock and
 * unlock; unless the library itself is explored (hdi_inner()): then taking one is a point, and
 * whoever finds it taken waits. Natively it spins briefly, then sleeps. Detectors see neither.
 */
#ifndef HDI_PARK_H
#define HDI_PARK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "operation.h"

struct hdi_parker {
    void *thread;        /* the seam's handle; natively the fibre, NULL in a thread of its own */
    _Atomic uint32_t go; /* futex: 0 not yet, 1 go on, 2 not yet and asleep, 3 so without an end */
    uint32_t process;    /* hdi_process of whoever sleeps */
};

/* How long it pays to stay awake before sleeping, learned from how the last waits went. */
struct hdi_patience {
    uint32_t spins, waits;
};

/* Stay awake until ready(what), or for so long; whether it became so. Never when one is watched. */
bool hdi_await(bool (*ready)(const void *what), const void *what, struct hdi_patience *patience);

void hdi_parker_init(struct hdi_parker *parker);

/* Wait until unparked (true) or until until_ns on the monotonic clock (false; an unpark that is on
 * its way will still come, and the parker must outlive it). */
bool hdi_park(struct hdi_parker *parker, const struct hdi_why *why, int64_t until_ns);

/* The parker may be gone as soon as its `go` is set: nothing of it is touched after. */
void hdi_unpark(struct hdi_parker *parker);

/* Never to return: what Go calls blocking for ever. */
_Noreturn void hdi_park_for_ever(const struct hdi_why *why);

struct hdi_lock {
    _Atomic uint32_t word; /* 0 free, 1 taken, 2 taken and somebody may sleep on it */
};

void hdi_lock_slow(struct hdi_lock *lock);
void hdi_unlock_slow(struct hdi_lock *lock);
void hdi_lock_in_turn(struct hdi_lock *lock);
void hdi_unlock_in_turn(struct hdi_lock *lock);
void hdi_locks_change_hands(void);

/* Who comes to a WaitGroup (waitgroup.c), under one seam; forgotten with the locks. */
extern struct hdi_coming *hdi_coming;

static inline void hdi_lock(struct hdi_lock *lock)
{
    uint32_t free_word = 0;

    if (HDI_CONTROLLED())
        hdi_lock_in_turn(lock);
    else if (!atomic_compare_exchange_strong_explicit(&lock->word, &free_word, 1,
                                                      memory_order_acquire, memory_order_relaxed))
        hdi_lock_slow(lock);
}

/* Whoever locks next may free the lock's memory: its address alone is used after the exchange. */
static inline void hdi_unlock(struct hdi_lock *lock)
{
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        hdi_unlock_slow(lock);
    if (HDI_CONTROLLED())
        hdi_unlock_in_turn(lock);
}

/* For a processor that waits for another. */
static inline void hdi_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* The bits of a futex wait whose time limit is the library's own, which is no end of the wait: whoever
 * looks at the process from outside sees it by them. Any wake-up matches them. */
#define HDI_NO_END 1u

/* Until woken, the word is another, or the time on the monotonic clock has come; or for no reason. */
void hdi_futex_sleep(_Atomic uint32_t *word, uint32_t expected, const struct timespec *until,
                     uint32_t bits);

/* The word may be gone by now: only its address is used, and a stray wake-up is harmless. */
void hdi_futex_wake(_Atomic uint32_t *word);

struct timespec hdi_from_now(int64_t ns);

/* A copy that neither TSan's nor our own memcpy sees: values pass from thread to thread through the
 * library, and who reads and writes them is told by hdi_reads() and hdi_writes() instead. */
void hdi_copy(void *to, const void *from, size_t bytes);
void hdi_zero(void *to, size_t bytes);

void hdi_reads_told(const void *memory, size_t bytes, const void *site);
void hdi_writes_told(const void *memory, size_t bytes, const void *site);

/* The caller's own code reads or writes its memory here. Not within an operation: it may be a point
 * of a schedule. */
static inline void hdi_reads(const void *memory, size_t bytes, const void *site)
{
    if (HDI_WATCHED() && memory)
        hdi_reads_told(memory, bytes, site);
}

static inline void hdi_writes(const void *memory, size_t bytes, const void *site)
{
    if (HDI_WATCHED() && memory)
        hdi_writes_told(memory, bytes, site);
}

#endif /* HDI_PARK_H */
