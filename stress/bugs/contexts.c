/* contexts.c - contexts that are ignored, replaced, lost, or heeded too eagerly; once; timers. */
#include "bug.h"

static struct box *box_with_context(bool right)
{
    struct box *b = box_new(right);

    b->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    return b;
}

static void retry(void *arg)
{
    struct box *b = arg;

    for (int i = 0; i < 1000; i++) {
        if (b->right && hd_context_err(b->ctx))
            break;
        hd_sleep(span(HD_SECOND));
    }
}

BUG(retries_ignore_cancel)
{
    struct box *b = box_with_context(right);

    GO(retry, b);
    hd_sleep(span(3 * HD_SECOND));
    hd_context_end(b->ctx);
    all_gone();
}

static void wait_for_end(void *arg)
{
    struct box *b = arg;
    struct hd_context *mine =
        keep_context(hd_context_with_cancel(b->right ? b->ctx : hd_context_background()));

    hd_chan_recv(hd_context_done(mine), NULL);
    hd_context_end(mine);
}

BUG(background_instead_of_parent)
{
    struct box *b = box_with_context(right);

    GO(wait_for_end, b);
    hd_context_end(b->ctx);
}

static void follow(void *arg)
{
    struct box *b = arg;

    hd_chan_recv(hd_context_done(b->ctx), NULL);
}

BUG(cancel_on_one_path_only)
{
    struct box *b = box_with_context(right);

    GO(follow, b);
    if (right || draw(0, 1))
        hd_context_end(b->ctx);
}

static const char session_key[] = "session";

static void use_session(void *arg)
{
    struct box *b = arg;
    int *visits = hd_context_value(b->ctx, session_key);

    if (b->right)
        hd_mutex_lock(&b->m);
    ++*visits;
    if (b->right)
        hd_mutex_unlock(&b->m);
}

BUG(mutable_context_value)
{
    struct box *b = box_new(right);

    b->ctx = keep_context(hd_context_with_value(hd_context_background(), session_key, &b->x));
    RUN(use_session, b);
    RUN(use_session, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 2);
    hd_context_unref(b->ctx);
}

static void finish_then_cancel(void *arg)
{
    struct box *b = arg;
    int result = 42;

    hd_chan_send(b->a, &result);
    hd_context_cancel(b->ctx);
}

/* Result and end are both ready, and select takes the end. */
BUG(end_hides_the_result)
{
    struct box *b = box_with_context(right);
    int result = 0;

    b->a = CHAN(int, 1);
    RUN(finish_then_cancel, b);
    if (HD_SELECT(HD_RECV(b->a, &result), HD_RECV(hd_context_done(b->ctx), NULL)) == 1 && right)
        assert(hd_chan_try_recv(b->a, &result, NULL));
    assert(result == 42);
    hd_wg_wait(&b->wg);
    hd_context_end(b->ctx);
}

static void write_audit(void *arg)
{
    struct box *b = arg;

    if (hd_context_err(b->ctx) == NULL)
        hd_int64_add(&b->count, 1);
}

/* Work that outlives the request, under the request's context. */
BUG(audit_under_request_context)
{
    struct box *b = box_with_context(right);
    struct hd_context *request = b->ctx;

    if (right)
        b->ctx = keep_context(hd_context_without_cancel(request));
    RUN(write_audit, b);
    hd_context_end(request);
    hd_wg_wait(&b->wg);
    assert(hd_int64_load(&b->count) == 1 && "the audit was skipped");
    if (right)
        hd_context_unref(b->ctx);
}

static void close_connection(void *arg)
{
    struct box *b = arg;

    b->x = -1;
    if (b->right)
        hd_chan_close(b->a);
}

static void cancel_context(void *arg)
{
    hd_context_cancel(((struct box *)arg)->ctx);
}

/* Stop says that the hook has begun, and it is not waited for. */
BUG(hook_not_waited_for)
{
    struct box *b = box_with_context(right);
    struct hd_context_hook *hook;

    b->a = SIGNAL(0);
    hook = hd_context_after_func(b->ctx, close_connection, b);
    RUN(cancel_context, b);
    if (!hd_context_stop(hook) && right)
        hd_chan_recv(b->a, NULL);
    b->x = 1;
    hd_wg_wait(&b->wg);
    hd_context_end(b->ctx);
}

static void inner_init(void *arg)
{
    ((struct box *)arg)->x++;
}

static void outer_init(void *arg)
{
    struct box *b = arg;

    hd_once_do(b->right ? &b->twice : &b->once, inner_init, b);
}

BUG(once_inside_itself)
{
    struct box *b = box_new(right);

    hd_once_do(&b->once, outer_init, b);
    assert(b->x == 1);
}

