/* time.c - see time.h. Timers and tickers are channels or functions behind a struct hdi_timer. */
#include <heddle/time.h>

#include <stdatomic.h>
#include <stdlib.h>

#include <heddle/errors.h>
#include <heddle/panic.h>

#include "chan_inside.h"
#include "leak_ledger.h"
#include "misuse.h"
#include "spawn.h"
#include "timer.h"

struct hd_timer {
    struct hdi_timer timer; /* first: an address for both */
    _Atomic uint32_t refs;  /* the maker's, and one a firing in progress */
    struct hd_chan *chan;   /* or fn */
    void (*fn)(void *arg);
    void *arg;
    const void *site; /* of its making */
    void *check;      /* whom its maker works for */
    bool forgotten;   /* the maker's reference goes with the next firing */
};

struct hd_ticker {
    struct hdi_timer timer;
    struct hd_chan *chan;
    struct hdi_owed stop;
    const void *site; /* of its making */
};

int64_t hd_now(void)
{
    return hdi_now_ns();
}

void hd_sleep(int64_t ns)
{
    struct hdi_why why = {HD_EV_SLEEP, NULL, HDI_SITE()};
    struct hdi_parker parker;

    hdi_point(&why);
    if (ns <= 0)
        return;
    hdi_parker_init(&parker);
    hdi_park(&parker, &why, hdi_in_ns(ns));
}

static void op_point(const void *object, const void *site)
{
    struct hdi_why why = {HD_EV_HD_TIMER, object, site};

    hdi_point(&why);
}

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);

    if (!memory)
        hd_panic_err(hd_out_of_memory);
    hdi_hide(memory, bytes);
    return memory;
}

static struct hd_chan *time_chan(void *owner, const void *site)
{
    struct hd_chan *chan = hdi_chan_make("time", sizeof(int64_t), 1, site);

    if (!chan) {
        free(owner);
        hd_panic_err(hd_out_of_memory);
    }
    hdi_tell_units(chan, HD_SEAM_UNITS_OPEN);
    return chan;
}

static void unref(struct hd_timer *timer)
{
    if (atomic_fetch_sub(&timer->refs, 1) != 1)
        return;
    if (hdi_seam)
        hdi_seam->gone(timer, timer->site);
    hd_chan_unref(timer->chan);
    hdi_to_be_freed(&timer->refs);
    free(timer);
}

static void unref_job(void *arg)
{
    unref(arg);
}

static void run_fn(void *arg)
{
    struct hd_timer *timer = arg;
    void (*fn)(void *) = timer->fn;
    void *fn_arg = timer->arg;

    hdi_acquire(timer);
    unref(timer);
    fn(fn_arg);
}

static void start_fn(void *arg)
{
    struct hd_timer *timer = arg;
    void *check = hdi_check_swap(timer->check);
    hd_err err = hdi_go(NULL, run_fn, timer, HDI_SHOWN(timer->fn), timer->site);

    hdi_check_swap(check);
    if (err)
        hd_panic_err(err);
}

static struct hdi_job timer_due(struct hdi_timer *at, int64_t now_ns)
{
    struct hd_timer *timer = (struct hd_timer *)at;
    bool forgotten = timer->forgotten;

    timer->forgotten = false;
    if (timer->chan) {
        hdi_chan_post(timer->chan, &now_ns, timer);
        return (struct hdi_job){forgotten ? unref_job : NULL, timer};
    }
    if (!forgotten)
        atomic_fetch_add(&timer->refs, 1);
    return (struct hdi_job){start_fn, timer};
}

static bool drain_timer(struct hdi_timer *at)
{
    struct hd_timer *timer = (struct hd_timer *)at;

    return timer->chan && hdi_chan_drain(timer->chan);
}

static struct hd_timer *make_timer(void (*fn)(void *arg), void *arg, const void *site)
{
    struct hd_timer *timer = allocate(sizeof *timer);

    timer->timer.object = timer;
    timer->timer.due = timer_due;
    timer->fn = fn;
    timer->arg = arg;
    timer->site = site;
    timer->check = hdi_check_now();
    hdi_allocated(&timer->refs);
    atomic_store(&timer->refs, 1);
    if (!fn)
        timer->chan = time_chan(timer, site);
    if (hdi_seam)
        hdi_seam->born(HD_OB_TIMER, timer, NULL, site);
    return timer;
}

struct hd_timer *hd_timer_make(int64_t ns)
{
    struct hd_timer *timer = make_timer(NULL, NULL, HDI_SITE());

    op_point(timer, timer->site);
    hdi_timer_start(&timer->timer, hdi_in_ns(ns), 0, NULL, timer->site);
    return timer;
}

