/* test_weak_memory.c - which stores a load may return: litmus tests, fed by hand, every choice tried. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/thread.h"
#include "memory/weak_memory.h"
#include "memory/access.h"

struct hdi_watch hdi_watch;

/* Each choice in [0, n) is `wanted`, or the last one; the widest n is noted. */
static uint32_t wanted, widest, candidates;

uint32_t hdi_choose(uint32_t n, uint64_t site)
{
    (void)site;
    if (n > widest)
        widest = n;
    return wanted < n ? wanted : n - 1;
}

void hdi_chose(uint32_t what, uint32_t detail)
{
    (void)what, (void)detail;
}

void hdi_race_found(struct hdi_racer *t, uintptr_t word, enum hdi_access kind, uint64_t pc,
                    const struct hdi_earlier *earlier)
{
    (void)t, (void)word, (void)kind, (void)pc, (void)earlier;
}

bool hdi_race_candidate(struct hdi_racer *t, uint64_t pc, const struct hdi_earlier *earlier)
{
    (void)t, (void)pc, (void)earlier;
    candidates++;
    return true;
}

void hdi_race_shared(uintptr_t word, uint64_t pc, uint32_t earlier_pc)
{
    (void)word, (void)pc, (void)earlier_pc;
}

static struct hdi_memory_thread watched[4];
static struct hdi_thread none;

static uint64_t memory[64];
static uintptr_t x, y;

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        watched[i].racer = hdi_race_thread();
        watched[i].thread = &none;
    }
    return hdi_shadow_init(false, 64u << 20) ? 0 : -1;
}

static void start(uint32_t model)
{
    static unsigned used;
    used += 2;
    x = (uintptr_t)&memory[used % 64];
    y = (uintptr_t)&memory[(used + 1) % 64];
    hdi_race_reset((uintptr_t)memory, sizeof memory);
    hdi_watch.config.model = model;
    memory[used % 64] = memory[(used + 1) % 64] = 0;
    for (int i = 0; i < 4; i++)
        hdi_race_release(watched[i].racer, 1);
    for (int i = 0; i < 4; i++)
        hdi_race_acquire(watched[i].racer, 1, false);
    for (int i = 0; i < 4; i++)
        hdi_race_release(watched[i].racer, 2);
    wanted = widest = 0;
}

static void store(int i, uintptr_t addr, uint64_t v, int order)
{
    wanted = 0;
    hdi_model_store(&watched[i], addr, 8, v, order, 0);
}

/* Before the `back` newest of the stores that others made. */
static void store_before(int i, uintptr_t addr, uint64_t v, uint32_t back)
{
    wanted = back;
    hdi_model_store(&watched[i], addr, 8, v, HDI_RELAXED, 0);
}

static uint64_t update(int i, uintptr_t addr, uint64_t v, uint32_t back)
{
    wanted = back;
    uint64_t old = hdi_model_pick_update(&watched[i], addr, 8, HDI_RELAXED, 0);
    hdi_model_read(&watched[i], HDI_RELAXED);
    hdi_model_update(&watched[i], v, HDI_RELAXED);
    return old;
}

/* C11: the store that is `back` before the newest. TSO: 0: all buffers are emptied before it, else
 * none is. */
static uint64_t load(int i, uintptr_t addr, int order, uint32_t back)
{
    wanted = hdi_watch.config.model == HDP_MEMORY_C11 ? back : back ? 0 : UINT32_MAX;
    uint64_t value = hdi_model_pick(&watched[i], addr, 8, order, 0);
    hdi_model_read(&watched[i], order);
    return value;
}

/* Of the ways in which a compare-exchange may go, the one with this number; what it read. */
static uint64_t exchange(int i, uintptr_t addr, uint64_t expected, bool weak, uint32_t way,
                         bool *done)
{
    const struct hdi_exchange how = {expected, HDI_RELAXED, HDI_RELAXED, weak};
    uint64_t value;
    wanted = way;
    *done = hdi_model_pick_exchange(&watched[i], addr, 8, &how, &value, 0);
    hdi_model_read(&watched[i], HDI_RELAXED);
    if (*done)
        hdi_model_update(&watched[i], value + 10, HDI_RELAXED);
    return value;
}

