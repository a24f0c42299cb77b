/* time.h - the clock, sleeping, timers and tickers.
 *
 * One kind of time: nanoseconds in int64_t, instants on the monotonic clock. Under Heddle the clock
 * is virtual: it jumps when everybody waits, and waiting costs nothing. One thread serves all
 * timers while there are any.
 *   ownership  a timer or ticker is freed by its maker; its channel belongs to it
 *   errors     making one panics with hd_out_of_memory, starting one with hd_out_of_threads
 *   threads    any; free: no other call in progress
 *   memory     starting a timer happens before what it fires
 * source: Go package time. Channels behave as since Go 1.23: after a stop or a reset no value of
 * before is received any more, so nothing need be drained.
 */
#ifndef HEDDLE_TIME_H
#define HEDDLE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/chan.h>

HD_BEGIN_DECLS

#define HD_NANOSECOND ((int64_t)1)
#define HD_MICROSECOND (1000 * HD_NANOSECOND)
#define HD_MILLISECOND (1000 * HD_MICROSECOND)
#define HD_SECOND (1000 * HD_MILLISECOND)
#define HD_MINUTE (60 * HD_SECOND)
#define HD_HOUR (60 * HD_MINUTE)

/* Now, on the monotonic clock.  Go: time.Now, without the wall clock */
HD_API int64_t hd_now(void);

/* Wait for ns; not at all if that is not positive. Blocks, "sleeping".  Go: time.Sleep */
HD_API void hd_sleep(int64_t ns);

struct hd_timer;

/* A timer that sends the time, an int64_t, on its channel after ns (at once if that is not
 * positive). One value waits there for its receiver, but the channel's length and capacity are 0 to
 * those who ask.  Go: time.NewTimer */
HD_API HD_MUST_USE struct hd_timer *hd_timer_make(int64_t ns);

/* A timer that runs fn(arg) in a goroutine of its own after ns. It has no channel.
 * Go: time.AfterFunc */
HD_API HD_MUST_USE struct hd_timer *hd_after_func(int64_t ns, void (*fn)(void *arg), void *arg);

/* Borrowed; NULL for one made by hd_after_func().  Go: t.C */
HD_API struct hd_chan *hd_timer_chan(const struct hd_timer *timer);

/* Whether this kept it from firing: false if it had fired (and its value was received, or its
 * function was started) or was stopped. Does not wait for a function that runs.  Go: t.Stop */
HD_API bool hd_timer_stop(struct hd_timer *timer);

/* Fire ns from now instead, fired or not; whether it was still to fire.  Go: t.Reset */
HD_API bool hd_timer_reset(struct hd_timer *timer, int64_t ns);

/* Stop it and free it, its channel, too; NULL is allowed. */
HD_API void hd_timer_free(struct hd_timer *timer);

/* Give it up without stopping it: it is freed when it has fired, one with a channel with the last
 * reference to that. */
HD_API void hd_timer_forget(struct hd_timer *timer);

/* A channel on which the time arrives after ns. The caller gives up its reference by
 * hd_chan_unref(), at any time: the timer goes with the last one, so that a loop that makes one a
 * turn leaves nothing behind. For a select, hd_select_timeout() costs less.  Go: time.After */
HD_API HD_MUST_USE struct hd_chan *hd_after(int64_t ns);

struct hd_ticker;

/* Sends the time every ns; a tick that nobody has room for is dropped. Panics if ns is not positive
 * ("non-positive interval for NewTicker").  Go: time.NewTicker */
HD_API HD_MUST_USE struct hd_ticker *hd_ticker_make(int64_t ns);

/* Borrowed; never closed.  Go: t.C */
HD_API struct hd_chan *hd_ticker_chan(const struct hd_ticker *ticker);

/* No more ticks; and ticks every ns from now on ("non-positive interval for Ticker.Reset").
 * Go: t.Stop, t.Reset */
HD_API void hd_ticker_stop(struct hd_ticker *ticker);
HD_API void hd_ticker_reset(struct hd_ticker *ticker, int64_t ns);

/* Stop it and free it, its channel, too; NULL is allowed. */
HD_API void hd_ticker_free(struct hd_ticker *ticker);

HD_END_DECLS

#endif /* HEDDLE_TIME_H */
