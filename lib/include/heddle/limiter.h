/* limiter.h - a token bucket: so many events a second, bursts up to so many. Go's x/time/rate.
 *
 * A bucket holds at most `burst` tokens, starts full and is refilled at `limit` tokens a second. An
 * event of size n takes n tokens: at once or not at all (allow), or by going into debt and waiting
 * until it is paid (reserve, wait).
 *   time       monotonic nanoseconds, as hd_now() gives them; ..._at functions take the instant
 *              from the caller, in any order: time that goes back is taken for time that stands
 *              still
 *   ownership  embed it; it holds no memory
 *   threads    any
 *   blocks     only wait ("select")
 * source: Go package golang.org/x/time/rate.
 */
#ifndef HEDDLE_LIMITER_H
#define HEDDLE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/context.h>
#include <heddle/errors.h>
#include <heddle/mutex.h>

HD_BEGIN_DECLS

struct hd_limiter {
    struct hd_mutex lock; /* private, as the rest: guards what follows */
    double limit;         /* tokens a second */
    int burst;
    double tokens;    /* at last_ns; negative while reservations are unpaid */
    int64_t last_ns;  /* when tokens was true */
    int64_t event_ns; /* the latest instant at which a reservation may act */
};

/* No limit: every event is allowed, whatever the burst. */
#define HD_LIMIT_INFINITE (__builtin_inf())
#define HD_DELAY_INFINITE INT64_MAX

/* limit: events a second, 0 for none beyond the first burst, negative counts as 0; burst >= 0.
 * Go: NewLimiter */
HD_API void hd_limiter_init(struct hd_limiter *limiter, double limit, int burst);

/* The limit of one event each interval_ns; infinite if that is not positive.  Go: Every */
HD_API double hd_limit_every(int64_t interval_ns);

/* Take n tokens now if they are there; whether they were.  Go: Allow, AllowN */
HD_API HD_MUST_USE bool hd_limiter_allow(struct hd_limiter *limiter);
HD_API HD_MUST_USE bool hd_limiter_allow_at(struct hd_limiter *limiter, int64_t at_ns, int n);

/* A promise that an event may happen after a delay; a plain value. */
struct hd_reservation {
    struct hd_limiter *limiter; /* borrowed; the rest is private */
    bool ok;
    int tokens;
    int64_t act_ns;
    double limit; /* when it was made: it may change later */
};

/* Take n tokens, into debt if need be. Not ok if n is more than the burst: then nothing is taken.
 * Go: Reserve, ReserveN, Reservation.OK */
HD_API struct hd_reservation hd_limiter_reserve(struct hd_limiter *limiter);
HD_API struct hd_reservation hd_limiter_reserve_at(struct hd_limiter *limiter, int64_t at_ns,
                                                   int n);

/* Nanoseconds to wait before acting; 0 at once, HD_DELAY_INFINITE if not ok or never.  Go: Delay,
 * DelayFrom */
HD_API int64_t hd_reservation_delay(const struct hd_reservation *reservation);
HD_API int64_t hd_reservation_delay_from(const struct hd_reservation *reservation, int64_t at_ns);

/* The event will not happen: give back the tokens that no later reservation counts on. Nothing
 * happens if its time has come.  Go: Cancel, CancelAt */
HD_API void hd_reservation_cancel(struct hd_reservation *reservation);
HD_API void hd_reservation_cancel_at(struct hd_reservation *reservation, int64_t at_ns);

/* Wait until n tokens are paid: with a limit of 0 and no tokens left, until the context ends.
 *   errs  HD_ERR_LIMIT "rate: Wait(n=N) exceeds limiter's burst B", at once
 *         HD_ERR_LIMIT "rate: Wait(n=N) would exceed context deadline", at once
 *         the context's error if it ends first; the tokens are given back
 * Go: Wait, WaitN */
HD_API HD_MUST_USE hd_err hd_limiter_wait(struct hd_limiter *limiter, struct hd_context *ctx);
HD_API HD_MUST_USE hd_err hd_limiter_wait_n(struct hd_limiter *limiter, struct hd_context *ctx,
                                            int n);

/* Change the limit or the burst; reservations already made keep their times.
 * Go: SetLimit, SetLimitAt, SetBurst, SetBurstAt */
HD_API void hd_limiter_set_limit(struct hd_limiter *limiter, double limit);
HD_API void hd_limiter_set_limit_at(struct hd_limiter *limiter, int64_t at_ns, double limit);
HD_API void hd_limiter_set_burst(struct hd_limiter *limiter, int burst);
HD_API void hd_limiter_set_burst_at(struct hd_limiter *limiter, int64_t at_ns, int burst);

/* Go: Limit, Burst, Tokens, TokensAt */
HD_API double hd_limiter_limit(struct hd_limiter *limiter);
HD_API int hd_limiter_burst(struct hd_limiter *limiter);
HD_API double hd_limiter_tokens(struct hd_limiter *limiter);
HD_API double hd_limiter_tokens_at(struct hd_limiter *limiter, int64_t at_ns);

HD_END_DECLS

#endif /* HEDDLE_LIMITER_H */
