/* Leak checks, natively: what is charged to whom, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include <heddle/annotate.h>
#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/errgroup.h>
#include <heddle/go.h>
#include <heddle/leak.h>
#include <heddle/owner.h>
#include <heddle/pool.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>
#include <heddle/workerpool.h>

#include "panics.h"

#define must(error) assert_null(error)

static char text[8192];

static size_t ended(void)
{
    return hd_leak_check_end(text, sizeof text);
}

/* Where something is left, which is waited for in vain. */
static int short_grace(void **state)
{
    (void)state;
    hd_leak_grace(30 * HD_MILLISECOND);
    return 0;
}

static int long_grace(void **state)
{
    (void)state;
    hd_leak_grace(20 * HD_SECOND);
    return 0;
}

static _Atomic int receiving;

static void receive(void *chan)
{
    receiving++;
    hd_chan_recv(chan, NULL);
}

/* So many are about to wait; on a busy machine that takes its time. */
static void until_receiving(int n)
{
    while (receiving < n)
        hd_sleep(HD_MILLISECOND);
    receiving = 0;
    hd_sleep(100 * HD_MILLISECOND);
}

/* Let go those who wait there, so that nothing is left of one test in the next. */
static void let_go(struct hd_chan *chan)
{
    receiving = 0;
    hd_chan_close(chan);
    while (hd_go_count() > 0)
        hd_sleep(HD_MILLISECOND);
    hd_chan_unref(chan);
}

static void nothing_is_left_of_nothing(void **state)
{
    (void)state;
    hd_leak_check_begin("nothing");
    assert_int_equal(ended(), 0);
    assert_string_equal(text, "");
    hd_leak_check_begin("nothing");
    assert_int_equal(hd_leak_check_end(NULL, 0), 0);
}

static void a_blocked_goroutine_is_named(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 0);
    char begun[64];

    (void)state;
    snprintf(begun, sizeof begun, "left by \"blocked\" (test_leak.c:%d): 1", __LINE__ + 1);
    hd_leak_check_begin("blocked");
    must(hd_go_named("reader", receive, chan));
    until_receiving(1);
    assert_int_equal(ended(), 1);
    assert_non_null(strstr(text, begun));
    assert_non_null(strstr(text, "goroutine \"reader\" [chan receive]"));
    assert_non_null(strstr(text, "made at"));
    let_go(chan);
}

static _Atomic bool spin_on;

static void sleep_on(void *arg)
{
    (void)arg;
    receiving++;
    while (spin_on)
        hd_sleep(HD_SECOND);
}

static void spin(void *arg)
{
    (void)arg;
    while (spin_on)
        hd_go_yield();
}

static void others_are_told_by_their_state(void **state)
{
    (void)state;
    hd_leak_check_begin("states");
    spin_on = true;
    must(hd_go_named("busy", spin, NULL));
    must(hd_go(sleep_on, NULL));
    until_receiving(1);
    assert_int_equal(ended(), 2);
    spin_on = false;
    assert_non_null(strstr(text, "goroutine \"busy\" [running]"));
    assert_non_null(strstr(text, "[sleeping]"));
    let_go(hd_chan_make(0, 0));
}

static void sleep_a_little(void *arg)
{
    (void)arg;
    hd_sleep(20 * HD_MILLISECOND);
}

static void who_ends_within_the_grace_is_fine(void **state)
{
    (void)state;
    hd_leak_check_begin("grace");
    must(hd_go(sleep_a_little, NULL));
    assert_int_equal(ended(), 0);
}

static void what_was_there_before_is_ignored(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 0);
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());

    (void)state;
    must(hd_go(receive, chan));
    hd_leak_check_begin("later");
    assert_int_equal(ended(), 0);
    hd_context_end(ctx);
    let_go(chan);
}

static void start_reader(void *chan)
{
    must(hd_go(receive, chan));
}

static void children_of_children_count(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 0);

    (void)state;
    hd_leak_check_begin("family");
    must(hd_go(start_reader, chan));
    assert_int_equal(ended(), 1);
    let_go(chan);
}

static void alike_ones_stand_together(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 0);

    (void)state;
    hd_leak_check_begin("many");
    for (int i = 0; i < 10; i++)
        must(hd_go(receive, chan));
    until_receiving(10);
    assert_int_equal(ended(), 10);
    assert_non_null(strstr(text, "and 9 more like it"));
    let_go(chan);
}

static void a_text_that_does_not_fit_says_so(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 0);
    char small[24];

    (void)state;
    hd_leak_check_begin("a name that is longer than the text has room");
    must(hd_go(receive, chan));
    assert_int_equal(hd_leak_check_end(small, sizeof small), 1);
    assert_string_equal(small + strlen(small) - 3, "...");
    let_go(chan);
}

static size_t say_place(const void *address, char *to, size_t bytes)
{
    assert_non_null(address);
    return (size_t)snprintf(to, bytes, "somewhere");
}

