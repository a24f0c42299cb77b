/* Where two sentences of the documentation meet, or one says what happens at an edge. */
#include "check.h"

static struct hd_chan *ints(size_t capacity)
{
    return hd_chan_make(sizeof(int), capacity);
}

static struct hd_context *root(void)
{
    return hd_context_background();
}

/* ---- channels ---- */

struct ends {
    struct hd_chan *chan;
    struct hd_wg wg;
    int value;
    bool ok;
};

static void receive(void *arg)
{
    struct ends *e = arg;

    e->ok = hd_chan_recv(e->chan, &e->value);
}

static void send_seven(void *arg)
{
    struct ends *e = arg;

    hd_chan_send(e->chan, &(int){7});
}

CHECK(a_close_gives_a_waiting_receiver_zero_and_false)
{
    struct ends e = {.chan = ints(0), .value = 5, .ok = true};

    GO_IN(&e.wg, receive, &e);
    hd_sleep(MS);
    hd_chan_close(e.chan);
    hd_wg_wait(&e.wg);
    expect(!e.ok && e.value == 0);
    hd_chan_unref(e.chan);
}

CHECK(a_receive_from_a_full_buffer_lets_the_waiting_sender_in)
{
    struct ends e = {.chan = ints(1)};
    int value = 0;

    hd_chan_send(e.chan, &(int){6});
    GO_IN(&e.wg, send_seven, &e);
    expect(hd_chan_recv(e.chan, &value) && value == 6);
    hd_wg_wait(&e.wg);
    expect(hd_chan_len(e.chan) == 1 && hd_chan_recv(e.chan, &value) && value == 7);
    hd_chan_unref(e.chan);
}

CHECK(a_try_receive_takes_from_a_waiting_sender)
{
    struct ends e = {.chan = ints(0)};
    int value = 0;
    bool ok = false;

    GO_IN(&e.wg, send_seven, &e);
    while (!hd_chan_try_recv(e.chan, &value, &ok))
        hd_go_yield();
    expect(ok && value == 7);
    hd_wg_wait(&e.wg);
    hd_chan_unref(e.chan);
}

CHECK(a_drained_closed_channel_stays_so)
{
    struct hd_chan *c = ints(2);
    int value;
    bool ok;

    hd_chan_send(c, &(int){1});
    hd_chan_close(c);
    expect(hd_chan_try_recv(c, &value, &ok) && ok && value == 1);
    for (int i = 0; i < 3; i++) {
        value = 9;
        expect(hd_chan_try_recv(c, &value, &ok) && !ok && value == 0);
    }
    expect(hd_chan_len(c) == 0 && hd_chan_cap(c) == 2);
    hd_chan_unref(c);
}

CHECK(a_reference_keeps_a_channel)
{
    struct hd_chan *c = ints(1), *same = hd_chan_ref(c);
    int value = 0;

    expect(same == c);
    hd_chan_send(c, &(int){3});
    hd_chan_unref(c);
    expect(hd_chan_recv(same, &value) && value == 3);
    hd_chan_unref(same);
}

CHECK(the_buffer_goes_round)
{
    struct hd_chan *c = ints(3);
    int value = 0;

    for (int i = 0; i < 10; i++) {
        hd_chan_send(c, &i);
        if (i >= 2)
            expect(hd_chan_recv(c, &value) && value == i - 2);
    }
    hd_chan_unref(c);
}

/* ---- select ---- */

CHECK(a_select_of_one_case_is_that_operation)
{
    struct hd_chan *c = ints(1);
    int value = 0;

    expect(HD_SELECT(HD_SEND(c, &(int){4})) == 0);
    expect(HD_SELECT(HD_RECV(c, &value)) == 0 && value == 4);
    hd_chan_unref(c);
}

