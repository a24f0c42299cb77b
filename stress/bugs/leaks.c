/* leaks.c - what nobody cancels, stops or closes, although no goroutine is left behind. */
#include "bug.h"

#include <stdlib.h>

#include <heddle/errgroup.h>
#include <heddle/owner.h>
#include <heddle/pool.h>
#include <heddle/workerpool.h>

static void answer_or_end(void *arg)
{
    struct box *b = arg;
    int answer = 42;

    HD_SELECT(HD_SEND(b->a, &answer), HD_RECV(hd_context_done(b->ctx), NULL));
    hd_wg_done(&b->wg);
}

/* The answer came, so nobody thinks of the cancel; a long-lived parent keeps the child for ever. */
BUG(answered_and_not_cancelled)
{
    struct box *b = box_new(right);
    int answer;

    b->a = CHAN(int, 0);
    b->ctx = hd_context_with_cancel(hd_context_background());
    hd_wg_add(&b->wg, 1);
    GO(answer_or_end, b);
    hd_chan_recv(b->a, &answer);
    assert(answer == 42);
    hd_wg_wait(&b->wg);
    if (right)
        hd_context_end(b->ctx);
}

static void count_ticks(void *arg)
{
    struct box *b = arg;
    struct hd_ticker *ticker = hd_ticker_make(span(HD_SECOND));

    for (int i = 0; i < 3; i++)
        hd_chan_recv(hd_ticker_chan(ticker), NULL);
    if (b->right)
        hd_ticker_free(ticker);
    hd_wg_done(&b->wg);
}

/* Go collects it since 1.23; here it ticks on. */
BUG(ticker_left_ticking)
{
    struct box *b = box_new(right);

    hd_wg_add(&b->wg, 1);
    GO(count_ticks, b);
    hd_wg_wait(&b->wg);
}

static void stop_ticker(void *ticker)
{
    hd_ticker_stop(ticker);
}

/* Stopped, and wound up again by somebody who came later. */
BUG(ticker_reset_after_stop)
{
    struct box *b = box_new(right);
    struct hd_ticker *ticker = hd_ticker_make(span(HD_SECOND));

    hd_chan_recv(hd_ticker_chan(ticker), NULL);
    started(hd_wg_go(&b->wg, stop_ticker, ticker));
    hd_wg_wait(&b->wg);
    if (!right)
        hd_ticker_reset(ticker, span(HD_SECOND));
}

static void *make_page(void *arg)
{
    (void)arg;
    return malloc(64);
}

static void drop_page(void *page, void *arg)
{
    (void)arg;
    free(page);
}

struct pages {
    struct box *box;
    struct hd_pool pool;
};

static void fill_page(void *arg)
{
    struct pages *pages = arg;

    hd_pool_put(&pages->pool, hd_pool_get(&pages->pool));
    hd_wg_done(&pages->box->wg);
}

/* A pool of its own for each request: what it keeps is lost with it. */
BUG(pool_of_a_request)
{
    struct pages pages = {.box = box_new(right)};

    started(hd_pool_init(&pages.pool, make_page, drop_page, NULL));
    hd_wg_add(&pages.box->wg, 2);
    GO(fill_page, &pages);
    GO(fill_page, &pages);
    hd_wg_wait(&pages.box->wg);
    if (right)
        hd_pool_destroy(&pages.pool);
}

static hd_err no_work(struct hd_context *ctx, void *job, void **result, void *arg)
{
    (void)ctx, (void)job, (void)result, (void)arg;
    return NULL;
}

/* The workers end with the context; the pool does not. */
BUG(workers_ended_pool_not_closed)
{
    struct box *b = box_new(right);
    struct hd_workerpool_options options = {.workers = 2, .queue = 1, .work = no_work};
    struct hd_workerpool *pool;

    b->ctx = hd_context_with_cancel(hd_context_background());
    started(hd_workerpool_start(&pool, b->ctx, &options));
    started(hd_workerpool_submit(pool, b));
    hd_context_end(b->ctx);
    if (right)
        hd_err_unref(hd_workerpool_close(pool));
}

/* The same of an owner. */
BUG(owner_not_ended)
{
    struct box *b = box_new(right);
    struct hd_owner *owner;

    b->ctx = hd_context_with_cancel(hd_context_background());
    started(hd_owner_start(&owner, b->ctx, b));
    hd_context_end(b->ctx);
    if (right)
        hd_owner_end(owner);
}

static hd_err look_up(void *arg)
{
    hd_context_err(((struct box *)arg)->ctx);
    return NULL;
}

/* Without the wait nobody ends the group's context. */
BUG(group_not_waited_for)
{
    struct box *b = box_new(right);
    struct hd_errgroup group = HD_ERRGROUP_INIT;

    b->ctx = hd_errgroup_with_context(&group, hd_context_background());
    hd_errgroup_go(&group, look_up, b);
    all_gone();
    if (right)
        hd_err_unref(hd_errgroup_wait(&group));
}

static void renew(void *arg)
{
    struct hd_context *lease = arg;

    hd_chan_recv(hd_context_done(lease), NULL);
    hd_context_unref(lease);
}

/* A goroutine for each lease, and the last lease is given up without a cancel. */
BUG(lease_dropped)
{
    struct box *b = box_new(right);
    struct hd_context *lease = hd_context_with_cancel(hd_context_background());

    GO(renew, hd_context_ref(lease));
    (void)b;
    if (right)
        hd_context_cancel(lease);
    hd_context_unref(lease);
}