static void places_are_put_into_words(void **state)
{
    struct hd_context *ctx;

    (void)state;
    hd_leak_places(say_place);
    hd_leak_check_begin("words");
    ctx = hd_context_with_cancel(hd_context_background());
    assert_int_equal(ended(), 1);
    hd_leak_places(NULL);
    assert_non_null(strstr(text, "made at somewhere"));
    hd_context_end(ctx);
}

static void receive_for_good(void *chan)
{
    hd_expect_leak();
    hd_chan_recv(chan, NULL);
}

static void who_may_be_left_is_no_leak(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 0);

    (void)state;
    hd_leak_check_begin("expected");
    must(hd_go(receive_for_good, chan));
    assert_int_equal(ended(), 0);
    let_go(chan);
}

/* ---- objects ---- */

static void *make_nothing(void *arg)
{
    return arg;
}

static void drop_nothing(void *object, void *arg)
{
    (void)object, (void)arg;
}

static hd_err do_nothing(struct hd_context *ctx, void *job, void **result, void *arg)
{
    (void)ctx, (void)job, (void)result, (void)arg;
    return NULL;
}

static void objects_that_nobody_ends_are_left(void **state)
{
    struct hd_workerpool_options options = {.workers = 1, .work = do_nothing};
    struct hd_context *root = hd_context_with_cancel(hd_context_background()), *ctx;
    struct hd_workerpool *workers;
    struct hd_owner *owner;
    struct hd_ticker *ticker;
    struct hd_pool pool;

    (void)state;
    hd_leak_check_begin("objects");
    ctx = hd_context_with_cancel(hd_context_background());
    ticker = hd_ticker_make(HD_HOUR);
    must(hd_pool_init(&pool, make_nothing, drop_nothing, NULL));
    must(hd_workerpool_start(&workers, root, &options));
    must(hd_owner_start(&owner, root, NULL));
    hd_context_end(root);
    assert_int_equal(ended(), 5);
    assert_non_null(strstr(text, "context [never cancelled]"));
    assert_non_null(strstr(text, "ticker [never stopped]"));
    assert_non_null(strstr(text, "  pool [never destroyed]"));
    assert_non_null(strstr(text, "worker pool [never closed]"));
    assert_non_null(strstr(text, "owner [never ended]"));
    hd_context_end(ctx);
    hd_ticker_free(ticker);
    hd_pool_destroy(&pool);
    hd_err_unref(hd_workerpool_close(workers));
    hd_owner_end(owner);
}

static void objects_that_are_ended_are_not(void **state)
{
    struct hd_workerpool_options options = {.workers = 1, .work = do_nothing};
    struct hd_context *root = hd_context_with_cancel(hd_context_background()), *ctx, *dropped;
    struct hd_errgroup group = HD_ERRGROUP_INIT;
    struct hd_workerpool *workers;
    struct hd_owner *owner;
    struct hd_ticker *ticker;
    struct hd_pool pool;

    (void)state;
    hd_leak_check_begin("ended");
    ctx = hd_context_with_cancel(root);
    dropped = hd_context_with_cancel(root);
    hd_errgroup_with_context(&group, root);
    ticker = hd_ticker_make(HD_HOUR);
    must(hd_pool_init(&pool, make_nothing, drop_nothing, NULL));
    must(hd_workerpool_start(&workers, root, &options));
    must(hd_owner_start(&owner, root, NULL));
    hd_context_unref(dropped); /* out of the tree: nothing keeps it */
    hd_context_end(root);      /* cancels ctx as well */
    must(hd_errgroup_wait(&group));
    hd_ticker_stop(ticker);
    hd_pool_destroy(&pool);
    hd_err_unref(hd_workerpool_close(workers));
    hd_owner_end(owner);
    assert_int_equal(ended(), 0);
    hd_context_unref(ctx);
    hd_ticker_free(ticker);
}

static void a_ticker_may_be_wound_up_again(void **state)
{
    struct hd_ticker *ticker;

    (void)state;
    hd_leak_check_begin("ticker");
    ticker = hd_ticker_make(HD_HOUR);
    hd_ticker_stop(ticker);
    hd_ticker_reset(ticker, HD_HOUR);
    assert_int_equal(ended(), 1);
    hd_ticker_free(ticker);
}

static void a_deadline_ends_a_context(void **state)
{
    struct hd_context *late, *below;

    (void)state;
    hd_leak_check_begin("deadline");
    late = hd_context_with_timeout(hd_context_background(), HD_HOUR);
    below = hd_context_with_cancel(late);
    assert_int_equal(ended(), 0);
    hd_context_end(below);
    hd_context_end(late);
}

/* ---- whose is it? ---- */

static void timers_and_hooks_work_for_who_set_them(void **state)
{
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
    struct hd_chan *chan = hd_chan_make(0, 0);
    struct hd_context_hook *hook;
    struct hd_timer *timer;

    (void)state;
    hd_leak_check_begin("setter");
    timer = hd_after_func(HD_MILLISECOND, receive, chan);
    hook = hd_context_after_func(ctx, receive, chan);
    hd_leak_check_begin("canceller");
    hd_context_cancel(ctx);
    until_receiving(2);
    assert_int_equal(ended(), 0);
    assert_int_equal(ended(), 2);
    assert_non_null(strstr(text, "left by \"setter\""));
    hd_context_stop(hook);
    hd_timer_free(timer);
    hd_context_unref(ctx);
    let_go(chan);
}

