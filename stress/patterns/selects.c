/* selects.c - channels and select by themselves; time-outs and cancellation at every step. */
#include "suite/suite.h"

#include <heddle/select.h>
#include <heddle/waitgroup.h>

HD_CHAN(numbers, int)

struct wire {
    struct hd_context *ctx;
    struct hd_chan *chan, *other, *done;
    hd_err err;
    int64_t takes;
    int count;
};

static void send_value(void *arg)
{
    struct wire *w = arg;
    int value = 7;

    hd_chan_send(w->chan, &value);
    hd_chan_close(w->chan);
}

void channel_basics(void)
{
    struct wire *w = KEEP(struct wire);
    int value, buffered = draw(1, 4);
    bool ok;

    w->chan = CHAN(int, 0);
    GO(send_value, w);
    ok = hd_chan_recv(w->chan, &value);
    assert(ok && value == 7);
    ok = hd_chan_recv(w->chan, &value);
    assert(!ok && value == 0);

    w->other = CHAN(int, (size_t)buffered);
    for (int i = 0; i < buffered; i++)
        hd_chan_send(w->other, &i);
    assert(hd_chan_len(w->other) == (size_t)buffered);
    hd_chan_close(w->other);
    for (int i = 0; i < buffered; i++) {
        ok = hd_chan_recv(w->other, &value);
        assert(ok && value == i);
    }
    assert(!hd_chan_recv(w->other, &value));
    all_gone();
}

static void producer(void *arg)
{
    numbers_tx out = *(numbers_tx *)arg;

    for (int i = 0; i < 10; i++)
        numbers_tx_send(out, i);
    numbers_tx_close(out);
}

static void consumer(numbers_rx in)
{
    int expected = 0;

    for (int value; numbers_rx_recv(in, &value); expected++)
        assert(value == expected);
    assert(expected == 10);
}

void channel_directions(void)
{
    numbers both = {keep_chan(hd_chan_make_named("numbers", sizeof(int), (size_t)draw(0, 3)))};
    numbers_tx *out = KEEP(numbers_tx);

    *out = numbers_to_tx(both);
    GO(producer, out);
    consumer(numbers_to_rx(both));
    all_gone();
}

static void send_later(void *arg)
{
    struct wire *w = arg;
    int value = 7;

    hd_sleep(span(w->takes));
    (void)HD_SELECT(HD_SEND(w->chan, &value), HD_RECV(w->done, NULL));
}

static void cancel_later(void *arg)
{
    struct wire *w = arg;

    hd_sleep(span(w->takes));
    hd_context_cancel(w->ctx);
}

void select_statement(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct hd_chan *done = SIGNAL(0);
    struct wire *msg = KEEP(struct wire), *err = KEEP(struct wire), *end = KEEP(struct wire);
    struct hd_chan *after;
    int64_t start = hd_now(), took, least;
    int chosen, value;

    *msg = (struct wire){.chan = CHAN(int, 0), .done = done, .takes = draw(1, 9) * HD_SECOND};
    *err = (struct wire){.chan = CHAN(int, 0), .done = done, .takes = draw(1, 9) * HD_SECOND};
    *end = (struct wire){.ctx = ctx, .takes = draw(1, 9) * HD_SECOND};
    GO(send_later, msg);
    GO(send_later, err);
    GO(cancel_later, end);
    after = hd_after(span(5 * HD_SECOND));
    chosen = HD_SELECT(HD_RECV(msg->chan, &value), HD_RECV(err->chan, &value), HD_RECV(after, NULL),
                       HD_RECV(hd_context_done(ctx), NULL));
    took = hd_now() - start;
    hd_chan_unref(after);
    least = span(chosen == 0   ? msg->takes
                 : chosen == 1 ? err->takes
                 : chosen == 2 ? 5 * HD_SECOND
                               : end->takes);
    assert(took >= least);
    hd_chan_close(done);
    all_gone();
    hd_context_end(ctx);
}

void select_default(void)
{
    struct hd_chan *chan = CHAN(int, 1);
    int value = 1;

    assert(HD_SELECT_DEFAULT(HD_RECV(chan, &value)) == HD_DEFAULT);
    assert(HD_SELECT_DEFAULT(HD_SEND(chan, &value)) == 0);
    assert(HD_SELECT_DEFAULT(HD_SEND(chan, &value)) == HD_DEFAULT);
    assert(HD_SELECT_DEFAULT(HD_RECV(chan, &value)) == 0 && value == 1);
}

