/* Contexts: the tree, errors and causes, deadlines, values, hooks, and who frees what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/context.h>
#include <heddle/select.h>
#include <heddle/time.h>

#include "panics.h"
#include "rounds.h"
#include "spawn_test.h"

#define MS HD_MILLISECOND

static const struct hd_error why[1] = {HD_ERROR(HD_ERR_USER, "shutting down")};

static bool is_done(struct hd_context *ctx)
{
    return hd_chan_try_recv(hd_context_done(ctx), NULL, NULL);
}

static void the_background_never_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct hd_context *ctx = i ? hd_context_background() : hd_context_todo();
        assert_null(hd_context_done(ctx));
        assert_null(hd_context_err(ctx));
        assert_null(hd_context_cause(ctx));
        assert_false(hd_context_deadline(ctx, NULL));
        assert_null(hd_context_value(ctx, &state));
        hd_context_unref(hd_context_ref(ctx));
        hd_context_unref(ctx);
        hd_context_end(ctx);
    }
    hd_context_unref(NULL);
    hd_context_end(NULL);
}

static void the_first_cancel_counts(void **state)
{
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());

    (void)state;
    assert_null(hd_context_err(ctx));
    assert_null(hd_context_cause(ctx));
    assert_false(is_done(ctx));
    hd_context_cancel_cause(ctx, why);
    assert_true(is_done(ctx));
    assert_ptr_equal(hd_context_err(ctx), hd_cancelled);
    assert_ptr_equal(hd_context_cause(ctx), why);
    hd_context_cancel(ctx);
    hd_context_cancel_cause(ctx, hd_errorf(HD_ERR_USER, "too late"));
    assert_ptr_equal(hd_context_cause(ctx), why);
    assert_string_equal(hd_err_message(hd_context_err(ctx)), "context canceled");
    hd_context_end(ctx);
}

static void without_a_cause_it_is_the_error(void **state)
{
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());

    (void)state;
    hd_context_cancel(ctx);
    assert_ptr_equal(hd_context_cause(ctx), hd_cancelled);
    hd_context_unref(ctx);
}

static void cancelling_goes_down_not_up_nor_sideways(void **state)
{
    struct hd_context *top = hd_context_with_cancel(hd_context_background());
    struct hd_context *left = hd_context_with_cancel(top);
    struct hd_context *right = hd_context_with_cancel(top);
    struct hd_context *value = hd_context_with_value(left, &top, &left);
    struct hd_context *below = hd_context_with_cancel(value);

    (void)state;
    hd_context_cancel_cause(left, hd_errorf(HD_ERR_USER, "made at %s", "run time"));
    assert_null(hd_context_err(top));
    assert_null(hd_context_err(right));
    assert_ptr_equal(hd_context_err(value), hd_cancelled);
    assert_ptr_equal(hd_context_done(value), hd_context_done(left));
    assert_ptr_equal(hd_context_err(below), hd_cancelled);
    assert_true(is_done(below));
    assert_ptr_equal(hd_context_cause(below), hd_context_cause(left));
    hd_context_end(top);
    assert_true(is_done(right));
    hd_context_end(right);
    /* what is below outlives what is above */
    hd_context_unref(left);
    hd_context_unref(value);
    assert_string_equal(hd_err_message(hd_context_cause(below)), "made at run time");
    hd_context_end(below);
}

static void a_child_of_the_cancelled_is_born_cancelled(void **state)
{
    struct hd_context *top = hd_context_with_cancel(hd_context_background());
    struct hd_context *child, *late;

    (void)state;
    hd_context_cancel_cause(top, why);
    child = hd_context_with_cancel(top);
    assert_true(is_done(child));
    assert_ptr_equal(hd_context_cause(child), why);
    late = hd_context_with_timeout(top, HD_HOUR);
    assert_ptr_equal(hd_context_err(late), hd_cancelled);
    hd_context_end(late);
    hd_context_end(child);
    hd_context_end(top);
}

#define DEPTH 1000

static void a_tree_of_depth_1000(void **state)
{
    struct hd_context *chain[DEPTH];

    (void)state;
    for (int i = 0; i < DEPTH; i++)
        chain[i] = hd_context_with_cancel(i ? chain[i - 1] : hd_context_background());
    hd_context_cancel_cause(chain[0], why);
    for (int i = 0; i < DEPTH; i++)
        assert_ptr_equal(hd_context_cause(chain[i]), why);
    for (int i = 0; i < DEPTH - 1; i++)
        hd_context_unref(chain[i]); /* only the last holds them all */
    hd_context_end(chain[DEPTH - 1]);
}

