/* limiter.c - see limiter.h.
 *
 * Nobody fills the bucket: how much has come in since last_ns is worked out when somebody looks.
 * The lock is a leaf. Sums of instants stop at the ends of int64_t.
 */
#include <heddle/limiter.h>

#include <limits.h>
#include <math.h>

#include <heddle/select.h>

#include "inner_lock.h"

static int64_t later(int64_t at_ns, int64_t by_ns)
{
    int64_t sum;

    if (__builtin_add_overflow(at_ns, by_ns, &sum))
        return by_ns > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

static int64_t between(int64_t from_ns, int64_t to_ns)
{
    int64_t difference;

    if (__builtin_sub_overflow(to_ns, from_ns, &difference))
        return to_ns > from_ns ? INT64_MAX : INT64_MIN;
    return difference;
}

static bool infinite(double limit)
{
    return isinf(limit) && limit > 0;
}

static int64_t time_for(double limit, double tokens)
{
    double ns;

    if (!(limit > 0))
        return HD_DELAY_INFINITE;
    ns = tokens / limit * 1e9;
    return ns >= 0x1p63 ? HD_DELAY_INFINITE : (int64_t)ns;
}

static double tokens_in(double limit, int64_t ns)
{
    return limit > 0 && ns > 0 ? (double)ns / 1e9 * limit : 0;
}

/* With the lock held: the tokens at at_ns, as if the clock stood still when it went back. */
static double advance(const struct hd_limiter *limiter, int64_t at_ns)
{
    int64_t elapsed = at_ns < limiter->last_ns ? 0 : between(limiter->last_ns, at_ns);
    double tokens = limiter->tokens + tokens_in(limiter->limit, elapsed);

    return tokens > limiter->burst ? limiter->burst : tokens;
}

static void operation(const struct hd_limiter *limiter, const void *site)
{
    struct hdi_why why = {HD_EV_HD_OTHER, limiter, site};

    hdi_point(&why);
    hdi_hide(limiter, sizeof *limiter);
}

void hd_limiter_init(struct hd_limiter *limiter, double limit, int burst)
{
    *limiter = (struct hd_limiter){.limit = limit,
                                   .burst = burst,
                                   .tokens = burst,
                                   .last_ns = INT64_MIN,
                                   .event_ns = INT64_MIN};
    hdi_hide(limiter, sizeof *limiter);
}

double hd_limit_every(int64_t interval_ns)
{
    return interval_ns > 0 ? 1e9 / (double)interval_ns : HD_LIMIT_INFINITE;
}

static struct hd_reservation reserve(struct hd_limiter *limiter, int64_t at_ns, int n,
                                     int64_t longest_ns)
{
    struct hd_reservation promise = {.limiter = limiter};

    hdi_inner_lock(&limiter->lock);
    promise.limit = limiter->limit;
    if (n < 0) {
        promise.ok = false;
    } else if (infinite(limiter->limit)) {
        promise.ok = true;
        promise.tokens = n;
        promise.act_ns = at_ns;
    } else {
        double tokens = advance(limiter, at_ns) - n;
        int64_t wait_ns = tokens < 0 ? time_for(limiter->limit, -tokens) : 0;
        promise.ok = n <= limiter->burst && wait_ns <= longest_ns;
        if (promise.ok) {
            promise.tokens = n;
            promise.act_ns = later(at_ns, wait_ns);
            limiter->last_ns = at_ns;
            limiter->tokens = tokens;
            limiter->event_ns = promise.act_ns;
        }
    }
    hdi_inner_unlock(&limiter->lock);
    return promise;
}

bool hd_limiter_allow(struct hd_limiter *limiter)
{
    operation(limiter, HDI_SITE());
    return reserve(limiter, hdi_now_ns(), 1, 0).ok;
}

bool hd_limiter_allow_at(struct hd_limiter *limiter, int64_t at_ns, int n)
{
    operation(limiter, HDI_SITE());
    return reserve(limiter, at_ns, n, 0).ok;
}

struct hd_reservation hd_limiter_reserve(struct hd_limiter *limiter)
{
    operation(limiter, HDI_SITE());
    return reserve(limiter, hdi_now_ns(), 1, HD_DELAY_INFINITE);
}

struct hd_reservation hd_limiter_reserve_at(struct hd_limiter *limiter, int64_t at_ns, int n)
{
    operation(limiter, HDI_SITE());
    return reserve(limiter, at_ns, n, HD_DELAY_INFINITE);
}

int64_t hd_reservation_delay_from(const struct hd_reservation *reservation, int64_t at_ns)
{
    int64_t delay;

    if (!reservation->ok || reservation->act_ns == INT64_MAX)
        return HD_DELAY_INFINITE;
    delay = between(at_ns, reservation->act_ns);
    return delay < 0 ? 0 : delay;
}

int64_t hd_reservation_delay(const struct hd_reservation *reservation)
{
    return hd_reservation_delay_from(reservation, hdi_now_ns());
}

static void cancel(struct hd_reservation *promise, int64_t at_ns)
{
    struct hd_limiter *limiter = promise->limiter;
    double back, tokens;

    if (!promise->ok || promise->tokens == 0 || promise->act_ns < at_ns)
        return;
    hdi_inner_lock(&limiter->lock);
    /* Later reservations count on their share of the time that this one took. */
    back = promise->tokens;
    if (limiter->event_ns > promise->act_ns)
        back -= tokens_in(promise->limit, between(promise->act_ns, limiter->event_ns));
    if (!infinite(limiter->limit) && back > 0) {
        tokens = advance(limiter, at_ns) + back;
        limiter->tokens = tokens > limiter->burst ? limiter->burst : tokens;
        limiter->last_ns = at_ns;
        if (promise->act_ns == limiter->event_ns) {
            int64_t before = later(promise->act_ns, -time_for(promise->limit, promise->tokens));
            if (before >= at_ns)
                limiter->event_ns = before;
        }
    }
    hdi_inner_unlock(&limiter->lock);
    promise->ok = false;
}

void hd_reservation_cancel(struct hd_reservation *reservation)
{
    operation(reservation->limiter, HDI_SITE());
    cancel(reservation, hdi_now_ns());
}

void hd_reservation_cancel_at(struct hd_reservation *reservation, int64_t at_ns)
{
    operation(reservation->limiter, HDI_SITE());
    cancel(reservation, at_ns);
}

static void settle(struct hd_limiter *limiter, int64_t at_ns)
{
    limiter->tokens = advance(limiter, at_ns);
    limiter->last_ns = at_ns;
}

void hd_limiter_set_limit_at(struct hd_limiter *limiter, int64_t at_ns, double limit)
{
    operation(limiter, HDI_SITE());
    hdi_inner_lock(&limiter->lock);
    settle(limiter, at_ns);
    limiter->limit = limit;
    hdi_inner_unlock(&limiter->lock);
}

void hd_limiter_set_limit(struct hd_limiter *limiter, double limit)
{
    hd_limiter_set_limit_at(limiter, hdi_now_ns(), limit);
}

void hd_limiter_set_burst_at(struct hd_limiter *limiter, int64_t at_ns, int burst)
{
    operation(limiter, HDI_SITE());
    hdi_inner_lock(&limiter->lock);
    settle(limiter, at_ns);
    limiter->burst = burst;
    hdi_inner_unlock(&limiter->lock);
}

void hd_limiter_set_burst(struct hd_limiter *limiter, int burst)
{
    hd_limiter_set_burst_at(limiter, hdi_now_ns(), burst);
}

double hd_limiter_limit(struct hd_limiter *limiter)
{
    double limit;

    operation(limiter, HDI_SITE());
    hdi_inner_lock(&limiter->lock);
    limit = limiter->limit;
    hdi_inner_unlock(&limiter->lock);
    return limit;
}

int hd_limiter_burst(struct hd_limiter *limiter)
{
    int burst;

    operation(limiter, HDI_SITE());
    hdi_inner_lock(&limiter->lock);
    burst = limiter->burst;
    hdi_inner_unlock(&limiter->lock);
    return burst;
}

double hd_limiter_tokens_at(struct hd_limiter *limiter, int64_t at_ns)
{
    double tokens;

    operation(limiter, HDI_SITE());
    hdi_inner_lock(&limiter->lock);
    tokens = advance(limiter, at_ns);
    hdi_inner_unlock(&limiter->lock);
    return tokens;
}

double hd_limiter_tokens(struct hd_limiter *limiter)
{
    return hd_limiter_tokens_at(limiter, hdi_now_ns());
}

static hd_err wait_n(struct hd_limiter *limiter, struct hd_context *ctx, int n, const void *site)
{
    struct hd_reservation promise;
    int64_t now = hdi_now_ns(), deadline, longest = HD_DELAY_INFINITE, delay;
    hd_err err;
    int burst;

    operation(limiter, site);
    hdi_inner_lock(&limiter->lock);
    burst = limiter->burst;
    if (infinite(limiter->limit))
        burst = INT_MAX;
    hdi_inner_unlock(&limiter->lock);
    if (n > burst)
        return hd_errorf(HD_ERR_LIMIT, "rate: Wait(n=%d) exceeds limiter's burst %d", n, burst);
    err = hd_context_err(ctx);
    if (err)
        return err;
    if (hd_context_deadline(ctx, &deadline))
        longest = deadline > now ? deadline - now : 0;
    promise = reserve(limiter, now, n, longest);
    if (!promise.ok)
        return hd_errorf(HD_ERR_LIMIT, "rate: Wait(n=%d) would exceed context deadline", n);
    delay = hd_reservation_delay_from(&promise, now);
    if (delay == 0)
        return NULL;
    if (HD_SELECT_TIMEOUT(delay, HD_RECV(hd_context_done(ctx), NULL)) == HD_TIMED_OUT)
        return NULL;
    cancel(&promise, hdi_now_ns());
    return hd_context_err(ctx);
}

hd_err hd_limiter_wait(struct hd_limiter *limiter, struct hd_context *ctx)
{
    return wait_n(limiter, ctx, 1, HDI_SITE());
}

hd_err hd_limiter_wait_n(struct hd_limiter *limiter, struct hd_context *ctx, int n)
{
    return wait_n(limiter, ctx, n, HDI_SITE());
}
