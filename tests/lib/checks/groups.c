/* golang.org/x/sync: errgroup, semaphore, singleflight; golang.org/x/time/rate. */
#include "check.h"

static const struct hd_error failed[1] = {HD_ERROR(HD_ERR_USER, "failed")};
static const struct hd_error late[1] = {HD_ERROR(HD_ERR_USER, "late")};

/* ---- errgroup ---- */

static hd_err succeed(void *count)
{
    hd_int32_add(count, 1);
    return NULL;
}

static hd_err fail(void *arg)
{
    (void)arg;
    return failed;
}

static hd_err fail_late(void *arg)
{
    (void)arg;
    hd_sleep(3 * MS);
    return late;
}

CHECK(a_group_of_nothing_succeeds)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;

    expect(!hd_errgroup_wait(&g));
}

CHECK(a_group_waits_for_all)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    struct hd_atomic_int32 count = {0};

    for (int i = 0; i < 5; i++)
        hd_errgroup_go(&g, succeed, &count);
    expect(!hd_errgroup_wait(&g) && hd_int32_load(&count) == 5);
}

CHECK(the_first_error_is_returned)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;

    hd_errgroup_go(&g, fail_late, NULL);
    hd_errgroup_go(&g, fail, NULL);
    expect(hd_errgroup_wait(&g) == failed);
    hd_errgroup_destroy(&g);
}

CHECK(the_first_error_stays)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;

    hd_errgroup_go(&g, fail, NULL);
    expect(hd_errgroup_wait(&g) == failed);
    hd_errgroup_go(&g, fail_late, NULL);
    expect(hd_errgroup_wait(&g) == failed);
    hd_errgroup_destroy(&g);
}

struct waits_for {
    struct hd_context *ctx;
    struct hd_atomic_int32 cancelled;
};

static hd_err wait_for_cancel(void *arg)
{
    struct waits_for *w = arg;

    hd_chan_recv(hd_context_done(w->ctx), NULL);
    if (hd_context_cause(w->ctx) == failed)
        hd_int32_add(&w->cancelled, 1);
    return hd_context_err(w->ctx);
}

CHECK(an_error_cancels_the_groups_context)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    struct waits_for w = {hd_errgroup_with_context(&g, hd_context_background()), {0}};

    hd_errgroup_go(&g, wait_for_cancel, &w);
    hd_errgroup_go(&g, wait_for_cancel, &w);
    hd_errgroup_go(&g, fail, NULL);
    expect(hd_errgroup_wait(&g) == failed && hd_int32_load(&w.cancelled) == 2);
    hd_errgroup_destroy(&g);
}

CHECK(a_wait_cancels_the_groups_context)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    struct hd_context *ctx = hd_context_ref(hd_errgroup_with_context(&g, hd_context_background()));

    expect(!hd_context_err(ctx));
    expect(!hd_errgroup_wait(&g) && hd_context_err(ctx) == hd_cancelled);
    hd_context_unref(ctx);
}

struct inside {
    struct hd_atomic_int32 now, most;
};

static hd_err count_inside(void *arg)
{
    struct inside *in = arg;
    int32_t now = hd_int32_add(&in->now, 1), most = hd_int32_load(&in->most);

    while (now > most && !hd_int32_cas(&in->most, most, now))
        most = hd_int32_load(&in->most);
    hd_sleep(MS);
    hd_int32_add(&in->now, -1);
    return NULL;
}

CHECK(a_limit_holds_also_after_a_wait)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    struct inside in = {{0}, {0}};

    hd_errgroup_set_limit(&g, 2);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5; i++)
            hd_errgroup_go(&g, count_inside, &in);
        expect(!hd_errgroup_wait(&g));
    }
    expect(hd_int32_load(&in.most) <= 2);
    hd_errgroup_destroy(&g);
}

static hd_err wait_at(void *gate)
{
    hd_chan_recv(gate, NULL);
    return NULL;
}

