/* Strategies, one by one, on threads that always can run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "turn/rt.h"

#define N 5

static struct hdi_thread thread[N], *enabled[N];
static struct hdi_object object[N];
static struct hdi_op op[N];

static void begin(const struct rt_strategy *s, uint64_t seed, uint32_t depth, uint32_t steps)
{
    struct hdp_config c = {.seed = seed, .depth = depth, .expected_steps = steps};

    rt_random_seed(seed);
    memset(thread, 0, sizeof thread);
    if (s->begin)
        s->begin(&c);
    for (uint32_t i = 0; i < N; i++) {
        thread[i].index = i;
        thread[i].hash = 100 + i;
        op[i] = (struct hdi_op){.kind = HD_EV_MUTEX_LOCK, .object = &object[i]};
        thread[i].op = &op[i];
        enabled[i] = &thread[i];
        if (s->created)
            s->created(&thread[i]);
    }
}

/* The seed decides everything, and each pick is one of those offered. */
static void repeats(const struct rt_strategy *s)
{
    uint32_t picks[200];

    for (int round = 0; round < 2; round++) {
        begin(s, 42, 3, 100);
        for (size_t i = 0; i < sizeof picks / sizeof picks[0]; i++) {
            uint32_t n = 1 + (uint32_t)i % N, k = s->pick(enabled, n);
            assert_in_range(k, 0, n - 1);
            if (round == 0)
                picks[i] = k;
            else
                assert_int_equal(k, picks[i]);
        }
    }
}

static void every_strategy_repeats(void **state)
{
    (void)state;
    repeats(&rt_random_walk);
    repeats(&rt_pct);
    repeats(&rt_pos);
    repeats(&rt_burst);
    repeats(&rt_round_robin);
}

/* Nobody is kept out for ever. */
static void every_thread_runs(void **state)
{
    const struct rt_strategy *fair[] = {&rt_random_walk, &rt_pos, &rt_burst, &rt_round_robin};

    (void)state;
    for (size_t s = 0; s < sizeof fair / sizeof fair[0]; s++) {
        uint32_t ran[N] = {0};
        begin(fair[s], 7, 0, 0);
        for (int i = 0; i < 20000; i++)
            ran[fair[s]->pick(enabled, N)]++;
        for (int i = 0; i < N; i++)
            assert_true(ran[i] > 0);
    }
}

static void random_walk_is_uniform(void **state)
{
    uint32_t ran[N] = {0};

    (void)state;
    begin(&rt_random_walk, 3, 0, 0);
    for (int i = 0; i < 50000; i++)
        ran[rt_random_walk.pick(enabled, N)]++;
    for (int i = 0; i < N; i++) /* 10,000 expected, standard deviation 89 */
        assert_in_range(ran[i], 9500, 10500);
}

static void round_robin_takes_turns(void **state)
{
    (void)state;
    begin(&rt_round_robin, 1, 0, 0);
    for (uint32_t i = 1; i < 4 * N; i++)
        assert_int_equal(rt_round_robin.pick(enabled, N), i % N);
}

static void main_goes_first_until_it_waits(void **state)
{
    (void)state;
    begin(&rt_round_robin, 1, HDP_RR_MAIN_FIRST, 0);
    rt.main = &thread[0];
    for (int i = 0; i < 10; i++)
        assert_int_equal(rt_round_robin.pick(enabled, N), 0);
    for (uint32_t i = 1; i < N; i++) /* it cannot run, then it can again */
        assert_int_equal(rt_round_robin.pick(enabled + 1, N - 1), i - 1);
    assert_int_equal(rt_round_robin.pick(enabled, N), 0);
    assert_int_equal(rt_round_robin.pick(enabled, N), 1);
    begin(&rt_round_robin, 1, HDP_RR_MAIN_FIRST, 0);
    assert_int_equal(rt_round_robin.pick(enabled, N), 0);
    rt_round_robin.yielded(&thread[0]);
    assert_int_equal(rt_round_robin.pick(enabled, N), 1);
}

