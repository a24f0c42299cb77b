/* test_unseen.c - the estimate of what was not drawn yet, against draws whose probabilities are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reports/worth.h"
#include "util/unseen.h"
#include "wire/hash.h"

static uint64_t state;

static uint64_t chance(void)
{
    return hash_next(state++);
}

static void counts_by_hand(void **unused)
{
    struct unseen u = {0};
    const uint64_t kind[] = {7, 7, 7, 8, 8, 9, 10, 11, 12, 12};
    (void)unused;
    assert_true(unseen_share(&u) == 1);
    for (uint64_t i = 0; i < 10; i++)
        unseen_add(&u, kind[i], i + 1);
    struct unseen_estimate e = unseen_estimate(&u, 6);
    assert_int_equal(e.draws, 10);
    assert_int_equal(e.once, 3);
    assert_int_equal(e.twice, 2);
    assert_int_equal(e.lately, 1);
    assert_int_equal(e.new_lately, 0);
    assert_true(e.share > 0.299 && e.share < 0.301);
    assert_true(e.kinds > 8.24 && e.kinds < 8.26); /* 6 + 3 * 3 / (2 * 2) */
    unseen_free(&u);
}

/* The same draws side by side, and so in another order. */
static void order_is_of_no_matter(void **unused)
{
    static uint64_t kind[200000];
    struct unseen a = {0}, b = {0};
    (void)unused;
    for (uint64_t i = 0; i < 200000; i++)
        kind[i] = chance() % 150000;
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t k = i ^ 3;
        unseen_add(&a, kind[i], i + 1);
        unseen_add(&b, kind[k], k + 1);
    }
    struct unseen_estimate x = unseen_estimate(&a, 5), y = unseen_estimate(&b, 5);
    assert_memory_equal(&x, &y, sizeof x);
    unseen_free(&a);
    unseen_free(&b);
}

/* Of `kinds` kinds, whose probabilities fall by `fall`: how far off are the estimates? The true share is that of
 * the kinds that did not come. */
static double error_of_share(uint64_t kinds, double fall, uint64_t draws)
{
    static double upto[400000];
    static unsigned char came[400000];
    struct unseen u = {0};
    double sum = 0, one = 1, unseen = 0;
    uint64_t known = 0;

    memset(came, 0, sizeof came);
    for (uint64_t i = 0; i < kinds; i++, one *= fall)
        upto[i] = sum += one;
    for (uint64_t n = 1; n <= draws; n++) {
        double at = (double)(chance() >> 11) / 9007199254740992.0 * sum;
        uint64_t low = 0, high = kinds - 1;
        while (low < high) {
            uint64_t middle = (low + high) / 2;
            if (upto[middle] <= at)
                low = middle + 1;
            else
                high = middle;
        }
        known += !came[low];
        came[low] = 1;
        unseen_add(&u, low, n);
    }
    for (uint64_t i = 0; i < kinds; i++)
        if (!came[i])
            unseen += (upto[i] - (i ? upto[i - 1] : 0)) / sum;
    struct unseen_estimate e = unseen_estimate(&u, known);
    assert_true(e.share == unseen_share(&u));
    assert_true(e.kinds >= (double)known);
    assert_true(e.kinds <= 1.3 * (double)kinds + 10); /* a lower bound, but for chance */
    unseen_free(&u);
    return e.share > unseen ? e.share - unseen : unseen - e.share;
}

/* Also of more kinds than are kept. The standard error is about sqrt(once + 2 twice) / draws. */
static void is_about_what_is_missing(void **unused)
{
    (void)unused;
    state = 1;
    for (int i = 0; i < 20; i++) {
        assert_true(error_of_share(100, 1, 300) < 0.08);
        assert_true(error_of_share(1000, 0.99, 500) < 0.12);
        assert_true(error_of_share(5000, 1, 2000) < 0.08);
    }
    assert_true(error_of_share(300000, 1, 200000) < 0.02);
    assert_true(error_of_share(400000, 0.99999, 300000) < 0.02);
}

static void pct_promises_what_its_paper_does(void **unused)
{
    struct stats s = {0};
    struct hdp_config config = {.strategy = HDP_PCT, .depth = 2, .expected_steps = 100};
    struct hdp_result result = {.steps = 90, .threads = 4};
    (void)unused;
    for (int i = 0; i < 400; i++)
        worth_count_pct(&s, &config, &result);
    result.steps = 101; /* it has no change where it might have to be */
    worth_count_pct(&s, &config, &result);
    config.strategy = HDP_RANDOM;
    result.steps = 1;
    worth_count_pct(&s, &config, &result);
    assert_int_equal(s.pct[0].schedules, 400);
    assert_int_equal(s.pct[1].schedules, 0);
    double p = worth_pct(&s.pct[0]); /* 1 - (1 - 1 / (4 * 100)) ^ 400 */
    assert_true(p > 0.632 && p < 0.633);
    s.pct[0].depth = 1;
    s.pct[0].threads = 1;
    assert_true(worth_pct(&s.pct[0]) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_hand),
        cmocka_unit_test(order_is_of_no_matter),
        cmocka_unit_test(is_about_what_is_missing),
        cmocka_unit_test(pct_promises_what_its_paper_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