CHECK(a_select_may_send_and_receive_on_one_channel)
{
    struct hd_chan *c = ints(1);
    int value = 0;

    expect(HD_SELECT(HD_RECV(c, &value), HD_SEND(c, &(int){8})) == 1);
    expect(HD_SELECT(HD_RECV(c, &value), HD_SEND(c, &(int){9})) == 0 && value == 8);
    expect(hd_chan_len(c) == 0);
    hd_chan_unref(c);
}

CHECK(both_cases_on_one_channel_are_taken)
{
    struct hd_chan *c = ints(1);
    int first = 0, rounds = times(200);

    for (int i = 0; i < rounds; i++) {
        hd_chan_send(c, &i);
        first += HD_SELECT(HD_RECV(c, NULL), HD_RECV(c, NULL)) == 0;
    }
    expect(rounds < 200 || (first > 40 && first < 160));
    hd_chan_unref(c);
}

CHECK(the_value_of_a_case_that_is_not_chosen_stays)
{
    struct hd_chan *full = ints(1), *empty = ints(1);
    int one = 1, two = 2;

    hd_chan_send(full, &(int){5});
    expect(HD_SELECT(HD_RECV(empty, &one), HD_RECV(full, &two)) == 1);
    expect(one == 1 && two == 5);
    hd_chan_unref(full);
    hd_chan_unref(empty);
}

CHECK(a_default_leaves_all_as_it_was)
{
    struct hd_chan *full = ints(1);
    int value = 3;

    hd_chan_send(full, &(int){5});
    expect(HD_SELECT_DEFAULT(HD_SEND(full, &value), HD_RECV(NULL, &value)) == HD_DEFAULT);
    expect(value == 3 && hd_chan_len(full) == 1);
    hd_chan_unref(full);
}

CHECK(a_closed_case_gives_zero)
{
    struct hd_chan *c = ints(0);
    int value = 3;

    hd_chan_close(c);
    expect(HD_SELECT(HD_RECV(NULL, &value), HD_RECV(c, &value)) == 1 && value == 0);
    hd_chan_unref(c);
}

CHECK(a_timeout_leaves_no_case_behind)
{
    struct hd_chan *c = ints(0);

    expect(HD_SELECT_TIMEOUT(MS, HD_RECV(c, NULL)) == HD_TIMED_OUT);
    expect(!hd_chan_try_send(c, &(int){1}));
    hd_chan_unref(c);
}

/* ---- sync ---- */

static void add_to(void *wg)
{
    hd_wg_add(wg, -3);
}

CHECK(an_add_of_more_than_one)
{
    struct hd_wg wg = HD_WG_INIT;

    hd_wg_add(&wg, 5);
    hd_wg_add(&wg, -5);
    hd_wg_wait(&wg);
}

CHECK(an_add_of_nothing_is_nothing)
{
    struct hd_wg wg = HD_WG_INIT;

    hd_wg_add(&wg, 0);
    hd_wg_wait(&wg);
    hd_wg_add(&wg, 1);
    hd_wg_add(&wg, 0);
    hd_wg_done(&wg);
    hd_wg_wait(&wg);
}

CHECK(a_negative_add_below_zero_panics)
{
    struct hd_wg wg = HD_WG_INIT;

    hd_wg_add(&wg, 2);
    expect(panics(add_to, &wg, "sync: negative WaitGroup counter"));
}

static void start_another(void *arg)
{
    struct ends *e = arg;

    GO_IN(&e->wg, receive, e);
}

CHECK(a_counted_goroutine_may_start_others)
{
    struct ends e = {.chan = ints(1)};

    hd_chan_send(e.chan, &(int){2});
    GO_IN(&e.wg, start_another, &e);
    hd_wg_wait(&e.wg);
    expect(e.ok && e.value == 2);
    hd_chan_unref(e.chan);
}

