/* singleflight.h - one call at a time for a key; whoever asks meanwhile shares its result.
 *
 * The zero value is ready. Keys are strings, copied.
 *   ownership  embed it; it must not be freed while calls are in flight. A value that is shared is
 *              the same pointer for all: who frees it when is for the program to settle. Each
 *              receiver of a result gives up its own reference to the error.
 *   errors     if the function panics, each do() that shares it panics with the same error, and
 *              each do_chan() receives it; if it exits its goroutine, each do() does likewise.
 *   threads    any
 * memory: the end of the call happens before every do that shares it returns.
 * source: Go package golang.org/x/sync/singleflight.
 * departs: a panic reaches the channels of do_chan as an error (Go ends the program).
 */
#ifndef HEDDLE_SINGLEFLIGHT_H
#define HEDDLE_SINGLEFLIGHT_H

#include <stdbool.h>

#include <heddle/api.h>
#include <heddle/chan.h>
#include <heddle/errors.h>
#include <heddle/mutex.h>

HD_BEGIN_DECLS

#define HDI_FLIGHT_BUCKETS 32

struct hd_flight_call;

struct hd_singleflight {
    struct hd_mutex lock; /* private, as the rest: guards the calls */
    struct hd_flight_call *calls[HDI_FLIGHT_BUCKETS];
};

struct hd_flight_result {
    void *value;
    hd_err err;  /* a reference of the receiver's own */
    bool shared; /* others received this result, too */
};

/* fn: returns the value; *err is NULL on entry and takes a reference to hand over.
 * Blocks while another makes the call ("waitgroup wait").
 *   result.err  hd_out_of_memory without fn having been called, or what fn set
 * Go: Do */
HD_API HD_MUST_USE struct hd_flight_result hd_singleflight_do(struct hd_singleflight *group,
                                                              const char *key,
                                                              void *(*fn)(void *arg, hd_err *err),
                                                              void *arg);

/* The same, in a goroutine: a channel of capacity 1 on which one struct hd_flight_result arrives.
 * It is the caller's; unref it after receiving. arg must live until then.  Go: DoChan */
HD_API HD_MUST_USE struct hd_chan *hd_singleflight_do_chan(struct hd_singleflight *group,
                                                           const char *key,
                                                           void *(*fn)(void *arg, hd_err *err),
                                                           void *arg);

/* Let the next do for this key call anew instead of waiting for the one in flight.  Go: Forget */
HD_API void hd_singleflight_forget(struct hd_singleflight *group, const char *key);

HD_END_DECLS

#endif /* HEDDLE_SINGLEFLIGHT_H */
