/* Limiter: the arithmetic of the bucket at its edges, on instants that the test chooses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/go.h>
#include <heddle/limiter.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

#define MS INT64_C(1000000)
#define S INT64_C(1000000000)

static void starts_full_and_refills(void **state)
{
    struct hd_limiter l;

    (void)state;
    hd_limiter_init(&l, 10, 3);
    for (int i = 0; i < 3; i++)
        assert_true(hd_limiter_allow_at(&l, 0, 1));
    assert_false(hd_limiter_allow_at(&l, 0, 1));
    assert_false(hd_limiter_allow_at(&l, 99 * MS, 1));
    assert_true(hd_limiter_allow_at(&l, 100 * MS, 1));
    assert_false(hd_limiter_allow_at(&l, 100 * MS, 1));
    assert_true(hd_limiter_allow_at(&l, 3600 * S, 3)); /* an hour later: full, not more */
    assert_false(hd_limiter_allow_at(&l, 3600 * S, 1));
}

static void a_refused_event_takes_nothing(void **state)
{
    struct hd_limiter l;

    (void)state;
    hd_limiter_init(&l, 1, 5);
    assert_true(hd_limiter_allow_at(&l, 0, 3));
    assert_false(hd_limiter_allow_at(&l, 0, 3));
    assert_true(hd_limiter_allow_at(&l, 0, 2));
    assert_false(hd_limiter_allow_at(&l, 0, 6)); /* over the burst: never */
    assert_false(hd_limiter_allow_at(&l, 100 * S, 6));
    assert_true(hd_limiter_allow_at(&l, 100 * S, 0)); /* nothing is always there */
    assert_false(hd_limiter_allow_at(&l, 100 * S, -1));
}

static void a_clock_that_goes_back_stands_still(void **state)
{
    struct hd_limiter l;

    (void)state;
    hd_limiter_init(&l, 10, 1);
    assert_true(hd_limiter_allow_at(&l, 5 * S, 1));
    assert_false(hd_limiter_allow_at(&l, 1 * S, 1));
    assert_false(hd_limiter_allow_at(&l, INT64_MIN, 1));
}

static void infinite_and_zero(void **state)
{
    struct hd_limiter all, none;
    struct hd_reservation r;

    (void)state;
    hd_limiter_init(&all, HD_LIMIT_INFINITE, 0);
    assert_true(hd_limiter_allow_at(&all, 0, 1000000));
    assert_true(hd_limiter_allow(&all));
    hd_limiter_init(&none, 0, 2);
    assert_true(hd_limiter_allow_at(&none, 0, 2)); /* the first burst */
    assert_false(hd_limiter_allow_at(&none, 1000000 * S, 1));
    assert_false(hd_limiter_reserve_at(&none, 0, 3).ok); /* more than the burst */
    r = hd_limiter_reserve_at(&none, 0, 1);              /* within it, but never */
    assert_true(r.ok);
    assert_true(hd_reservation_delay_from(&r, 0) == HD_DELAY_INFINITE);
    assert_true(hd_reservation_delay_from(&r, 1000000 * S) == HD_DELAY_INFINITE);
    hd_reservation_cancel_at(&r, 0);
    assert_true(hd_limiter_tokens_at(&none, 0) == 0);
    hd_limiter_init(&none, -3, 0);
    assert_false(hd_limiter_allow_at(&none, 0, 1));
}

static void from_infinite_to_finite(void **state)
{
    struct hd_limiter l;

    (void)state;
    hd_limiter_init(&l, HD_LIMIT_INFINITE, 2);
    hd_limiter_set_limit_at(&l, 5 * S, HD_LIMIT_INFINITE);
    hd_limiter_set_limit_at(&l, 5 * S, 1); /* no time has passed */
    assert_true(hd_limiter_tokens_at(&l, 5 * S) == 2);
    assert_true(hd_limiter_allow_at(&l, 5 * S, 2));
    assert_false(hd_limiter_allow_at(&l, 5 * S, 1));
    assert_true(hd_limiter_allow_at(&l, 6 * S, 1));
}

