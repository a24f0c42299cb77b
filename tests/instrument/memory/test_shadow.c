/* test_shadow.c - cells by address, clearing by bytes, overflow chains. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "memory/race/shadow.h"
#include "traps.h"

static uintptr_t last_sync;
static int syncs;

static void on_sync(uintptr_t word)
{
    last_sync = word;
    syncs++;
}

static int setup(void **state)
{
    (void)state;
    return hdi_shadow_init(true, 1u << 20) ? 0 : -1;
}

static void a_word_has_one_cell(void **state)
{
    (void)state;
    uintptr_t a = 0x7f0000400000;
    assert_null(hdi_shadow_find(a));
    struct hdi_cell *cell = hdi_shadow_get(a);
    assert_non_null(cell);
    for (unsigned i = 0; i < 8; i++)
        assert_ptr_equal(hdi_shadow_find(a + i), cell);
    assert_ptr_not_equal(hdi_shadow_get(a + 8), cell);
    assert_ptr_not_equal(hdi_shadow_contexts(a), hdi_shadow_contexts(a + 8));
    assert_null(hdi_shadow_find(~(uintptr_t)0));
    assert_null(hdi_shadow_get(~(uintptr_t)0));
}

static void clearing_takes_the_bytes_and_no_others(void **state)
{
    (void)state;
    uintptr_t a = 0x7f0000c00000 - 8; /* across two chunks */
    struct hdi_cell *first = hdi_shadow_get(a), *second = hdi_shadow_get(a + 8);
    first->meta[0] = hdi_meta(0xff, HDI_WRITE);
    first->meta[1] = hdi_meta(0xc0, HDI_READ);
    second->meta[0] = hdi_meta(0xff, HDI_READ);
    hdi_shadow_clear(a + 6, 5, on_sync);
    assert_int_equal(first->meta[0], hdi_meta(0x3f, HDI_WRITE));
    assert_int_equal(first->meta[1], 0);
    assert_int_equal(second->meta[0], hdi_meta(0xf8, HDI_READ));
    hdi_shadow_clear(a + 1, 2, on_sync);
    assert_int_equal(first->meta[0], hdi_meta(0x39, HDI_WRITE));
    assert_int_equal(syncs, 0);
}

static void whole_words_lose_their_atomics(void **state)
{
    (void)state;
    uintptr_t a = 0x7f0000d00000;
    hdi_shadow_get(a)->flags = HDI_CELL_SYNC | HDI_CELL_SHARED;
    hdi_shadow_clear(a + 1, 4, on_sync);
    assert_int_equal(syncs, 0);
    hdi_shadow_clear(a - 64, 128, on_sync);
    assert_int_equal(syncs, 1);
    assert_int_equal(last_sync, a);
    assert_int_equal(hdi_shadow_get(a)->flags, HDI_CELL_SHARED);
}

static void overflow_blocks_are_used_again(void **state)
{
    (void)state;
    uint32_t first = hdi_overflow_new(), second = hdi_overflow_new();
    assert_true(first && second && first != second);
    hdi_overflow_at(first)->next = second;
    hdi_overflow_at(second)->meta[3] = 7;
    hdi_overflow_free(first);
    uint32_t again = hdi_overflow_new(), again_too = hdi_overflow_new();
    assert_true((again == first && again_too == second) || (again == second && again_too == first));
    assert_int_equal(hdi_overflow_at(second)->meta[3], 0);
}

static uintptr_t checked;

static void check(void)
{
    hdi_shadow_check(checked);
}

static void a_cell_as_it_may_be_and_not(void **state)
{
    (void)state;
    checked = 0x7f0000e00000;
    struct hdi_cell *cell = hdi_shadow_get(checked);
    cell->meta[0] = hdi_meta(0xff, HDI_WRITE);
    cell->epoch[2] = hdi_overflow_new();
    cell->meta[2] = HDI_OVERFLOW;
    assert_false(traps(check));
    hdi_overflow_free(cell->epoch[2]);
    assert_true(traps(check)); /* its block was given back */
    cell->meta[2] = 0;
    assert_false(traps(check));
    checked += 4096; /* the same chunk, a page that is not marked */
    hdi_shadow_find(checked)->meta[0] = hdi_meta(0xff, HDI_WRITE);
    assert_true(traps(check));
}

static void the_limit_stops_new_pages_alone(void **state)
{
    (void)state;
    uintptr_t a = 0x7f1000000000;
    struct hdi_cell *known = hdi_shadow_get(a);
    while (hdi_shadow_get(a += 4096))
        assert_true(hdi_shadow_bytes() <= 1u << 20);
    assert_true(hdi_shadow_full);
    assert_non_null(known);
    assert_ptr_equal(hdi_shadow_get(0x7f1000000000), known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_has_one_cell),
        cmocka_unit_test(clearing_takes_the_bytes_and_no_others),
        cmocka_unit_test(whole_words_lose_their_atomics),
        cmocka_unit_test(overflow_blocks_are_used_again),
        cmocka_unit_test(a_cell_as_it_may_be_and_not),
        cmocka_unit_test(the_limit_stops_new_pages_alone),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
