/* Package time, as since Go 1.23. */
#include "check.h"

static struct hd_atomic_int32 called;

static void call(void *arg)
{
    (void)arg;
    hd_int32_add(&called, 1);
}

CHECK(sleep_lasts_at_least_as_long)
{
    int64_t before = hd_now();

    hd_sleep(2 * MS);
    expect(hd_now() - before >= 2 * MS);
}

CHECK(sleeping_for_nothing_or_less_returns)
{
    hd_sleep(0);
    hd_sleep(-HD_HOUR);
}

CHECK(the_clock_does_not_go_back)
{
    int64_t before = hd_now();

    for (int i = 0; i < 100; i++) {
        int64_t now = hd_now();
        expect(now >= before);
        before = now;
    }
}

CHECK(units)
{
    expect(HD_MICROSECOND == 1000 && HD_SECOND == 1000 * HD_MILLISECOND);
    expect(HD_HOUR == 3600 * HD_SECOND && HD_MINUTE == 60 * HD_SECOND);
}

CHECK(a_timer_sends_the_time_once)
{
    int64_t before = hd_now(), at = 0;
    struct hd_timer *timer = hd_timer_make(2 * MS);

    expect(hd_chan_recv(hd_timer_chan(timer), &at) && at - before >= 2 * MS);
    hd_sleep(3 * MS);
    expect(!hd_chan_try_recv(hd_timer_chan(timer), NULL, NULL));
    hd_timer_free(timer);
}

CHECK(a_timer_of_nothing_fires_at_once)
{
    struct hd_timer *zero = hd_timer_make(0), *less = hd_timer_make(-HD_HOUR);

    expect(hd_chan_recv(hd_timer_chan(zero), NULL) && hd_chan_recv(hd_timer_chan(less), NULL));
    hd_timer_free(zero);
    hd_timer_free(less);
}

CHECK(stop_says_whether_it_stopped_the_timer)
{
    struct hd_timer *timer = hd_timer_make(HD_HOUR);

    expect(hd_timer_stop(timer));
    expect(!hd_timer_stop(timer));
    hd_timer_free(timer);
}

CHECK(a_stopped_timer_does_not_fire)
{
    struct hd_timer *timer = hd_timer_make(MS);

    hd_timer_stop(timer);
    hd_sleep(3 * MS);
    expect(!hd_chan_try_recv(hd_timer_chan(timer), NULL, NULL));
    hd_timer_free(timer);
}

CHECK(after_a_stop_no_stale_value_is_received)
{
    struct hd_timer *timer = hd_timer_make(0);

    hd_sleep(2 * MS); /* it has fired, and nobody received */
    expect(hd_timer_stop(timer));
    expect(!hd_chan_try_recv(hd_timer_chan(timer), NULL, NULL));
    hd_timer_free(timer);
}

CHECK(stopping_one_that_was_received_from_says_false)
{
    struct hd_timer *timer = hd_timer_make(0);

    hd_chan_recv(hd_timer_chan(timer), NULL);
    expect(!hd_timer_stop(timer));
    hd_timer_free(timer);
}

CHECK(a_reset_starts_it_anew)
{
    struct hd_timer *timer = hd_timer_make(HD_HOUR);

    expect(hd_timer_reset(timer, MS));
    expect(hd_chan_recv(hd_timer_chan(timer), NULL));
    expect(!hd_timer_reset(timer, MS));
    expect(hd_chan_recv(hd_timer_chan(timer), NULL));
    hd_timer_free(timer);
}

CHECK(after_a_reset_no_stale_value_is_received)
{
    struct hd_timer *timer = hd_timer_make(0);
    int64_t reset, at = 0;

    hd_sleep(2 * MS);
    reset = hd_now();
    hd_timer_reset(timer, 2 * MS);
    expect(hd_chan_recv(hd_timer_chan(timer), &at) && at - reset >= 2 * MS);
    hd_timer_free(timer);
}

CHECK(the_channel_of_a_timer_has_no_length_and_no_capacity)
{
    struct hd_timer *timer = hd_timer_make(0);

    hd_sleep(MS);
    expect(hd_chan_len(hd_timer_chan(timer)) == 0 && hd_chan_cap(hd_timer_chan(timer)) == 0);
    hd_timer_free(timer);
}

CHECK(after_func_calls_in_a_goroutine_of_its_own)
{
    struct hd_chan *ran = hd_chan_make(0, 0);
    struct hd_timer *timer =
        hd_after_func(MS, (void (*)(void *))(void (*)(void))hd_chan_close, ran);

    expect(!hd_timer_chan(timer));
    hd_chan_recv(ran, NULL);
    expect(!hd_timer_stop(timer));
    hd_timer_free(timer);
    hd_chan_unref(ran);
}