static void waiting_without_a_rate(void **state)
{
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background()), *timed;
    struct hd_limiter l;
    hd_err err;

    (void)state;
    hd_limiter_init(&l, 0, 1);
    assert_null(hd_limiter_wait(&l, ctx)); /* the first burst */
    timed = hd_context_with_timeout(ctx, 5 * MS);
    err = hd_limiter_wait(&l, timed);
    assert_string_equal(hd_err_message(err), "rate: Wait(n=1) would exceed context deadline");
    hd_err_unref(err);
    hd_context_end(timed);
    hd_context_cancel(ctx);
    assert_ptr_equal(hd_limiter_wait(&l, ctx), hd_cancelled);
    err = hd_limiter_wait_n(&l, ctx, 2); /* the burst is asked first */
    assert_string_equal(hd_err_message(err), "rate: Wait(n=2) exceeds limiter's burst 1");
    hd_err_unref(err);
    hd_context_end(ctx);
}

static void every(void **state)
{
    (void)state;
    assert_true(hd_limit_every(250 * MS) == 4.0);
    assert_true(hd_limit_every(60 * S) > 0.0166 && hd_limit_every(60 * S) < 0.0167);
    assert_true(isinf(hd_limit_every(0)));
    assert_true(isinf(hd_limit_every(-1)));
}

static void reservations_queue_up(void **state)
{
    struct hd_limiter l;
    struct hd_reservation a, b, c;

    (void)state;
    hd_limiter_init(&l, 10, 2);
    a = hd_limiter_reserve_at(&l, 0, 2);
    b = hd_limiter_reserve_at(&l, 0, 2);
    c = hd_limiter_reserve_at(&l, 50 * MS, 1);
    assert_true(a.ok && b.ok && c.ok);
    assert_int_equal(hd_reservation_delay_from(&a, 0), 0);
    assert_int_equal(hd_reservation_delay_from(&b, 0), 200 * MS);
    assert_int_equal(hd_reservation_delay_from(&c, 50 * MS), 250 * MS);
    assert_int_equal(hd_reservation_delay_from(&c, 400 * MS), 0); /* its time has come */
    assert_false(hd_limiter_reserve_at(&l, 0, 3).ok);
}

static void cancelling_gives_back_what_nobody_counts_on(void **state)
{
    struct hd_limiter l;
    struct hd_reservation a, b;

    (void)state;
    hd_limiter_init(&l, 10, 2);
    a = hd_limiter_reserve_at(&l, 0, 2);
    b = hd_limiter_reserve_at(&l, 0, 2);
    hd_reservation_cancel_at(&b, 0); /* the last: all comes back */
    assert_true(hd_limiter_tokens_at(&l, 0) == 0);
    b = hd_limiter_reserve_at(&l, 0, 1);
    assert_int_equal(hd_reservation_delay_from(&b, 0), 100 * MS);
    hd_reservation_cancel_at(&a, 10 * MS); /* it has acted: nothing */
    assert_true(hd_limiter_tokens_at(&l, 0) == -1);

    hd_limiter_init(&l, 10, 2);
    assert_true(hd_limiter_allow_at(&l, 0, 2));
    a = hd_limiter_reserve_at(&l, 0, 2); /* acts at 200 ms */
    b = hd_limiter_reserve_at(&l, 0, 1); /* at 300 ms, counts on one of a's two */
    hd_reservation_cancel_at(&a, 0);
    assert_true(hd_limiter_tokens_at(&l, 0) == -2);
    hd_reservation_cancel_at(&a, 0); /* once */
    assert_true(hd_limiter_tokens_at(&l, 0) == -2);
    assert_int_equal(hd_reservation_delay_from(&b, 0), 300 * MS);
}

static void limit_and_burst_change(void **state)
{
    struct hd_limiter l;

    (void)state;
    hd_limiter_init(&l, 10, 10);
    assert_true(hd_limiter_allow_at(&l, 0, 10));
    hd_limiter_set_limit_at(&l, 500 * MS, 2); /* five tokens came in at the old rate */
    assert_true(hd_limiter_tokens_at(&l, 500 * MS) == 5);
    assert_true(hd_limiter_tokens_at(&l, 1500 * MS) == 7);
    hd_limiter_set_burst_at(&l, 1500 * MS, 3);
    assert_int_equal(hd_limiter_burst(&l), 3);
    assert_true(hd_limiter_limit(&l) == 2);
    assert_false(hd_limiter_allow_at(&l, 1500 * MS, 4));
    assert_true(hd_limiter_allow_at(&l, 1500 * MS, 3));
    assert_false(hd_limiter_allow_at(&l, 1500 * MS, 1));
}

