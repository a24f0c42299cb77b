/* rwmutex.h - a reader/writer lock with writer priority, Go's sync.RWMutex.
 *
 * Any number of readers or one writer. The zero value is unlocked and ready.
 *
 *     state \ call       rlock         runlock    lock       unlock
 *     free               takes         panics     takes      panics
 *     n readers          takes         leaves     waits      panics
 *     readers, a writer
 *       waits            waits         leaves     waits      panics
 *     a writer           waits         panics     waits      leaves
 *
 * A waiting writer keeps new readers out, so it is never starved; the readers who waited behind a
 * writer all come in when it leaves, before the next writer, so they are not starved either. It
 * follows that a reader must not rlock again: with a writer in between it would wait for itself.
 *   ownership  embed it where it protects; it holds no memory and belongs to no thread
 *   errors     misuse panics
 *   threads    any, at most 2^30 readers
 * memory: an unlock happens before every later rlock or lock returns; a runlock before the next
 * lock. source: Go package sync, type RWMutex.
 */
#ifndef HEDDLE_RWMUTEX_H
#define HEDDLE_RWMUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/mutex.h>

HD_BEGIN_DECLS

struct hd_rwmutex {
    struct hd_mutex writers;           /* held by the writer, or by the one that is next */
    _Atomic int32_t readers;           /* inside or waiting; less 2^30 while a writer pends */
    _Atomic int32_t departing;         /* readers that the pending writer still waits for */
    uint32_t reader_turn, writer_turn; /* semaphores, guarded by their lots */
};

#define HD_RWMUTEX_INIT                                                                            \
    {                                                                                              \
        .writers = HD_MUTEX_INIT                                                                   \
    }

/* Name it for reports (copied; may be NULL); it must be zero or ended.  End: optional, panics if
 * held; who uses it then, and did not make it anew, panics. */
HD_API void hd_rwmutex_init(struct hd_rwmutex *rw, const char *name);
HD_API void hd_rwmutex_destroy(struct hd_rwmutex *rw);

/* Lock for reading; blocks while a writer is in or waits ("hd_rwmutex rlock").  Go: RLock,
 * RUnlock */
HD_API void hd_rwmutex_rlock(struct hd_rwmutex *rw);
HD_API void hd_rwmutex_runlock(struct hd_rwmutex *rw);

/* Lock for writing; blocks while anyone is in ("hd_rwmutex lock").  Go: Lock, Unlock */
HD_API void hd_rwmutex_lock(struct hd_rwmutex *rw);
HD_API void hd_rwmutex_unlock(struct hd_rwmutex *rw);

/* Lock if that needs no waiting; whether they did.  Go: TryRLock, TryLock */
HD_API HD_MUST_USE bool hd_rwmutex_try_rlock(struct hd_rwmutex *rw);
HD_API HD_MUST_USE bool hd_rwmutex_try_lock(struct hd_rwmutex *rw);

/* Lockers of either kind.  Go: a RWMutex as a sync.Locker; RLocker */
HD_API struct hd_locker hd_rwmutex_locker(struct hd_rwmutex *rw);
HD_API struct hd_locker hd_rwmutex_rlocker(struct hd_rwmutex *rw);

HD_END_DECLS

#endif /* HEDDLE_RWMUTEX_H */
