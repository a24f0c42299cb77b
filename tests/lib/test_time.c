/* Time: sleeping, timers that are stopped and reset at every moment, tickers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/select.h>
#include <heddle/time.h>

#include "panics.h"
#include "rounds.h"
#include "spawn_test.h"

#define MS HD_MILLISECOND
#define FAR HD_HOUR

static void a_sleep_lasts(void **state)
{
    int64_t before = hd_now();

    (void)state;
    hd_sleep(2 * MS);
    assert_true(hd_now() - before >= 2 * MS);
    hd_sleep(0);
    hd_sleep(-1);
    hd_sleep(INT64_MIN);
}

static void a_timer_fires_once_with_the_time(void **state)
{
    int64_t before = hd_now(), fired = 0;
    struct hd_timer *timer = hd_timer_make(2 * MS);

    (void)state;
    assert_true(hd_chan_recv(hd_timer_chan(timer), &fired));
    assert_true(fired - before >= 2 * MS);
    assert_true(fired <= hd_now());
    assert_false(hd_timer_stop(timer));
    assert_int_equal(HD_SELECT_TIMEOUT(3 * MS, HD_RECV(hd_timer_chan(timer), NULL)), HD_TIMED_OUT);
    hd_timer_free(timer);
}

static void no_delay_is_at_once(void **state)
{
    const int64_t delays[] = {0, -1, INT64_MIN};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct hd_timer *timer = hd_timer_make(delays[i]);
        hd_chan_recv(hd_timer_chan(timer), NULL);
        hd_timer_free(timer);
    }
}

static void a_stopped_timer_does_not_fire(void **state)
{
    struct hd_timer *timer = hd_timer_make(FAR);

    (void)state;
    assert_true(hd_timer_stop(timer));
    assert_false(hd_timer_stop(timer));
    assert_false(hd_chan_try_recv(hd_timer_chan(timer), NULL, NULL));
    hd_timer_free(timer);
    timer = hd_timer_make(INT64_MAX); /* until the end of time */
    assert_true(hd_timer_stop(timer));
    hd_timer_free(timer);
    hd_timer_free(NULL);
}

/* Since Go 1.23: a value of before is not received after a stop or a reset. */
static void a_value_not_received_is_taken_back(void **state)
{
    struct hd_timer *timer = hd_timer_make(0);
    int64_t fired, before;

    (void)state;
    hd_sleep(2 * MS);
    assert_true(hd_timer_stop(timer));
    assert_false(hd_chan_try_recv(hd_timer_chan(timer), NULL, NULL));
    assert_false(hd_timer_reset(timer, 0));
    hd_sleep(2 * MS);
    before = hd_now();
    assert_true(hd_timer_reset(timer, 2 * MS));
    hd_chan_recv(hd_timer_chan(timer), &fired);
    assert_true(fired - before >= 2 * MS);
    hd_timer_free(timer);
}

static void a_reset_moves_it_either_way(void **state)
{
    struct hd_timer *timer = hd_timer_make(FAR);
    int64_t before = hd_now(), fired = 0;

    (void)state;
    assert_true(hd_timer_reset(timer, MS));
    hd_chan_recv(hd_timer_chan(timer), &fired);
    assert_true(fired - before < FAR);
    assert_false(hd_timer_reset(timer, MS));
    assert_true(hd_timer_reset(timer, FAR));
    assert_int_equal(HD_SELECT_TIMEOUT(3 * MS, HD_RECV(hd_timer_chan(timer), NULL)), HD_TIMED_OUT);
    hd_timer_free(timer);
}

/* Reset and stop while it fires: whatever the race, each answer agrees with what is received. */
static void stops_race_with_firing(void **state)
{
    const int times = rounds(500);
    struct hd_timer *timer = hd_timer_make(FAR);

    (void)state;
    for (int i = 0; i < times; i++) {
        hd_timer_reset(timer, (i % 50) * HD_MICROSECOND);
        if (i % 3 == 0)
            hd_go_yield();
        if (i % 7 == 0)
            hd_sleep(20 * HD_MICROSECOND);
        if (i % 2)
            assert_true(hd_timer_stop(timer)); /* nobody received: it stops either way */
        assert_false(i % 2 && hd_chan_try_recv(hd_timer_chan(timer), NULL, NULL));
    }
    hd_timer_reset(timer, 0);
    hd_chan_recv(hd_timer_chan(timer), NULL);
    hd_timer_free(timer);
}

struct called {
    struct hd_atomic_int32 times;
    struct hd_chan *chan;
    int plain;
};

static void call(void *arg)
{
    struct called *called = arg;

    called->plain++; /* published by the start of the timer */
    hd_int32_add(&called->times, 1);
    hd_chan_send(called->chan, NULL);
}