CHECK(try_go_starts_what_the_limit_allows)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    struct hd_chan *gate = hd_chan_make(0, 0);

    hd_errgroup_set_limit(&g, 1);
    expect(hd_errgroup_try_go(&g, wait_at, gate));
    expect(!hd_errgroup_try_go(&g, wait_at, gate));
    hd_chan_close(gate);
    expect(!hd_errgroup_wait(&g));
    expect(hd_errgroup_try_go(&g, wait_at, gate));
    expect(!hd_errgroup_wait(&g));
    hd_chan_unref(gate);
    hd_errgroup_destroy(&g);
}

CHECK(a_limit_of_zero_starts_nothing)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;

    hd_errgroup_set_limit(&g, 0);
    expect(!hd_errgroup_try_go(&g, fail, NULL) && !hd_errgroup_wait(&g));
    hd_errgroup_destroy(&g);
}

CHECK(a_negative_limit_is_none)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    struct hd_atomic_int32 count = {0};

    hd_errgroup_set_limit(&g, 0);
    hd_errgroup_set_limit(&g, -1);
    for (int i = 0; i < 4; i++)
        expect(hd_errgroup_try_go(&g, succeed, &count));
    expect(!hd_errgroup_wait(&g) && hd_int32_load(&count) == 4);
    hd_errgroup_destroy(&g);
}

static void limit_late(void *group)
{
    hd_errgroup_set_limit(group, 3);
}

CHECK(a_limit_cannot_change_while_tasks_run)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    struct hd_chan *gate = hd_chan_make(0, 0);

    hd_errgroup_go(&g, wait_at, gate);
    expect(panics(limit_late, &g,
                  "errgroup: modify limit while 1 goroutines in the group are still active"));
    hd_chan_close(gate);
    expect(!hd_errgroup_wait(&g));
    hd_chan_unref(gate);
    hd_errgroup_destroy(&g);
}

static hd_err add_own(void *args)
{
    struct {
        struct hd_atomic_int32 *sum;
        int value;
    } *a = args;

    hd_int32_add(a->sum, a->value);
    return NULL;
}

CHECK(tasks_with_copies_of_their_arguments)
{
    struct hd_errgroup g = HD_ERRGROUP_INIT;
    struct hd_atomic_int32 sum = {0};

    for (int i = 1; i <= 4; i++) {
        struct {
            struct hd_atomic_int32 *sum;
            int value;
        } args = {&sum, i};
        hd_errgroup_go_copy(&g, add_own, &args, sizeof args);
    }
    expect(!hd_errgroup_wait(&g) && hd_int32_load(&sum) == 10);
}

/* ---- semaphore ---- */

CHECK(units_are_taken_and_given_back)
{
    struct hd_semaphore s;

    hd_semaphore_init(&s, 3, "units");
    expect(hd_semaphore_try_acquire(&s, 2) && !hd_semaphore_try_acquire(&s, 2));
    expect(hd_semaphore_try_acquire(&s, 1) && !hd_semaphore_try_acquire(&s, 1));
    hd_semaphore_release(&s, 3);
    expect(hd_semaphore_try_acquire(&s, 3));
    hd_semaphore_release(&s, 3);
    hd_semaphore_destroy(&s);
}

static void release_too_much(void *semaphore)
{
    hd_semaphore_release(semaphore, 1);
}

CHECK(giving_back_more_than_was_taken_panics)
{
    struct hd_semaphore s;

    hd_semaphore_init(&s, 1, NULL);
    expect(panics(release_too_much, &s, "semaphore: released more than held"));
    hd_semaphore_destroy(&s);
}

