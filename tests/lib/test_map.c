/* Map: every operation of sync.Map, ranges that call back into the map, and no entry lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/map.h>

#include "panics.h"
#include "rounds.h"
#include "team.h"

static int one, two, three;

static void store_load_delete(void **state)
{
    struct hd_map *map = hd_map_create(HD_KEYS_STRING);
    char key[] = "alpha";
    void *value = &three;

    (void)state;
    assert_false(hd_map_load(map, key, &value));
    assert_ptr_equal(value, &three); /* untouched */
    assert_null(hd_map_store(map, key, &one));
    key[0] = 'b'; /* the map has its own copy */
    assert_true(hd_map_load(map, "alpha", &value));
    assert_ptr_equal(value, &one);
    assert_null(hd_map_store(map, "alpha", &two));
    assert_true(hd_map_load(map, "alpha", &value));
    assert_ptr_equal(value, &two);
    assert_true(hd_map_load_and_delete(map, "alpha", &value));
    assert_false(hd_map_load_and_delete(map, "alpha", NULL));
    hd_map_delete(map, "alpha");
    assert_false(hd_map_load(map, "alpha", NULL));
    hd_map_destroy(map);
    hd_map_destroy(NULL);
}

static void pointers_are_keys_by_identity(void **state)
{
    struct hd_map *map = hd_map_create(HD_KEYS_POINTER);
    void *value;

    (void)state;
    assert_null(hd_map_store(map, &one, "one"));
    assert_null(hd_map_store(map, NULL, "null"));
    assert_false(hd_map_load(map, &two, &value));
    assert_true(hd_map_load(map, NULL, &value));
    assert_string_equal(value, "null");
    hd_map_destroy(map);
}

static void load_or_store_and_swap(void **state)
{
    struct hd_map *map = hd_map_create(HD_KEYS_STRING);
    void *value;
    bool loaded;

    (void)state;
    assert_null(hd_map_load_or_store(map, "k", &one, &value, &loaded));
    assert_false(loaded);
    assert_ptr_equal(value, &one);
    assert_null(hd_map_load_or_store(map, "k", &two, &value, &loaded));
    assert_true(loaded);
    assert_ptr_equal(value, &one);
    assert_null(hd_map_swap(map, "k", &two, &value, &loaded));
    assert_true(loaded);
    assert_ptr_equal(value, &one);
    assert_null(hd_map_swap(map, "new", &three, &value, &loaded));
    assert_false(loaded);
    assert_null(value);
    hd_map_destroy(map);
}

static void compare_and_swap_or_delete(void **state)
{
    struct hd_map *map = hd_map_create(HD_KEYS_STRING);

    (void)state;
    assert_false(hd_map_compare_and_swap(map, "k", NULL, &one));
    assert_null(hd_map_store(map, "k", &one));
    assert_false(hd_map_compare_and_swap(map, "k", &two, &three));
    assert_true(hd_map_compare_and_swap(map, "k", &one, &two));
    assert_false(hd_map_compare_and_delete(map, "k", &one));
    assert_true(hd_map_compare_and_delete(map, "k", &two));
    assert_false(hd_map_compare_and_delete(map, "k", &two));
    hd_map_destroy(map);
}

struct visit {
    struct hd_map *map;
    int seen, limit;
};

static bool count_and_delete(const void *key, void *value, void *arg)
{
    struct visit *visit = arg;

    (void)value;
    hd_map_delete(visit->map, key); /* the key still lives: it is shown to us */
    if (hd_map_load(visit->map, key, NULL))
        abort();
    return ++visit->seen < visit->limit;
}

static void a_range_may_change_the_map(void **state)
{
    struct visit visit = {hd_map_create(HD_KEYS_STRING), 0, 40};
    char key[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key %d", i);
        assert_null(hd_map_store(visit.map, key, &one));
    }
    assert_null(hd_map_range(visit.map, count_and_delete, &visit));
    assert_int_equal(visit.seen, 40);
    visit.limit = 1000;
    assert_null(hd_map_range(visit.map, count_and_delete, &visit));
    assert_int_equal(visit.seen, 100);
    assert_null(hd_map_store(visit.map, "again", &two));
    hd_map_clear(visit.map);
    assert_false(hd_map_load(visit.map, "again", NULL));
    hd_map_destroy(visit.map);
}

static void *fill(void *arg)
{
    struct hd_map *map = arg;
    uintptr_t limit = (uintptr_t)rounds(2000);

    for (uintptr_t i = 1; i <= limit; i++) {
        void *value;
        bool loaded;
        if (hd_map_load_or_store(map, (void *)i, (void *)i, &value, &loaded) || value != (void *)i)
            abort();
        if (i % 3 == 0)
            hd_map_delete(map, (void *)i);
    }
    return NULL;
}

static bool count_only(const void *key, void *value, void *arg)
{
    if (key != value)
        abort();
    ++*(int *)arg;
    return true;
}

static void many_at_once(void **state)
{
    struct hd_map *map = hd_map_create(HD_KEYS_POINTER);
    struct team team;
    int seen = 0;

    (void)state;
    team_start(&team, 4, fill, map);
    team_join(&team);
    assert_null(hd_map_range(map, count_only, &seen));
    assert_in_range(seen, rounds(2000) - rounds(2000) / 3, rounds(2000));
    for (uintptr_t i = 1; i <= (uintptr_t)rounds(2000); i++)
        if (i % 3 != 0)
            assert_true(hd_map_load(map, (void *)i, NULL));
    hd_map_destroy(map);
}

static void load(void *map)
{
    hd_map_load(map, map, NULL);
}

static void store(void *map)
{
    hd_err_unref(hd_map_store(map, map, NULL));
}

static void clear(void *map)
{
    hd_map_clear(map);
}

static void destroy(void *map)
{
    hd_map_destroy(map);
}

static bool destroy_shown(const void *key, void *value, void *arg)
{
    (void)key, (void)value;
    hd_map_destroy(arg);
    return true;
}

static void range_and_destroy(void *map)
{
    hd_err_unref(hd_map_range(map, destroy_shown, map));
}

static void use_after_its_end_panics(void **state)
{
    void (*const late[])(void *) = {load, store, clear, destroy};
    struct hd_map *map = hd_map_create(HD_KEYS_POINTER);

    (void)state;
    hd_map_destroy(map);
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        assert_panics(late[i], map, "sync: use of a Map after its end");
    map = hd_map_create(HD_KEYS_POINTER);
    for (uintptr_t i = 1; i <= 64; i++) /* in more than one shard */
        assert_null(hd_map_store(map, (void *)i, NULL));
    assert_panics(range_and_destroy, map, "sync: use of a Map after its end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_load_delete),
        cmocka_unit_test(pointers_are_keys_by_identity),
        cmocka_unit_test(load_or_store_and_swap),
        cmocka_unit_test(compare_and_swap_or_delete),
        cmocka_unit_test(a_range_may_change_the_map),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(use_after_its_end_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
