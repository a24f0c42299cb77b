/* Package context. */
#include "check.h"

static struct hd_context *root(void)
{
    return hd_context_background();
}

static bool is_done(struct hd_context *ctx)
{
    return hd_chan_try_recv(hd_context_done(ctx), NULL, NULL);
}

static const struct hd_error why[1] = {HD_ERROR(HD_ERR_USER, "because")};
static const char key1[1], key2[1];
static int value1, value2;

CHECK(the_background_is_never_cancelled)
{
    expect(!hd_context_done(root()) && !hd_context_err(root()) && !hd_context_cause(root()));
    expect(!hd_context_deadline(root(), NULL) && !hd_context_value(root(), key1));
    expect(!hd_context_done(hd_context_todo()) && !hd_context_err(hd_context_todo()));
}

CHECK(err_is_nil_until_done_is_closed)
{
    struct hd_context *ctx = hd_context_with_cancel(root());

    expect(!is_done(ctx) && !hd_context_err(ctx));
    hd_context_cancel(ctx);
    expect(is_done(ctx) && hd_context_err(ctx) == hd_cancelled);
    hd_context_unref(ctx);
}

CHECK(the_error_says_context_canceled)
{
    struct hd_context *ctx = hd_context_with_cancel(root());

    hd_context_cancel(ctx);
    expect(strcmp(hd_err_message(hd_context_err(ctx)), "context canceled") == 0);
    hd_context_unref(ctx);
}

CHECK(cancels_after_the_first_do_nothing)
{
    struct hd_context *ctx = hd_context_with_cancel(root());

    hd_context_cancel(ctx);
    hd_context_cancel(ctx);
    hd_context_cancel_cause(ctx, why);
    expect(hd_context_cause(ctx) == hd_cancelled);
    hd_context_unref(ctx);
}

CHECK(done_is_the_same_channel_each_time)
{
    struct hd_context *ctx = hd_context_with_cancel(root());

    expect(hd_context_done(ctx) == hd_context_done(ctx));
    hd_context_end(ctx);
}

CHECK(err_is_the_same_each_time)
{
    struct hd_context *ctx = hd_context_with_cancel(root());

    hd_context_cancel(ctx);
    expect(hd_context_err(ctx) == hd_context_err(ctx));
    hd_context_unref(ctx);
}

CHECK(a_parents_cancel_reaches_its_children)
{
    struct hd_context *a = hd_context_with_cancel(root()), *b = hd_context_with_cancel(a),
                      *c = hd_context_with_cancel(b);

    hd_context_cancel(a);
    expect(is_done(b) && is_done(c) && hd_context_err(c) == hd_cancelled);
    hd_context_end(c);
    hd_context_end(b);
    hd_context_unref(a);
}

CHECK(a_childs_cancel_does_not_reach_its_parent)
{
    struct hd_context *a = hd_context_with_cancel(root()), *b = hd_context_with_cancel(a);

    hd_context_cancel(b);
    expect(!is_done(a) && !hd_context_err(a));
    hd_context_unref(b);
    hd_context_end(a);
}

CHECK(siblings_do_not_reach_each_other)
{
    struct hd_context *a = hd_context_with_cancel(root()), *b = hd_context_with_cancel(a),
                      *c = hd_context_with_cancel(a);

    hd_context_end(b);
    expect(!is_done(c));
    hd_context_end(c);
    hd_context_end(a);
}

CHECK(a_child_of_a_cancelled_parent_is_cancelled)
{
    struct hd_context *a = hd_context_with_cancel(root()), *b;

    hd_context_cancel_cause(a, why);
    b = hd_context_with_cancel(a);
    expect(is_done(b) && hd_context_err(b) == hd_cancelled && hd_context_cause(b) == why);
    hd_context_end(b);
    hd_context_unref(a);
}

CHECK(the_cause_is_what_was_given_first)
{
    struct hd_context *ctx = hd_context_with_cancel(root());

    hd_context_cancel_cause(ctx, why);
    expect(hd_context_err(ctx) == hd_cancelled && hd_context_cause(ctx) == why);
    hd_context_unref(ctx);
}

CHECK(a_nil_cause_is_canceled)
{
    struct hd_context *ctx = hd_context_with_cancel(root());

    hd_context_cancel_cause(ctx, NULL);
    expect(hd_context_cause(ctx) == hd_cancelled);
    hd_context_unref(ctx);
}