static void fence(int i, int order)
{
    wanted = 0;
    hdi_model_fence(&watched[i], order, 0);
    hdi_race_fence(watched[i].racer, order);
}

static uint64_t store_buffering(uint32_t model, int order)
{
    start(model);
    store(0, x, 1, order);
    store(1, y, 1, order);
    return load(0, y, order, 1) + load(1, x, order, 1);
}

static void store_buffering_needs_a_weak_model(void **state)
{
    (void)state;
    assert_int_equal(store_buffering(HDP_MEMORY_C11, HDI_RELAXED), 0);
    assert_int_equal(store_buffering(HDP_MEMORY_TSO, HDI_RELAXED), 0);
    assert_int_equal(store_buffering(HDP_MEMORY_C11, HDI_SEQ_CST), 2);
    assert_int_equal(store_buffering(HDP_MEMORY_TSO, HDI_SEQ_CST), 2);
}

static void two_fences_forbid_it_and_one_does_not(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) {
        start(HDP_MEMORY_C11);
        store(0, x, 1, HDI_RELAXED);
        fence(0, HDI_SEQ_CST);
        store(1, y, 1, HDI_RELAXED);
        fence(1, both ? HDI_SEQ_CST : HDI_ACQ_REL);
        uint64_t sum = load(0, y, HDI_RELAXED, 1) + load(1, x, HDI_RELAXED, 1);
        assert_int_equal(sum == 0, !both);
    }
}

static void relaxed_messages_may_arrive_in_any_order(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 42, HDI_RELAXED);
    store(0, y, 1, HDI_RELAXED);
    assert_int_equal(load(1, y, HDI_RELAXED, 0), 1);
    assert_int_equal(load(1, x, HDI_RELAXED, 1), 0);
    start(HDP_MEMORY_TSO);
    store(0, x, 42, HDI_RELAXED);
    store(0, y, 1, HDI_RELAXED);
    assert_int_equal(load(1, y, HDI_RELAXED, 0), 1);
    assert_int_equal(load(1, x, HDI_RELAXED, 1), 42);
}

static void an_acquired_message_is_there(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 42, HDI_RELAXED);
    store(0, y, 1, HDI_RELEASE);
    assert_int_equal(load(1, y, HDI_ACQUIRE, 0), 1);
    assert_int_equal(load(1, x, HDI_RELAXED, 5), 42);
    /* who reads the old flag need not see it */
    assert_int_equal(load(2, y, HDI_ACQUIRE, 1), 0);
    assert_int_equal(load(2, x, HDI_RELAXED, 5), 0);
}

static void a_location_never_goes_back(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    for (uint64_t v = 1; v <= 5; v++)
        store(0, x, v, HDI_RELAXED);
    assert_int_equal(load(1, x, HDI_RELAXED, 2), 3);
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 3);
    assert_int_equal(load(1, x, HDI_RELAXED, 0), 5);
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 5);
    assert_int_equal(load(0, x, HDI_RELAXED, 9), 5); /* its own */
    /* what another has read before this one is known here, too */
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_RELAXED);
    assert_int_equal(load(1, x, HDI_RELAXED, 0), 1);
    store(1, y, 1, HDI_RELEASE);
    assert_int_equal(load(2, y, HDI_ACQUIRE, 0), 1);
    assert_int_equal(load(2, x, HDI_RELAXED, 9), 1);
}

static void a_plain_write_in_between_is_known_to_all(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_RELAXED);
    *(uint64_t *)x = 9;
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 9);
}

