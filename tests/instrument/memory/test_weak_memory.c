/* test_weak_memory.c - which stores a load may return: litmus tests, fed by hand, every choice tried. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "memory/weak_memory.h"
#include "memory/access.h"

struct hdi_watch hdi_watch;

/* A load asks for a choice in [0, n); `depth` says how far back, and the widest n is noted. */
static uint32_t depth, widest, candidates;

uint32_t hdi_choose(uint32_t n, uint64_t site)
{
    (void)site;
    if (n > widest)
        widest = n;
    return depth < n ? depth : n - 1;
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
static uint64_t memory[64];
static uintptr_t x, y;

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        watched[i].racer = hdi_race_thread();
    return hdi_shadow_init(false, 64u << 20) ? 0 : -1;
}

static void start(uint32_t model)
{
    static unsigned used;
    hdi_watch.config.model = model;
    used += 2;
    x = (uintptr_t)&memory[used % 64];
    y = (uintptr_t)&memory[(used + 1) % 64];
    hdi_race_reset((uintptr_t)memory, sizeof memory);
    memory[used % 64] = memory[(used + 1) % 64] = 0;
    for (int i = 0; i < 4; i++)
        hdi_race_release(watched[i].racer, 1);
    for (int i = 0; i < 4; i++)
        hdi_race_acquire(watched[i].racer, 1, false);
    for (int i = 0; i < 4; i++)
        hdi_race_release(watched[i].racer, 2);
    depth = widest = 0;
}

static void store(int i, uintptr_t addr, uint64_t v, int order)
{
    uint64_t *p = (uint64_t *)addr;
    uint32_t epoch = watched[i].racer->epoch;
    hdi_race_atomic_store(watched[i].racer, addr, order);
    hdi_model_store(&watched[i], addr, *p, v, order, epoch);
    *p = v;
}

static void update(int i, uintptr_t addr, uint64_t v)
{
    uint64_t *p = (uint64_t *)addr;
    uint32_t epoch = watched[i].racer->epoch;
    hdi_race_atomic_rmw(watched[i].racer, addr, HDI_RELAXED);
    hdi_model_update(&watched[i], addr, *p, v, HDI_RELAXED, epoch);
    *p = v;
}

static uint64_t load(int i, uintptr_t addr, int order, uint32_t back)
{
    depth = back;
    return hdi_model_load(&watched[i], addr, *(uint64_t *)addr, order, 0);
}

static void fence(int i, int order)
{
    hdi_model_fence(&watched[i], order);
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

static void publishing_empties_the_buffer(void **state)
{
    (void)state;
    start(HDP_MEMORY_TSO);
    store(0, x, 1, HDI_RELAXED);
    hdi_model_publish(&watched[0]);
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
    update(0, y, 2);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_buffering_needs_a_weak_model),
        cmocka_unit_test(two_fences_forbid_it_and_one_does_not),
        cmocka_unit_test(relaxed_messages_may_arrive_in_any_order),
        cmocka_unit_test(an_acquired_message_is_there),
        cmocka_unit_test(a_location_never_goes_back),
        cmocka_unit_test(a_plain_write_in_between_is_known_to_all),
        cmocka_unit_test(publishing_empties_the_buffer),
        cmocka_unit_test(fences_and_updates_empty_the_buffer),
        cmocka_unit_test(a_repeated_load_makes_progress),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
