/* Semaphore: weights, order, contexts that end while waiting, misuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/semaphore.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

#include "panics.h"
#include "rounds.h"

struct shop {
    struct hd_semaphore units;
    struct hd_wg wg;
    struct hd_atomic_int64 inside, most;
    struct hd_context *ctx;
    struct hd_chan *answers; /* of hd_err */
    int64_t want;
};

static void open_shop(struct shop *shop, int64_t size)
{
    *shop = (struct shop){.ctx = hd_context_with_cancel(hd_context_background())};
    hd_semaphore_init(&shop->units, size, "units");
    shop->answers = hd_chan_make(sizeof(hd_err), 8);
}

static void close_shop(struct shop *shop)
{
    hd_context_end(shop->ctx);
    hd_chan_unref(shop->answers);
    hd_semaphore_destroy(&shop->units);
}

static void tries(void **state)
{
    struct shop shop;

    (void)state;
    open_shop(&shop, 5);
    assert_true(hd_semaphore_try_acquire(&shop.units, 3));
    assert_true(hd_semaphore_try_acquire(&shop.units, 2));
    assert_false(hd_semaphore_try_acquire(&shop.units, 1));
    assert_true(hd_semaphore_try_acquire(&shop.units, 0));
    hd_semaphore_release(&shop.units, 3);
    assert_true(hd_semaphore_try_acquire(&shop.units, 3));
    assert_false(hd_semaphore_try_acquire(&shop.units, 6));
    close_shop(&shop);
}

static void work(void *arg)
{
    struct shop *shop = arg;

    for (int i = 0; i < rounds(100); i++) {
        int64_t units = 1 + i % 3, now, most;
        if (hd_semaphore_acquire(&shop->units, shop->ctx, units))
            abort();
        now = hd_int64_add(&shop->inside, units);
        while ((most = hd_int64_load(&shop->most)) < now && !hd_int64_cas(&shop->most, most, now))
            ;
        hd_int64_add(&shop->inside, -units);
        hd_semaphore_release(&shop->units, units);
    }
}

static void never_more_than_its_size(void **state)
{
    struct shop shop;

    (void)state;
    open_shop(&shop, 4);
    for (int i = 0; i < 6; i++)
        assert_null(hd_wg_go(&shop.wg, work, &shop));
    hd_wg_wait(&shop.wg);
    assert_in_range(hd_int64_load(&shop.most), 1, 4);
    assert_true(hd_semaphore_try_acquire(&shop.units, 4)); /* all came back */
    close_shop(&shop);
}

static void acquire_and_tell(void *arg)
{
    struct shop *shop = arg;
    hd_err err = hd_semaphore_acquire(&shop->units, shop->ctx, shop->want);

    hd_chan_send(shop->answers, &err);
}

/* A small request waits behind a large one although its units are free. */
static void the_large_one_is_not_starved(void **state)
{
    struct shop shop;
    hd_err err;

    (void)state;
    open_shop(&shop, 10);
    assert_true(hd_semaphore_try_acquire(&shop.units, 1));
    shop.want = 10;
    assert_null(hd_wg_go(&shop.wg, acquire_and_tell, &shop));
    while (hd_semaphore_try_acquire(&shop.units, 1)) { /* until it stands in line */
        hd_semaphore_release(&shop.units, 1);
        hd_go_yield();
    }
    hd_semaphore_release(&shop.units, 1);
    hd_chan_recv(shop.answers, &err);
    assert_null(err);
    assert_false(hd_semaphore_try_acquire(&shop.units, 1));
    hd_wg_wait(&shop.wg);
    close_shop(&shop);
}

static void an_ended_context_gets_nothing(void **state)
{
    struct shop shop;
    hd_err err;

    (void)state;
    open_shop(&shop, 2);
    assert_true(hd_semaphore_try_acquire(&shop.units, 2));
    shop.want = 1;
    assert_null(hd_wg_go(&shop.wg, acquire_and_tell, &shop));
    hd_context_cancel(shop.ctx);
    hd_chan_recv(shop.answers, &err);
    assert_ptr_equal(err, hd_cancelled);
    hd_wg_wait(&shop.wg);
    hd_semaphore_release(&shop.units, 2);
    assert_ptr_equal(hd_semaphore_acquire(&shop.units, shop.ctx, 1), hd_cancelled);
    assert_true(hd_semaphore_try_acquire(&shop.units, 2)); /* nothing was lost */
    close_shop(&shop);
}

static void more_than_there_is_waits_for_the_context(void **state)
{
    struct shop shop;
    hd_err err;

    (void)state;
    open_shop(&shop, 2);
    shop.want = 3;
    assert_null(hd_wg_go(&shop.wg, acquire_and_tell, &shop));
    assert_null(hd_semaphore_acquire(&shop.units, shop.ctx, 2)); /* it does not stand in the way */
    hd_context_cancel(shop.ctx);
    hd_chan_recv(shop.answers, &err);
    assert_ptr_equal(err, hd_cancelled);
    hd_wg_wait(&shop.wg);
    close_shop(&shop);
}

