/* ticking.h - periodic work: a loop over a ticker that ends with its context.
 * source: guides "Periodic work without leaks", "Goroutine lifecycle". */
#ifndef HEDDLE_TICKING_H
#define HEDDLE_TICKING_H

#include <stdint.h>

#include <heddle/api.h>
#include <heddle/context.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

/* Call fn every interval_ns, in the calling goroutine, the first time after one interval; ticks
 * that come while it runs are dropped but one. Blocks until ctx ends or fn returns an error. errs
 * the context's error | what fn returned | hd_invalid if the interval is not positive threads any
 */
HD_API HD_MUST_USE hd_err hd_tick_every(struct hd_context *ctx, int64_t interval_ns,
                                        hd_err (*fn)(struct hd_context *ctx, void *arg), void *arg);

HD_END_DECLS

#endif /* HEDDLE_TICKING_H */