/* PCT of depth d changes its mind d - 1 times, wherever those fall within the expected steps; two may
 * fall on one step, or on the first. */
static void pct_changes_depth_minus_one_times(void **state)
{
    (void)state;
    for (uint32_t depth = 1; depth <= 4; depth++) {
        uint32_t most = 0;
        for (uint64_t seed = 1; seed <= 50; seed++) {
            uint32_t changes = 0, last;
            begin(&rt_pct, seed, depth, 100);
            last = rt_pct.pick(enabled, N);
            for (int i = 0; i < 200; i++) {
                uint32_t k = rt_pct.pick(enabled, N);
                changes += k != last;
                last = k;
            }
            assert_true(changes <= depth - 1);
            most = changes > most ? changes : most;
        }
        assert_int_equal(most, depth - 1);
    }
}

/* After an operation those that race with it draw anew, and no others. */
static void pos_draws_anew_for_racing_operations(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t before[N];
        uint32_t k;
        begin(&rt_pos, seed, 0, 0);
        op[1].object = &object[0];
        op[2].object = NULL;
        for (int i = 0; i < N; i++)
            before[i] = thread[i].turn.priority;
        k = rt_pos.pick(enabled, N);
        for (uint32_t i = 0; i < N; i++) {
            assert_true(before[i] <= before[k]);
            if (i == k || (i <= 1 && k <= 1))
                assert_int_not_equal(thread[i].turn.priority, before[i]);
            else
                assert_int_equal(thread[i].turn.priority, before[i]);
        }
    }
}

/* A thread that yields goes behind all others. */
static void pct_puts_a_yielder_last(void **state)
{
    uint32_t first;

    (void)state;
    begin(&rt_pct, 9, 1, 100);
    first = rt_pct.pick(enabled, N);
    rt_pct.yielded(enabled[first]);
    for (uint32_t left = N; left > 1; left--) {
        uint32_t k = rt_pct.pick(enabled, left);
        assert_ptr_not_equal(enabled[k], &thread[first]);
        enabled[k] = enabled[left - 1];
    }
}

static void burst_runs_long(void **state)
{
    uint32_t switches = 0, last = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(&rt_burst, seed, 0, 0);
        for (int i = 0; i < 1000; i++) {
            uint32_t k = rt_burst.pick(enabled, N);
            switches += k != last;
            last = k;
        }
    }
    assert_true(switches < 20 * 1000 / 3); /* a random walk: 4 of 5 */
}

/* Some do not run for long, however often it is switched: here whoever ran last cannot run. */
static void burst_starves(void **state)
{
    uint32_t longest = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint32_t ran[N] = {0}, last = 0;
        begin(&rt_burst, seed, 0, 0);
        for (uint32_t i = 1; i < 2000; i++) {
            struct hdi_thread *others[N];
            uint32_t n = 0;
            for (uint32_t t = 0; t < N; t++)
                if (t != last)
                    others[n++] = &thread[t];
            last = others[rt_burst.pick(others, n)]->index;
            longest = i - ran[last] > longest ? i - ran[last] : longest;
            ran[last] = i;
        }
    }
    assert_true(longest > 200); /* by chance alone: 1 in 10^20 */
}

static void random_numbers_stay_below(void **state)
{
    (void)state;
    rt_random_seed(0);
    for (uint32_t n = 1; n < 2000; n++)
        assert_in_range(rt_random_below(n), 0, n - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_strategy_repeats),
        cmocka_unit_test(every_thread_runs),
        cmocka_unit_test(random_walk_is_uniform),
        cmocka_unit_test(round_robin_takes_turns),
        cmocka_unit_test(main_goes_first_until_it_waits),
        cmocka_unit_test(pct_changes_depth_minus_one_times),
        cmocka_unit_test(pct_puts_a_yielder_last),
        cmocka_unit_test(pos_draws_anew_for_racing_operations),
        cmocka_unit_test(burst_runs_long),
        cmocka_unit_test(burst_starves),
        cmocka_unit_test(random_numbers_stay_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
