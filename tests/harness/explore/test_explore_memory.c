/* hd_explore() of code that is built with heddle-cc: its accesses to memory are decisions, of plain variables and of
 * atomics, with goroutines and with threads, under each memory model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>

#include <cmocka.h>

#include <heddle/go.h>
#include <heddle/test.h>
#include <heddle/waitgroup.h>

#define must(condition) ((condition) ? (void)0 : abort())

static long plain;
static atomic_long counted;

static void add_plain(void *unused)
{
    long before = plain;

    (void)unused;
    plain = before + 1;
}

static void add_atomic(void *unused)
{
    (void)unused;
    atomic_fetch_add(&counted, 1);
}

static void by_goroutines(void *add)
{
    struct hd_wg wg = {0};

    plain = 0;
    atomic_store(&counted, 0);
    must(!hd_wg_go(&wg, *(void (**)(void *))add, NULL));
    must(!hd_wg_go(&wg, *(void (**)(void *))add, NULL));
    hd_wg_wait(&wg);
    must(plain + counted == 2);
}

static void *thread(void *add)
{
    (*(void (**)(void *))add)(NULL);
    return NULL;
}

static void by_threads(void *add)
{
    pthread_t id[2];

    plain = 0;
    atomic_store(&counted, 0);
    must(!pthread_create(&id[0], NULL, thread, add));
    must(!pthread_create(&id[1], NULL, thread, add));
    must(!pthread_join(id[0], NULL));
    must(!pthread_join(id[1], NULL));
    must(plain + counted == 2);
}

static int explore(void (*fn)(void *), void (*add)(void *), struct hd_explore_result *r)
{
    const struct hd_explore_options options = {.schedules = 200};

    return hd_explore(fn, &add, &options, r);
}

static void lost_updates_are_found(void **state)
{
    static struct hd_explore_result r, again;

    (void)state;
    assert_int_equal(explore(by_goroutines, add_plain, &r), 1);
    assert_string_equal(r.word, "crash");
    assert_int_equal(explore(by_threads, add_plain, &r), 1);
    assert_int_equal(explore(by_threads, add_plain, &again), 1);
    assert_string_equal(r.report, again.report);
}

/* Nothing of one schedule is known in the next: run alone, as for the report, it fails as well. */
static void a_failing_schedule_fails_alone(void **state)
{
    static struct hd_explore_result r;
    struct hd_explore_options options = {.schedules = 200};
    void (*add)(void *) = add_plain;

    (void)state;
    for (options.seed = 1; options.seed <= 12; options.seed++) {
        assert_int_equal(hd_explore(by_threads, &add, &options, &r), 1);
        assert_non_null(strstr(r.report, "reproduced 1 of 1"));
    }
}

static void atomic_updates_are_silent(void **state)
{
    static struct hd_explore_result r;

    (void)state;
    assert_int_equal(explore(by_goroutines, add_atomic, &r), 0);
    assert_int_equal(explore(by_threads, add_atomic, &r), 0);
    assert_int_equal(r.schedules, 200);
}

/* Two stores, two loads: both load the old value in no order of the four, but under weak models. */
static atomic_int left, right;
static int seen[2];

static void store_left(void *order)
{
    atomic_store_explicit(&left, 1, *(memory_order *)order);
    seen[0] = atomic_load_explicit(&right, *(memory_order *)order);
}

static void store_right(void *order)
{
    atomic_store_explicit(&right, 1, *(memory_order *)order);
    seen[1] = atomic_load_explicit(&left, *(memory_order *)order);
}

static void both_sides(void *order)
{
    struct hd_wg wg = {0};

    atomic_store(&left, 0);
    atomic_store(&right, 0);
    must(!hd_wg_go(&wg, store_left, order));
    must(!hd_wg_go(&wg, store_right, order));
    hd_wg_wait(&wg);
    must(seen[0] || seen[1]);
}

static int under(const char *model, memory_order order)
{
    static struct hd_explore_result r;
    const struct hd_explore_options options = {.schedules = 200, .memory_model = model};

    return hd_explore(both_sides, &order, &options, &r);
}

static void old_values_are_seen_where_the_model_has_them(void **state)
{
    (void)state;
    assert_int_equal(under(NULL, memory_order_relaxed), 0);
    assert_int_equal(under("sc", memory_order_relaxed), 0);
    assert_int_equal(under("tso", memory_order_relaxed), 1);
    assert_int_equal(under("c11", memory_order_relaxed), 1);
    assert_int_equal(under("tso", memory_order_seq_cst), 0);
    assert_int_equal(under("c11", memory_order_seq_cst), 0);
}

static void unknown_models_are_refused(void **state)
{
    static struct hd_explore_result r;
    const struct hd_explore_options options = {.memory_model = "arm"};

    (void)state;
    assert_int_equal(hd_explore(by_goroutines, NULL, &options, &r), -1);
    assert_string_equal(r.report, "hd_explore: unknown memory model \"arm\": sc, tso or c11\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_updates_are_found),
        cmocka_unit_test(a_failing_schedule_fails_alone),
        cmocka_unit_test(atomic_updates_are_silent),
        cmocka_unit_test(old_values_are_seen_where_the_model_has_them),
        cmocka_unit_test(unknown_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