static void a_function_runs_in_its_own_goroutine(void **state)
{
    struct called called = {.chan = hd_chan_make(0, 0), .plain = 1};
    struct hd_timer *timer = hd_after_func(MS, call, &called);

    (void)state;
    assert_null(hd_timer_chan(timer));
    hd_chan_recv(called.chan, NULL);
    assert_false(hd_timer_stop(timer));
    assert_int_equal(called.plain, 2);
    assert_false(hd_timer_reset(timer, MS)); /* it runs again */
    hd_chan_recv(called.chan, NULL);
    assert_int_equal(hd_int32_load(&called.times), 2);
    assert_false(hd_timer_reset(timer, FAR));
    assert_true(hd_timer_stop(timer));
    hd_timer_free(timer);
    timer = hd_after_func(0, call, &called);
    hd_timer_forget(timer);
    hd_chan_recv(called.chan, NULL);
    timer = hd_after_func(0, call, &called);
    hd_chan_recv(called.chan, NULL);
    hd_timer_forget(timer); /* after it fired */
    hd_chan_unref(called.chan);
}

static void after_in_a_select(void **state)
{
    struct hd_chan *late = hd_after(FAR), *soon = hd_after(MS);

    (void)state;
    assert_int_equal(HD_SELECT(HD_RECV(late, NULL), HD_RECV(soon, NULL)), 1);
    hd_chan_unref(soon);
    hd_chan_unref(late); /* with its timer */
    soon = hd_after(0);
    hd_chan_unref(soon);
    hd_sleep(MS);
}

static void a_loop_of_afters_leaves_nothing_behind(void **state)
{
    size_t before, now;

    (void)state;
    hd_chan_unref(hd_after(FAR));
    before = mallinfo2().uordblks;
    for (int i = 0; i < rounds(10000); i++)
        hd_chan_unref(hd_after(FAR));
    now = mallinfo2().uordblks;
    assert_true(now < before + ((size_t)256 << 10)); /* the last few are kept on purpose */
}

static void a_forgotten_timer_goes_with_its_channel(void **state)
{
    struct hd_timer *timer = hd_timer_make(MS);
    struct hd_chan *chan = hd_chan_ref(hd_timer_chan(timer));

    (void)state;
    hd_timer_forget(timer);
    assert_true(hd_chan_recv(chan, NULL));
    hd_chan_unref(chan);
    hd_timer_forget(hd_timer_make(FAR));
}

static void a_timer_channel_has_no_length(void **state)
{
    struct hd_timer *timer = hd_timer_make(0);
    struct hd_ticker *ticker = hd_ticker_make(MS);
    struct hd_chan *after = hd_after(0);
    bool ok;

    (void)state;
    hd_sleep(5 * MS);
    assert_int_equal(hd_chan_len(hd_timer_chan(timer)), 0);
    assert_int_equal(hd_chan_cap(hd_timer_chan(timer)), 0);
    assert_int_equal(hd_chan_len(hd_ticker_chan(ticker)), 0);
    assert_int_equal(hd_chan_cap(hd_ticker_chan(ticker)), 0);
    assert_int_equal(hd_chan_len(after) + hd_chan_cap(after), 0);
    assert_true(hd_chan_try_recv(hd_timer_chan(timer), NULL, &ok) && ok);
    assert_true(hd_chan_try_recv(hd_ticker_chan(ticker), NULL, &ok) && ok);
    hd_chan_unref(after);
    hd_ticker_free(ticker);
    hd_timer_free(timer);
}

/* ---- many timers: the heap ---- */

#define TIMERS 300

static void many_fire_in_order(void **state)
{
    struct hd_timer *timers[TIMERS];
    int64_t base = hd_now(), last = 0;
    uint32_t random = 12345;
    int stopped = 0;
    int64_t delays[TIMERS];

    (void)state;
    for (int i = 0; i < TIMERS; i++) {
        random = random * 1664525 + 1013904223;
        delays[i] = (random >> 16) % 5000 * HD_MICROSECOND;
        timers[i] = hd_timer_make(FAR + delays[i]);
    }
    for (int i = 0; i < TIMERS; i += 3, stopped++)
        assert_true(hd_timer_stop(timers[i]));
    for (int i = 1; i < TIMERS; i += 3)
        assert_true(hd_timer_reset(timers[i], delays[i]));
    for (int i = 1; i < TIMERS; i += 3) {
        int64_t fired;
        hd_chan_recv(hd_timer_chan(timers[i]), &fired);
        assert_true(fired - base >= delays[i]);
        last = fired > last ? fired : last;
    }
    assert_true(last - base < FAR);
    for (int i = 2; i < TIMERS; i += 3)
        assert_true(hd_timer_stop(timers[i]));
    for (int i = 0; i < TIMERS; i++)
        hd_timer_free(timers[i]);
    assert_int_equal(stopped, TIMERS / 3);
}