/* It may have been an update by code without hooks. */
static void what_was_published_before_it_still_is(void **state)
{
    (void)state;
    for (uint32_t model = HDP_MEMORY_TSO; model <= HDP_MEMORY_C11; model++) {
        start(model);
        store(0, x, 1, HDI_RELEASE);
        uint32_t published = hdi_epoch_clock(watched[0].racer->epoch) - 1;
        *(uint64_t *)x = 9;
        assert_int_equal(load(1, x, HDI_ACQUIRE, 0), 9);
        assert_true(hdi_vclock_get(&watched[1].racer->now, watched[0].racer->tid) >= published);
    }
}

static void synchronising_empties_the_buffer(void **state)
{
    (void)state;
    start(HDP_MEMORY_TSO);
    store(0, x, 1, HDI_RELAXED);
    hdi_model_synchronised(&watched[0]);
    widest = 0;
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 1);
    assert_int_equal(widest, 0);
}

/* So do a fence and a locked instruction, but no other store. */
static void fences_and_updates_empty_the_buffer(void **state)
{
    (void)state;
    start(HDP_MEMORY_TSO);
    store(0, x, 1, HDI_RELAXED);
    fence(0, HDI_SEQ_CST);
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 1);
    start(HDP_MEMORY_TSO);
    store(0, x, 1, HDI_RELAXED);
    update(0, y, 2, 0);
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 1);
    assert_int_equal(load(1, y, HDI_RELAXED, 9), 2);
    assert_int_equal(widest, 0);
    start(HDP_MEMORY_TSO);
    store(0, x, 1, HDI_RELAXED);
    fence(0, HDI_RELEASE);
    store(0, y, 2, HDI_RELEASE);
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 0);
}

static void a_repeated_load_makes_progress(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_RELAXED);
    watched[1].repeats = 1;
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 1);
    watched[1].repeats = 0;
}

/* A thread reads its own store while it waits; that brings it nowhere, nor does another's store. */
static void own_stores_are_read_in_the_buffer(void **state)
{
    (void)state;
    start(HDP_MEMORY_TSO);
    store(0, x, 1, HDI_RELAXED);
    store(1, x, 2, HDI_RELAXED);
    store(1, y, 2, HDI_RELAXED);
    assert_int_equal(load(0, x, HDI_RELAXED, 1), 1);
    assert_int_equal(load(0, y, HDI_RELAXED, 1), 0);
    assert_int_equal(load(1, x, HDI_RELAXED, 1), 2);
    assert_int_equal(load(2, x, HDI_RELAXED, 1), 0);
    wanted = 0;
    hdi_model_synchronised(&watched[1]); /* its store comes first */
    assert_int_equal(load(2, x, HDI_RELAXED, 1), 2);
    assert_int_equal(load(2, y, HDI_RELAXED, 1), 2);
    assert_int_equal(*(uint64_t *)x, 1);
    assert_int_equal(load(2, x, HDI_RELAXED, 0), 1);
}

static void what_happens_before_has_read_is_known(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_RELAXED);
    store(0, x, 2, HDI_RELAXED);
    assert_int_equal(load(1, x, HDI_RELAXED, 1), 1);
    store(1, y, 1, HDI_RELEASE);
    assert_int_equal(load(1, x, HDI_RELAXED, 0), 2);
    assert_int_equal(load(2, y, HDI_ACQUIRE, 0), 1);
    assert_int_equal(load(2, x, HDI_RELAXED, 9), 1);
}

static void a_later_store_does_not_undo_a_sequential_one(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_SEQ_CST);
    store(1, y, 1, HDI_RELAXED);
    fence(1, HDI_SEQ_CST);
    store(0, x, 2, HDI_SEQ_CST);
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 1);
}

static void what_a_fence_knows_is_passed_on(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_RELAXED);
    fence(0, HDI_SEQ_CST);
    fence(1, HDI_SEQ_CST);
    store(1, y, 1, HDI_RELEASE);
    assert_int_equal(load(2, x, HDI_RELAXED, 9), 0);
    assert_int_equal(load(2, y, HDI_ACQUIRE, 0), 1);
    assert_int_equal(load(2, x, HDI_RELAXED, 9), 1);
}

