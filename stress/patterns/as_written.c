/* as_written.c - blocks of the guides line by line, without an assertion of ours: what is found here
 * Heddle sees by itself. And what their troubleshooting speaks of, bare. */
#include "suite/suite.h"

#include <heddle/errgroup.h>
#include <heddle/scope.h>
#include <heddle/select.h>
#include <heddle/singleflight.h>
#include <heddle/waitgroup.h>

/* ---- 000:9 ProcessBatch ---- */

#define ITEMS 4

static const struct hd_error bad_item[1] = {HD_ERROR(HD_ERR_USER + 1, "bad item")};

struct piece {
    struct hd_wg *wg;
    struct hd_chan *errors;
    int id;
};

static hd_err process_item(int id)
{
    return id == draw(0, ITEMS) ? bad_item : NULL;
}

static void process_piece(void *args)
{
    struct piece *p = args;
    HD_DEFER(hd_wg_done, p->wg);
    hd_err err = process_item(p->id);

    if (err) {
        err = hd_wrapf(err, "process item %d", p->id);
        hd_chan_send(p->errors, &err);
    }
}

static hd_err process_batch(int count)
{
    struct hd_wg wg = HD_WG_INIT;
    struct hd_chan *errors = CHAN(hd_err, (size_t)count);
    hd_err errs[ITEMS];
    size_t failed = 0;

    for (int i = 0; i < count; i++) {
        struct piece item = {&wg, errors, i};
        hd_wg_add(&wg, 1);
        hd_must(hd_go_copy(process_piece, &item, sizeof item));
    }
    hd_wg_wait(&wg);
    hd_chan_close(errors);
    HD_RANGE(hd_err, err, errors)
    errs[failed++] = err;
    return hd_err_join(errs, failed);
}

void batch_as_written(void)
{
    hd_err_unref(process_batch(draw(1, ITEMS)));
}

/* ---- 000:11 RunServer and main, with a server that is a stand-in ---- */

struct web {
    struct hd_context *ctx;
    struct hd_chan *server_errors, *signals, *stopping, *stopped;
    bool fails, slow; /* it cannot listen; a request outlasts the shutdown */
};

static const struct hd_error in_use[1] = {HD_ERROR(HD_ERR_USER + 2, "address already in use")};
static const struct hd_error closed[1] = {HD_ERROR(HD_ERR_USER + 3, "server closed")};

static hd_err listen_and_serve(struct web *web)
{
    if (web->fails)
        return in_use;
    hd_chan_recv(web->stopping, NULL);
    return closed;
}

static void start_server(void *arg)
{
    struct web *web = arg;
    hd_err err = listen_and_serve(web);

    hd_chan_send(web->server_errors, &err);
}

/* Shutdown and Close. */
static hd_err shut_down(struct web *web, struct hd_context *ctx)
{
    hd_chan_close(web->stopping);
    if (HD_SELECT_TIMEOUT(span((web->slow ? 60 : 2) * HD_SECOND),
                          HD_RECV(hd_context_done(ctx), NULL)) == 0)
        return hd_context_err(ctx);
    return NULL;
}

static hd_err run_server(struct web *web)
{
    hd_err err;

    GO(start_server, web);
    if (HD_SELECT(HD_RECV(web->server_errors, &err), HD_RECV(hd_context_done(web->ctx), NULL)) == 0)
        return hd_wrapf(err, "server error");
    struct hd_context *stop =
        hd_context_with_timeout(hd_context_background(), span(30 * HD_SECOND));
    HD_DEFER(hd_context_end, stop);
    err = shut_down(web, stop);
    return err ? hd_wrapf(err, "graceful shutdown failed") : NULL;
}

static void wait_for_signal(void *arg)
{
    struct web *web = arg;

    hd_chan_recv(web->signals, NULL);
    hd_context_cancel(web->ctx);
}

static void wait_for_signal_or_end(void *arg)
{
    struct web *web = arg;

    if (HD_SELECT(HD_RECV(web->signals, NULL), HD_RECV(hd_context_done(web->ctx), NULL)) == 0)
        hd_context_cancel(web->ctx);
}

static void server_main(bool fails, bool slow, void (*signal_goroutine)(void *arg))
{
    struct web *web = KEEP(struct web);

    *web = (struct web){.ctx = keep_context(hd_context_with_cancel(hd_context_background())),
                        .server_errors = CHAN(hd_err, 1),
                        .signals = SIGNAL(1),
                        .stopping = SIGNAL(0),
                        .fails = fails,
                        .slow = slow};
    HD_DEFER(hd_context_end, web->ctx);
    GO(signal_goroutine, web);
    if (!fails)
        hd_chan_send(web->signals, NULL); /* SIGTERM */
    hd_err_unref(run_server(web));
}

void run_server_as_written(void)
{
    server_main(false, draw(0, 1), wait_for_signal);
}

/* The server cannot listen: main ends, and nobody tells the goroutine that waits for a signal. */
void run_server_cannot_listen(void)
{
    server_main(true, false, wait_for_signal);
}

void run_server_cannot_listen_mended(void)
{
    server_main(true, false, wait_for_signal_or_end);
}

/* ---- 001:10 doWork ---- */

struct work {
    struct hd_context *ctx;
    struct hd_chan *items;
    struct hd_wg wg;
};

static hd_err do_work(struct work *w)
{
    int item;

    if (HD_SELECT_DEFAULT(HD_RECV(hd_context_done(w->ctx), NULL)) == 0)
        return hd_context_err(w->ctx);
    for (;;)
        switch (HD_SELECT(HD_RECV(hd_context_done(w->ctx), NULL), HD_RECV(w->items, &item))) {
        case 0:
            return hd_context_err(w->ctx);
        case 1:
            hd_go_yield(); /* process(item) */
        }
}