static void serve(void *requests)
{
    struct hd_chan *chan;

    while (hd_chan_recv(requests, &chan))
        must(hd_go(receive, chan));
}

static void a_server_of_others_works_for_others(void **state)
{
    struct hd_chan *requests = hd_chan_make(sizeof(struct hd_chan *), 0);
    struct hd_chan *chan = hd_chan_make(0, 0);

    (void)state;
    must(hd_go(serve, requests));
    hd_leak_check_begin("client");
    hd_chan_send(requests, &chan);
    assert_int_equal(ended(), 0);
    hd_chan_close(requests);
    let_go(chan);
    hd_chan_unref(requests);
}

static void checks_nest(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 0);

    (void)state;
    hd_leak_check_begin("outer");
    hd_leak_check_begin("inner");
    must(hd_go(receive, chan));
    assert_int_equal(ended(), 1);
    assert_non_null(strstr(text, "left by \"inner\""));
    assert_int_equal(ended(), 0);
    let_go(chan);
}

struct test {
    const char *name;
    int goroutines;
    struct hd_chan *chan;
    size_t left;
    char text[4096];
};

static void *work_through(void *arg)
{
    struct test *test = arg;

    for (int round = 0; round < 50; round++) {
        hd_leak_check_begin_at(test->name, "side_by_side.c", round + 1);
        for (int i = 0; i < test->goroutines; i++)
            if (hd_go(sleep_a_little, NULL))
                abort();
        if (round == 49)
            for (int i = 0; i < test->goroutines; i++)
                if (hd_go(start_reader, test->chan))
                    abort();
        test->left += hd_leak_check_end(test->text, sizeof test->text);
    }
    return NULL;
}

static void tests_side_by_side_are_told_apart(void **state)
{
    struct test test[] = {{.name = "left", .goroutines = 3}, {.name = "right", .goroutines = 5}};
    struct hd_chan *chan = hd_chan_make(0, 0);
    pthread_t thread[2];

    (void)state;
    hd_leak_grace(2 * HD_SECOND);
    for (int i = 0; i < 2; i++) {
        test[i].chan = chan;
        assert_int_equal(pthread_create(&thread[i], NULL, work_through, &test[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(test[0].left, 3);
    assert_int_equal(test[1].left, 5);
    assert_non_null(strstr(test[0].text, "left by \"left\" (side_by_side.c:50): 3"));
    assert_non_null(strstr(test[1].text, "left by \"right\" (side_by_side.c:50): 5"));
    let_go(chan);
}

/* ---- misuse ---- */

static void end_one(void *arg)
{
    (void)arg;
    hd_leak_check_end(NULL, 0);
}

static void end_one_in_goroutine(void *panicked)
{
    hd_err err = hd_recover(end_one, NULL);

    *(bool *)panicked = err != NULL;
    hd_err_unref(err);
}

static void only_who_began_it_ends_it(void **state)
{
    bool panicked = false;
    struct hd_wg wg = {0};

    (void)state;
    assert_panics(end_one, NULL, "end of a leak check that was not begun here");
    hd_leak_check_begin("mine");
    must(hd_wg_go(&wg, end_one_in_goroutine, &panicked));
    hd_wg_wait(&wg);
    assert_true(panicked);
    assert_int_equal(ended(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_of_nothing),
        cmocka_unit_test_setup(a_blocked_goroutine_is_named, short_grace),
        cmocka_unit_test_setup(others_are_told_by_their_state, short_grace),
        cmocka_unit_test_setup(who_ends_within_the_grace_is_fine, long_grace),
        cmocka_unit_test_setup(what_was_there_before_is_ignored, short_grace),
        cmocka_unit_test_setup(children_of_children_count, short_grace),
        cmocka_unit_test_setup(alike_ones_stand_together, short_grace),
        cmocka_unit_test_setup(a_text_that_does_not_fit_says_so, short_grace),
        cmocka_unit_test_setup(places_are_put_into_words, short_grace),
        cmocka_unit_test_setup(who_may_be_left_is_no_leak, long_grace),
        cmocka_unit_test_setup(objects_that_nobody_ends_are_left, short_grace),
        cmocka_unit_test_setup(objects_that_are_ended_are_not, long_grace),
        cmocka_unit_test_setup(a_ticker_may_be_wound_up_again, short_grace),
        cmocka_unit_test_setup(a_deadline_ends_a_context, short_grace),
        cmocka_unit_test_setup(timers_and_hooks_work_for_who_set_them, short_grace),
        cmocka_unit_test_setup(a_server_of_others_works_for_others, long_grace),
        cmocka_unit_test_setup(checks_nest, short_grace),
        cmocka_unit_test(tests_side_by_side_are_told_apart),
        cmocka_unit_test_setup(only_who_began_it_ends_it, long_grace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
