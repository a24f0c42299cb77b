/* shutdown.h - ending a program in order: signals end a context, and what is under way gets time to
 * finish.
 *
 *     hd_notify_start(&notify, hd_context_background(), signals, 2);
 *     ... accept until hd_context_done(hd_notify_context(notify)) ...
 *     stop = hd_context_with_timeout(hd_context_background(), 30 * HD_SECOND);
 *     err = hd_drain_wait(&requests, stop);
 *
 * source: guides "Graceful Shutdown"; Go packages os/signal (NotifyContext), net/http (Shutdown).
 */
#ifndef HEDDLE_SHUTDOWN_H
#define HEDDLE_SHUTDOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/errors.h>
#include <heddle/mutex.h>

HD_BEGIN_DECLS

struct hd_notify;

/* From now until hd_notify_stop() these signals do not do what they did; the first of them ends a
 * child of `parent` with the cause "signal: NAME". Each signal can be watched once at a time.
 *   notify  [out] set on success only
 *   errs    hd_invalid: none, an impossible or an already watched signal | HD_ERR_OTHER: no pipe |
 *           hd_out_of_memory | hd_out_of_threads
 *   threads any     blocks no
 * Go: signal.NotifyContext */
HD_API HD_MUST_USE hd_err hd_notify_start(struct hd_notify **notify, struct hd_context *parent,
                                          const int *signals, size_t count);

/* The context that a signal ends. Borrowed until stop. */
HD_API struct hd_context *hd_notify_context(struct hd_notify *notify);

/* The first signal that came, 0 if none has. */
HD_API int hd_notify_signal(struct hd_notify *notify);

/* Let the signals do again what they did before; end the context and free the notify. */
HD_API void hd_notify_stop(struct hd_notify *notify);

/* Counts what is under way: requests, connections. */
struct hd_drain {
    struct hd_mutex lock; /* private, as the rest: guards what follows */
    int64_t inside;
    bool closing;
    struct hd_chan *idle; /* closed when closing and nothing is inside */
};

/* init panics without memory. destroy: no call in progress, and none that enter let in is to
 * come: who calls then panics. */
HD_API void hd_drain_init(struct hd_drain *drain);
HD_API void hd_drain_destroy(struct hd_drain *drain);

/* Something begins: false if the drain is closing, and it must not. Each true is matched by one
 * leave; a leave too many panics.  threads any  blocks no */
HD_API HD_MUST_USE bool hd_drain_enter(struct hd_drain *drain);
HD_API void hd_drain_leave(struct hd_drain *drain);

/* Let nothing in any more, and wait until all have left; their leaves happen before it returns.
 *   errs  the context's error: some were still inside; waiting again is allowed
 *   threads any     blocks "select" */
HD_API HD_MUST_USE hd_err hd_drain_wait(struct hd_drain *drain, struct hd_context *ctx);

HD_END_DECLS

#endif /* HEDDLE_SHUTDOWN_H */