static void a_store_may_go_before_unknown_ones(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_RELAXED);
    store(0, x, 2, HDI_RELAXED);
    store_before(1, x, 3, 1);
    assert_int_equal(*(uint64_t *)x, 2);
    assert_int_equal(load(1, x, HDI_RELAXED, 9), 3);
    assert_int_equal(load(0, x, HDI_RELAXED, 9), 2);
    assert_int_equal(load(2, x, HDI_RELAXED, 2), 1);
    store_before(0, x, 4, 9);
    assert_int_equal(*(uint64_t *)x, 4);
}

static void nothing_parts_an_update_from_what_it_read(void **state)
{
    (void)state;
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_RELAXED);
    assert_int_equal(update(1, x, 2, 1), 0);
    assert_int_equal(*(uint64_t *)x, 1);
    assert_int_equal(update(2, x, 3, 9), 2);
    store_before(3, x, 4, 9);
    assert_int_equal(load(3, x, HDI_RELAXED, 9), 4);
    assert_int_equal(load(3, x, HDI_RELAXED, 0), 1);
}

static void a_failing_exchange_may_read_an_old_value(void **state)
{
    (void)state;
    bool done;
    start(HDP_MEMORY_C11);
    store(0, x, 1, HDI_RELAXED);
    assert_int_equal(exchange(1, x, 1, false, 1, &done), 0);
    assert_false(done);
    assert_int_equal(exchange(1, x, 1, true, 1, &done), 1); /* for no reason */
    assert_false(done);
    assert_int_equal(widest, 3);
    assert_int_equal(exchange(2, x, 0, false, 1, &done), 0);
    assert_true(done);
    assert_int_equal(*(uint64_t *)x, 1);
    widest = 0;
    start(HDP_MEMORY_TSO);
    store(0, x, 1, HDI_RELAXED);
    assert_int_equal(exchange(0, x, 1, true, 9, &done), 1);
    assert_true(done);
    assert_int_equal(widest, 0);
}

/* C++20: an update goes on with a release sequence, a store by the same thread does not. */
static void release_sequences_are_made_of_updates(void **state)
{
    (void)state;
    for (int updated = 0; updated < 2; updated++) {
        start(HDP_MEMORY_C11);
        store(0, x, 1, HDI_RELAXED);
        store(0, y, 1, HDI_RELEASE);
        if (updated)
            update(1, y, 2, 0);
        else
            store(0, y, 2, HDI_RELAXED);
        assert_int_equal(load(2, y, HDI_ACQUIRE, 0), 2);
        assert_int_equal(load(2, x, HDI_RELAXED, 9), updated);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_buffering_needs_a_weak_model),
        cmocka_unit_test(two_fences_forbid_it_and_one_does_not),
        cmocka_unit_test(relaxed_messages_may_arrive_in_any_order),
        cmocka_unit_test(an_acquired_message_is_there),
        cmocka_unit_test(a_location_never_goes_back),
        cmocka_unit_test(a_plain_write_in_between_is_known_to_all),
        cmocka_unit_test(what_was_published_before_it_still_is),
        cmocka_unit_test(synchronising_empties_the_buffer),
        cmocka_unit_test(fences_and_updates_empty_the_buffer),
        cmocka_unit_test(a_repeated_load_makes_progress),
        cmocka_unit_test(own_stores_are_read_in_the_buffer),
        cmocka_unit_test(what_happens_before_has_read_is_known),
        cmocka_unit_test(a_later_store_does_not_undo_a_sequential_one),
        cmocka_unit_test(what_a_fence_knows_is_passed_on),
        cmocka_unit_test(a_store_may_go_before_unknown_ones),
        cmocka_unit_test(nothing_parts_an_update_from_what_it_read),
        cmocka_unit_test(a_failing_exchange_may_read_an_old_value),
        cmocka_unit_test(release_sequences_are_made_of_updates),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
