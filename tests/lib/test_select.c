/* Select: which case, how many, at random, never for NULL, and at most once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/select.h>
#include <heddle/time.h>

#include "panics.h"
#include "rounds.h"
#include "spawn_test.h"

static void only_what_can_happen_does(void **state)
{
    struct hd_chan *empty = hd_chan_make(sizeof(int), 1), *full = hd_chan_make(sizeof(int), 1);
    int value = 5, got = 0;
    bool ok = false;

    (void)state;
    hd_chan_send(full, &value);
    assert_int_equal(HD_SELECT(HD_RECV(empty, &got), HD_RECV_OK(full, &got, &ok)), 1);
    assert_int_equal(got, 5);
    assert_true(ok);
    assert_int_equal(HD_SELECT_DEFAULT(HD_RECV(empty, &got), HD_RECV(full, &got)), HD_DEFAULT);
    assert_int_equal(HD_SELECT(HD_RECV(full, &got), HD_SEND(empty, &value)), 1);
    assert_int_equal(hd_chan_len(empty), 1);
    assert_int_equal(HD_SELECT_DEFAULT(HD_SEND(empty, &value)), HD_DEFAULT);
    hd_chan_unref(empty);
    hd_chan_unref(full);
}

static void null_is_never_ready(void **state)
{
    struct hd_chan *chan = hd_chan_make(sizeof(int), 1);
    int value = 1;

    (void)state;
    assert_int_equal(HD_SELECT_DEFAULT(HD_RECV(NULL, NULL), HD_SEND(NULL, &value)), HD_DEFAULT);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(HD_SELECT(HD_RECV(NULL, NULL), HD_SEND(chan, &value)), 1);
        assert_int_equal(HD_SELECT(HD_SEND(NULL, &value), HD_RECV(chan, NULL)), 1);
    }
    assert_int_equal(HD_SELECT_TIMEOUT(1000, HD_RECV(NULL, NULL)), HD_TIMED_OUT);
    assert_int_equal(hd_select_default(NULL, 0), HD_DEFAULT);
    assert_int_equal(hd_select_timeout(NULL, 0, 0), HD_TIMED_OUT);
    hd_chan_unref(chan);
}

static void a_closed_channel_is_always_ready(void **state)
{
    struct hd_chan *closed = hd_chan_make(sizeof(int), 0), *open = hd_chan_make(sizeof(int), 0);
    int got = 9;
    bool ok = true;

    (void)state;
    hd_chan_close(closed);
    assert_int_equal(HD_SELECT(HD_RECV(open, NULL), HD_RECV_OK(closed, &got, &ok)), 1);
    assert_int_equal(got, 0);
    assert_false(ok);
    hd_chan_unref(closed);
    hd_chan_unref(open);
}

/* 4,000 draws over 4 cases: each between 800 and 1,200 is ten standard deviations wide. */
static void the_choice_is_fair(void **state)
{
    struct hd_chan *chans[4];
    int times[4] = {0};

    (void)state;
    if (hdi_watchers & 1u)
        skip(); /* there the choice is explored, not drawn */
    for (int i = 0; i < 4; i++) {
        chans[i] = hd_chan_make(0, 0);
        hd_chan_close(chans[i]);
    }
    for (int i = 0; i < 4000; i++)
        times[HD_SELECT(HD_RECV(chans[0], NULL), HD_RECV(chans[1], NULL), HD_RECV(chans[2], NULL),
                        HD_RECV(chans[3], NULL))]++;
    for (int i = 0; i < 4; i++) {
        assert_in_range(times[i], 800, 1200);
        hd_chan_unref(chans[i]);
    }
}

/* ---- waiting ---- */

struct pair {
    struct hd_chan *first, *second;
    struct hd_chan *done;
    int which, got;
    bool ok;
};

static void select_two(void *arg)
{
    struct pair *pair = arg;

    pair->which = HD_SELECT(HD_RECV_OK(pair->first, &pair->got, &pair->ok),
                            HD_RECV_OK(pair->second, &pair->got, &pair->ok));
    hd_chan_send(pair->done, NULL);
}

static void one_that_waits_gets_exactly_one(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        for (size_t capacity = 0; capacity < 2; capacity++) {
            struct pair pair = {.first = hd_chan_make(sizeof(int), capacity),
                                .second = hd_chan_make(sizeof(int), capacity),
                                .done = hd_chan_make(0, 0)};
            struct hd_chan *chan = which ? pair.second : pair.first;
            int value = 40 + which;
            start(select_two, &pair);
            hd_sleep(HD_MILLISECOND);
            hd_chan_send(chan, &value);
            hd_chan_recv(pair.done, NULL);
            assert_int_equal(pair.which, which);
            assert_int_equal(pair.got, value);
            assert_true(pair.ok);
            /* it is in no line any more */
            if (capacity == 0)
                assert_false(hd_chan_try_send(pair.first, &value));
            hd_chan_unref(pair.first);
            hd_chan_unref(pair.second);
            hd_chan_unref(pair.done);
        }
    }
}