static void acquire_one_and_tell(void *arg)
{
    struct shop *shop = arg;
    hd_err err = hd_semaphore_acquire(&shop->units, hd_context_background(), 1);

    hd_chan_send(shop->answers, &err);
}

/* Who gives up does not stand in the way of those behind it. */
static void one_behind_who_gives_up_gets_what_is_left(void **state)
{
    struct shop shop;
    hd_err err;

    (void)state;
    open_shop(&shop, 5);
    assert_true(hd_semaphore_try_acquire(&shop.units, 3));
    shop.want = 5;
    assert_null(hd_wg_go(&shop.wg, acquire_and_tell, &shop));
    while (hd_semaphore_try_acquire(&shop.units, 1)) { /* until it stands in line */
        hd_semaphore_release(&shop.units, 1);
        hd_go_yield();
    }
    assert_null(hd_wg_go(&shop.wg, acquire_one_and_tell, &shop));
    hd_sleep(HD_MILLISECOND); /* for that one, too */
    hd_context_cancel(shop.ctx);
    hd_wg_wait(&shop.wg);
    for (int granted = 0, i = 0; i < 2; i++) {
        hd_chan_recv(shop.answers, &err);
        granted += err == NULL;
        assert_true(i == 0 || granted == 1);
    }
    close_shop(&shop);
}

/* Grants and the end of the context at the same time: whoever wins, no unit is lost. */
static void acquire_once(void *arg)
{
    struct shop *shop = arg;

    if (!hd_semaphore_acquire(&shop->units, shop->ctx, 1))
        hd_semaphore_release(&shop->units, 1);
}

static void a_grant_to_one_that_gives_up_is_passed_on(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(100); i++) {
        struct shop shop;
        open_shop(&shop, 1);
        assert_true(hd_semaphore_try_acquire(&shop.units, 1));
        for (int g = 0; g < 3; g++)
            assert_null(hd_wg_go(&shop.wg, acquire_once, &shop));
        hd_go_yield();
        hd_context_cancel(shop.ctx);
        hd_semaphore_release(&shop.units, 1);
        hd_wg_wait(&shop.wg);
        assert_true(hd_semaphore_try_acquire(&shop.units, 1));
        close_shop(&shop);
    }
}

static void release_one(void *arg)
{
    hd_semaphore_release(arg, 1);
}

static void releasing_too_much_panics(void **state)
{
    struct shop shop;

    (void)state;
    open_shop(&shop, 1);
    assert_panics(release_one, &shop.units, "semaphore: released more than held");
    close_shop(&shop);
}

static void acquire_one(void *arg)
{
    hd_err_unref(hd_semaphore_acquire(arg, hd_context_background(), 1));
}

static void try_one(void *arg)
{
    if (hd_semaphore_try_acquire(arg, 1))
        hd_semaphore_release(arg, 1);
}

static void destroy(void *arg)
{
    hd_semaphore_destroy(arg);
}

static void misuse_of_its_end_panics(void **state)
{
    void (*const late[])(void *) = {acquire_one, try_one, release_one, destroy};
    struct shop shop;
    hd_err err;

    (void)state;
    open_shop(&shop, 2);
    assert_true(hd_semaphore_try_acquire(&shop.units, 1));
    shop.want = 2;
    assert_null(hd_wg_go(&shop.wg, acquire_and_tell, &shop));
    while (hd_semaphore_try_acquire(&shop.units, 1)) { /* until it stands in line */
        hd_semaphore_release(&shop.units, 1);
        hd_go_yield();
    }
    assert_panics(destroy, &shop.units, "semaphore: end while goroutines wait");
    hd_semaphore_release(&shop.units, 1);
    hd_chan_recv(shop.answers, &err);
    assert_null(err);
    hd_wg_wait(&shop.wg);
    hd_semaphore_destroy(&shop.units);
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        assert_panics(late[i], &shop.units, "semaphore: use after its end");
    hd_semaphore_init(&shop.units, 1, NULL);
    try_one(&shop.units);
    close_shop(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries),
        cmocka_unit_test(never_more_than_its_size),
        cmocka_unit_test(the_large_one_is_not_starved),
        cmocka_unit_test(an_ended_context_gets_nothing),
        cmocka_unit_test(more_than_there_is_waits_for_the_context),
        cmocka_unit_test(one_behind_who_gives_up_gets_what_is_left),
        cmocka_unit_test(a_grant_to_one_that_gives_up_is_passed_on),
        cmocka_unit_test(releasing_too_much_panics),
        cmocka_unit_test(misuse_of_its_end_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
