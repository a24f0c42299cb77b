/* semaphore.h - a weighted semaphore: at most `size` units held at once. Go's x/sync/semaphore.
 *
 * Waiters are served in order: one that needs much is not overtaken by those that need little.
 *   ownership  embed it; it must not be freed while anyone is inside a call
 *   errors     releasing more than is held panics
 *   threads    any
 *   blocks     acquire only ("select", at a channel named "semaphore")
 * memory: a release happens before every acquire that it makes possible.
 * source: Go package golang.org/x/sync/semaphore.
 */
#ifndef HEDDLE_SEMAPHORE_H
#define HEDDLE_SEMAPHORE_H

#include <stdbool.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/context.h>
#include <heddle/errors.h>
#include <heddle/mutex.h>

HD_BEGIN_DECLS

struct hd_semaphore_waiter;

struct hd_semaphore {
    struct hd_mutex lock; /* private, as the rest: guards what follows */
    int64_t size, held;
    struct hd_semaphore_waiter *first, *last;
};

/* size: units, >= 0; name: copied, may be NULL. It holds no memory: end is optional;
 * panics if goroutines wait, and so does who uses it then.  Go: NewWeighted */
HD_API void hd_semaphore_init(struct hd_semaphore *semaphore, int64_t size, const char *name);
HD_API void hd_semaphore_destroy(struct hd_semaphore *semaphore);

/* Take `units`, waiting for them if need be. More than the size wait for the context's end.
 *   errs  the context's error: nothing was taken; also if it had ended before
 * Go: Acquire */
HD_API HD_MUST_USE hd_err hd_semaphore_acquire(struct hd_semaphore *semaphore,
                                               struct hd_context *ctx, int64_t units);

/* Take them if nobody waits and they are free; whether it did.  Go: TryAcquire */
HD_API HD_MUST_USE bool hd_semaphore_try_acquire(struct hd_semaphore *semaphore, int64_t units);

/* Give them back.  Go: Release */
HD_API void hd_semaphore_release(struct hd_semaphore *semaphore, int64_t units);

HD_END_DECLS

#endif /* HEDDLE_SEMAPHORE_H */