CHECK(the_cause_goes_down)
{
    struct hd_context *a = hd_context_with_cancel(root()), *b = hd_context_with_cancel(a);

    hd_context_cancel_cause(a, why);
    expect(hd_context_cause(b) == why);
    hd_context_end(b);
    hd_context_unref(a);
}

CHECK(a_childs_own_cause_stands)
{
    struct hd_context *a = hd_context_with_cancel(root()), *b = hd_context_with_cancel(a);

    hd_context_cancel_cause(b, why);
    hd_context_cancel(a);
    expect(hd_context_cause(b) == why && hd_context_cause(a) == hd_cancelled);
    hd_context_unref(b);
    hd_context_unref(a);
}

CHECK(a_deadline_passes)
{
    struct hd_context *ctx = hd_context_with_timeout(root(), 100 * MS);

    expect(!is_done(ctx));
    expect(!hd_chan_recv(hd_context_done(ctx), NULL));
    expect(hd_context_err(ctx) == hd_deadline_exceeded);
    expect(hd_context_cause(ctx) == hd_deadline_exceeded);
    expect(strcmp(hd_err_message(hd_context_err(ctx)), "context deadline exceeded") == 0);
    hd_context_end(ctx);
}

CHECK(a_deadline_in_the_past_has_passed)
{
    struct hd_context *now = hd_context_with_timeout(root(), 0),
                      *past = hd_context_with_deadline(root(), hd_now() - MS);

    expect(is_done(now) && hd_context_err(now) == hd_deadline_exceeded);
    expect(is_done(past) && hd_context_err(past) == hd_deadline_exceeded);
    hd_context_end(now);
    hd_context_end(past);
}

CHECK(a_cancel_comes_before_the_deadline)
{
    struct hd_context *ctx = hd_context_with_timeout(root(), HD_HOUR);

    hd_context_cancel(ctx);
    expect(hd_context_err(ctx) == hd_cancelled);
    hd_context_unref(ctx);
}

CHECK(the_deadline_is_told)
{
    int64_t at = hd_now() + HD_HOUR, seen = 0;
    struct hd_context *ctx = hd_context_with_deadline(root(), at);
    struct hd_context *child = hd_context_with_cancel(ctx);

    expect(hd_context_deadline(ctx, &seen) && seen == at);
    expect(hd_context_deadline(child, &seen) && seen == at);
    hd_context_end(child);
    hd_context_end(ctx);
}

CHECK(a_parents_earlier_deadline_stands)
{
    int64_t early = hd_now() + HD_MINUTE, seen;
    struct hd_context *a = hd_context_with_deadline(root(), early);
    struct hd_context *b = hd_context_with_deadline(a, early + HD_HOUR);

    expect(hd_context_deadline(b, &seen) && seen == early);
    hd_context_end(b);
    hd_context_end(a);
}

CHECK(a_childs_earlier_deadline_is_its_own)
{
    struct hd_context *a = hd_context_with_timeout(root(), HD_HOUR);
    struct hd_context *b = hd_context_with_timeout(a, MS);

    hd_chan_recv(hd_context_done(b), NULL);
    expect(hd_context_err(b) == hd_deadline_exceeded && !hd_context_err(a));
    hd_context_end(b);
    hd_context_end(a);
}

CHECK(a_deadline_with_a_cause)
{
    struct hd_context *ctx = hd_context_with_timeout_cause(root(), MS, why);

    hd_chan_recv(hd_context_done(ctx), NULL);
    expect(hd_context_err(ctx) == hd_deadline_exceeded && hd_context_cause(ctx) == why);
    hd_context_end(ctx);
    ctx = hd_context_with_timeout_cause(root(), HD_HOUR, why);
    hd_context_cancel(ctx);
    expect(hd_context_cause(ctx) == hd_cancelled); /* the deadline did not pass */
    hd_context_unref(ctx);
}

CHECK(values_are_found_upwards)
{
    struct hd_context *a = hd_context_with_value(root(), key1, &value1);
    struct hd_context *b = hd_context_with_cancel(a);
    struct hd_context *c = hd_context_with_value(b, key2, &value2);

    expect(hd_context_value(c, key1) == &value1 && hd_context_value(c, key2) == &value2);
    expect(!hd_context_value(a, key2));
    hd_context_end(c);
    hd_context_end(b);
    hd_context_end(a);
}

CHECK(the_nearest_value_hides_the_others)
{
    struct hd_context *a = hd_context_with_value(root(), key1, &value1);
    struct hd_context *b = hd_context_with_value(a, key1, &value2);

    expect(hd_context_value(b, key1) == &value2 && hd_context_value(a, key1) == &value1);
    hd_context_end(b);
    hd_context_end(a);
}