CHECK(an_acquire_ends_with_its_context)
{
    struct hd_semaphore s;
    struct hd_context *ctx = hd_context_with_timeout(hd_context_background(), 2 * MS);

    hd_semaphore_init(&s, 1, NULL);
    expect(hd_semaphore_try_acquire(&s, 1));
    expect(hd_semaphore_acquire(&s, ctx, 1) == hd_deadline_exceeded);
    expect(hd_semaphore_acquire(&s, ctx, 1) == hd_deadline_exceeded);
    hd_semaphore_release(&s, 1);
    expect(hd_semaphore_try_acquire(&s, 1)); /* nothing was lost */
    hd_semaphore_release(&s, 1);
    hd_context_end(ctx);
    hd_semaphore_destroy(&s);
}

CHECK(more_than_there_is_waits_for_the_context)
{
    struct hd_semaphore s;
    struct hd_context *ctx = hd_context_with_timeout(hd_context_background(), 2 * MS);

    hd_semaphore_init(&s, 2, NULL);
    expect(hd_semaphore_acquire(&s, ctx, 3) == hd_deadline_exceeded);
    expect(hd_semaphore_try_acquire(&s, 2));
    hd_semaphore_release(&s, 2);
    hd_context_end(ctx);
    hd_semaphore_destroy(&s);
}

/* ---- singleflight ---- */

static void *look_up(void *arg, hd_err *err)
{
    (void)err;
    hd_int32_add(arg, 1);
    hd_sleep(2 * MS);
    return arg;
}

struct flight {
    struct hd_singleflight group;
    struct hd_atomic_int32 calls, shared;
    struct hd_wg wg;
};

static void fly(void *arg)
{
    struct flight *f = arg;
    struct hd_flight_result r = hd_singleflight_do(&f->group, "key", look_up, &f->calls);

    expect(r.value == &f->calls && !r.err);
    if (r.shared)
        hd_int32_add(&f->shared, 1);
}

CHECK(one_call_of_a_key_is_in_flight)
{
    struct flight f = {0};

    for (int i = 0; i < 4; i++)
        GO_IN(&f.wg, fly, &f);
    hd_wg_wait(&f.wg);
    expect(hd_int32_load(&f.calls) >= 1);
    expect(hd_int32_load(&f.calls) == 4 || hd_int32_load(&f.shared) >= 2);
}

CHECK(a_call_alone_is_not_shared)
{
    struct flight f = {0};

    fly(&f);
    fly(&f);
    expect(hd_int32_load(&f.calls) == 2 && hd_int32_load(&f.shared) == 0);
}

static void *fail_to_look(void *arg, hd_err *err)
{
    *err = failed;
    return arg;
}

CHECK(a_flight_gives_its_error)
{
    struct flight f = {0};
    struct hd_flight_result r = hd_singleflight_do(&f.group, "key", fail_to_look, NULL);

    expect(r.err == failed);
}

/* ---- rate ---- */

CHECK(a_bucket_starts_full)
{
    struct hd_limiter l;

    hd_limiter_init(&l, 1, 3);
    expect(hd_limiter_allow_at(&l, 0, 3) && !hd_limiter_allow_at(&l, 0, 1));
}

CHECK(a_bucket_fills_with_time_up_to_its_burst)
{
    struct hd_limiter l;

    hd_limiter_init(&l, 2, 3);
    expect(hd_limiter_allow_at(&l, 0, 3));
    expect(!hd_limiter_allow_at(&l, 0, 1) && hd_limiter_allow_at(&l, HD_SECOND, 2));
    expect(!hd_limiter_allow_at(&l, HD_HOUR, 4) && hd_limiter_allow_at(&l, HD_HOUR, 3));
}

CHECK(what_is_not_allowed_takes_nothing)
{
    struct hd_limiter l;

    hd_limiter_init(&l, 1, 2);
    expect(!hd_limiter_allow_at(&l, 0, 3) && hd_limiter_allow_at(&l, 0, 2));
}

CHECK(no_limit_allows_everything)
{
    struct hd_limiter l;

    hd_limiter_init(&l, HD_LIMIT_INFINITE, 0);
    expect(hd_limiter_allow_at(&l, 0, 1000) && !hd_limiter_wait(&l, hd_context_background()));
}