struct hd_timer *hd_after_func(int64_t ns, void (*fn)(void *arg), void *arg)
{
    const void *site = HDI_SITE();
    struct hd_timer *timer;

    if (!fn)
        hdi_misuse("timer of a nil func value", NULL, site);
    timer = make_timer(fn, arg, site);
    op_point(timer, site);
    hdi_timer_start(&timer->timer, hdi_in_ns(ns), 0, NULL, site);
    return timer;
}

struct hd_chan *hd_after(int64_t ns)
{
    struct hd_timer *timer = make_timer(NULL, NULL, HDI_SITE());
    struct hd_chan *chan = hd_chan_ref(timer->chan);

    op_point(timer, timer->site);
    timer->forgotten = true;
    hdi_timer_start(&timer->timer, hdi_in_ns(ns), 0, NULL, timer->site);
    return chan;
}

struct hd_chan *hd_timer_chan(const struct hd_timer *timer)
{
    return timer->chan;
}

bool hd_timer_stop(struct hd_timer *timer)
{
    op_point(timer, HDI_SITE());
    return hdi_timer_stop(&timer->timer, drain_timer);
}

bool hd_timer_reset(struct hd_timer *timer, int64_t ns)
{
    const void *site = HDI_SITE();

    op_point(timer, site);
    return hdi_timer_start(&timer->timer, hdi_in_ns(ns), 0, drain_timer, site);
}

void hd_timer_free(struct hd_timer *timer)
{
    if (!timer)
        return;
    op_point(timer, HDI_SITE());
    hdi_timer_stop(&timer->timer, drain_timer);
    unref(timer);
}

static void forget(struct hdi_timer *at)
{
    ((struct hd_timer *)at)->forgotten = true;
}

void hd_timer_forget(struct hd_timer *timer)
{
    op_point(timer, HDI_SITE());
    if (!hdi_timer_if_pending(&timer->timer, forget))
        unref(timer);
}

static struct hdi_job tick(struct hdi_timer *at, int64_t now_ns)
{
    struct hd_ticker *ticker = (struct hd_ticker *)at;

    hdi_chan_post(ticker->chan, &now_ns, ticker);
    return (struct hdi_job){NULL, NULL};
}

static bool drain_ticker(struct hdi_timer *at)
{
    return hdi_chan_drain(((struct hd_ticker *)at)->chan);
}

struct hd_ticker *hd_ticker_make(int64_t ns)
{
    const void *site = HDI_SITE();
    struct hd_ticker *ticker;

    if (ns <= 0)
        hdi_misuse("non-positive interval for NewTicker", NULL, site);
    ticker = allocate(sizeof *ticker);
    ticker->timer.object = ticker;
    ticker->timer.due = tick;
    hdi_allocated(&ticker->chan);
    ticker->chan = time_chan(ticker, site);
    if (hdi_seam)
        hdi_seam->born(HD_OB_TICKER, ticker, NULL, site);
    ticker->site = site;
    hdi_owe(&ticker->stop, HD_OB_TICKER, ticker, NULL, site);
    op_point(ticker, site);
    hdi_timer_start(&ticker->timer, hdi_in_ns(ns), ns, NULL, site);
    return ticker;
}

struct hd_chan *hd_ticker_chan(const struct hd_ticker *ticker)
{
    return ticker->chan;
}

void hd_ticker_stop(struct hd_ticker *ticker)
{
    op_point(ticker, HDI_SITE());
    hdi_timer_stop(&ticker->timer, drain_ticker);
    hdi_settle(&ticker->stop, ticker);
}

void hd_ticker_reset(struct hd_ticker *ticker, int64_t ns)
{
    const void *site = HDI_SITE();

    if (ns <= 0)
        hdi_misuse("non-positive interval for Ticker.Reset", ticker, site);
    op_point(ticker, site);
    hdi_owe(&ticker->stop, HD_OB_TICKER, ticker, NULL, ticker->site);
    hdi_timer_start(&ticker->timer, hdi_in_ns(ns), ns, drain_ticker, site);
}

void hd_ticker_free(struct hd_ticker *ticker)
{
    const void *site = HDI_SITE();

    if (!ticker)
        return;
    op_point(ticker, site);
    hdi_timer_stop(&ticker->timer, drain_ticker);
    hdi_settle(&ticker->stop, ticker);
    if (hdi_seam)
        hdi_seam->gone(ticker, site);
    hd_chan_unref(ticker->chan);
    hdi_to_be_freed(&ticker->chan);
    free(ticker);
}
