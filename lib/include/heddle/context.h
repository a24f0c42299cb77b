/* context.h - cancellation, deadlines and values that follow a request through its goroutines.
 *
 * Contexts form a tree: cancelling one cancels all below it before the call returns. A context is
 * cancelled once; its error is then hd_cancelled or hd_deadline_exceeded for good, its cause
 * whatever was given, or the same error.
 *   ownership  making a context gives one reference; a child holds one on its parent. Cancelling
 *              gives up none: end a context with hd_context_end(), or cancel and unref it. Whoever
 *              hands a context to a goroutine that may outlive him gives it a reference of its own.
 *   errors     a NULL parent panics ("cannot create context from nil parent"), as do a lack of
 *              memory and, for a deadline, of threads (hd_out_of_memory, hd_out_of_threads)
 *   threads    any
 *   memory     a cancel happens before a receive from the done channel, and before an
 *              hd_context_err() that is not NULL
 *   blocks     never: each operation is one point
 * source: Go package context.
 */
#ifndef HEDDLE_CONTEXT_H
#define HEDDLE_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/chan.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

struct hd_context;

/* Never cancelled, no values, no deadline; not to be freed (references to it cost nothing).
 * Go: context.Background, context.TODO */
HD_API struct hd_context *hd_context_background(void);
HD_API struct hd_context *hd_context_todo(void);

/* A child that hd_context_cancel() cancels, or its parent.  Go: WithCancel, WithCancelCause */
HD_API HD_MUST_USE struct hd_context *hd_context_with_cancel(struct hd_context *parent);

/* A child that is also cancelled at an instant of hd_now(), or after a time, with
 * hd_deadline_exceeded; a parent's earlier deadline stands. The timer ends with the context.
 * cause: reference taken over; NULL for the error itself.
 * Go: WithDeadline, WithTimeout, WithDeadlineCause, WithTimeoutCause */
HD_API HD_MUST_USE struct hd_context *hd_context_with_deadline(struct hd_context *parent,
                                                               int64_t at_ns);
HD_API HD_MUST_USE struct hd_context *hd_context_with_timeout(struct hd_context *parent,
                                                              int64_t ns);
HD_API HD_MUST_USE struct hd_context *hd_context_with_deadline_cause(struct hd_context *parent,
                                                                     int64_t at_ns, hd_err cause);
HD_API HD_MUST_USE struct hd_context *hd_context_with_timeout_cause(struct hd_context *parent,
                                                                    int64_t ns, hd_err cause);

/* A child in which `key`, compared by address and never followed, has this value, borrowed. A NULL
 * key panics ("nil key").  Go: WithValue */
HD_API HD_MUST_USE struct hd_context *hd_context_with_value(struct hd_context *parent,
                                                            const void *key, void *value);

/* A child with the parent's values that is not cancelled when it is.  Go: WithoutCancel */
HD_API HD_MUST_USE struct hd_context *hd_context_without_cancel(struct hd_context *parent);

/* Cancel; the first time counts. One that was not made to be cancelled panics.
 * cause: reference taken over; NULL for hd_cancelled.  Go: CancelFunc, CancelCauseFunc */
HD_API void hd_context_cancel(struct hd_context *ctx);
HD_API void hd_context_cancel_cause(struct hd_context *ctx, hd_err cause);

/* One more reference, and one less; NULL is allowed. */
HD_API struct hd_context *hd_context_ref(struct hd_context *ctx);
HD_API void hd_context_unref(struct hd_context *ctx);

/* Cancel (if it can be) and give up one reference; a void *, so that it can be deferred:
 *     HD_DEFER(hd_context_end, ctx);
 * Go: defer cancel() */
HD_API void hd_context_end(void *ctx);

/* Closed when the context is cancelled; borrowed; NULL if it never can be.  Go: Done */
HD_API struct hd_chan *hd_context_done(struct hd_context *ctx);

/* NULL, hd_cancelled or hd_deadline_exceeded; static.  Go: Err */
HD_API hd_err hd_context_err(struct hd_context *ctx);

/* Why: NULL while it is not cancelled; borrowed, lives as long as the context.  Go: Cause */
HD_API hd_err hd_context_cause(struct hd_context *ctx);

/* Whether there is a deadline, and which; at_ns may be NULL.  Go: Deadline */
HD_API bool hd_context_deadline(struct hd_context *ctx, int64_t *at_ns);

/* The value of the nearest ancestor or itself that has this key, or NULL.  Go: Value */
HD_API void *hd_context_value(struct hd_context *ctx, const void *key);

/* Run fn(arg) in a goroutine of its own when ctx is cancelled, at once if it is. The handle is
 * given up by exactly one hd_context_stop().  Go: AfterFunc */
struct hd_context_hook;
HD_API HD_MUST_USE struct hd_context_hook *hd_context_after_func(struct hd_context *ctx,
                                                                 void (*fn)(void *arg), void *arg);

/* Whether this kept fn from being run. Does not wait for it.  Go: the stop function */
HD_API bool hd_context_stop(struct hd_context_hook *hook);

HD_END_DECLS

#endif /* HEDDLE_CONTEXT_H */