/* 000:2: a result channel of capacity 1, so that the late operation can end. */
static void long_operation(void *arg)
{
    struct wire *w = arg;
    hd_err result = NULL;

    hd_sleep(span(w->takes));
    if (w->count == 1)
        result = hd_errorf(HD_ERR_USER, "get user: no such user");
    else
        hd_sleep(span(w->takes));
    if (w->count == 2)
        result = hd_errorf(HD_ERR_USER, "process user: locked");
    hd_chan_send(w->chan, &result);
}

static hd_err process_with_timeout(struct hd_context *parent, int64_t takes, int fails, size_t room)
{
    struct hd_context *ctx = keep_context(hd_context_with_timeout(parent, span(30 * HD_SECOND)));
    struct wire *w = KEEP(struct wire);
    hd_err err;

    *w = (struct wire){.chan = CHAN(hd_err, room), .takes = takes, .count = fails};
    GO(long_operation, w);
    if (HD_SELECT(HD_RECV(w->chan, &err), HD_RECV(hd_context_done(ctx), NULL)) == 1)
        err = hd_wrapf(hd_err_ref(hd_context_err(ctx)), "operation timeout");
    hd_context_end(ctx);
    return err;
}

void timeout_as_written(void)
{
    int64_t takes = draw(1, 40) * HD_SECOND, start = hd_now();
    int fails = draw(0, 2);
    hd_err err = process_with_timeout(hd_context_background(), takes, fails, 1);

    if (err && hd_err_is(err, hd_deadline_exceeded))
        assert(hd_now() - start >= span(30 * HD_SECOND));
    else
        assert(hd_err_code(err) == (fails ? HD_ERR_USER : HD_ERR_NONE));
    hd_err_unref(err);
    all_gone();
}

/* The same with an unbuffered channel: the mistake that the buffer avoids. */
void timeout_without_buffer(void)
{
    hd_err err = process_with_timeout(hd_context_background(), draw(10, 40) * HD_SECOND, 0, 0);

    hd_err_unref(err);
}

/* 000:3 */
static hd_err long_running(struct hd_context *ctx, int *steps)
{
    for (int i = 0; i < 1000; i++) {
        if (HD_SELECT_DEFAULT(HD_RECV(hd_context_done(ctx), NULL)) == 0)
            return hd_wrapf(hd_err_ref(hd_context_err(ctx)), "operation canceled at step %d", i);
        *steps = i + 1;
        hd_sleep(span(100 * HD_MILLISECOND));
    }
    return NULL;
}

struct long_call {
    struct hd_context *ctx;
    struct hd_chan *ended;
    int steps;
    bool reported;
};

static void call_long_running(void *arg)
{
    struct long_call *c = arg;
    hd_err err = long_running(c->ctx, &c->steps);

    if (err)
        __atomic_store_n(&c->reported, true, __ATOMIC_SEQ_CST); /* log.Printf */
    hd_err_unref(err);
    if (c->ended)
        hd_chan_close(c->ended);
}

static struct long_call *start_long_running(struct hd_chan *ended)
{
    struct long_call *c = KEEP(struct long_call);

    c->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    c->ended = ended;
    GO(call_long_running, c);
    hd_sleep(span(5 * HD_SECOND));
    hd_context_cancel(c->ctx);
    return c;
}

void cancellation_as_written(void)
{
    struct long_call *c = start_long_running(NULL);

    assert(__atomic_load_n(&c->reported, __ATOMIC_SEQ_CST) &&
           "main ended before the cancellation was handled");
    hd_context_end(c->ctx);
}

void cancellation_mended(void)
{
    struct hd_chan *ended = SIGNAL(0);
    int64_t start = hd_now();
    struct long_call *c = start_long_running(ended);

    hd_chan_recv(ended, NULL);
    assert(c->reported && c->steps <= 51);
    assert(hd_now() - start <= span(5 * HD_SECOND + 200 * HD_MILLISECOND) ||
           span(HD_SECOND) < HD_SECOND);
    hd_context_end(c->ctx);
    all_gone();
}