static void work(void *arg)
{
    struct work *w = arg;

    hd_err_unref(do_work(w));
    hd_wg_done(&w->wg);
}

void do_work_as_written(void)
{
    struct work *w = KEEP(struct work);

    w->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    w->items = CHAN(int, 2);
    hd_wg_add(&w->wg, 1);
    GO(work, w);
    for (int i = draw(0, 2); i > 0; i--)
        hd_chan_send(w->items, &i);
    hd_context_end(w->ctx);
    hd_wg_wait(&w->wg);
}

/* ---- 003:8 GetUser: the query is made with the context of whoever came first ---- */

struct users {
    struct hd_singleflight group;
    struct hd_context *ctx[2];
    struct hd_wg wg;
    bool detached;
    struct hd_chan *answers;
};

struct request {
    struct users *users;
    struct hd_context *ctx;
    int caller;
};

static void *query(void *arg, hd_err *err)
{
    struct request *r = arg;
    struct hd_context *ctx = r->users->detached ? hd_context_without_cancel(r->ctx) : NULL;

    if (HD_SELECT_TIMEOUT(span(HD_SECOND), HD_RECV(hd_context_done(ctx ? ctx : r->ctx), NULL)) == 0)
        *err = hd_context_err(r->ctx);
    hd_context_end(ctx);
    return *err ? NULL : r->users;
}

static void get_user(void *args)
{
    struct request *r = args;
    struct hd_flight_result result = hd_singleflight_do(&r->users->group, "id", query, r);

    /* The second caller's context lives, and yet it may be given the first one's error. */
    assert(r->caller == 0 || result.value);
    hd_err_unref(result.err);
    hd_wg_done(&r->users->wg);
}

static void first_caller_gives_up(bool detached)
{
    struct users *u = KEEP(struct users);

    u->detached = detached;
    hd_wg_add(&u->wg, 2);
    for (int i = 0; i < 2; i++) {
        u->ctx[i] = keep_context(hd_context_with_cancel(hd_context_background()));
        struct request *r = KEEP(struct request);
        *r = (struct request){u, u->ctx[i], i};
        GO(get_user, r);
    }
    hd_sleep(span(100 * HD_MILLISECOND));
    hd_context_end(u->ctx[0]);
    hd_wg_wait(&u->wg);
    hd_context_end(u->ctx[1]);
}

void user_cache_as_written(void)
{
    first_caller_gives_up(false);
}

void user_cache_mended(void)
{
    first_caller_gives_up(true);
}

/* ---- 004:2: one Add for each stage, one Done for each worker ---- */

static void stage_worker(void *wg)
{
    hd_wg_done(wg);
}

void staged_counter_negative(void)
{
    static const int workers[] = {2, 3, 1};
    struct hd_wg *wg = KEEP(struct hd_wg);

    hd_wg_add(wg, 3);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < workers[i]; j++)
            GO(stage_worker, wg);
    hd_wg_wait(wg);
}

/* ---- 001:5: fan-in over an input that is never closed ---- */

struct merge {
    struct hd_chan *in, *out;
    struct hd_wg *wg;
};

static void forward(void *arg)
{
    struct merge *m = arg;

    HD_RANGE(int, value, m->in)
    hd_chan_send(m->out, &value);
    hd_wg_done(m->wg);
}

static void close_behind(void *arg)
{
    struct merge *m = arg;

    hd_wg_wait(m->wg);
    hd_chan_close(m->out);
}

static void fan_in(bool all_closed)
{
    struct hd_chan *in[2] = {CHAN(int, 1), CHAN(int, 1)}, *out = CHAN(int, 2);
    struct hd_wg *wg = KEEP(struct hd_wg);
    struct merge *end = KEEP(struct merge);

    hd_wg_add(wg, 2);
    for (int i = 0; i < 2; i++) {
        struct merge *m = KEEP(struct merge);
        *m = (struct merge){in[i], out, wg};
        GO(forward, m);
        hd_chan_send(in[i], &i);
        if (i == 0 || all_closed)
            hd_chan_close(in[i]);
    }
    *end = (struct merge){NULL, out, wg};
    GO(close_behind, end);
    hd_chan_recv(out, NULL);
    hd_chan_recv(out, NULL); /* all that were sent; main goes on */
}

void fan_in_input_never_closed(void)
{
    fan_in(false);
}

void fan_in_inputs_closed(void)
{
    fan_in(true);
}

/* ---- 000:2: the call that timed out lives on, and answers into what its caller has left ---- */

struct call {
    struct hd_chan *done;
    int *answer;
    int own;
};

static void answer_late(void *arg)
{
    struct call *c = arg;

    hd_sleep(span(draw(1, 9) * HD_SECOND));
    *c->answer = 42;
    hd_chan_send(c->done, NULL);
}

static void timed_call(bool into_its_own)
{
    struct call *c = KEEP(struct call);
    int *of_caller = KEEP(int);

    c->done = SIGNAL(1);
    c->answer = into_its_own ? &c->own : of_caller;
    GO(answer_late, c);
    if (HD_SELECT_TIMEOUT(span(5 * HD_SECOND), HD_RECV(c->done, NULL)) == HD_TIMED_OUT)
        *of_caller = -1; /* it says that there is no answer */
    all_gone();
}

void timed_out_call_lives_on(void)
{
    timed_call(false);
}

void timed_out_call_answers_itself(void)
{
    timed_call(true);
}
