/* test_queue.c - cmocka tests whose bodies run under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <heddle/test.h>
#include <heddle/waitgroup.h>

#include "queue.h"

struct test {
    struct queue queue;
    struct hd_wg producers, consumers;
    int sum;
};

static void produce(void *arg)
{
    struct test *t = arg;

    for (int i = 1; i <= 3; i++)
        assert_true(queue_put(&t->queue, i));
}

static void consume(void *arg)
{
    struct test *t = arg;

    for (int item; queue_take(&t->queue, &item);)
        t->sum += item;
}

static void everything_comes_through(void **state)
{
    struct test t = {.sum = 0};

    (void)state;
    queue_init(&t.queue);
    assert_null(hd_wg_go(&t.producers, produce, &t));
    assert_null(hd_wg_go(&t.producers, produce, &t));
    assert_null(hd_wg_go(&t.consumers, consume, &t));
    hd_wg_wait(&t.producers);
    queue_end(&t.queue);
    hd_wg_wait(&t.consumers);
    assert_int_equal(t.sum, 12);
}
HD_EXPLORED(everything_comes_through)

static void end_lets_all_go(void **state)
{
    struct test t = {.sum = 0};

    (void)state;
    queue_init(&t.queue);
    assert_null(hd_wg_go(&t.consumers, consume, &t));
    assert_null(hd_wg_go(&t.consumers, consume, &t));
    queue_end(&t.queue);
    hd_wg_wait(&t.consumers);
    assert_false(queue_put(&t.queue, 1));
}
HD_EXPLORED(end_lets_all_go)

int main(void)
{
    const struct CMUnitTest tests[] = {
        hd_unit_test(everything_comes_through),
        hd_unit_test(end_lets_all_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
