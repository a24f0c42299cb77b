/* test_vclock.c - vector clocks against plain arrays, 10^5 random steps. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "memory/race/vclock.h"

static uint64_t seed = 42;

static uint32_t draw(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % n;
}

static void epochs_pack_and_unpack(void **state)
{
    (void)state;
    uint32_t e = hdi_epoch(HDI_RACERS - 1, HDI_CLOCK_MAX);
    assert_int_equal(hdi_epoch_tid(e), HDI_RACERS - 1);
    assert_int_equal(hdi_epoch_clock(e), HDI_CLOCK_MAX);
    assert_int_equal(hdi_epoch_tid(hdi_epoch(3, 7)), 3);
    assert_int_equal(hdi_epoch_clock(hdi_epoch(3, 7)), 7);
}

static void an_empty_clock_is_before_every_other(void **state)
{
    (void)state;
    struct hdi_vclock a = {0}, b = {0};
    assert_true(hdi_vclock_leq(&a, &b));
    hdi_vclock_set(&b, 9, 1);
    assert_true(hdi_vclock_leq(&a, &b));
    assert_false(hdi_vclock_leq(&b, &a));
    assert_int_equal(hdi_vclock_get(&a, 1000), 0);
}

#define CLOCKS 6
#define WIDTH 70

static void random_operations_agree_with_arrays(void **state)
{
    (void)state;
    struct hdi_vclock v[CLOCKS] = {0};
    static uint32_t m[CLOCKS][WIDTH];
    for (int step = 0; step < 100000; step++) {
        uint32_t a = draw(CLOCKS), b = draw(CLOCKS), i = draw(WIDTH), x = draw(50);
        switch (draw(6)) {
        case 0:
        case 1:
            hdi_vclock_set(&v[a], i, x);
            m[a][i] = x;
            break;
        case 2:
            hdi_vclock_join(&v[a], &v[b]);
            for (int k = 0; k < WIDTH; k++)
                m[a][k] = m[a][k] > m[b][k] ? m[a][k] : m[b][k];
            break;
        case 3:
            hdi_vclock_copy(&v[a], &v[b]);
            memmove(m[a], m[b], sizeof m[a]);
            break;
        case 4:
            if (draw(20) == 0) {
                hdi_vclock_clear(&v[a]);
                memset(m[a], 0, sizeof m[a]);
            }
            break;
        default: {
            bool leq = true;
            for (int k = 0; k < WIDTH; k++)
                leq &= m[a][k] <= m[b][k];
            if (hdi_vclock_leq(&v[a], &v[b]) != leq)
                fail_msg("leq differs at step %d", step);
        }
        }
        for (uint32_t k = 0; k < WIDTH; k++)
            if (hdi_vclock_get(&v[a], k) != m[a][k])
                fail_msg("clock %u component %u differs at step %d", a, k, step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_pack_and_unpack),
        cmocka_unit_test(an_empty_clock_is_before_every_other),
        cmocka_unit_test(random_operations_agree_with_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
