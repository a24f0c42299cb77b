/* Breaker: opening, refusing, one trial, closing; calls of a former era; no lock during the call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/breaker.h>
#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/panic.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

#define SHORT (2 * HD_MILLISECOND)

static hd_err answer(struct hd_context *ctx, void *arg)
{
    (void)ctx;
    return arg;
}

static hd_err call(struct hd_breaker *breaker, hd_err result)
{
    return hd_breaker_call(breaker, hd_context_background(), answer, (void *)(uintptr_t)result);
}

static void open_it(struct hd_breaker *breaker, int most_failures)
{
    for (int i = 0; i < most_failures; i++)
        assert_ptr_equal(call(breaker, hd_invalid), hd_invalid);
    assert_int_equal(hd_breaker_state(breaker), HD_BREAKER_OPEN);
}

static void failures_in_a_row_open_it(void **state)
{
    struct hd_breaker breaker;

    (void)state;
    hd_breaker_init(&breaker, 3, HD_HOUR, 0);
    assert_ptr_equal(call(&breaker, hd_invalid), hd_invalid);
    assert_ptr_equal(call(&breaker, hd_invalid), hd_invalid);
    assert_null(call(&breaker, NULL)); /* ends the row */
    assert_ptr_equal(call(&breaker, hd_invalid), hd_invalid);
    assert_ptr_equal(call(&breaker, hd_invalid), hd_invalid);
    assert_int_equal(hd_breaker_state(&breaker), HD_BREAKER_CLOSED);
    assert_ptr_equal(call(&breaker, hd_invalid), hd_invalid);
    assert_int_equal(hd_breaker_state(&breaker), HD_BREAKER_OPEN);
    assert_ptr_equal(call(&breaker, NULL), hd_circuit_open);
}

static void a_trial_closes_or_opens_again(void **state)
{
    struct hd_breaker breaker;

    (void)state;
    hd_breaker_init(&breaker, 1, SHORT, 0);
    open_it(&breaker, 1);
    hd_sleep(2 * SHORT);
    assert_int_equal(hd_breaker_state(&breaker), HD_BREAKER_HALF_OPEN);
    assert_ptr_equal(call(&breaker, hd_invalid), hd_invalid);
    assert_int_equal(hd_breaker_state(&breaker), HD_BREAKER_OPEN);
    hd_sleep(2 * SHORT);
    assert_null(call(&breaker, NULL));
    assert_int_equal(hd_breaker_state(&breaker), HD_BREAKER_CLOSED);
}

struct trial {
    struct hd_breaker breaker;
    struct hd_chan *entered, *leave;
    struct hd_wg wg;
    hd_err answer;
};

static hd_err stay(struct hd_context *ctx, void *arg)
{
    struct trial *trial = arg;

    (void)ctx;
    hd_chan_send(trial->entered, NULL);
    hd_chan_recv(trial->leave, NULL);
    return trial->answer;
}

static void stay_inside(void *arg)
{
    struct trial *trial = arg;

    if (hd_breaker_call(&trial->breaker, hd_context_background(), stay, trial) != trial->answer)
        abort();
}

static void enter(struct trial *trial, hd_err answer_of_it)
{
    trial->entered = hd_chan_make(0, 0);
    trial->leave = hd_chan_make(0, 0);
    trial->answer = answer_of_it;
    assert_null(hd_wg_go(&trial->wg, stay_inside, trial));
    hd_chan_recv(trial->entered, NULL);
}

static void leave(struct trial *trial)
{
    hd_chan_close(trial->leave);
    hd_wg_wait(&trial->wg);
    hd_chan_unref(trial->entered);
    hd_chan_unref(trial->leave);
}

static void one_trial_at_a_time(void **state)
{
    struct trial trial = {.wg = HD_WG_INIT};

    (void)state;
    hd_breaker_init(&trial.breaker, 1, SHORT, 0);
    open_it(&trial.breaker, 1);
    hd_sleep(2 * SHORT);
    enter(&trial, NULL);
    assert_ptr_equal(call(&trial.breaker, NULL), hd_circuit_open);
    leave(&trial);
    assert_int_equal(hd_breaker_state(&trial.breaker), HD_BREAKER_CLOSED);
}

/* With the guide's lock held over the call, this one would wait for ever. */
static void others_call_meanwhile_and_late_answers_do_not_count(void **state)
{
    struct trial trial = {.wg = HD_WG_INIT};

    (void)state;
    hd_breaker_init(&trial.breaker, 1, HD_HOUR, 0);
    enter(&trial, NULL);
    open_it(&trial.breaker, 1);
    leave(&trial); /* succeeds, but began before the breaker opened */
    assert_int_equal(hd_breaker_state(&trial.breaker), HD_BREAKER_OPEN);
}

static hd_err wait_for_timeout(struct hd_context *ctx, void *arg)
{
    (void)arg;
    hd_chan_recv(hd_context_done(ctx), NULL);
    return hd_context_err(ctx);
}

static hd_err fail_test(struct hd_context *ctx, void *arg)
{
    (void)ctx, (void)arg;
    abort();
}

static void timeouts_and_ended_contexts(void **state)
{
    struct hd_context *ended = hd_context_with_cancel(hd_context_background());
    struct hd_breaker breaker;

    (void)state;
    hd_context_cancel(ended);
    hd_breaker_init(&breaker, 1, HD_HOUR, SHORT);
    assert_ptr_equal(hd_breaker_call(&breaker, ended, fail_test, NULL), hd_cancelled);
    assert_int_equal(hd_breaker_state(&breaker), HD_BREAKER_CLOSED);
    assert_ptr_equal(hd_breaker_call(&breaker, hd_context_background(), wait_for_timeout, NULL),
                     hd_deadline_exceeded);
    assert_int_equal(hd_breaker_state(&breaker), HD_BREAKER_OPEN);
    hd_context_unref(ended);
}

static hd_err panic_inside(struct hd_context *ctx, void *arg)
{
    (void)ctx, (void)arg;
    hd_panic("inside");
}

static void call_panic(void *arg)
{
    (void)!hd_breaker_call(arg, hd_context_background(), panic_inside, NULL);
}

static void a_panic_counts_and_carries_on(void **state)
{
    struct hd_breaker breaker;
    hd_err err;

    (void)state;
    hd_breaker_init(&breaker, 1, HD_HOUR, 0);
    err = hd_recover(call_panic, &breaker);
    assert_string_equal(hd_err_message(err), "inside");
    hd_err_unref(err);
    assert_int_equal(hd_breaker_state(&breaker), HD_BREAKER_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_in_a_row_open_it),
        cmocka_unit_test(a_trial_closes_or_opens_again),
        cmocka_unit_test(one_trial_at_a_time),
        cmocka_unit_test(others_call_meanwhile_and_late_answers_do_not_count),
        cmocka_unit_test(timeouts_and_ended_contexts),
        cmocka_unit_test(a_panic_counts_and_carries_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