static void one_that_waits_sees_a_close(void **state)
{
    struct pair pair = {.first = hd_chan_make(sizeof(int), 0),
                        .second = hd_chan_make(sizeof(int), 2),
                        .done = hd_chan_make(0, 0),
                        .got = 3,
                        .ok = true};

    (void)state;
    start(select_two, &pair);
    hd_sleep(HD_MILLISECOND);
    hd_chan_close(pair.second);
    hd_chan_recv(pair.done, NULL);
    assert_int_equal(pair.which, 1);
    assert_int_equal(pair.got, 0);
    assert_false(pair.ok);
    hd_chan_unref(pair.first);
    hd_chan_unref(pair.second);
    hd_chan_unref(pair.done);
}

struct blocked_send {
    struct hd_chan *chan, *done;
    hd_err panicked;
};

static void select_send(void *arg)
{
    struct blocked_send *it = arg;
    int value = 1;

    HD_SELECT(HD_RECV(NULL, NULL), HD_SEND(it->chan, &value));
}

static void select_send_and_note(void *arg)
{
    struct blocked_send *it = arg;

    it->panicked = hd_recover(select_send, it);
    hd_chan_send(it->done, NULL);
}

static void a_send_that_waits_panics_when_it_is_closed(void **state)
{
    struct blocked_send it = {.chan = hd_chan_make(sizeof(int), 0), .done = hd_chan_make(0, 0)};

    (void)state;
    start(select_send_and_note, &it);
    hd_sleep(HD_MILLISECOND);
    hd_chan_close(it.chan);
    hd_chan_recv(it.done, NULL);
    assert_string_equal(hd_err_message(it.panicked), "send on closed channel");
    hd_err_unref(it.panicked);
    hd_chan_unref(it.chan);
    hd_chan_unref(it.done);
}

static void both_ends_of_one_channel_do_not_meet_themselves(void **state)
{
    struct hd_chan *chan = hd_chan_make(sizeof(int), 0);
    int value = 1, got = 0;

    (void)state;
    assert_int_equal(HD_SELECT_DEFAULT(HD_SEND(chan, &value), HD_RECV(chan, &got)), HD_DEFAULT);
    assert_int_equal(HD_SELECT_TIMEOUT(1000, HD_SEND(chan, &value), HD_RECV(chan, &got)),
                     HD_TIMED_OUT);
    hd_chan_unref(chan);
}

/* Every pair meets at both ends of the same channel, in one direction or the other. */
struct meeting {
    struct hd_chan *chan;
    struct hd_wg wg;
    int sent, received;
};

static void send_or_receive(void *arg)
{
    struct meeting *meeting = arg;
    int value = 1, got = 0;

    if (HD_SELECT(HD_SEND(meeting->chan, &value), HD_RECV(meeting->chan, &got)) == 0)
        __atomic_fetch_add(&meeting->sent, 1, __ATOMIC_RELAXED);
    else
        __atomic_fetch_add(&meeting->received, got, __ATOMIC_RELAXED);
    hd_wg_done(&meeting->wg);
}

static void two_selects_meet_once(void **state)
{
    struct meeting meeting = {.chan = hd_chan_make(sizeof(int), 0)};
    const int pairs = rounds(50);

    (void)state;
    hd_wg_add(&meeting.wg, 2 * pairs);
    for (int i = 0; i < 2 * pairs; i++)
        start(send_or_receive, &meeting);
    hd_wg_wait(&meeting.wg);
    assert_int_equal(meeting.sent, pairs);
    assert_int_equal(meeting.received, pairs);
    hd_chan_unref(meeting.chan);
}

#define MANY 40

static void any_number_of_cases(void **state)
{
    struct hd_chan *chans[MANY];
    struct hd_case cases[MANY];
    int got = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        chans[i] = hd_chan_make(sizeof(int), 1);
        cases[i] = HD_RECV(chans[i], &got);
    }
    for (int i = 0; i < MANY; i++) {
        hd_chan_send(chans[i], &i);
        assert_int_equal(hd_select(cases, MANY), i);
        assert_int_equal(got, i);
        assert_int_equal(hd_select_default(cases, MANY), HD_DEFAULT);
    }
    for (int i = 0; i < MANY; i++)
        hd_chan_unref(chans[i]);
}

