/* fan.h - spread the values of a channel over goroutines, and merge channels into one.
 *
 *   ownership  the channels that are made belong to the caller, who unrefs them; inputs are
 * borrowed until the goroutines end: when their input is closed and drained, or ctx ends. Either
 *              closes the output. ctx is kept by a reference.
 *   errors     a lack of memory or threads: nothing is left running, no channel is made
 *   threads    any
 * source: guides "Fan-Out, Fan-In Pattern".
 */
#ifndef HEDDLE_FAN_H
#define HEDDLE_FAN_H

#include <stdbool.h>
#include <stddef.h>

#include <heddle/api.h>
#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

/* What is done with one value: read `in`, write `out`; false drops it. */
typedef bool (*hd_fan_fn)(struct hd_context *ctx, const void *in, void *out, void *arg);

/* Start `workers` goroutines that receive values of in_bytes from `in` and send values of out_bytes
 * to a channel each, unbuffered: outputs[0 .. workers).  workers: >= 1. */
HD_API HD_MUST_USE hd_err hd_fan_out(struct hd_context *ctx, struct hd_chan *in, size_t in_bytes,
                                     size_t out_bytes, int workers, hd_fan_fn fn, void *arg,
                                     struct hd_chan **outputs);

/* Merge `count` channels of values of `bytes` into one, unbuffered, which is closed when all are
 * closed and drained, or ctx ends.  *output is set on success only. */
HD_API HD_MUST_USE hd_err hd_fan_in(struct hd_context *ctx, struct hd_chan *const *inputs,
                                    size_t count, size_t bytes, struct hd_chan **output);

HD_END_DECLS

#endif /* HEDDLE_FAN_H */