static void far_instants_do_not_overflow(void **state)
{
    struct hd_limiter l;
    struct hd_reservation r;

    (void)state;
    hd_limiter_init(&l, 1e-12, 1);
    assert_true(hd_limiter_allow_at(&l, INT64_MIN, 1));
    assert_false(hd_limiter_allow_at(&l, INT64_MIN, 1));
    hd_limiter_init(&l, 1e-9, 1);
    assert_true(hd_limiter_allow_at(&l, INT64_MAX - 1, 1));
    r = hd_limiter_reserve_at(&l, INT64_MAX - 1, 1);
    assert_true(hd_reservation_delay_from(&r, 0) >= INT64_MAX - 1);
}

/* Random events against the definition: in no window of time more than burst + limit * window. */
static void never_more_than_the_bucket_holds(void **state)
{
    uint32_t seed = 12345;

    (void)state;
    for (int round = 0; round < 50; round++) {
        struct hd_limiter l;
        int64_t now = 0;
        double taken = 0, limit = 1 + round;
        int burst = 1 + round % 7;
        hd_limiter_init(&l, limit, burst);
        for (int i = 0; i < 2000; i++) {
            int n;
            seed = seed * 1664525u + 1013904223u;
            now += (int64_t)(seed >> 8) * 10;
            n = (int)(seed >> 29);
            if (hd_limiter_allow_at(&l, now, n))
                taken += n;
            assert_true(taken <= burst + limit * (double)now / 1e9 + 1e-6);
        }
        assert_true(taken > 0);
    }
}

static void waiting(void **state)
{
    struct hd_context *root = hd_context_background(), *soon, *ended;
    struct hd_limiter l;
    int64_t start = hd_now();
    hd_err err;

    (void)state;
    hd_limiter_init(&l, 200, 1);
    for (int i = 0; i < 4; i++)
        assert_null(hd_limiter_wait(&l, root));
    assert_true(hd_now() - start >= 3 * 5 * MS - MS); /* three were paid for; late is allowed */

    err = hd_limiter_wait_n(&l, root, 2);
    assert_string_equal(hd_err_message(err), "rate: Wait(n=2) exceeds limiter's burst 1");
    hd_err_unref(err);

    hd_limiter_init(&l, 1e-3, 1);
    assert_true(hd_limiter_allow(&l));
    soon = hd_context_with_timeout(root, 60 * S); /* less than the 1,000 s that it would take */
    err = hd_limiter_wait(&l, soon);
    assert_int_equal(hd_err_code(err), HD_ERR_LIMIT);
    assert_string_equal(hd_err_message(err), "rate: Wait(n=1) would exceed context deadline");
    hd_err_unref(err);
    hd_context_end(soon);

    ended = hd_context_with_cancel(root);
    hd_context_cancel(ended);
    assert_ptr_equal(hd_limiter_wait(&l, ended), hd_cancelled);
    hd_context_unref(ended);

    hd_limiter_init(&l, 0, 0);
    err = hd_limiter_wait_n(&l, root, 0);
    assert_null(err);
}

struct waiter {
    struct hd_limiter *limiter;
    struct hd_context *ctx;
    struct hd_wg wg;
};

static void wait_long(void *arg)
{
    struct waiter *w = arg;

    if (hd_limiter_wait(w->limiter, w->ctx) != hd_cancelled)
        abort();
}

static void a_wait_that_is_cancelled_gives_back(void **state)
{
    struct waiter w = {.ctx = hd_context_with_cancel(hd_context_background())};
    struct hd_limiter l;

    (void)state;
    hd_limiter_init(&l, 1e-3, 1);
    assert_true(hd_limiter_allow(&l));
    w.limiter = &l;
    assert_null(hd_wg_go(&w.wg, wait_long, &w));
    while (hd_limiter_tokens(&l) > -0.5) /* until it has reserved */
        hd_go_yield();
    hd_context_cancel(w.ctx);
    hd_wg_wait(&w.wg);
    assert_true(hd_limiter_tokens(&l) >= 0);
    hd_context_unref(w.ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_full_and_refills),
        cmocka_unit_test(a_refused_event_takes_nothing),
        cmocka_unit_test(a_clock_that_goes_back_stands_still),
        cmocka_unit_test(infinite_and_zero),
        cmocka_unit_test(from_infinite_to_finite),
        cmocka_unit_test(waiting_without_a_rate),
        cmocka_unit_test(every),
        cmocka_unit_test(reservations_queue_up),
        cmocka_unit_test(cancelling_gives_back_what_nobody_counts_on),
        cmocka_unit_test(limit_and_burst_change),
        cmocka_unit_test(far_instants_do_not_overflow),
        cmocka_unit_test(waiting),
        cmocka_unit_test(a_wait_that_is_cancelled_gives_back),
        cmocka_unit_test(never_more_than_the_bucket_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