static void earlier_timers_fire_first(void **state)
{
    struct hd_timer *late = hd_timer_make(6 * MS), *soon = hd_timer_make(2 * MS);
    int64_t first, second;

    (void)state;
    assert_int_equal(
        HD_SELECT(HD_RECV(hd_timer_chan(late), &second), HD_RECV(hd_timer_chan(soon), &first)), 1);
    hd_chan_recv(hd_timer_chan(late), &second);
    assert_true(first < second);
    hd_timer_free(late);
    hd_timer_free(soon);
}

/* ---- tickers ---- */

static void a_ticker_ticks_until_it_is_stopped(void **state)
{
    int64_t begin = hd_now(), at = 0, before = begin;
    struct hd_ticker *ticker = hd_ticker_make(MS);

    (void)state;
    for (int i = 1; i <= 4; i++) {
        hd_chan_recv(hd_ticker_chan(ticker), &at);
        assert_true(at - begin >= i * MS);
        assert_true(at > before);
        before = at;
    }
    hd_ticker_stop(ticker);
    assert_int_equal(HD_SELECT_TIMEOUT(4 * MS, HD_RECV(hd_ticker_chan(ticker), NULL)),
                     HD_TIMED_OUT);
    hd_ticker_reset(ticker, 2 * MS);
    begin = hd_now();
    hd_chan_recv(hd_ticker_chan(ticker), &at);
    assert_true(at >= begin);
    hd_ticker_free(ticker);
    hd_ticker_free(NULL);
}

static void slow_receivers_miss_ticks(void **state)
{
    struct hd_ticker *ticker = hd_ticker_make(MS);
    int64_t first, second;

    (void)state;
    hd_sleep(10 * MS);
    hd_chan_recv(hd_ticker_chan(ticker), &first); /* one was kept: the oldest */
    hd_chan_recv(hd_ticker_chan(ticker), &second);
    assert_true(second > first);
    hd_ticker_free(ticker);
}

static void make_ticker(void *ns)
{
    hd_ticker_free(hd_ticker_make(*(int64_t *)ns));
}

static void reset_ticker(void *ticker)
{
    hd_ticker_reset(ticker, 0);
}

static void no_function(void *arg)
{
    hd_timer_free(hd_after_func(0, NULL, arg));
}

static void misuse_panics_as_in_go(void **state)
{
    int64_t none = 0, negative = -5;
    struct hd_ticker *ticker = hd_ticker_make(FAR);

    (void)state;
    assert_panics(make_ticker, &none, "non-positive interval for NewTicker");
    assert_panics(make_ticker, &negative, "non-positive interval for NewTicker");
    assert_panics(reset_ticker, ticker, "non-positive interval for Ticker.Reset");
    assert_panics(no_function, NULL, "timer of a nil func value");
    hd_ticker_free(ticker);
}

static void stop_late(void *timer)
{
    hd_timer_stop(timer);
}

static void reset_late(void *timer)
{
    hd_timer_reset(timer, 0);
}

static void stop_ticker_late(void *ticker)
{
    hd_ticker_stop(ticker);
}

static void a_timer_used_after_it_was_freed_panics(void **state)
{
    struct hd_timer *timer = hd_timer_make(FAR);
    struct hd_ticker *ticker = hd_ticker_make(FAR);

    (void)state;
    hd_timer_free(timer);
    assert_panics(stop_late, timer, "use of a timer that was freed");
    assert_panics(reset_late, timer, "use of a timer that was freed");
    hd_ticker_free(ticker);
    assert_panics(stop_ticker_late, ticker, "use of a ticker that was freed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sleep_lasts),
        cmocka_unit_test(a_timer_fires_once_with_the_time),
        cmocka_unit_test(no_delay_is_at_once),
        cmocka_unit_test(a_stopped_timer_does_not_fire),
        cmocka_unit_test(a_value_not_received_is_taken_back),
        cmocka_unit_test(a_reset_moves_it_either_way),
        cmocka_unit_test(stops_race_with_firing),
        cmocka_unit_test(a_function_runs_in_its_own_goroutine),
        cmocka_unit_test(a_timer_used_after_it_was_freed_panics),
        cmocka_unit_test(after_in_a_select),
        cmocka_unit_test(a_loop_of_afters_leaves_nothing_behind),
        cmocka_unit_test(a_forgotten_timer_goes_with_its_channel),
        cmocka_unit_test(a_timer_channel_has_no_length),
        cmocka_unit_test(many_fire_in_order),
        cmocka_unit_test(earlier_timers_fire_first),
        cmocka_unit_test(a_ticker_ticks_until_it_is_stopped),
        cmocka_unit_test(slow_receivers_miss_ticks),
        cmocka_unit_test(misuse_panics_as_in_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
