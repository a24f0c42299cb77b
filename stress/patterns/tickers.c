/* tickers.c - periodic work: goroutines that cannot be stopped, tickers, and timers made in a loop.
 */
#include "suite/suite.h"

#include <heddle/select.h>

struct periodic {
    struct hd_context *ctx;
    struct hd_chan *ended;
    int64_t every;
    int polls;
};

static struct periodic *periodic_new(int64_t every)
{
    struct periodic *p = KEEP(struct periodic);

    p->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    p->ended = SIGNAL(0);
    p->every = span(every);
    return p;
}

static void tick_until_done(void *arg)
{
    struct periodic *p = arg;
    struct hd_ticker *ticker = hd_ticker_make(p->every);

    while (HD_SELECT(HD_RECV(hd_context_done(p->ctx), NULL),
                     HD_RECV(hd_ticker_chan(ticker), NULL)) == 1)
        p->polls++;
    hd_ticker_free(ticker);
    hd_chan_close(p->ended);
}

static void stop_and_check(struct periodic *p, int64_t ran, int least)
{
    hd_context_cancel(p->ctx);
    hd_chan_recv(p->ended, NULL);
    assert(p->polls >= least && p->polls <= (int)(ran / p->every) + 1);
    hd_context_end(p->ctx);
    all_gone();
}

/* A quarter of the ticks at least: natively a busy machine may drop some. */
static void ticker_usage(int64_t every, void (*loop)(void *))
{
    struct periodic *p = periodic_new(every);
    int64_t start = hd_now();
    int ticks = draw(0, 20);

    GO(loop, p);
    hd_sleep(p->every * ticks);
    hd_sleep(p->every / 2);
    stop_and_check(p, hd_now() - start, span(HD_SECOND) == HD_SECOND && ticks ? ticks - 1 : 0);
}

void ticker_goroutine(void)
{
    ticker_usage(250 * HD_MILLISECOND, tick_until_done);
}

void ticker_loop(void)
{
    ticker_usage(HD_SECOND, tick_until_done);
}

static void after_until_done(void *arg)
{
    struct periodic *p = arg;

    for (;;) {
        struct hd_chan *after = hd_after(p->every);
        int chosen = HD_SELECT(HD_RECV(hd_context_done(p->ctx), NULL), HD_RECV(after, NULL));
        hd_chan_unref(after);
        if (chosen == 0)
            break;
        p->polls++;
    }
    hd_chan_close(p->ended);
}

void timer_in_loop(void)
{
    ticker_usage(HD_SECOND, after_until_done);
}

/* What the guide warns of is so no more: each turn of a busy loop makes a timer, which goes when its
 * channel is given up. */
struct busy {
    struct hd_chan *messages, *ended;
    struct hd_context *ctx;
};

static void busy_loop(void *arg)
{
    struct busy *b = arg;

    for (;;) {
        struct hd_chan *idle = hd_after(span(HD_HOUR));
        int chosen = HD_SELECT(HD_RECV(hd_context_done(b->ctx), NULL), HD_RECV(b->messages, NULL),
                               HD_RECV(idle, NULL));
        hd_chan_unref(idle);
        if (chosen != 1)
            break;
    }
    hd_chan_close(b->ended);
}

void timer_in_busy_loop(void)
{
    struct busy *b = KEEP(struct busy);

    b->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    b->messages = SIGNAL(4);
    b->ended = SIGNAL(0);
    GO(busy_loop, b);
    for (int i = 0; i < 12; i++)
        hd_chan_send(b->messages, NULL);
    while (hd_chan_len(b->messages))
        hd_sleep(span(HD_MILLISECOND));
    hd_context_cancel(b->ctx);
    hd_chan_recv(b->ended, NULL);
    hd_context_end(b->ctx);
}

static void work_for_ever(void *arg)
{
    struct periodic *p = arg;

    for (;;) {
        p->polls++;
        hd_sleep(p->every);
    }
}

static void abandoned_loop(int64_t every)
{
    struct periodic *p = periodic_new(every);

    GO(work_for_ever, p);
    hd_sleep(p->every * 3);
    hd_context_end(p->ctx);
    all_gone();
}

/* 002:2 and 003:10 as they stand: nobody asks whether it has ended. */
void goroutine_without_stop_bare(void)
{
    struct periodic *p = KEEP(struct periodic);

    p->every = span(10 * HD_SECOND);
    GO(work_for_ever, p);
}

void goroutine_without_stop(void)
{
    abandoned_loop(10 * HD_SECOND);
}

void sleeping_loop_without_stop(void)
{
    abandoned_loop(HD_SECOND);
}

void sleeping_loop_mended(void)
{
    ticker_usage(HD_SECOND, tick_until_done);
}
