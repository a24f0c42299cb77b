/* breaker.c - the circuit breaker of guide 004, which holds its lock while the call runs, and the
 * library's, which does not. */
#include "suite/suite.h"

#include <heddle/breaker.h>
#include <heddle/rwmutex.h>
#include <heddle/scope.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>

static const struct hd_error simulated[1] = {HD_ERROR(HD_ERR_USER + 1, "simulated error")};

enum circuit { CLOSED, OPEN, HALF_OPEN };

struct circuit_breaker {
    enum circuit state;
    int failures, successes, most_failures;
    int64_t last_fail, timeout, reset_timeout;
    struct hd_rwmutex mutex;
};

static struct circuit_breaker *circuit_breaker_new(int most_failures, int64_t reset_timeout)
{
    struct circuit_breaker *cb = KEEP(struct circuit_breaker);

    cb->most_failures = most_failures;
    cb->reset_timeout = span(reset_timeout);
    cb->timeout = span(HD_SECOND);
    return cb;
}

static void on_success(struct circuit_breaker *cb)
{
    cb->successes++;
    cb->failures = 0;
    if (cb->state == HALF_OPEN)
        cb->state = CLOSED;
}

static void on_failure(struct circuit_breaker *cb)
{
    cb->failures++;
    cb->last_fail = hd_now();
    if (cb->failures >= cb->most_failures)
        cb->state = OPEN;
}

struct call {
    hd_err (*fn)(void *arg);
    void *arg;
    struct hd_chan *result, *error;
};

static void make_call(void *arg)
{
    struct call *c = arg;
    hd_err err = c->fn(c->arg);

    if (err)
        hd_chan_send(c->error, &err);
    else
        hd_chan_send(c->result, NULL);
}

static hd_err execute(struct circuit_breaker *cb, struct hd_context *ctx, hd_err (*fn)(void *),
                      void *arg)
{
    struct call *call = KEEP(struct call);
    hd_err err;
    HD_SCOPED_WLOCK(&cb->mutex);

    if (cb->state == OPEN) {
        if (hd_now() - cb->last_fail <= cb->reset_timeout)
            return hd_circuit_open;
        cb->state = HALF_OPEN;
        cb->successes = 0;
    }
    *call = (struct call){fn, arg, SIGNAL(1), CHAN(hd_err, 1)};
    GO(make_call, call);
    switch (HD_SELECT_TIMEOUT(cb->timeout, HD_RECV(call->result, NULL), HD_RECV(call->error, &err),
                              HD_RECV(hd_context_done(ctx), NULL))) {
    case 0:
        on_success(cb);
        return NULL;
    case 1:
        on_failure(cb);
        return err;
    case 2:
        on_failure(cb);
        return hd_context_err(ctx);
    default:
        on_failure(cb);
        return hd_deadline_exceeded;
    }
}

static enum circuit get_state(struct circuit_breaker *cb)
{
    HD_SCOPED_RLOCK(&cb->mutex);
    return cb->state;
}

static hd_err fails_at_first(void *arg)
{
    hd_sleep(span(100 * HD_MILLISECOND));
    return *(int *)arg < 5 ? simulated : NULL;
}

/* Three failures open it; five seconds later a trial closes it. */
void breaker_main_as_written(void)
{
    struct circuit_breaker *cb = circuit_breaker_new(3, 5 * HD_SECOND);
    int refused = 0, *i = KEEP(int);

    for (; *i < 16; (*i)++) {
        hd_err err = execute(cb, hd_context_background(), fails_at_first, i);
        refused += err == hd_circuit_open;
        assert(*i >= 3 || err == simulated);
        if (get_state(cb) == CLOSED)
            assert(*i < 2 || *i >= 5);
        hd_sleep(span(500 * HD_MILLISECOND));
    }
    assert(refused > 0 && get_state(cb) == CLOSED);
    all_gone();
}

