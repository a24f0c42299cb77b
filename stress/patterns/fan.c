/* fan.c - fan-out and fan-in, with a context, without one, and with one that is half heeded. */
#include "suite/suite.h"

#include <heddle/select.h>
#include <heddle/waitgroup.h>

#define MOST 4

struct link {
    struct hd_context *ctx;
    struct hd_chan *in, *out;
    struct hd_wg *wg;
    int count;
};

static struct link *link_new(struct hd_context *ctx, struct hd_chan *in, struct hd_chan *out)
{
    struct link *l = KEEP(struct link);

    *l = (struct link){.ctx = ctx, .in = in, .out = out};
    return l;
}

/* Whether it was sent; false when the context has ended. */
static bool send_or_done(struct link *l, int value)
{
    return HD_SELECT(HD_SEND(l->out, &value), HD_RECV(hd_context_done(l->ctx), NULL)) == 0;
}

/* Receives in a select, too: guide 000. */
static void careful_worker(void *arg)
{
    struct link *l = arg;

    for (;;) {
        int value;
        bool ok;
        if (HD_SELECT(HD_RECV_OK(l->in, &value, &ok), HD_RECV(hd_context_done(l->ctx), NULL)) ==
                1 ||
            !ok || !send_or_done(l, value * 2))
            break;
    }
    hd_chan_close(l->out);
}

static void careful_multiplex(void *arg)
{
    struct link *l = arg;

    for (;;) {
        int value;
        bool ok;
        if (HD_SELECT(HD_RECV_OK(l->in, &value, &ok), HD_RECV(hd_context_done(l->ctx), NULL)) ==
                1 ||
            !ok || !send_or_done(l, value))
            break;
    }
    hd_wg_done(l->wg);
}

/* Selects only when it sends: guide 004. */
static void hasty_worker(void *arg)
{
    struct link *l = arg;

    HD_RANGE(int, value, l->in)
    {
        if (!send_or_done(l, value * 2))
            break;
    }
    hd_chan_close(l->out);
}

static void hasty_multiplex(void *arg)
{
    struct link *l = arg;

    HD_RANGE(int, value, l->in)
    {
        if (!send_or_done(l, value))
            break;
    }
    hd_wg_done(l->wg);
}

/* Never selects: guide 001. */
static void plain_worker(void *arg)
{
    struct link *l = arg;

    HD_RANGE(int, value, l->in)
    {
        int doubled = value * 2;
        hd_chan_send(l->out, &doubled);
    }
    hd_chan_close(l->out);
}

static void plain_multiplex(void *arg)
{
    struct link *l = arg;

    HD_RANGE(int, value, l->in)
    hd_chan_send(l->out, &value);
    hd_wg_done(l->wg);
}

static void close_when_done(void *arg)
{
    struct link *l = arg;

    hd_wg_wait(l->wg);
    hd_chan_close(l->out);
}

/* The whole of it; the merged output. */
static struct hd_chan *fan(struct hd_context *ctx, struct hd_chan *input, int workers,
                           void (*worker)(void *), void (*multiplex)(void *))
{
    struct hd_chan *output = CHAN(int, 0), *between[MOST];
    struct hd_wg *wg = KEEP(struct hd_wg);
    struct link *closer = link_new(ctx, NULL, output);

    for (int i = 0; i < workers; i++) {
        between[i] = CHAN(int, 0);
        GO(worker, link_new(ctx, input, between[i]));
    }
    hd_wg_add(wg, workers);
    for (int i = 0; i < workers; i++) {
        struct link *l = link_new(ctx, between[i], output);
        l->wg = wg;
        GO(multiplex, l);
    }
    closer->wg = wg;
    GO(close_when_done, closer);
    return output;
}

static void send_all(void *arg)
{
    struct link *l = arg;

    for (int i = 0; i < l->count; i++)
        hd_chan_send(l->out, &i);
    hd_chan_close(l->out);
}

static void send_all_or_done(void *arg)
{
    struct link *l = arg;

    for (int i = 0; i < l->count; i++)
        if (!send_or_done(l, i))
            break;
    hd_chan_close(l->out);
}

static struct hd_chan *source(struct hd_context *ctx, int count, void (*sender)(void *))
{
    struct link *l = link_new(ctx, NULL, CHAN(int, 0));

    l->count = count;
    GO(sender, l);
    return l->out;
}

static void expect_all(struct hd_chan *results, int count)
{
    struct tally done = {0};

    HD_RANGE(int, result, results)
    tally(&done, result / 2);
    assert(tally_count(&done) == count);
}

void fan_context_as_written(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    int items = draw(0, 5);
    struct hd_chan *input = source(ctx, items, send_all);

    expect_all(fan(ctx, input, draw(1, 3), careful_worker, careful_multiplex), items);
    hd_context_end(ctx);
    all_gone();
}

void fan_context_left_early(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct hd_chan *input = source(ctx, 9, send_all);
    struct hd_chan *results = fan(ctx, input, draw(1, 2), careful_worker, careful_multiplex);

    hd_chan_recv(results, NULL);
    hd_context_end(ctx);
}

void fan_context_mended(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    int wanted = draw(0, 3);
    struct hd_chan *input = source(ctx, 9, send_all_or_done);
    struct hd_chan *results = fan(ctx, input, draw(1, 3), careful_worker, careful_multiplex);

    for (int i = 0; i < wanted; i++)
        hd_chan_recv(results, NULL);
    hd_context_end(ctx);
    all_gone();
}

void fan_plain_as_written(void)
{
    int items = draw(0, 5);
    struct hd_chan *input = source(NULL, items, send_all);

    expect_all(fan(NULL, input, draw(1, 3), plain_worker, plain_multiplex), items);
    all_gone();
}

void fan_plain_left_early(void)
{
    struct hd_chan *input = source(NULL, 9, send_all);

    hd_chan_recv(fan(NULL, input, draw(1, 2), plain_worker, plain_multiplex), NULL);
}

void fan_timeout_as_written(void)
{
    struct hd_context *ctx =
        keep_context(hd_context_with_timeout(hd_context_background(), span(5 * HD_SECOND)));
    struct hd_chan *input = source(ctx, 5, send_all);

    expect_all(fan(ctx, input, 3, hasty_worker, hasty_multiplex), 5);
    hd_context_end(ctx);
    all_gone();
}

void fan_timeout_slow_consumer(void)
{
    struct hd_context *ctx =
        keep_context(hd_context_with_timeout(hd_context_background(), span(5 * HD_SECOND)));
    struct hd_chan *input = source(ctx, 9, send_all);
    struct hd_chan *results = fan(ctx, input, draw(1, 3), hasty_worker, hasty_multiplex);

    HD_RANGE(int, result, results)
    hd_sleep(span(2 * HD_SECOND));
    hd_context_end(ctx);
}

void fan_timeout_mended(void)
{
    struct hd_context *ctx =
        keep_context(hd_context_with_timeout(hd_context_background(), span(5 * HD_SECOND)));
    int64_t start = hd_now();
    struct hd_chan *input = source(ctx, 9, send_all_or_done);
    struct hd_chan *results = fan(ctx, input, draw(1, 3), careful_worker, careful_multiplex);

    HD_RANGE(int, result, results)
    hd_sleep(span(2 * HD_SECOND));
    assert(hd_now() - start >= span(5 * HD_SECOND));
    hd_context_end(ctx);
    all_gone();
}
