/* ticking.c - see ticking.h. */
#include <heddle/ticking.h>

#include <heddle/panic.h>
#include <heddle/select.h>
#include <heddle/time.h>

static void free_ticker(void *ticker)
{
    hd_ticker_free(ticker);
}

hd_err hd_tick_every(struct hd_context *ctx, int64_t interval_ns,
                     hd_err (*fn)(struct hd_context *ctx, void *arg), void *arg)
{
    struct hd_deferred stop = {.fn = free_ticker};
    struct hd_ticker *ticker;
    hd_err err = NULL;

    if (interval_ns <= 0)
        return hd_invalid;
    ticker = hd_ticker_make(interval_ns);
    stop.arg = ticker;
    hdi_defer_push(&stop);
    while (!err) {
        HD_SELECT(HD_RECV(hd_ticker_chan(ticker), NULL), HD_RECV(hd_context_done(ctx), NULL));
        err = hd_context_err(ctx); /* an ended context comes before a tick */
        if (!err)
            err = fn(ctx, arg);
    }
    hdi_defer_pop(&stop);
    return err;
}
