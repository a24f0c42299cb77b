/* Atomics: results as Go documents them, wrap-around, and no update lost. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>

#include "rounds.h"
#include "team.h"

#define ROUNDS rounds(20000)

struct config {
    int port;
};
HD_ATOMIC_POINTER(config_ptr, struct config);

static void zero_values(void **state)
{
    struct hd_atomic_int32 i = {0};
    struct hd_atomic_bool b = {0};
    struct config_ptr p = {0};

    (void)state;
    assert_int_equal(hd_int32_load(&i), 0);
    assert_false(hd_bool_load(&b));
    assert_null(config_ptr_load(&p));
}

static void add_gives_the_new_value_and_wraps(void **state)
{
    struct hd_atomic_int32 i = {INT32_MAX};
    struct hd_atomic_uint32 u = {0};
    struct hd_atomic_int64 w = {INT64_MAX};
    struct hd_atomic_uint64 x = {5};

    (void)state;
    assert_int_equal(hd_int32_add(&i, 1), INT32_MIN);
    assert_int_equal(hd_uint32_add(&u, UINT32_MAX), UINT32_MAX); /* Go: AddUint32(&x, ^uint32(0)) */
    assert_true(hd_int64_add(&w, 1) == INT64_MIN);
    assert_int_equal(hd_uint64_add(&x, (uint64_t)-2), 3);
}

static void and_or_give_the_old_value(void **state)
{
    struct hd_atomic_uint32 u = {0xf0};

    (void)state;
    assert_int_equal(hd_uint32_or(&u, 0x0f), 0xf0);
    assert_int_equal(hd_uint32_and(&u, 0x3c), 0xff);
    assert_int_equal(hd_uint32_load(&u), 0x3c);
}

static void swap_and_cas(void **state)
{
    struct hd_atomic_int64 i = {7};
    struct hd_atomic_bool b = {false};
    struct config a = {1}, c = {2};
    struct config_ptr p = {0};

    (void)state;
    assert_int_equal(hd_int64_swap(&i, 9), 7);
    assert_false(hd_int64_cas(&i, 7, 1));
    assert_true(hd_int64_cas(&i, 9, 1));
    assert_int_equal(hd_int64_load(&i), 1);
    assert_false(hd_bool_swap(&b, true));
    assert_true(hd_bool_cas(&b, true, false));
    config_ptr_store(&p, &a);
    assert_int_equal(config_ptr_load(&p)->port, 1);
    assert_false(config_ptr_cas(&p, NULL, &c));
    assert_true(config_ptr_cas(&p, &a, &c));
    assert_ptr_equal(config_ptr_swap(&p, NULL), &c);
}

struct counters {
    struct hd_atomic_int64 added;
    struct hd_atomic_int32 tried;
    struct hd_atomic_uint64 bits;
    int plain; /* published through `flag` */
    struct hd_atomic_bool flag;
};

static void *count(void *arg)
{
    struct counters *c = arg;

    for (int i = 0; i < ROUNDS; i++) {
        int32_t seen = hd_int32_load(&c->tried);
        hd_int64_add(&c->added, 1);
        while (!hd_int32_cas(&c->tried, seen, seen + 1))
            seen = hd_int32_load(&c->tried);
    }
    return NULL;
}

static void no_update_is_lost(void **state)
{
    struct counters c = {0};
    struct team team;

    (void)state;
    team_start(&team, 4, count, &c);
    team_join(&team);
    assert_int_equal(hd_int64_load(&c.added), 4 * ROUNDS);
    assert_int_equal(hd_int32_load(&c.tried), 4 * ROUNDS);
}

static void *publish(void *arg)
{
    struct counters *c = arg;

    c->plain = 42;
    hd_bool_store(&c->flag, true);
    return NULL;
}

static void a_store_publishes_what_came_before(void **state)
{
    struct counters c = {0};
    struct team team;
    bool seen;

    (void)state;
    team_start(&team, 1, publish, &c);
    seen = hd_bool_load(&c.flag); /* whichever it is; if set, the plain write is visible */
    if (seen)
        assert_int_equal(c.plain, 42);
    team_join(&team);
    assert_int_equal(c.plain, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_values),
        cmocka_unit_test(add_gives_the_new_value_and_wraps),
        cmocka_unit_test(and_or_give_the_old_value),
        cmocka_unit_test(swap_and_cas),
        cmocka_unit_test(no_update_is_lost),
        cmocka_unit_test(a_store_publishes_what_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