static void a_tree_of_breadth_1000(void **state)
{
    struct hd_context *top = hd_context_with_cancel(hd_context_background()), *leaves[DEPTH];

    (void)state;
    for (int i = 0; i < DEPTH; i++)
        leaves[i] = hd_context_with_cancel(top);
    for (int i = 0; i < DEPTH; i += 2)
        hd_context_end(leaves[i]);
    hd_context_cancel(top);
    for (int i = 1; i < DEPTH; i += 2) {
        assert_ptr_equal(hd_context_err(leaves[i]), hd_cancelled);
        hd_context_unref(leaves[i]);
    }
    hd_context_end(top);
}

/* ---- deadlines ---- */

static void a_deadline_passes(void **state)
{
    int64_t begin = hd_now(), at = 0;
    struct hd_context *ctx = hd_context_with_timeout(hd_context_background(), 2 * MS);
    struct hd_context *child = hd_context_with_cancel(ctx);

    (void)state;
    assert_true(hd_context_deadline(child, &at));
    assert_true(at >= begin + 2 * MS);
    assert_false(hd_chan_recv(hd_context_done(child), NULL));
    assert_true(hd_now() >= at);
    assert_ptr_equal(hd_context_err(child), hd_deadline_exceeded);
    assert_ptr_equal(hd_context_cause(child), hd_deadline_exceeded);
    assert_string_equal(hd_err_message(hd_context_err(ctx)), "context deadline exceeded");
    hd_context_cancel(ctx);
    assert_ptr_equal(hd_context_err(ctx), hd_deadline_exceeded);
    hd_context_end(child);
    hd_context_end(ctx);
}

/* For one moment: who was made first. */
static void of_equal_deadlines_the_first_passes_first(void **state)
{
    int64_t at = hd_now() + 2 * MS;
    struct hd_context *first = hd_context_with_deadline(hd_context_background(), at);
    struct hd_context *second = hd_context_with_deadline(hd_context_background(), at);

    (void)state;
    hd_chan_recv(hd_context_done(second), NULL);
    assert_ptr_equal(hd_context_err(first), hd_deadline_exceeded);
    hd_context_end(second);
    hd_context_end(first);
}

static void the_earlier_deadline_stands(void **state)
{
    int64_t now = hd_now(), at;
    struct hd_context *outer = hd_context_with_deadline(hd_context_background(), now + HD_HOUR);
    struct hd_context *later =
        hd_context_with_deadline_cause(outer, now + 2 * HD_HOUR, hd_errorf(HD_ERR_USER, "unused"));
    struct hd_context *sooner = hd_context_with_deadline(later, now + MS);

    (void)state;
    assert_true(hd_context_deadline(later, &at));
    assert_true(at == now + HD_HOUR);
    hd_chan_recv(hd_context_done(sooner), NULL);
    assert_ptr_equal(hd_context_err(sooner), hd_deadline_exceeded);
    assert_null(hd_context_err(later));
    hd_context_end(sooner);
    hd_context_end(later);
    hd_context_end(outer);
}

static void one_in_the_past_is_over_at_once(void **state)
{
    struct hd_context *ctx = hd_context_with_timeout(hd_context_background(), -1);

    (void)state;
    assert_true(is_done(ctx));
    assert_ptr_equal(hd_context_err(ctx), hd_deadline_exceeded);
    hd_context_unref(ctx);
    ctx = hd_context_with_deadline_cause(hd_context_background(), 0, why);
    assert_ptr_equal(hd_context_err(ctx), hd_deadline_exceeded);
    assert_ptr_equal(hd_context_cause(ctx), why);
    hd_context_unref(ctx);
}

