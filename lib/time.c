/* time.c - see time.h. Timers and tickers are channels or functions behind a struct hdi_timer. */
#include <heddle/time.h>

#include <stdatomic.h>
#include <stdlib.h>

#include <heddle/errors.h>
#include <heddle/panic.h>

#include "chan_inside.h"
#include "graveyard.h"
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
    bool forgotten;   /* of fn: the maker's reference goes with the next firing */
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

/* The point of an operation on a timer that was not freed, as far as its memory still tells. */
static void timer_point(struct hd_timer *timer, const void *site)
{
    op_point(timer, site);
    if (atomic_load(&timer->refs) == 0)
        hdi_misuse("use of a timer that was freed", timer, site);
}

static void ticker_point(struct hd_ticker *ticker, const void *site)
{
    op_point(ticker, site);
    if (!ticker->chan)
        hdi_misuse("use of a ticker that was freed", ticker, site);
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
    struct hd_chan *chan = hdi_chan_make_for_timer(site);

    if (!chan) {
        free(owner);
        hd_panic_err(hd_out_of_memory);
    }
    return chan;
}

static void end_timer(struct hd_timer *timer)
{
    if (hdi_seam)
        hdi_seam->gone(timer, timer->site);
    hdi_to_be_freed(&timer->refs);
    hdi_bury(timer, sizeof *timer);
}

static void unref(struct hd_timer *timer)
{
    struct hd_chan *chan = timer->chan;

    if (atomic_fetch_sub(&timer->refs, 1) != 1)
        return;
    end_timer(timer);
    hd_chan_unref(chan);
}

/* The last reference to its channel has gone: nobody can see it fire. */
static void end_with_channel(void *arg)
{
    struct hd_timer *timer = arg;

    hdi_timer_stop(&timer->timer, NULL);
    end_timer(timer);
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
    hd_err err = hdi_go(&(struct hdi_start){
        .fn = run_fn, .arg = timer, .shown = HDI_SHOWN(timer->fn), .site = timer->site});

    hdi_check_swap(check);
    if (err)
        hd_panic_err(err);
}

static struct hdi_job timer_due(struct hdi_timer *at, int64_t now_ns)
{
    struct hd_timer *timer = (struct hd_timer *)at;
    if (timer->chan) {
        hdi_chan_post(timer->chan, &now_ns, timer);
        return (struct hdi_job){NULL, NULL};
    }
    if (!timer->forgotten)
        atomic_fetch_add(&timer->refs, 1);
    timer->forgotten = false;
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
    struct hd_chan *chan = timer->chan;

    op_point(timer, timer->site);
    hdi_timer_start(&timer->timer, hdi_in_ns(ns), 0, NULL, timer->site);
    hdi_chan_ends_with(chan, end_with_channel, timer);
    return chan;
}

struct hd_chan *hd_timer_chan(const struct hd_timer *timer)
{
    return timer->chan;
}

bool hd_timer_stop(struct hd_timer *timer)
{
    timer_point(timer, HDI_SITE());
    return hdi_timer_stop(&timer->timer, drain_timer);
}

bool hd_timer_reset(struct hd_timer *timer, int64_t ns)
{
    const void *site = HDI_SITE();

    timer_point(timer, site);
    return hdi_timer_start(&timer->timer, hdi_in_ns(ns), 0, drain_timer, site);
}

void hd_timer_free(struct hd_timer *timer)
{
    if (!timer)
        return;
    timer_point(timer, HDI_SITE());
    hdi_timer_stop(&timer->timer, drain_timer);
    unref(timer);
}

static void forget(struct hdi_timer *at)
{
    ((struct hd_timer *)at)->forgotten = true;
}

void hd_timer_forget(struct hd_timer *timer)
{
    timer_point(timer, HDI_SITE());
    if (timer->chan) {
        hdi_chan_ends_with(timer->chan, end_with_channel, timer);
        hd_chan_unref(timer->chan);
    } else if (!hdi_timer_if_pending(&timer->timer, forget)) {
        unref(timer);
    }
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
    ticker_point(ticker, HDI_SITE());
    hdi_timer_stop(&ticker->timer, drain_ticker);
    hdi_settle(&ticker->stop, ticker);
}

void hd_ticker_reset(struct hd_ticker *ticker, int64_t ns)
{
    const void *site = HDI_SITE();

    if (ns <= 0)
        hdi_misuse("non-positive interval for Ticker.Reset", ticker, site);
    ticker_point(ticker, site);
    hdi_owe(&ticker->stop, HD_OB_TICKER, ticker, NULL, ticker->site);
    hdi_timer_start(&ticker->timer, hdi_in_ns(ns), ns, drain_ticker, site);
}

void hd_ticker_free(struct hd_ticker *ticker)
{
    const void *site = HDI_SITE();

    if (!ticker)
        return;
    ticker_point(ticker, site);
    hdi_timer_stop(&ticker->timer, drain_ticker);
    hdi_settle(&ticker->stop, ticker);
    if (hdi_seam)
        hdi_seam->gone(ticker, site);
    hd_chan_unref(ticker->chan);
    ticker->chan = NULL;
    hdi_to_be_freed(&ticker->chan);
    hdi_bury(ticker, sizeof *ticker);
}