/* 001:9 */
void contexts_created(void)
{
    struct hd_context *root = hd_context_background(), *cancelled, *timed, *dated, *valued;
    static const char request_id[] = "requestID";
    int64_t at;

    assert(hd_context_err(root) == NULL && hd_context_done(root) == NULL);
    cancelled = hd_context_with_cancel(root);
    timed = hd_context_with_timeout(cancelled, span(5 * HD_SECOND));
    dated = hd_context_with_deadline(timed, hd_now() + span(10 * HD_SECOND));
    valued = hd_context_with_value(dated, request_id, "abc123");
    assert(hd_context_deadline(valued, &at) && at <= hd_now() + span(5 * HD_SECOND));
    assert(hd_context_value(valued, request_id) && !hd_context_value(dated, request_id));
    if (draw(0, 1))
        hd_context_cancel(cancelled);
    hd_chan_recv(hd_context_done(valued), NULL);
    assert(hd_context_err(valued) == hd_context_err(timed));
    hd_context_unref(valued);
    hd_context_end(dated);
    hd_context_end(timed);
    hd_context_end(cancelled);
}

/* 001:10, the loop */
static void work_loop(void *arg)
{
    struct wire *w = arg;

    while (HD_SELECT_DEFAULT(HD_RECV(hd_context_done(w->ctx), NULL)) == HD_DEFAULT) {
        int item;
        if (HD_SELECT(HD_RECV(hd_context_done(w->ctx), NULL), HD_RECV(w->chan, &item)) == 0)
            break;
        assert(item != 0 && "an item that nobody sent");
        w->count++;
        hd_sleep(span(HD_MILLISECOND));
    }
    w->err = hd_context_err(w->ctx);
    hd_chan_close(w->done);
}

static void work_loop_usage(bool closes)
{
    struct wire *w = KEEP(struct wire);
    int items = draw(0, 4);

    w->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    w->chan = CHAN(int, (size_t)draw(0, 2));
    w->done = SIGNAL(0);
    GO(work_loop, w);
    for (int i = 1; i <= items; i++)
        hd_chan_send(w->chan, &i);
    if (closes)
        hd_chan_close(w->chan);
    hd_sleep(span(HD_SECOND));
    hd_context_cancel(w->ctx);
    hd_chan_recv(w->done, NULL);
    assert(w->err == hd_cancelled && w->count == items);
    hd_context_end(w->ctx);
    all_gone();
}

void work_loop_as_written(void)
{
    work_loop_usage(false);
}

void work_loop_input_closed(void)
{
    work_loop_usage(true);
}

static void work_loop_heeding_close(void *arg)
{
    struct wire *w = arg;

    for (;;) {
        int item;
        bool ok;
        if (HD_SELECT(HD_RECV(hd_context_done(w->ctx), NULL), HD_RECV_OK(w->chan, &item, &ok)) ==
                0 ||
            !ok)
            break;
        w->count++;
    }
    hd_chan_close(w->done);
}

void work_loop_mended(void)
{
    struct wire *w = KEEP(struct wire);
    int items = draw(0, 4);

    w->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    w->chan = CHAN(int, (size_t)draw(0, 2));
    w->done = SIGNAL(0);
    GO(work_loop_heeding_close, w);
    for (int i = 1; i <= items; i++)
        hd_chan_send(w->chan, &i);
    hd_chan_close(w->chan);
    hd_chan_recv(w->done, NULL);
    assert(w->count == items);
    hd_context_end(w->ctx);
    all_gone();
}

/* 002:14: the test fails by its context, it does not hang. */
static hd_err do_thing(struct hd_context *ctx, int64_t takes)
{
    return HD_SELECT_TIMEOUT(span(takes), HD_RECV(hd_context_done(ctx), NULL)) == HD_TIMED_OUT
               ? NULL
               : hd_context_err(ctx);
}

void test_level_timeout(void)
{
    struct hd_context *ctx =
        keep_context(hd_context_with_timeout(hd_context_background(), span(2 * HD_SECOND)));
    int64_t takes = draw(0, 1) ? HD_SECOND : HD_HOUR;
    hd_err err = do_thing(ctx, takes);

    assert(err == (takes == HD_HOUR ? hd_deadline_exceeded : NULL));
    hd_context_end(ctx);
}

/* 004:5 */
static hd_err process_with_context(struct hd_context *ctx)
{
    return HD_SELECT_DEFAULT(HD_RECV(hd_context_done(ctx), NULL)) == 0 ? hd_context_err(ctx) : NULL;
}

static void cancel_now(void *ctx)
{
    hd_context_cancel(ctx);
}

void process_context_checked(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    hd_err before, after;

    GO(cancel_now, ctx);
    before = process_with_context(ctx);
    hd_chan_recv(hd_context_done(ctx), NULL);
    after = process_with_context(ctx);
    assert((before == NULL || before == hd_cancelled) && after == hd_cancelled);
    hd_context_end(ctx);
    all_gone();
}