static void a_deadline_with_a_cause(void **state)
{
    struct hd_context *ctx =
        hd_context_with_timeout_cause(hd_context_background(), MS, hd_errorf(HD_ERR_USER, "slow"));

    (void)state;
    hd_chan_recv(hd_context_done(ctx), NULL);
    assert_ptr_equal(hd_context_err(ctx), hd_deadline_exceeded);
    assert_string_equal(hd_err_message(hd_context_cause(ctx)), "slow");
    hd_context_end(ctx);
    ctx = hd_context_with_timeout_cause(hd_context_background(), HD_HOUR,
                                        hd_errorf(HD_ERR_USER, "slow"));
    hd_context_cancel(ctx); /* before: then it is not that cause */
    assert_ptr_equal(hd_context_cause(ctx), hd_cancelled);
    hd_context_unref(ctx);
}

static void deadlines_race_with_their_end(void **state)
{
    const int times = rounds(500);

    (void)state;
    for (int i = 0; i < times; i++) {
        struct hd_context *ctx =
            hd_context_with_timeout(hd_context_background(), i % 60 * HD_MICROSECOND);
        struct hd_context *child = hd_context_with_timeout(ctx, i % 50 * HD_MICROSECOND);
        if (i % 3 == 0)
            hd_sleep(20 * HD_MICROSECOND);
        if (i % 2)
            hd_context_cancel(ctx);
        hd_context_unref(ctx);
        hd_context_unref(child);
    }
}

/* ---- values ---- */

static void values_come_from_the_nearest(void **state)
{
    static int key, other, one = 1, two = 2;
    struct hd_context *outer = hd_context_with_value(hd_context_background(), &key, &one);
    struct hd_context *middle = hd_context_with_cancel(outer);
    struct hd_context *inner = hd_context_with_value(middle, &key, &two);

    (void)state;
    assert_ptr_equal(hd_context_value(outer, &key), &one);
    assert_ptr_equal(hd_context_value(middle, &key), &one);
    assert_ptr_equal(hd_context_value(inner, &key), &two);
    assert_null(hd_context_value(inner, &other));
    hd_context_end(inner);
    hd_context_end(middle);
    hd_context_end(outer);
}

static void without_cancel_keeps_values_alone(void **state)
{
    static int key, one = 1;
    struct hd_context *top = hd_context_with_timeout(hd_context_background(), HD_HOUR);
    struct hd_context *value = hd_context_with_value(top, &key, &one);
    struct hd_context *detached = hd_context_without_cancel(value);
    struct hd_context *child = hd_context_with_cancel(detached);

    (void)state;
    hd_context_cancel(top);
    assert_null(hd_context_done(detached));
    assert_null(hd_context_err(detached));
    assert_null(hd_context_err(child));
    assert_false(hd_context_deadline(detached, NULL));
    assert_ptr_equal(hd_context_value(detached, &key), &one);
    hd_context_end(child);
    hd_context_unref(detached);
    hd_context_unref(value);
    hd_context_unref(top);
}

/* ---- hooks ---- */

struct ran {
    struct hd_chan *chan;
    int plain;
};

static void note(void *arg)
{
    struct ran *ran = arg;

    ran->plain++;
    hd_chan_send(ran->chan, NULL);
}

static void a_hook_runs_when_it_is_cancelled(void **state)
{
    struct hd_context *top = hd_context_with_cancel(hd_context_background());
    struct hd_context *ctx = hd_context_with_cancel(top);
    struct ran ran = {.chan = hd_chan_make(0, 1)};
    struct hd_context_hook *hook = hd_context_after_func(ctx, note, &ran);
    struct hd_context_hook *kept = hd_context_after_func(ctx, note, &ran);

    (void)state;
    ran.plain = 0;
    assert_true(hd_context_stop(kept));
    hd_context_cancel(top);
    hd_chan_recv(ran.chan, NULL);
    assert_int_equal(ran.plain, 1);
    assert_false(hd_context_stop(hook));
    hook = hd_context_after_func(ctx, note, &ran); /* at once */
    hd_chan_recv(ran.chan, NULL);
    assert_int_equal(ran.plain, 2);
    assert_false(hd_context_stop(hook));
    assert_true(hd_context_stop(hd_context_after_func(hd_context_background(), note, &ran)));
    hd_context_end(ctx);
    hd_context_end(top);
    hd_chan_unref(ran.chan);
}

