/* Pool: reuse, making, bounded keeping, draining, draining when memory is short, and publication.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/pool.h>

#include "panics.h"
#include "rounds.h"
#include "team.h"

struct count {
    struct hd_atomic_int32 made, dropped;
    bool refuse; /* make fails until something was dropped */
};

static void *make(void *arg)
{
    struct count *count = arg;

    if (count->refuse && hd_int32_load(&count->dropped) == 0)
        return NULL;
    hd_int32_add(&count->made, 1);
    return calloc(1, 64);
}

static void drop(void *object, void *arg)
{
    struct count *count = arg;

    hd_int32_add(&count->dropped, 1);
    free(object);
}

static void what_was_put_comes_back(void **state)
{
    struct count count = {0};
    struct hd_pool pool;
    void *object;

    (void)state;
    assert_null(hd_pool_init(&pool, make, drop, &count));
    object = hd_pool_get(&pool);
    assert_non_null(object);
    hd_pool_put(&pool, object);
    hd_pool_put(&pool, NULL);
    assert_ptr_equal(hd_pool_get(&pool), object);
    hd_pool_put(&pool, object);
    hd_pool_destroy(&pool);
    assert_int_equal(hd_int32_load(&count.made), hd_int32_load(&count.dropped));
}

static void keeping_is_bounded_and_drained(void **state)
{
    struct count count = {0};
    struct hd_pool pool;
    void *objects[200];
    int dropped;

    (void)state;
    assert_null(hd_pool_init(&pool, make, drop, &count));
    for (int i = 0; i < 200; i++)
        objects[i] = hd_pool_get(&pool);
    for (int i = 0; i < 200; i++)
        hd_pool_put(&pool, objects[i]);
    dropped = hd_int32_load(&count.dropped);
    assert_true(dropped > 0 && dropped < 200);
    assert_int_equal(hd_pool_drain(&pool), 200 - dropped);
    assert_int_equal(hd_pool_drain(&pool), 0);
    assert_int_equal(hd_int32_load(&count.dropped), 200);
    hd_pool_destroy(&pool);
}

static void *put_one(void *arg)
{
    hd_pool_put(arg, calloc(1, 64));
    return NULL;
}

/* An object in another thread's cache is out of reach of get, but not of a drain. */
static void a_failing_make_drains_all_caches_first(void **state)
{
    struct count count = {.refuse = true};
    struct hd_pool pool;
    struct team team;
    void *object;

    (void)state;
    assert_null(hd_pool_init(&pool, make, drop, &count));
    assert_null(hd_pool_get(&pool));
    team_start(&team, 1, put_one, &pool);
    team_join(&team);
    object = hd_pool_get(&pool);
    assert_non_null(object);
    free(object);
    hd_pool_destroy(&pool);
}

static void without_make_an_empty_pool_gives_null(void **state)
{
    struct count count = {0};
    struct hd_pool pool;

    (void)state;
    assert_ptr_equal(hd_pool_init(&pool, make, NULL, NULL), hd_invalid);
    assert_null(hd_pool_init(&pool, NULL, drop, &count));
    assert_null(hd_pool_get(&pool));
    hd_pool_destroy(&pool);
}

static void *churn(void *arg)
{
    for (int i = 0; i < rounds(5000); i++) {
        int *object = hd_pool_get(arg);
        if (!object)
            abort();
        ++*object; /* plain: put happens before get */
        hd_pool_put(arg, object);
        if (i % 1000 == 2)
            hd_pool_drain(arg);
    }
    return NULL;
}

static void each_object_has_one_user(void **state)
{
    struct count count = {0};
    struct hd_pool pool;
    struct team team;

    (void)state;
    assert_null(hd_pool_init(&pool, make, drop, &count));
    team_start(&team, 4, churn, &pool);
    team_join(&team);
    hd_pool_destroy(&pool);
    assert_int_equal(hd_int32_load(&count.made), hd_int32_load(&count.dropped));
}

static void get(void *arg)
{
    if (!hd_pool_get(arg))
        return;
}

static void put(void *arg)
{
    hd_pool_put(arg, &(int){0});
}

static void drain(void *arg)
{
    hd_pool_drain(arg);
}

static void use_after_its_end_panics(void **state)
{
    void (*const late[])(void *) = {get, put, drain};
    struct count count = {0};
    struct hd_pool pool;

    (void)state;
    assert_null(hd_pool_init(&pool, make, drop, &count));
    hd_pool_destroy(&pool);
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        assert_panics(late[i], &pool, "sync: use of a Pool before it was made or after its end");
    hd_pool_destroy(&pool); /* that is nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_back),
        cmocka_unit_test(keeping_is_bounded_and_drained),
        cmocka_unit_test(a_failing_make_drains_all_caches_first),
        cmocka_unit_test(without_make_an_empty_pool_gives_null),
        cmocka_unit_test(each_object_has_one_user),
        cmocka_unit_test(use_after_its_end_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