CHECK(a_stopped_after_func_is_not_called)
{
    struct hd_timer *timer;

    hd_int32_store(&called, 0);
    timer = hd_after_func(100 * MS, call, NULL);
    expect(hd_timer_stop(timer));
    hd_sleep(110 * MS);
    expect(hd_int32_load(&called) == 0);
    hd_timer_free(timer);
}

CHECK(a_reset_after_func_is_called_again)
{
    struct hd_timer *timer;

    hd_int32_store(&called, 0);
    timer = hd_after_func(0, call, NULL);
    while (hd_int32_load(&called) < 1)
        hd_sleep(MS);
    expect(!hd_timer_reset(timer, 0));
    while (hd_int32_load(&called) < 2)
        hd_sleep(MS);
    hd_timer_free(timer);
}

CHECK(after_gives_the_time)
{
    struct hd_chan *after = hd_after(MS);
    int64_t before = hd_now(), at = 0;

    expect(hd_chan_recv(after, &at) && at >= before - MS);
    hd_chan_unref(after);
}

CHECK(an_after_that_nobody_sees_leaves_nothing)
{
    for (int i = 0; i < times(1000); i++)
        hd_chan_unref(hd_after(HD_HOUR));
}

static void no_ticks(void *ns)
{
    hd_ticker_free(hd_ticker_make(*(int64_t *)ns));
}

CHECK(a_ticker_needs_a_positive_interval)
{
    int64_t zero = 0, less = -1;

    expect(panics(no_ticks, &zero, "non-positive interval for NewTicker"));
    expect(panics(no_ticks, &less, "non-positive interval for NewTicker"));
}

static void reset_to_nothing(void *ticker)
{
    hd_ticker_reset(ticker, 0);
}

CHECK(a_reset_of_a_ticker_needs_one_too)
{
    struct hd_ticker *ticker = hd_ticker_make(HD_HOUR);

    expect(panics(reset_to_nothing, ticker, "non-positive interval for Ticker.Reset"));
    hd_ticker_free(ticker);
}

CHECK(a_ticker_ticks)
{
    int64_t before = hd_now(), at = 0;
    struct hd_ticker *ticker = hd_ticker_make(MS);

    for (int i = 0; i < 3; i++)
        expect(hd_chan_recv(hd_ticker_chan(ticker), &at));
    expect(at - before >= 3 * MS);
    hd_ticker_free(ticker);
}

CHECK(ticks_that_nobody_takes_are_dropped)
{
    struct hd_ticker *ticker = hd_ticker_make(MS);

    hd_sleep(10 * MS);
    expect(hd_chan_recv(hd_ticker_chan(ticker), NULL));
    hd_ticker_stop(ticker);
    expect(!hd_chan_try_recv(hd_ticker_chan(ticker), NULL, NULL));
    hd_ticker_free(ticker);
}

CHECK(a_stopped_ticker_is_silent_but_not_closed)
{
    struct hd_ticker *ticker = hd_ticker_make(MS);

    hd_ticker_stop(ticker);
    hd_sleep(3 * MS);
    expect(!hd_chan_try_recv(hd_ticker_chan(ticker), NULL, NULL));
    hd_ticker_free(ticker);
}

CHECK(a_reset_ticker_ticks_again)
{
    struct hd_ticker *ticker = hd_ticker_make(HD_HOUR);

    hd_ticker_reset(ticker, MS);
    expect(hd_chan_recv(hd_ticker_chan(ticker), NULL));
    hd_ticker_stop(ticker);
    hd_ticker_reset(ticker, MS);
    expect(hd_chan_recv(hd_ticker_chan(ticker), NULL));
    hd_ticker_free(ticker);
}

CHECK(timers_fire_in_the_order_of_their_times)
{
    struct hd_timer *timer[4];
    int64_t at[4], began;
    bool in_time;

    do { /* until all are made before the first is due */
        began = hd_now();
        for (int i = 3; i >= 0; i--)
            timer[i] = hd_timer_make((i + 1) * MS);
        in_time = hd_now() - began < MS;
        for (int i = 0; i < 4; i++)
            hd_chan_recv(hd_timer_chan(timer[i]), &at[i]);
        for (int i = 0; i < 4; i++) {
            expect(i == 0 || !in_time || at[i] >= at[i - 1]);
            hd_timer_free(timer[i]);
        }
    } while (!in_time);
}