CHECK(a_try_lock_of_a_rwmutex_needs_it_free)
{
    struct hd_rwmutex rw = HD_RWMUTEX_INIT;

    hd_rwmutex_rlock(&rw);
    expect(hd_rwmutex_try_rlock(&rw) && !hd_rwmutex_try_lock(&rw));
    hd_rwmutex_runlock(&rw);
    expect(!hd_rwmutex_try_lock(&rw));
    hd_rwmutex_runlock(&rw);
    expect(hd_rwmutex_try_lock(&rw) && !hd_rwmutex_try_rlock(&rw) && !hd_rwmutex_try_lock(&rw));
    hd_rwmutex_unlock(&rw);
}

/* ---- context ---- */

CHECK(a_cancel_reaches_the_whole_tree)
{
    struct hd_context *at = hd_context_with_cancel(root()), *top = at, *all[8];

    for (int i = 0; i < 8; i++)
        at = all[i] = i % 2 ? hd_context_with_cancel(at) : hd_context_with_value(at, &all, all);
    hd_context_cancel(top);
    for (int i = 8; i-- > 0;) {
        expect(hd_context_err(all[i]) == hd_cancelled && hd_context_cause(all[i]) == hd_cancelled);
        hd_context_unref(all[i]);
    }
    hd_context_unref(top);
}

CHECK(a_deadline_of_now_has_passed)
{
    struct hd_context *ctx = hd_context_with_timeout(root(), 0);

    hd_chan_recv(hd_context_done(ctx), NULL);
    expect(hd_context_err(ctx) == hd_deadline_exceeded);
    expect(hd_context_cause(ctx) == hd_deadline_exceeded);
    hd_context_cancel(ctx);
    expect(hd_context_err(ctx) == hd_deadline_exceeded);
    hd_context_unref(ctx);
}

CHECK(a_timeout_is_a_deadline)
{
    int64_t before = hd_now(), at = 0;
    struct hd_context *ctx = hd_context_with_timeout(root(), HD_HOUR);

    expect(hd_context_deadline(ctx, &at));
    expect(at >= before + HD_HOUR && at <= hd_now() + HD_HOUR);
    expect(!hd_context_err(ctx) && !hd_context_cause(ctx));
    hd_context_cancel(ctx);
    expect(hd_context_err(ctx) == hd_cancelled);
    hd_context_unref(ctx);
}

CHECK(the_background_has_no_deadline_and_no_done)
{
    expect(!hd_context_deadline(root(), NULL) && !hd_context_done(root()));
    expect(!hd_context_err(hd_context_todo()) && !hd_context_value(root(), ""));
}

CHECK(without_cancel_has_no_deadline)
{
    struct hd_context *timed = hd_context_with_timeout(root(), HD_HOUR);
    struct hd_context *free_one = hd_context_without_cancel(timed);

    expect(!hd_context_deadline(free_one, NULL) && !hd_context_done(free_one));
    hd_context_cancel(timed);
    expect(!hd_context_err(free_one) && !hd_context_cause(free_one));
    hd_context_unref(free_one);
    hd_context_unref(timed);
}

CHECK(a_select_sees_a_cancel)
{
    struct hd_context *ctx = hd_context_with_cancel(root());
    struct hd_chan *c = ints(0), *done = hd_context_done(ctx);

    expect(HD_SELECT_DEFAULT(HD_RECV(c, NULL), HD_RECV(done, NULL)) == HD_DEFAULT);
    hd_context_cancel(ctx);
    expect(HD_SELECT(HD_RECV(c, NULL), HD_RECV(done, NULL)) == 1);
    hd_context_unref(ctx);
    hd_chan_unref(c);
}

/* ---- time ---- */

CHECK(a_reset_of_one_that_runs_says_true)
{
    struct hd_timer *timer = hd_timer_make(HD_HOUR);

    expect(hd_timer_reset(timer, HD_HOUR) && hd_timer_reset(timer, 0));
    expect(hd_chan_recv(hd_timer_chan(timer), NULL));
    expect(!hd_timer_reset(timer, HD_HOUR) && hd_timer_stop(timer) && !hd_timer_stop(timer));
    hd_timer_free(timer);
}