static void a_hook_runs_after_a_deadline(void **state)
{
    struct ran ran = {.chan = hd_chan_make(0, 0)};
    struct hd_context *ctx = hd_context_with_timeout(hd_context_background(), MS);
    struct hd_context_hook *hook = hd_context_after_func(ctx, note, &ran);

    (void)state;
    hd_chan_recv(ran.chan, NULL);
    assert_false(hd_context_stop(hook));
    hd_context_end(ctx);
    hd_chan_unref(ran.chan);
}

/* ---- several goroutines ---- */

struct crowd {
    struct hd_context *ctx;
    struct hd_wg wg;
    struct hd_atomic_int32 ended;
    int plain;
};

static void wait_for_the_end(void *arg)
{
    struct crowd *crowd = arg;
    struct hd_context *mine = hd_context_with_cancel(crowd->ctx);

    hd_chan_recv(hd_context_done(mine), NULL);
    assert_int_equal(crowd->plain, 1);
    assert_ptr_equal(hd_context_err(mine), hd_cancelled);
    hd_int32_add(&crowd->ended, 1);
    hd_context_end(mine);
    hd_wg_done(&crowd->wg);
}

static void cancel_too(void *arg)
{
    struct crowd *crowd = arg;

    hd_context_cancel(crowd->ctx);
    hd_wg_done(&crowd->wg);
}

static void a_cancel_ends_a_crowd(void **state)
{
    struct crowd crowd = {.ctx = hd_context_with_cancel(hd_context_background()), .plain = 1};
    const int size = rounds(16);

    (void)state;
    hd_wg_add(&crowd.wg, size + 2);
    for (int i = 0; i < size; i++)
        start(wait_for_the_end, &crowd);
    start(cancel_too, &crowd);
    start(cancel_too, &crowd);
    hd_wg_wait(&crowd.wg);
    assert_int_equal(hd_int32_load(&crowd.ended), size);
    hd_context_end(crowd.ctx);
}

/* ---- what another sees of a cancel ---- */

struct seen {
    struct hd_context *ctx, *below;
    struct hd_atomic_int32 begun;
    bool err, done, err_below;
    struct hd_wg wg;
};

static void look_at_both(void *arg)
{
    struct seen *seen = arg;

    seen->err = hd_context_err(seen->ctx) != NULL;
    seen->done = is_done(seen->ctx);
}

static void an_error_says_that_done_is_closed(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(2000); i++) {
        struct seen seen = {.ctx = hd_context_with_cancel(hd_context_background())};
        start_in(&seen.wg, look_at_both, &seen);
        hd_context_cancel(seen.ctx);
        hd_wg_wait(&seen.wg);
        assert_true(!seen.err || seen.done);
        hd_context_unref(seen.ctx);
    }
}

static void look_at_done_first(void *arg)
{
    struct seen *seen = arg;

    seen->done = is_done(seen->ctx);
    seen->err = hd_context_err(seen->ctx) != NULL;
}

static void done_says_that_there_is_an_error(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(2000); i++) {
        struct seen seen = {.ctx = hd_context_with_cancel(hd_context_background())};
        start_in(&seen.wg, look_at_done_first, &seen);
        hd_context_cancel(seen.ctx);
        hd_wg_wait(&seen.wg);
        assert_true(!seen.done || seen.err);
        hd_context_unref(seen.ctx);
    }
}

static void cancel_and_look_below(void *arg)
{
    struct seen *seen = arg;

    hd_context_cancel(seen->ctx);
    seen->err_below = hd_context_err(seen->below) != NULL && is_done(seen->below);
}

/* The other cancels the same, what is above, or what is between. */
static void a_cancel_returns_when_all_below_is_cancelled(void **state)
{
    (void)state;
    for (int i = 0; i < 4 * rounds(500); i++) {
        struct hd_context *chain[5];
        struct seen seen = {0};
        chain[0] = hd_context_with_cancel(hd_context_background());
        for (int k = 1; k < 5; k++)
            chain[k] = k == 2 ? hd_context_with_timeout(chain[1], HD_HOUR)
                              : hd_context_with_cancel(chain[k - 1]);
        seen.ctx = chain[1];
        seen.below = chain[4];
        start_in(&seen.wg, cancel_and_look_below, &seen);
        hd_context_cancel(chain[i % 4]);
        assert_true(is_done(chain[4]));
        assert_non_null(hd_context_err(chain[4]));
        hd_wg_wait(&seen.wg);
        assert_true(seen.err_below);
        for (int k = 4; k >= 0; k--)
            hd_context_end(chain[k]);
    }
}