CHECK(a_value_context_is_cancelled_with_its_parent)
{
    struct hd_context *a = hd_context_with_cancel(root());
    struct hd_context *b = hd_context_with_value(a, key1, &value1);

    expect(hd_context_done(a) == hd_context_done(b));
    hd_context_cancel(a);
    expect(hd_context_err(b) == hd_cancelled);
    hd_context_end(b);
    hd_context_unref(a);
}

CHECK(without_cancel_keeps_the_values_alone)
{
    struct hd_context *a = hd_context_with_timeout(root(), HD_HOUR);
    struct hd_context *b = hd_context_with_value(a, key1, &value1);
    struct hd_context *c = hd_context_without_cancel(b);

    hd_context_cancel(a);
    expect(!hd_context_done(c) && !hd_context_err(c) && !hd_context_cause(c));
    expect(!hd_context_deadline(c, NULL) && hd_context_value(c, key1) == &value1);
    hd_context_end(c);
    hd_context_end(b);
    hd_context_unref(a);
}

static void nil_parent(void *arg)
{
    (void)arg;
    hd_context_end(hd_context_with_cancel(NULL));
}

static void nil_key(void *arg)
{
    (void)arg;
    hd_context_end(hd_context_with_value(hd_context_background(), NULL, NULL));
}

CHECK(a_nil_parent_panics)
{
    expect(panics(nil_parent, NULL, "cannot create context from nil parent"));
}

CHECK(a_nil_key_panics)
{
    expect(panics(nil_key, NULL, "nil key"));
}

static void close_it(void *chan)
{
    hd_chan_close(chan);
}

CHECK(after_func_runs_when_it_is_cancelled)
{
    struct hd_context *ctx = hd_context_with_cancel(root());
    struct hd_chan *ran = hd_chan_make(0, 0);
    struct hd_context_hook *hook = hd_context_after_func(ctx, close_it, ran);

    hd_sleep(MS);
    expect(!hd_chan_try_recv(ran, NULL, NULL));
    hd_context_cancel(ctx);
    hd_chan_recv(ran, NULL);
    expect(!hd_context_stop(hook));
    hd_context_unref(ctx);
    hd_chan_unref(ran);
}

CHECK(after_func_of_a_cancelled_one_runs_at_once)
{
    struct hd_context *ctx = hd_context_with_cancel(root());
    struct hd_chan *ran = hd_chan_make(0, 0);
    struct hd_context_hook *hook;

    hd_context_cancel(ctx);
    hook = hd_context_after_func(ctx, close_it, ran);
    hd_chan_recv(ran, NULL);
    expect(!hd_context_stop(hook));
    hd_context_unref(ctx);
    hd_chan_unref(ran);
}

CHECK(a_stopped_after_func_does_not_run)
{
    struct hd_context *ctx = hd_context_with_cancel(root());
    struct hd_chan *ran = hd_chan_make(0, 0);
    struct hd_context_hook *hook = hd_context_after_func(ctx, close_it, ran);

    expect(hd_context_stop(hook));
    hd_context_cancel(ctx);
    hd_sleep(MS);
    expect(!hd_chan_try_recv(ran, NULL, NULL));
    hd_context_unref(ctx);
    hd_chan_unref(ran);
}

CHECK(after_funcs_are_independent)
{
    struct hd_context *ctx = hd_context_with_cancel(root());
    struct hd_chan *a = hd_chan_make(0, 0), *b = hd_chan_make(0, 0);
    struct hd_context_hook *one = hd_context_after_func(ctx, close_it, a),
                           *two = hd_context_after_func(ctx, close_it, b);

    expect(hd_context_stop(one));
    hd_context_cancel(ctx);
    hd_chan_recv(b, NULL);
    expect(!hd_context_stop(two) && !hd_chan_try_recv(a, NULL, NULL));
    hd_context_unref(ctx);
    hd_chan_unref(a);
    hd_chan_unref(b);
}

static void wait_for_done(void *ctx)
{
    hd_chan_recv(hd_context_done(ctx), NULL);
    expect(hd_context_err(ctx) == hd_cancelled);
}

CHECK(many_goroutines_may_use_one)
{
    struct hd_context *ctx = hd_context_with_cancel(root());
    struct hd_wg wg = HD_WG_INIT;

    for (int i = 0; i < 6; i++)
        GO_IN(&wg, wait_for_done, ctx);
    hd_sleep(MS);
    hd_context_cancel(ctx);
    hd_wg_wait(&wg);
    hd_context_unref(ctx);
}
