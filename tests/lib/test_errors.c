/* Error values: text, codes, wrapping, joining, identity, and trees deeper than any stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/errors.h>

static const struct hd_error not_found[1] = {HD_ERROR(HD_ERR_USER + 4, "not found")};

static void none_is_null(void **state)
{
    (void)state;
    assert_int_equal(hd_err_code(NULL), HD_ERR_NONE);
    assert_string_equal(hd_err_message(NULL), "");
    assert_null(hd_err_cause(NULL));
    assert_null(hd_err_find(NULL, HD_ERR_OTHER));
    assert_true(hd_err_is(NULL, NULL));
    assert_false(hd_err_is(NULL, not_found));
    assert_false(hd_err_is(not_found, NULL));
    assert_null(hd_err_ref(NULL));
    hd_err_unref(NULL);
}

static void formats_and_copies(void **state)
{
    char name[] = "alpha";
    hd_err err = hd_errorf(HD_ERR_USER, "item %s of %d", name, 7);

    (void)state;
    name[0] = '!';
    assert_string_equal(hd_err_message(err), "item alpha of 7");
    assert_int_equal(hd_err_code(err), HD_ERR_USER);
    assert_true(hd_err_is(err, err));
    hd_err_unref(err);
}

static void two_with_one_text_are_two(void **state)
{
    hd_err a = hd_errorf(HD_ERR_OTHER, "same"), b = hd_errorf(HD_ERR_OTHER, "same");

    (void)state;
    assert_false(hd_err_is(a, b));
    hd_err_unref(a);
    hd_err_unref(b);
}

static void wrapping_keeps_cause_and_code(void **state)
{
    hd_err err = hd_wrapf(hd_wrapf(not_found, "get user %d", 3), "serve");

    (void)state;
    assert_string_equal(hd_err_message(err), "serve: get user 3: not found");
    assert_int_equal(hd_err_code(err), HD_ERR_USER + 4);
    assert_true(hd_err_is(err, not_found));
    assert_false(hd_err_is(err, hd_cancelled));
    assert_ptr_equal(hd_err_cause(hd_err_cause(err)), not_found);
    assert_ptr_equal(hd_err_find(err, HD_ERR_USER + 4), not_found);
    assert_null(hd_err_find(err, HD_ERR_CANCELLED));
    hd_err_unref(err);
}

static void wrapping_nothing_is_nothing(void **state)
{
    (void)state;
    assert_null(hd_wrapf(NULL, "step %d", 1));
}

static void joining(void **state)
{
    hd_err parts[] = {NULL, hd_wrapf(hd_cancelled, "a"), NULL, hd_errorf(HD_ERR_USER, "b")};
    hd_err err = hd_err_join(parts, 4);

    (void)state;
    assert_string_equal(hd_err_message(err), "a: context canceled\nb");
    assert_int_equal(hd_err_code(err), HD_ERR_CANCELLED);
    assert_true(hd_err_is(err, hd_cancelled));
    assert_true(hd_err_is(err, parts[3]));
    assert_ptr_equal(hd_err_find(err, HD_ERR_USER), parts[3]);
    assert_null(hd_err_cause(err));
    hd_err_unref(err);
}

static void joining_few(void **state)
{
    const hd_err none[] = {NULL, NULL}, one[] = {NULL, not_found};

    (void)state;
    assert_null(hd_err_join(none, 2));
    assert_null(hd_err_join(NULL, 0));
    assert_ptr_equal(hd_err_join(one, 2), not_found);
}

static void a_shared_cause_outlives_one_holder(void **state)
{
    hd_err cause = hd_errorf(HD_ERR_OTHER, "root");
    hd_err a = hd_wrapf(hd_err_ref(cause), "a"), b = hd_wrapf(hd_err_ref(cause), "b");

    (void)state;
    hd_err_unref(cause);
    hd_err_unref(a);
    assert_string_equal(hd_err_message(hd_err_cause(b)), "root");
    hd_err_unref(b);
}

static void a_long_chain_needs_no_stack(void **state)
{
    hd_err parts[2] = {hd_errorf(HD_ERR_OTHER, "x"), NULL};
    hd_err first = parts[0];

    (void)state;
    for (int i = 0; i < 3000; i++) {
        parts[1] = hd_errorf(HD_ERR_OTHER, "y");
        parts[0] = hd_err_join(parts, 2);
    }
    assert_true(hd_err_is(parts[0], first));
    assert_false(hd_err_is(parts[0], not_found));
    hd_err_unref(parts[0]);
}

static void sentinels_say_what_go_says(void **state)
{
    (void)state;
    assert_string_equal(hd_err_message(hd_cancelled), "context canceled");
    assert_string_equal(hd_err_message(hd_deadline_exceeded), "context deadline exceeded");
    assert_int_equal(hd_err_code(hd_deadline_exceeded), HD_ERR_DEADLINE);
    hd_err_unref(hd_err_ref(hd_cancelled));
    assert_false(hd_err_is(hd_cancelled, hd_deadline_exceeded));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_null),
        cmocka_unit_test(formats_and_copies),
        cmocka_unit_test(two_with_one_text_are_two),
        cmocka_unit_test(wrapping_keeps_cause_and_code),
        cmocka_unit_test(wrapping_nothing_is_nothing),
        cmocka_unit_test(joining),
        cmocka_unit_test(joining_few),
        cmocka_unit_test(a_shared_cause_outlives_one_holder),
        cmocka_unit_test(a_long_chain_needs_no_stack),
        cmocka_unit_test(sentinels_say_what_go_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
