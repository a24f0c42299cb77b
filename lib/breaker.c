/* breaker.c - see breaker.h. */
#include <heddle/breaker.h>

#include "inner_lock.h"
#include "unwind.h"

struct call {
    hd_err (*fn)(struct hd_context *ctx, void *arg);
    struct hd_context *ctx;
    void *arg;
    hd_err err;
};

void hd_breaker_init(struct hd_breaker *breaker, int most_failures, int64_t reset_ns,
                     int64_t timeout_ns)
{
    *breaker = (struct hd_breaker){.most_failures = most_failures < 1 ? 1 : most_failures,
                                   .reset_ns = reset_ns < 0 ? 0 : reset_ns,
                                   .timeout_ns = timeout_ns < 0 ? 0 : timeout_ns};
}

/* With the lock held. */
static void change(struct hd_breaker *breaker, enum hd_breaker_state state)
{
    breaker->state = state;
    breaker->failures = 0;
    breaker->trial = false;
    breaker->era++;
    if (state == HD_BREAKER_OPEN)
        breaker->opened_ns = hdi_now_ns();
}

static void look_at_clock(struct hd_breaker *breaker)
{
    if (breaker->state == HD_BREAKER_OPEN && hdi_now_ns() - breaker->opened_ns >= breaker->reset_ns)
        change(breaker, HD_BREAKER_HALF_OPEN);
}

static void lock(struct hd_breaker *breaker, const void *site)
{
    struct hdi_why why = {HD_EV_HD_OTHER, breaker, site};

    hdi_point(&why);
    hdi_hide(breaker, sizeof *breaker);
    hdi_inner_lock(&breaker->lock);
}

static bool let_through(struct hd_breaker *breaker, uint64_t *era, const void *site)
{
    bool open;

    lock(breaker, site);
    look_at_clock(breaker);
    open = breaker->state == HD_BREAKER_OPEN ||
           (breaker->state == HD_BREAKER_HALF_OPEN && breaker->trial);
    if (!open && breaker->state == HD_BREAKER_HALF_OPEN)
        breaker->trial = true;
    *era = breaker->era;
    hdi_inner_unlock(&breaker->lock);
    return !open;
}

static void count(struct hd_breaker *breaker, uint64_t era, bool failed, const void *site)
{
    lock(breaker, site);
    if (breaker->era == era) {
        bool trial = breaker->state == HD_BREAKER_HALF_OPEN;
        if (failed && (trial || ++breaker->failures >= breaker->most_failures))
            change(breaker, HD_BREAKER_OPEN);
        else if (!failed && trial)
            change(breaker, HD_BREAKER_CLOSED);
        else if (!failed)
            breaker->failures = 0;
    }
    hdi_inner_unlock(&breaker->lock);
}

static void make(void *arg)
{
    struct call *call = arg;

    call->err = call->fn(call->ctx, call->arg);
}

hd_err hd_breaker_call(struct hd_breaker *breaker, struct hd_context *ctx,
                       hd_err (*fn)(struct hd_context *ctx, void *arg), void *arg)
{
    const void *site = HDI_SITE();
    struct call call = {.fn = fn, .ctx = ctx, .arg = arg};
    hd_err err = hd_context_err(ctx), panic = NULL;
    enum hdi_ending ending;
    uint64_t era;

    if (err)
        return err;
    if (!let_through(breaker, &era, site))
        return hd_circuit_open;
    if (breaker->timeout_ns > 0)
        call.ctx = hd_context_with_timeout(ctx, breaker->timeout_ns);
    ending = hdi_catch(make, &call, &panic);
    if (call.ctx != ctx)
        hd_context_end(call.ctx);
    count(breaker, era, ending != HDI_RETURNED || call.err, site);
    hdi_carry_on(ending, panic);
    return call.err;
}

enum hd_breaker_state hd_breaker_state(struct hd_breaker *breaker)
{
    enum hd_breaker_state state;

    lock(breaker, HDI_SITE());
    look_at_clock(breaker);
    state = breaker->state;
    hdi_inner_unlock(&breaker->lock);
    return state;
}