CHECK(a_reset_after_a_stop_starts_it)
{
    struct hd_timer *timer = hd_timer_make(HD_HOUR);
    int64_t at = 0, before;

    expect(hd_timer_stop(timer) && !hd_timer_reset(timer, MS));
    before = hd_now();
    expect(hd_chan_recv(hd_timer_chan(timer), &at));
    expect(at <= hd_now() && at >= before - MS);
    hd_timer_free(timer);
}

CHECK(a_negative_time_has_come)
{
    struct hd_timer *timer = hd_timer_make(-HD_HOUR);

    expect(hd_chan_recv(hd_timer_chan(timer), NULL));
    hd_timer_free(timer);
}

/* ---- x/sync, x/time/rate ---- */

CHECK(a_full_semaphore_lets_a_cancelled_context_in_only_if_there_is_room)
{
    struct hd_context *ctx = hd_context_with_cancel(root());
    struct hd_semaphore s;

    hd_semaphore_init(&s, 2, "units");
    hd_context_cancel(ctx);
    expect(hd_semaphore_try_acquire(&s, 2));
    expect(hd_semaphore_acquire(&s, ctx, 1) == hd_cancelled);
    hd_semaphore_release(&s, 2);
    expect(hd_semaphore_try_acquire(&s, 2));
    hd_semaphore_release(&s, 2);
    hd_semaphore_destroy(&s);
    hd_context_unref(ctx);
}

CHECK(no_units_can_always_be_taken)
{
    struct hd_semaphore s;

    hd_semaphore_init(&s, 1, "units");
    expect(hd_semaphore_try_acquire(&s, 1) && hd_semaphore_try_acquire(&s, 0));
    expect(!hd_semaphore_acquire(&s, root(), 0));
    hd_semaphore_release(&s, 1);
    hd_semaphore_destroy(&s);
}

CHECK(nothing_can_always_be_allowed)
{
    struct hd_limiter l;

    hd_limiter_init(&l, 1, 1);
    expect(hd_limiter_allow(&l) && !hd_limiter_allow(&l));
    expect(hd_limiter_allow_at(&l, hd_now(), 0));
}

CHECK(a_burst_of_zero_allows_nothing)
{
    struct hd_limiter l;

    hd_limiter_init(&l, 1, 0);
    expect(!hd_limiter_allow(&l));
    expect(hd_limiter_burst(&l) == 0 && hd_limiter_limit(&l) > 0.9);
}

CHECK(a_wait_in_a_cancelled_context_takes_nothing)
{
    struct hd_context *ctx = hd_context_with_cancel(root());
    struct hd_limiter l;

    hd_limiter_init(&l, 0.001, 1);
    hd_context_cancel(ctx);
    expect(hd_limiter_wait(&l, ctx) == hd_cancelled);
    expect(hd_limiter_allow(&l));
    hd_context_unref(ctx);
}

static hd_err succeed(void *arg)
{
    hd_int32_add(arg, 1);
    return NULL;
}

CHECK(a_group_can_go_on_after_a_wait)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    static struct hd_atomic_int32 ran;

    hd_int32_store(&ran, 0);
    for (int i = 1; i <= 3; i++) {
        hd_errgroup_go(&g, succeed, &ran);
        expect(!hd_errgroup_wait(&g) && hd_int32_load(&ran) == i);
    }
    hd_errgroup_destroy(&g);
}

CHECK(a_limit_of_one_runs_one_after_another)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    static struct hd_atomic_int32 ran;

    hd_int32_store(&ran, 0);
    hd_errgroup_set_limit(&g, 1);
    for (int i = 0; i < 5; i++)
        hd_errgroup_go(&g, succeed, &ran);
    expect(!hd_errgroup_wait(&g) && hd_int32_load(&ran) == 5);
    hd_errgroup_set_limit(&g, 2);
    expect(hd_errgroup_try_go(&g, succeed, &ran) && !hd_errgroup_wait(&g));
    hd_errgroup_destroy(&g);
}