CHECK(a_limit_of_zero_allows_the_first_burst)
{
    struct hd_limiter l;

    hd_limiter_init(&l, 0, 2);
    expect(hd_limiter_allow_at(&l, 0, 2) && !hd_limiter_allow_at(&l, HD_HOUR, 1));
}

CHECK(a_reservation_says_how_long_to_wait)
{
    struct hd_limiter l;
    struct hd_reservation a, b;

    hd_limiter_init(&l, 10, 1);
    a = hd_limiter_reserve_at(&l, 0, 1);
    b = hd_limiter_reserve_at(&l, 0, 1);
    expect(a.ok && hd_reservation_delay_from(&a, 0) == 0);
    expect(b.ok && hd_reservation_delay_from(&b, 0) == 100 * MS);
    expect(hd_reservation_delay_from(&b, 60 * MS) == 40 * MS);
    expect(hd_reservation_delay_from(&b, HD_SECOND) == 0);
}

CHECK(a_reservation_of_more_than_the_burst_is_not_ok)
{
    struct hd_limiter l;
    struct hd_reservation r;

    hd_limiter_init(&l, 10, 1);
    r = hd_limiter_reserve_at(&l, 0, 2);
    expect(!r.ok && hd_reservation_delay_from(&r, 0) == HD_DELAY_INFINITE);
    expect(hd_limiter_allow_at(&l, 0, 1));
}

CHECK(a_cancelled_reservation_gives_back)
{
    struct hd_limiter l;
    struct hd_reservation r;

    hd_limiter_init(&l, 1, 2);
    expect(hd_limiter_allow_at(&l, 0, 2));
    r = hd_limiter_reserve_at(&l, 0, 1);
    expect(r.ok && hd_limiter_tokens_at(&l, 0) == -1);
    hd_reservation_cancel_at(&r, 0);
    expect(hd_limiter_tokens_at(&l, 0) == 0);
}

CHECK(a_wait_for_more_than_the_burst_fails_at_once)
{
    struct hd_limiter l;
    hd_err err;

    hd_limiter_init(&l, 1, 2);
    err = hd_limiter_wait_n(&l, hd_context_background(), 3);
    expect(strcmp(hd_err_message(err), "rate: Wait(n=3) exceeds limiter's burst 2") == 0);
    hd_err_unref(err);
}

CHECK(a_wait_beyond_the_deadline_fails_at_once)
{
    struct hd_limiter l;
    struct hd_context *ctx = hd_context_with_timeout(hd_context_background(), HD_SECOND);
    int64_t before = hd_now();
    hd_err err;

    hd_limiter_init(&l, 0.01, 1);
    expect(!hd_limiter_wait(&l, ctx));
    err = hd_limiter_wait(&l, ctx);
    expect(strcmp(hd_err_message(err), "rate: Wait(n=1) would exceed context deadline") == 0);
    expect(hd_now() - before < HD_SECOND);
    hd_err_unref(err);
    hd_context_end(ctx);
}

CHECK(a_wait_ends_with_its_context)
{
    struct hd_limiter l;
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());

    hd_limiter_init(&l, 0, 0);
    hd_context_cancel(ctx);
    expect(hd_limiter_wait_n(&l, ctx, 0) == hd_cancelled);
    hd_context_unref(ctx);
}

CHECK(every_is_the_limit_of_one_event_an_interval)
{
    expect(hd_limit_every(100 * MS) == 10.0 && hd_limit_every(2 * HD_SECOND) == 0.5);
    expect(hd_limit_every(0) == HD_LIMIT_INFINITE);
}

CHECK(limits_and_bursts_can_change)
{
    struct hd_limiter l;

    hd_limiter_init(&l, 1, 1);
    hd_limiter_set_limit_at(&l, 0, 5);
    hd_limiter_set_burst_at(&l, 0, 4);
    expect(hd_limiter_limit(&l) == 5 && hd_limiter_burst(&l) == 4);
    expect(hd_limiter_allow_at(&l, HD_SECOND, 4));
}
