/* Singleflight: one call for many, keys apart, forget, channels, errors, panics, exits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/panic.h>
#include <heddle/singleflight.h>
#include <heddle/waitgroup.h>

struct fetch {
    struct hd_singleflight group;
    struct hd_atomic_int32 calls, shared, panics, started;
    struct hd_chan *gate;
    struct hd_wg wg;
    int thing;
};

static void *get(void *arg, hd_err *err)
{
    struct fetch *fetch = arg;

    (void)err;
    hd_int32_add(&fetch->calls, 1);
    hd_chan_recv(fetch->gate, NULL);
    return &fetch->thing;
}

static void ask(void *arg)
{
    struct fetch *fetch = arg;
    struct hd_flight_result result;

    hd_int32_add(&fetch->started, 1);
    result = hd_singleflight_do(&fetch->group, "user 7", get, fetch);
    if (result.value != &fetch->thing || result.err)
        abort();
    hd_int32_add(&fetch->shared, result.shared);
}

static void many_share_one_call(void **state)
{
    struct fetch fetch = {.gate = hd_chan_make(0, 0)};

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_null(hd_wg_go(&fetch.wg, ask, &fetch));
    while (hd_int32_load(&fetch.started) < 8 || hd_int32_load(&fetch.calls) == 0)
        hd_go_yield();
    hd_chan_close(fetch.gate);
    hd_wg_wait(&fetch.wg);
    assert_in_range(hd_int32_load(&fetch.calls), 1, 8); /* 1, unless one was slow to join */
    if (hd_int32_load(&fetch.calls) == 1)
        assert_int_equal(hd_int32_load(&fetch.shared), 8);
    hd_chan_unref(fetch.gate);
}

static void *fail_it(void *arg, hd_err *err)
{
    *err = hd_errorf(HD_ERR_USER, "no such user");
    return arg;
}

static void alone_it_is_not_shared(void **state)
{
    struct hd_singleflight group = {0};
    struct hd_flight_result result;
    int thing;

    (void)state;
    result = hd_singleflight_do(&group, "a", fail_it, &thing);
    assert_ptr_equal(result.value, &thing);
    assert_string_equal(hd_err_message(result.err), "no such user");
    assert_false(result.shared);
    hd_err_unref(result.err);
}

static void channels_join_and_share(void **state)
{
    struct fetch fetch = {.gate = hd_chan_make(0, 0)};
    struct hd_chan *a = hd_singleflight_do_chan(&fetch.group, "k", get, &fetch);
    struct hd_chan *b = hd_singleflight_do_chan(&fetch.group, "k", get, &fetch);
    struct hd_chan *c = hd_singleflight_do_chan(&fetch.group, "other", get, &fetch);
    struct hd_flight_result ra, rb, rc;

    (void)state;
    hd_chan_close(fetch.gate);
    hd_chan_recv(a, &ra);
    hd_chan_recv(b, &rb);
    hd_chan_recv(c, &rc);
    assert_int_equal(hd_int32_load(&fetch.calls), 2);
    assert_true(ra.shared && rb.shared && !rc.shared);
    assert_ptr_equal(ra.value, rb.value);
    hd_chan_unref(a);
    hd_chan_unref(b);
    hd_chan_unref(c);
    hd_chan_unref(fetch.gate);
}

static void forgetting_calls_anew(void **state)
{
    struct fetch fetch = {.gate = hd_chan_make(0, 0)};
    struct hd_chan *a = hd_singleflight_do_chan(&fetch.group, "k", get, &fetch), *b;
    struct hd_flight_result ra, rb;

    (void)state;
    hd_singleflight_forget(&fetch.group, "k");
    hd_singleflight_forget(&fetch.group, "nobody");
    b = hd_singleflight_do_chan(&fetch.group, "k", get, &fetch);
    hd_chan_close(fetch.gate);
    hd_chan_recv(a, &ra);
    hd_chan_recv(b, &rb);
    assert_int_equal(hd_int32_load(&fetch.calls), 2);
    assert_false(ra.shared || rb.shared);
    hd_chan_unref(a);
    hd_chan_unref(b);
    hd_chan_unref(fetch.gate);
}

static void *panic_in_it(void *arg, hd_err *err)
{
    struct fetch *fetch = arg;

    (void)err;
    hd_int32_add(&fetch->calls, 1);
    hd_chan_recv(fetch->gate, NULL);
    hd_panic("database is gone");
}

static void do_panic(void *arg)
{
    struct fetch *fetch = arg;

    (void)!hd_singleflight_do(&fetch->group, "k", panic_in_it, fetch).shared;
}

static void ask_for_panic(void *arg)
{
    struct fetch *fetch = arg;
    hd_err err = hd_recover(do_panic, fetch);

    if (hd_err_code(err) == HD_ERR_PANIC)
        hd_int32_add(&fetch->panics, 1);
    hd_err_unref(err);
}

static void a_panic_reaches_all_that_share_it(void **state)
{
    struct fetch fetch = {.gate = hd_chan_make(0, 0)};
    struct hd_chan *chan;
    struct hd_flight_result result;

    (void)state;
    chan = hd_singleflight_do_chan(&fetch.group, "k", panic_in_it, &fetch);
    for (int i = 0; i < 4; i++)
        assert_null(hd_wg_go(&fetch.wg, ask_for_panic, &fetch));
    hd_chan_close(fetch.gate);
    hd_wg_wait(&fetch.wg);
    assert_int_equal(hd_int32_load(&fetch.panics), 4);
    hd_chan_recv(chan, &result);
    assert_string_equal(hd_err_message(result.err), "database is gone");
    hd_err_unref(result.err);
    hd_chan_unref(chan);
    /* and the key is free again */
    result = hd_singleflight_do(&fetch.group, "k", fail_it, NULL);
    assert_int_equal(hd_err_code(result.err), HD_ERR_USER);
    hd_err_unref(result.err);
    hd_chan_unref(fetch.gate);
}

static void *exit_in_it(void *arg, hd_err *err)
{
    (void)arg, (void)err;
    hd_goexit();
}

static void do_exit(void *arg)
{
    (void)!hd_singleflight_do(arg, "k", exit_in_it, NULL).shared;
    abort();
}

static void an_exit_leaves_the_key_free(void **state)
{
    struct hd_singleflight group = {0};
    struct hd_wg wg = HD_WG_INIT;
    struct hd_flight_result result;
    struct hd_chan *chan;

    (void)state;
    assert_null(hd_wg_go(&wg, do_exit, &group));
    hd_wg_wait(&wg);
    chan = hd_singleflight_do_chan(&group, "k", exit_in_it, NULL);
    hd_chan_recv(chan, &result);
    assert_int_equal(hd_err_code(result.err), HD_ERR_PANIC);
    hd_err_unref(result.err);
    hd_chan_unref(chan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_share_one_call),
        cmocka_unit_test(alone_it_is_not_shared),
        cmocka_unit_test(channels_join_and_share),
        cmocka_unit_test(forgetting_calls_anew),
        cmocka_unit_test(a_panic_reaches_all_that_share_it),
        cmocka_unit_test(an_exit_leaves_the_key_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
