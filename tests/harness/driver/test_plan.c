/* test_plan.c - the plan of a campaign, and the count of distinct interleavings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "campaign/plan.h"
#include "schedules/config_words.h"
#include "util/distinct.h"

static void the_same_seed_is_the_same_plan(void **state)
{
    (void)state;
    struct plan p = {.strategy = PLAN_AUTO, .seed = 7}, q = {.strategy = PLAN_AUTO, .seed = 8};
    for (uint64_t n = 1; n < 1000; n++) {
        struct hdp_config a = {0}, b = {0}, c = {0};
        plan_schedule(&p, n, &a);
        plan_schedule(&p, n, &b);
        plan_schedule(&q, n, &c);
        assert_true(a.seed == b.seed && a.strategy == b.strategy && a.depth == b.depth);
        assert_true(a.seed != c.seed);
        assert_true(a.depth >= 1 && a.strategy < HDP_STRATEGIES);
    }
}

static void auto_uses_every_strategy(void **state)
{
    (void)state;
    struct plan p = {.strategy = PLAN_AUTO, .seed = 1};
    unsigned used[HDP_STRATEGIES] = {0}, turns = 0;
#define TURN(NAME, depth) turns++;
#include "wire/strategies.inc"
    for (uint64_t n = 1; n <= turns; n++) {
        struct hdp_config c = {0};
        plan_schedule(&p, n, &c);
        used[c.strategy]++;
    }
    for (unsigned i = 0; i < HDP_STRATEGIES; i++)
        assert_true(used[i] > 0);
}

static void what_others_are_compared_with_interrupts_nobody(void **state)
{
    struct plan p = {.strategy = PLAN_AUTO, .seed = 1, .reference = true};
    struct hdp_config first = {0}, second = {0}, without = {0};

    (void)state;
    plan_schedule(&p, 1, &first);
    plan_schedule(&p, 2, &second);
    p.reference = false;
    plan_schedule(&p, 2, &without);
    assert_int_equal(first.strategy, HDP_PCT);
    assert_int_equal(first.depth, 1);
    assert_int_equal(second.strategy, without.strategy);
}

static void a_strategy_has_one_word(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HDP_STRATEGIES; i++)
        assert_int_equal(strategy_parse(strategy_word(i)), i);
    assert_int_equal(strategy_parse("auto"), HDP_STRATEGIES);
}

/* `hold` alone goes through the places as it does in turn with the others. */
static void a_serial_depth_counts_the_schedules_of_its_strategy(void **state)
{
    (void)state;
    struct plan mixed = {.strategy = PLAN_AUTO, .seed = 1}, alone = {.strategy = HDP_HOLD};
    uint32_t held = 0;
    for (uint64_t n = 1; n <= 100; n++) {
        struct hdp_config c = {0};
        plan_schedule(&mixed, n, &c);
        if (c.strategy == HDP_HOLD)
            assert_int_equal(c.depth, ++held);
        plan_schedule(&alone, n, &c);
        assert_int_equal(c.depth, n);
    }
    assert_true(held > 10);
}

static void one_strategy_is_that_one(void **state)
{
    (void)state;
    struct plan p = {.strategy = HDP_PCT, .depth = 5, .seed = 1};
    for (uint64_t n = 1; n <= 20; n++) {
        struct hdp_config c = {0};
        plan_schedule(&p, n, &c);
        assert_int_equal(c.strategy, HDP_PCT);
        assert_int_equal(c.depth, 5);
    }
}

static void sleeps_end_beside_work_only_when_it_does_not_end(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct hdp_config c = {.seed = seed};
        assert_int_equal(plan_work_steps(&c, 0, 0), 0);
        assert_int_equal(plan_work_steps(&c, 30000, 0), 0);
        assert_in_range(plan_work_steps(&c, 0, 1), 1024, 8192);
        assert_in_range(plan_work_steps(&c, 3000, 1), 6000, 48000);
        assert_int_equal(plan_work_steps(&c, 40000, 1), 50000);
    }
}

static void distinct_is_exact_then_close(void **state)
{
    (void)state;
    static struct distinct d;
    for (unsigned twice = 0; twice < 2; twice++)
        for (uint64_t i = 0; i < 50000; i++)
            distinct_add(&d, i * i);
    assert_int_equal(distinct_count(&d), 50000);
    assert_false(d.full);
    for (uint64_t i = 0; i < 1000000; i++)
        distinct_add(&d, i * i);
    assert_true(d.full);
    uint64_t n = distinct_count(&d);
    assert_true(n > 960000 && n < 1040000);
    distinct_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_is_the_same_plan),
        cmocka_unit_test(auto_uses_every_strategy),
        cmocka_unit_test(what_others_are_compared_with_interrupts_nobody),
        cmocka_unit_test(a_strategy_has_one_word),
        cmocka_unit_test(a_serial_depth_counts_the_schedules_of_its_strategy),
        cmocka_unit_test(one_strategy_is_that_one),
        cmocka_unit_test(sleeps_end_beside_work_only_when_it_does_not_end),
        cmocka_unit_test(distinct_is_exact_then_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
