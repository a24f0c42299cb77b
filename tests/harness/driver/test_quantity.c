/* test_quantity.c - numbers and times from the user, and how they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/quantity.h"

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"30s", 30000000000},  {"500ms", 500000000}, {"10", 10000000000},
                {"1.5s", 1500000000},  {"2m", 120000000000}, {"1h", 3600000000000},
                {"0.001s", 1000000},   {"7us", 7000},        {"5ns", 5},
                {"2min", 120000000000}};
    static const char *const bad[] = {
        "",   "s",   "-1s", "0",    "0s",  "1d",  "1 s",   "1s ",
        "1e", "nan", "inf", "0x10", "1ss", "++1", "1e99h", "999999999999h"};
    int64_t ns;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(parse_time(good[i].text, &ns));
        assert_int_equal(ns, good[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse_time(bad[i], &ns))
            fail_msg("\"%s\" was taken for a time", bad[i]);
}

static void counts(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "11", "0", "1e3", "18446744073709551617"};
    uint64_t n;
    assert_true(parse_count("10", 1, 10, &n));
    assert_int_equal(n, 10);
    assert_true(parse_count("18446744073709551615", 0, UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse_count(bad[i], 1, 10, &n))
            fail_msg("\"%s\" was taken for a number", bad[i]);
}

static void shown(void **state)
{
    (void)state;
    char b[64];
    assert_string_equal(show_count(0, b), "0");
    assert_string_equal(show_count(999, b), "999");
    assert_string_equal(show_count(1000, b), "1,000");
    assert_string_equal(show_count(UINT64_MAX, b), "18,446,744,073,709,551,615");
    assert_string_equal(show_time(250000000, b, sizeof b), "250 ms");
    assert_string_equal(show_time(1500000000, b, sizeof b), "1.5 s");
    assert_string_equal(show_time(180000000000, b, sizeof b), "3.0 min");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times), cmocka_unit_test(counts),
                                       cmocka_unit_test(shown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