static void too_many_cases(void *arg)
{
    hd_select_default(arg, 65537);
}

static void absurdly_many_cases_panic(void **state)
{
    struct hd_case *cases = calloc(65537, sizeof *cases);

    (void)state;
    assert_non_null(cases);
    assert_panics(too_many_cases, cases, "select: too many cases");
    assert_int_equal(hd_select_default(cases, 65536), HD_DEFAULT);
    free(cases);
}

static void a_timeout_takes_its_time_and_no_timer(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 0);
    int64_t before = hd_now();

    (void)state;
    assert_int_equal(HD_SELECT_TIMEOUT(3 * HD_MILLISECOND, HD_RECV(chan, NULL)), HD_TIMED_OUT);
    assert_true(hd_now() - before >= 3 * HD_MILLISECOND);
    assert_int_equal(HD_SELECT_TIMEOUT(-5, HD_RECV(chan, NULL)), HD_TIMED_OUT);
    hd_chan_close(chan);
    assert_int_equal(HD_SELECT_TIMEOUT(INT64_MAX, HD_RECV(chan, NULL)), 0);
    hd_chan_unref(chan);
}

/* ---- two streams into one, by selects with time-outs that race with the senders ---- */

struct merge {
    struct hd_chan *in[2];
    struct hd_wg wg;
};

#define EACH 300

static void feed(struct hd_chan *chan)
{
    for (int i = 1; i <= rounds(EACH); i++)
        hd_chan_send(chan, &i);
    hd_chan_close(chan);
}

static void feed_first(void *arg)
{
    feed(((struct merge *)arg)->in[0]);
}

static void feed_second(void *arg)
{
    feed(((struct merge *)arg)->in[1]);
}

static void nothing_is_lost_between_timeouts(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 3; capacity++) {
        struct merge merge = {
            {hd_chan_make(sizeof(int), capacity), hd_chan_make(sizeof(int), capacity)}, HD_WG_INIT};
        struct hd_chan *open[2] = {merge.in[0], merge.in[1]};
        int last[2] = {0, 0};
        start(feed_first, &merge);
        start(feed_second, &merge);
        while (open[0] || open[1]) {
            int value = 0;
            bool ok = false;
            int which = HD_SELECT_TIMEOUT(HD_MICROSECOND, HD_RECV_OK(open[0], &value, &ok),
                                          HD_RECV_OK(open[1], &value, &ok));
            if (which == HD_TIMED_OUT)
                continue;
            if (!ok) {
                open[which] = NULL; /* as one does in Go */
                continue;
            }
            assert_int_equal(value, last[which] + 1);
            last[which] = value;
        }
        assert_int_equal(last[0], rounds(EACH));
        assert_int_equal(last[1], rounds(EACH));
        hd_chan_unref(merge.in[0]);
        hd_chan_unref(merge.in[1]);
    }
}

#define TWINS 64

static void send_either(void *chan)
{
    int zero = 0, one = 1;

    for (int i = 0; i < TWINS; i++)
        HD_SELECT(HD_SEND(chan, &zero), HD_SEND(chan, &one));
}

/* Also of those that had to wait, each case on one channel happens. */
static void of_two_waiting_cases_on_a_channel_either_happens(void **state)
{
    struct hd_chan *chan = hd_chan_make(sizeof(int), 0);
    int value, ones = 0, count = HDI_UNWATCHED() ? TWINS : 0;

    (void)state;
    start(send_either, chan);
    for (int i = 0; i < TWINS; i++) {
        if (count)
            hd_sleep(HD_MILLISECOND / 2); /* until it waits */
        hd_chan_recv(chan, &value);
        ones += value;
    }
    assert_true(!count || (ones > 0 && ones < TWINS)); /* all alike: once in 2^63 */
    hd_chan_unref(chan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_can_happen_does),
        cmocka_unit_test(null_is_never_ready),
        cmocka_unit_test(a_closed_channel_is_always_ready),
        cmocka_unit_test(the_choice_is_fair),
        cmocka_unit_test(one_that_waits_gets_exactly_one),
        cmocka_unit_test(one_that_waits_sees_a_close),
        cmocka_unit_test(a_send_that_waits_panics_when_it_is_closed),
        cmocka_unit_test(both_ends_of_one_channel_do_not_meet_themselves),
        cmocka_unit_test(two_selects_meet_once),
        cmocka_unit_test(any_number_of_cases),
        cmocka_unit_test(absurdly_many_cases_panic),
        cmocka_unit_test(a_timeout_takes_its_time_and_no_timer),
        cmocka_unit_test(nothing_is_lost_between_timeouts),
        cmocka_unit_test(of_two_waiting_cases_on_a_channel_either_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