static void needs_twice(void *arg)
{
    struct box *b = arg;

    hd_once_do(&b->twice, inner_init, b);
}

static void needs_once(void *arg)
{
    struct box *b = arg;

    if (!b->right)
        hd_once_do(&b->once, inner_init, b);
}

static void init_first(void *arg)
{
    struct box *b = arg;

    hd_once_do(&b->once, needs_twice, b);
}

static void init_second(void *arg)
{
    struct box *b = arg;

    hd_once_do(&b->twice, needs_once, b);
}

BUG(two_onces_need_each_other)
{
    struct box *b = box_new(right);

    RUN(init_first, b);
    RUN(init_second, b);
    hd_wg_wait(&b->wg);
}

static void panicking_init(void *arg)
{
    struct box *b = arg;

    b->y++;
    if (b->y == 1 && !b->right)
        hd_panic("the disk is full");
    b->pointer = &b->x;
}

static void get_pointer(void *arg)
{
    struct box *b = arg;

    hd_once_do(&b->once, panicking_init, b);
    assert(b->pointer && "counted as done, but it panicked");
}

BUG(once_that_panicked)
{
    struct box *b = box_new(right);

    hd_err_unref(hd_recover(get_pointer, b));
    get_pointer(b);
}

static void start_worker_once(void *arg)
{
    struct box *b = arg;
    bool mine;

    if (b->right) {
        mine = hd_int64_cas(&b->count, 0, 1);
    } else {
        mine = hd_int64_load(&b->count) == 0;
        hd_int64_store(&b->count, 1);
    }
    if (mine)
        tally(&b->tally, 0);
}

BUG(started_by_load_and_store)
{
    struct box *b = box_new(right);

    RUN(start_worker_once, b);
    RUN(start_worker_once, b);
    hd_wg_wait(&b->wg);
}

static void expire(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    if (b->right ? b->y == 0 : true)
        b->x = -1; /* the session is closed */
}

/* Stop came too late, and the session that was just renewed is closed. */
BUG(timer_stopped_too_late)
{
    struct box *b = box_new(right);
    struct hd_timer *timer = hd_after_func(span(HD_SECOND), expire, b);

    hd_sleep(span(HD_SECOND));
    hd_mutex_lock(&b->m);
    if (b->x == 0) {
        b->y = 1; /* renewed */
        hd_timer_stop(timer);
        hd_mutex_unlock(&b->m);
        hd_go_yield();
        hd_mutex_lock(&b->m);
        assert(b->x == 0 && "closed after it was renewed");
    }
    hd_mutex_unlock(&b->m);
    all_gone();
    hd_timer_free(timer);
}

static void take_a_while(void *arg)
{
    struct box *b = arg;

    hd_sleep(span(draw(1, 20) * 10 * HD_MILLISECOND));
    hd_int64_store(&b->count, 1);
}

BUG(sleep_instead_of_wait)
{
    struct box *b = box_new(right);

    RUN(take_a_while, b);
    if (right)
        hd_wg_wait(&b->wg);
    else
        hd_sleep(span(100 * HD_MILLISECOND));
    assert(hd_int64_load(&b->count) == 1);
}

static void each_tick(void *arg)
{
    struct box *b = arg;

    if (b->right)
        while (HD_SELECT(HD_RECV(b->a, NULL), HD_RECV(b->b, NULL)) == 0)
            b->x++;
    else
        HD_RANGE(int64_t, now, b->a)
    b->x++;
}

/* Stopping a ticker does not close its channel. */
BUG(range_over_stopped_ticker)
{
    struct box *b = box_new(right);
    struct hd_ticker *ticker = hd_ticker_make(span(HD_SECOND));

    b->a = keep_chan(hd_chan_ref(hd_ticker_chan(ticker)));
    b->b = SIGNAL(0);
    GO(each_tick, b);
    hd_sleep(span(2500 * HD_MILLISECOND));
    hd_ticker_stop(ticker);
    hd_chan_close(b->b);
    hd_sleep(span(HD_SECOND));
    if (right)
        hd_ticker_free(ticker);
}

static void slow_query(void *arg)
{
    struct box *b = arg;
    int rows = 3;

    hd_sleep(span(draw(1, 4) * HD_SECOND));
    hd_chan_send(b->a, &rows);
}

/* The time-out is noticed, and the result is used all the same. */
BUG(timed_out_and_used)
{
    struct box *b = box_new(right);
    int rows = -1;

    b->a = CHAN(int, 1);
    RUN(slow_query, b);
    if (HD_SELECT_TIMEOUT(span(2500 * HD_MILLISECOND), HD_RECV(b->a, &rows)) != HD_TIMED_OUT ||
        !right)
        assert(rows == 3);
    hd_wg_wait(&b->wg);
}
