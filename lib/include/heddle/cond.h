/* cond.h - a condition variable, Go's sync.Cond.
 *
 * Bound to one mutex, or other locker, which must be held to wait and usually is when signalling. There are no
 * spurious wake-ups, but another may come first, so wait in a loop:
 *     hd_mutex_lock(&mutex);
 *     while (!condition)
 *         hd_cond_wait(&cond);
 *   ownership  embed it beside the mutex that it borrows; it holds no memory
 *   errors     waiting without the mutex locked panics
 *   threads    any
 * memory: a signal or broadcast happens before the wait that it releases returns.
 * source: Go package sync, type Cond.
 */
#ifndef HEDDLE_COND_H
#define HEDDLE_COND_H

#include <heddle/api.h>
#include <heddle/mutex.h>

HD_BEGIN_DECLS

struct hd_cond {
    struct hd_mutex *mutex;  /* borrowed; Go: L */
    struct hd_locker locker; /* instead, if there is no mutex */
};

#define HD_COND_INIT(mutex_pointer)                                                                \
    {                                                                                              \
        mutex_pointer,                                                                             \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* name: copied; may be NULL.  End: optional; panics if goroutines wait, and so does who uses it then. Those
 * that were woken may still be on their way.  Go: NewCond */
HD_API void hd_cond_init(struct hd_cond *cond, struct hd_mutex *mutex, const char *name);
HD_API void hd_cond_init_locker(struct hd_cond *cond, struct hd_locker locker, const char *name);
HD_API void hd_cond_destroy(struct hd_cond *cond);

/* Unlock the mutex, wait to be signalled ("hd_cond wait"), lock it again.  Go: Wait */
HD_API void hd_cond_wait(struct hd_cond *cond);

/* Release the one that waits longest, or all that wait. Never blocks.  Go: Signal, Broadcast */
HD_API void hd_cond_signal(struct hd_cond *cond);
HD_API void hd_cond_broadcast(struct hd_cond *cond);

HD_END_DECLS

#endif /* HEDDLE_COND_H */
