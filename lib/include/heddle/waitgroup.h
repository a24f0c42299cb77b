/* waitgroup.h - waiting for a number of things to be done, Go's sync.WaitGroup.
 *
 * A counter and those who wait for it to be zero. The zero value is ready.
 *   ownership  embed it, or keep it on the stack of the one that waits: once wait has returned the
 *              group may end, even while the last done is still returning
 *   errors     misuse panics: a negative counter; an add that races with a wait at zero; a group
 *              used anew before all waits on its last use have returned
 *   threads    any. An add that lifts the counter from zero must happen before the wait.
 * memory: a done happens before every wait that it releases returns.
 * source: Go package sync, type WaitGroup.
 */
#ifndef HEDDLE_WAITGROUP_H
#define HEDDLE_WAITGROUP_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

struct hd_wg {
    _Atomic uint64_t state; /* high half: the counter; low half: those who wait */
};

#define HD_WG_INIT                                                                                 \
    {                                                                                              \
        0                                                                                          \
    }

/* Name it for reports (copied; may be NULL).  End: optional; panics if goroutines wait, and so does who uses
 * it then and did not make it anew. */
HD_API void hd_wg_init(struct hd_wg *wg, const char *name);
HD_API void hd_wg_destroy(struct hd_wg *wg);

/* Change the counter; at zero all who wait are released.  Never blocks.  Go: Add, Done */
HD_API void hd_wg_add(struct hd_wg *wg, int32_t delta);
HD_API void hd_wg_done(struct hd_wg *wg);

/* Blocks until the counter is zero ("waitgroup wait").  Go: Wait */
HD_API void hd_wg_wait(struct hd_wg *wg);

/* Add one, run fn(arg) in a new goroutine, and be done when it returns or exits. fn must not panic.
 *   errs  hd_out_of_threads, hd_out_of_memory: nothing was started and the counter is as it was
 * Go: WaitGroup.Go */
HD_API HD_MUST_USE hd_err hd_wg_go(struct hd_wg *wg, void (*fn)(void *arg), void *arg);

/* The same with a copy of the `bytes` at args, which lives as long as it runs. */
HD_API HD_MUST_USE hd_err hd_wg_go_copy(struct hd_wg *wg, void (*fn)(void *args), const void *args,
                                        size_t bytes);

HD_END_DECLS

#endif /* HEDDLE_WAITGROUP_H */
