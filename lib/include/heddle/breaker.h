/* breaker.h - a circuit breaker: after repeated failures, calls are refused for a while.
 *
 *     closed     calls are made; `most_failures` failures in a row open it
 *     open       calls are refused with hd_circuit_open, until `reset_ns` have passed
 *     half open  one call at a time is made as a trial: success closes, failure opens again
 *
 * No lock is held while a call runs. A call that began before the last change of state does not
 * count.
 *   ownership  embed it; it holds no memory
 *   threads    any
 *   blocks     as the call does
 * source: guide "Circuit Breaker Pattern"; M. Nygard, Release It!, 2007.
 */
#ifndef HEDDLE_BREAKER_H
#define HEDDLE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/context.h>
#include <heddle/errors.h>
#include <heddle/mutex.h>

HD_BEGIN_DECLS

enum hd_breaker_state { HD_BREAKER_CLOSED, HD_BREAKER_OPEN, HD_BREAKER_HALF_OPEN };

struct hd_breaker {
    struct hd_mutex lock; /* private, as the rest: guards what follows */
    enum hd_breaker_state state;
    int most_failures, failures;
    int64_t reset_ns, timeout_ns, opened_ns;
    uint64_t era; /* changes of state so far */
    bool trial;   /* a call is under way in half open */
};

/* most_failures: >= 1.  reset_ns: time before a trial.  timeout_ns: of the context given to each
 * call; 0 for none. Values below their least are taken for it. */
HD_API void hd_breaker_init(struct hd_breaker *breaker, int most_failures, int64_t reset_ns,
                            int64_t timeout_ns);

/* Make the call if the breaker lets it through. fn must itself heed the context that it is given,
 * which ends with ctx or after timeout_ns. A panic in fn counts as a failure and carries on.
 *   errs  hd_circuit_open: not called; the context's error if it had ended: not called, not
 * counted; otherwise what fn returned, where every error counts as a failure */
HD_API HD_MUST_USE hd_err hd_breaker_call(struct hd_breaker *breaker, struct hd_context *ctx,
                                          hd_err (*fn)(struct hd_context *ctx, void *arg),
                                          void *arg);

/* The state now: open becomes half open when its time has passed. */
HD_API enum hd_breaker_state hd_breaker_state(struct hd_breaker *breaker);

HD_END_DECLS

#endif /* HEDDLE_BREAKER_H */