struct caller {
    struct circuit_breaker *cb;
    struct hd_breaker *library;
    struct hd_wg wg;
    struct gauge calls;
    int number;
};

static hd_err slow_call(void *arg)
{
    (void)arg;
    hd_sleep(span(900 * HD_MILLISECOND));
    return NULL;
}

static void call_once(void *arg)
{
    struct caller *c = arg;

    hd_err_unref(execute(c->cb, hd_context_background(), slow_call, NULL));
    hd_wg_done(&c->wg);
}

/* Calls through one breaker should run side by side. */
void breaker_calls_in_line(void)
{
    struct caller *c = KEEP(struct caller);
    int64_t start = hd_now();

    c->cb = circuit_breaker_new(3, 5 * HD_SECOND);
    hd_wg_add(&c->wg, 3);
    for (int i = 0; i < 3; i++)
        GO(call_once, c);
    hd_wg_wait(&c->wg);
    assert(hd_now() - start < span(2 * HD_SECOND) && "calls wait for each other behind the lock");
}

static hd_err call_that_asks(void *arg)
{
    return get_state(arg) == OPEN ? hd_circuit_open : NULL;
}

/* The call asks for the breaker's state, say for a log line. */
void breaker_state_inside_call(void)
{
    struct circuit_breaker *cb = circuit_breaker_new(3, 5 * HD_SECOND);
    hd_err err = execute(cb, hd_context_background(), call_that_asks, cb);

    assert(err == NULL && "the call waits for the lock that waits for the call");
}

static hd_err heeding_call(struct hd_context *ctx, void *arg)
{
    struct caller *c = arg;
    int state = (int)hd_breaker_state(c->library);

    gauge_enter(&c->calls);
    assert(state == HD_BREAKER_CLOSED);
    if (HD_SELECT_TIMEOUT(span(900 * HD_MILLISECOND), HD_RECV(hd_context_done(ctx), NULL)) == 0) {
        gauge_leave(&c->calls);
        return hd_err_ref(hd_context_err(ctx));
    }
    gauge_leave(&c->calls);
    return NULL;
}

static void call_library(void *arg)
{
    struct caller *c = arg;

    assert(hd_breaker_call(c->library, hd_context_background(), heeding_call, c) == NULL);
    hd_wg_done(&c->wg);
}

void breaker_mended(void)
{
    struct caller *c = KEEP(struct caller);
    int64_t start = hd_now();
    int callers = draw(1, 3);

    c->library = KEEP(struct hd_breaker);
    hd_breaker_init(c->library, 3, span(5 * HD_SECOND), span(2 * HD_SECOND));
    hd_wg_add(&c->wg, callers);
    for (int i = 0; i < callers; i++)
        GO(call_library, c);
    hd_wg_wait(&c->wg);
    if (span(HD_SECOND) == HD_SECOND)
        assert(hd_now() - start < 2 * HD_SECOND);
    assert(hd_breaker_state(c->library) == HD_BREAKER_CLOSED);
    all_gone();
}

static hd_err library_fails_at_first(struct hd_context *ctx, void *arg)
{
    (void)ctx;
    hd_sleep(span(100 * HD_MILLISECOND));
    return *(int *)arg < 5 ? simulated : NULL;
}

void breaker_main_mended(void)
{
    struct hd_breaker *cb = KEEP(struct hd_breaker);
    int refused = 0, *i = KEEP(int);

    hd_breaker_init(cb, 3, span(5 * HD_SECOND), span(HD_SECOND));
    for (; *i < 16; (*i)++) {
        hd_err err = hd_breaker_call(cb, hd_context_background(), library_fails_at_first, i);
        refused += err == hd_circuit_open;
        assert(*i >= 3 || err == simulated);
        hd_err_unref(err);
        hd_sleep(span(500 * HD_MILLISECOND));
    }
    assert(refused > 0 && hd_breaker_state(cb) == HD_BREAKER_CLOSED);
    all_gone();
}
