/* scope.h - what is undone when a block is left: defer, and locks for a scope.
 *
 *     {
 *         HD_SCOPED_LOCK(&account->mutex);
 *         HD_DEFER(free, buffer);
 *         if (bad)
 *             return hd_invalid;        // freed, unlocked
 *     }
 *
 * Each stands as a statement of its own at the level of a block, and acts when that block is left
 * in whatever way: its end, return, break, goto, a panic, a goexit (not longjmp or exit). Last
 * first. Departs from Go: the scope is the block, not the function. source: Go specification,
 * "Defer statements".
 */
#ifndef HEDDLE_SCOPE_H
#define HEDDLE_SCOPE_H

#include <heddle/mutex.h>
#include <heddle/panic.h>
#include <heddle/rwmutex.h>

#define HDI_JOIN_(a, b) a##b
#define HDI_JOIN(a, b) HDI_JOIN_(a, b)

#define HDI_DEFER(name, function, argument)                                                        \
    struct hd_deferred name __attribute__((cleanup(hdi_defer_pop))) = {                            \
        .fn = HDI_FN(function, argument), .arg = (argument)};                                      \
    hdi_defer_push(&name)

/* Call function(argument) when the block is left: any function of one pointer, such as hd_wg_done,
 * hd_chan_close or free. The argument is taken now. */
#define HD_DEFER(function, argument)                                                               \
    HDI_DEFER(HDI_JOIN(hdi_deferred_, __COUNTER__), function, argument)

/* Lock now, unlock when the block is left.  Go: mu.Lock(); defer mu.Unlock() */
#define HD_SCOPED_LOCK(mutex)                                                                      \
    hd_mutex_lock(mutex);                                                                          \
    HD_DEFER(hd_mutex_unlock, mutex)

/* The same for a reader/writer lock. */
#define HD_SCOPED_WLOCK(rw)                                                                        \
    hd_rwmutex_lock(rw);                                                                           \
    HD_DEFER(hd_rwmutex_unlock, rw)
#define HD_SCOPED_RLOCK(rw)                                                                        \
    hd_rwmutex_rlock(rw);                                                                          \
    HD_DEFER(hd_rwmutex_runlock, rw)

#endif /* HEDDLE_SCOPE_H */
