/* Once: exactly once, all wait for it, panics count as done, values and errors are remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/go.h>
#include <heddle/once.h>
#include <heddle/panic.h>
#include <heddle/waitgroup.h>

#include "panics.h"
#include "rounds.h"

struct config {
    struct hd_once once;
    struct hd_wg wg;
    int runs, value; /* plain: published by the once */
};

static void load(void *arg)
{
    struct config *config = arg;

    for (int i = 0; i < 3; i++)
        hd_go_yield();
    config->runs++;
    config->value = 42;
}

static void use(void *arg)
{
    struct config *config = arg;

    hd_once_do(&config->once, load, config);
    if (config->value != 42)
        abort();
}

static void once_and_published(void **state)
{
    (void)state;
    for (int round = 0; round < rounds(100); round++) {
        struct config config = {.once = HD_ONCE_INIT};
        for (int i = 0; i < 5; i++)
            assert_null(hd_wg_go(&config.wg, use, &config));
        hd_wg_wait(&config.wg);
        assert_int_equal(config.runs, 1);
    }
}

static void panic_in_it(void *arg)
{
    ++*(int *)arg;
    hd_panic("no config");
}

struct call {
    struct hd_once *once;
    int runs;
};

static void call_once(void *arg)
{
    struct call *call = arg;

    hd_once_do(call->once, panic_in_it, &call->runs);
}

static void a_panic_counts_as_done(void **state)
{
    struct hd_once once = HD_ONCE_INIT;
    struct call call = {&once, 0};
    hd_err err = hd_recover(call_once, &call);

    (void)state;
    assert_string_equal(hd_err_message(err), "no config");
    hd_err_unref(err);
    assert_null(hd_recover(call_once, &call));
    assert_int_equal(call.runs, 1);
}

static int made;

static void *make(void *arg, hd_err *err)
{
    made++;
    if (!arg)
        *err = hd_errorf(HD_ERR_USER, "nothing to make");
    return arg;
}

static void values_and_errors_are_remembered(void **state)
{
    int thing = 3;
    struct hd_once_value good = HD_ONCE_VALUE(make, &thing), bad = HD_ONCE_VALUE(make, NULL);
    hd_err err, again;

    (void)state;
    made = 0;
    assert_ptr_equal(hd_once_value_get(&good, &err), &thing);
    assert_null(err);
    assert_ptr_equal(hd_once_value_get(&good, NULL), &thing);
    assert_int_equal(made, 1);
    assert_null(hd_once_value_get(&bad, &err));
    assert_null(hd_once_value_get(&bad, &again));
    assert_string_equal(hd_err_message(err), "nothing to make");
    assert_ptr_equal(err, again);
    assert_int_equal(made, 2);
    hd_once_value_clear(&bad);
    assert_null(hd_once_value_get(&bad, &err));
    assert_int_equal(made, 3);
    hd_once_value_clear(&bad);
}

static void *make_panic(void *arg, hd_err *err)
{
    (void)arg, (void)err;
    made++;
    hd_panic("cannot");
}

static void get_value(void *arg)
{
    hd_once_value_get(arg, NULL);
}

static void a_panic_is_repeated(void **state)
{
    struct hd_once_value once = HD_ONCE_VALUE(make_panic, NULL);

    (void)state;
    made = 0;
    for (int i = 0; i < 2; i++) {
        hd_err err = hd_recover(get_value, &once);
        assert_string_equal(hd_err_message(err), "cannot");
        hd_err_unref(err);
    }
    assert_int_equal(made, 1);
    hd_once_value_clear(&once);
}

static void clear_value(void *arg)
{
    hd_once_value_clear(arg);
}

static void *clear_inside(void *arg, hd_err *err)
{
    *err = hd_recover(clear_value, arg);
    return NULL;
}

static void a_clear_while_it_is_made_panics(void **state)
{
    struct hd_once_value once = HD_ONCE_VALUE(clear_inside, &once);
    hd_err err;

    (void)state;
    hd_once_value_get(&once, &err);
    assert_string_equal(hd_err_message(err), "sync: clear of a OnceValue while it is made");
    hd_once_value_clear(&once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_and_published),
        cmocka_unit_test(a_panic_counts_as_done),
        cmocka_unit_test(values_and_errors_are_remembered),
        cmocka_unit_test(a_panic_is_repeated),
        cmocka_unit_test(a_clear_while_it_is_made_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