static void make_one_below(void *arg)
{
    struct seen *seen = arg;

    seen->below = hd_context_with_cancel(seen->ctx);
}

static void one_made_during_a_cancel_is_cancelled_after_it(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(1000); i++) {
        struct seen seen = {.ctx = hd_context_with_cancel(hd_context_background())};
        start_in(&seen.wg, make_one_below, &seen);
        hd_context_cancel(seen.ctx);
        hd_wg_wait(&seen.wg);
        assert_true(is_done(seen.below));
        hd_context_end(seen.below);
        hd_context_unref(seen.ctx);
    }
}

static void end_it(void *arg)
{
    hd_context_end(arg);
}

static void children_end_during_a_cancel(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(500); i++) {
        struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
        struct hd_wg wg = HD_WG_INIT;
        for (int k = 0; k < 3; k++)
            start_in(&wg, end_it, hd_context_with_cancel(ctx));
        hd_context_end(ctx);
        hd_wg_wait(&wg);
    }
}

/* ---- misuse ---- */

static void from_nil(void *arg)
{
    (void)arg;
    hd_context_end(hd_context_with_cancel(NULL));
}

static void nil_key(void *arg)
{
    hd_context_end(hd_context_with_value(hd_context_background(), NULL, arg));
}

static void cancel_background(void *arg)
{
    hd_context_cancel(arg);
}

static void err_late(void *ctx)
{
    hd_context_err(ctx);
}

static void done_late(void *ctx)
{
    hd_context_done(ctx);
}

static void child_late(void *ctx)
{
    hd_context_end(hd_context_with_cancel(ctx));
}

static void cancel_late(void *ctx)
{
    hd_context_cancel(ctx);
}

static void value_late(void *ctx)
{
    hd_context_value(ctx, ctx);
}

static void ref_late(void *ctx)
{
    hd_context_ref(ctx);
}

static void a_context_used_after_its_last_reference_panics(void **state)
{
    void (*const use[])(void *) = {err_late,   done_late, child_late,    cancel_late,
                                   value_late, ref_late,  hd_context_end};

    (void)state;
    for (size_t i = 0; i < sizeof use / sizeof *use; i++) {
        struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
        hd_context_end(ctx);
        assert_panics(use[i], ctx, "use of a context after its last reference");
    }
}

static void misuse_panics(void **state)
{
    (void)state;
    assert_panics(from_nil, NULL, "cannot create context from nil parent");
    assert_panics(nil_key, NULL, "nil key");
    assert_panics(cancel_background, hd_context_background(),
                  "cancel of a context that cannot be cancelled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_background_never_ends),
        cmocka_unit_test(the_first_cancel_counts),
        cmocka_unit_test(without_a_cause_it_is_the_error),
        cmocka_unit_test(cancelling_goes_down_not_up_nor_sideways),
        cmocka_unit_test(a_child_of_the_cancelled_is_born_cancelled),
        cmocka_unit_test(a_tree_of_depth_1000),
        cmocka_unit_test(a_tree_of_breadth_1000),
        cmocka_unit_test(a_deadline_passes),
        cmocka_unit_test(of_equal_deadlines_the_first_passes_first),
        cmocka_unit_test(the_earlier_deadline_stands),
        cmocka_unit_test(one_in_the_past_is_over_at_once),
        cmocka_unit_test(a_deadline_with_a_cause),
        cmocka_unit_test(deadlines_race_with_their_end),
        cmocka_unit_test(values_come_from_the_nearest),
        cmocka_unit_test(without_cancel_keeps_values_alone),
        cmocka_unit_test(a_hook_runs_when_it_is_cancelled),
        cmocka_unit_test(a_hook_runs_after_a_deadline),
        cmocka_unit_test(a_cancel_ends_a_crowd),
        cmocka_unit_test(an_error_says_that_done_is_closed),
        cmocka_unit_test(done_says_that_there_is_an_error),
        cmocka_unit_test(a_cancel_returns_when_all_below_is_cancelled),
        cmocka_unit_test(one_made_during_a_cancel_is_cancelled_after_it),
        cmocka_unit_test(children_end_during_a_cancel),
        cmocka_unit_test(a_context_used_after_its_last_reference_panics),
        cmocka_unit_test(misuse_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
