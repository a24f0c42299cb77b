/* Owner, ticking, shutdown: the services around goroutines. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/go.h>
#include <heddle/owner.h>
#include <heddle/shutdown.h>
#include <heddle/ticking.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

#include "panics.h"
#include "rounds.h"

static void increment(void *state, void *arg)
{
    ++*(long *)state; /* plain: the owner's alone */
    *(long *)arg = *(long *)state;
}

static void ask_often(void *arg)
{
    long seen, last = 0;

    for (int i = 0; i < rounds(200); i++) {
        if (hd_owner_call(arg, hd_context_background(), increment, &seen) || seen <= last)
            abort();
        last = seen;
    }
}

static void the_owner_serves_one_after_the_other(void **state)
{
    struct hd_owner *owner;
    struct hd_wg wg = HD_WG_INIT;
    long count = 0;

    (void)state;
    assert_null(hd_owner_start(&owner, hd_context_background(), &count));
    for (int i = 0; i < 4; i++)
        assert_null(hd_wg_go(&wg, ask_often, owner));
    hd_wg_wait(&wg);
    hd_owner_end(owner);
    assert_int_equal(count, 4 * rounds(200));
}

static void panic_there(void *state, void *arg)
{
    (void)state, (void)arg;
    hd_panic("bad request");
}

static void call_panic(void *owner)
{
    (void)!hd_owner_call(owner, hd_context_background(), panic_there, NULL);
}

static void an_owner_survives_panics_and_heeds_contexts(void **state)
{
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
    struct hd_owner *owner;
    long count = 0, seen;

    (void)state;
    assert_null(hd_owner_start(&owner, ctx, &count));
    assert_panics(call_panic, owner, "bad request");
    assert_null(hd_owner_call(owner, hd_context_background(), increment, &seen));
    assert_int_equal(seen, 1);
    hd_context_cancel(ctx);
    while (!hd_owner_call(owner, hd_context_background(), increment, &seen))
        ; /* a request that was taken in time is answered */
    assert_ptr_equal(hd_owner_call(owner, hd_context_background(), increment, &seen), hd_cancelled);
    hd_owner_end(owner);
    hd_context_unref(ctx);
}

struct beat {
    int count;
    struct hd_context *ctx;
};

static hd_err beat(struct hd_context *ctx, void *arg)
{
    struct beat *b = arg;

    (void)ctx;
    if (++b->count == 3 && b->ctx)
        hd_context_cancel(b->ctx);
    return b->count == 5 ? hd_invalid : NULL;
}

static void ticking_ends_by_error_or_context(void **state)
{
    struct beat b = {0, NULL};

    (void)state;
    assert_ptr_equal(hd_tick_every(hd_context_background(), HD_MILLISECOND, beat, &b), hd_invalid);
    assert_int_equal(b.count, 5);
    b = (struct beat){0, hd_context_with_cancel(hd_context_background())};
    assert_ptr_equal(hd_tick_every(b.ctx, HD_MILLISECOND, beat, &b), hd_cancelled);
    assert_int_equal(b.count, 3);
    assert_ptr_equal(hd_tick_every(b.ctx, 0, beat, &b), hd_invalid);
    hd_context_unref(b.ctx);
}

static void a_signal_ends_the_context(void **state)
{
    const int signals[] = {SIGUSR1, SIGTERM}, bad[] = {0};
    struct hd_notify *notify, *second;

    (void)state;
    assert_ptr_equal(hd_notify_start(&second, hd_context_background(), bad, 1), hd_invalid);
    assert_ptr_equal(hd_notify_start(&second, hd_context_background(), NULL, 0), hd_invalid);
    for (int round = 0; round < 2; round++) { /* stopping gives the signals back */
        assert_null(hd_notify_start(&notify, hd_context_background(), signals, 2));
        assert_ptr_equal(hd_notify_start(&second, hd_context_background(), signals, 1), hd_invalid);
        assert_int_equal(hd_notify_signal(notify), 0);
        raise(SIGTERM);
        hd_chan_recv(hd_context_done(hd_notify_context(notify)), NULL);
        raise(SIGUSR1); /* the first counts */
        assert_int_equal(hd_notify_signal(notify), SIGTERM);
        assert_string_equal(hd_err_message(hd_context_cause(hd_notify_context(notify))),
                            "signal: Terminated");
        assert_ptr_equal(hd_context_err(hd_notify_context(notify)), hd_cancelled);
        hd_notify_stop(notify);
    }
}

struct server {
    struct hd_drain requests;
    struct hd_chan *finish;
    struct hd_atomic_int32 served;
    int last; /* plain: published by leaving */
};

static void request(void *arg)
{
    struct server *server = arg;

    if (!hd_drain_enter(&server->requests))
        return;
    hd_chan_recv(server->finish, NULL);
    server->last = 1;
    hd_int32_add(&server->served, 1);
    hd_drain_leave(&server->requests);
}

static void leave(void *drain)
{
    hd_drain_leave(drain);
}

static void draining_waits_for_what_is_inside(void **state)
{
    struct server server = {.finish = hd_chan_make(0, 0)};
    struct hd_context *soon;

    (void)state;
    hd_drain_init(&server.requests);
    assert_true(hd_drain_enter(&server.requests)); /* for the request, which takes it over below */
    assert_null(hd_go(request, &server));
    soon = hd_context_with_timeout(hd_context_background(), HD_MILLISECOND);
    assert_ptr_equal(hd_drain_wait(&server.requests, soon), hd_deadline_exceeded);
    hd_context_end(soon);
    assert_false(hd_drain_enter(&server.requests));
    hd_chan_close(server.finish);
    hd_drain_leave(&server.requests);
    assert_null(hd_drain_wait(&server.requests, hd_context_background()));
    assert_in_range(hd_int32_load(&server.served), 0, 1);
    if (hd_int32_load(&server.served))
        assert_int_equal(server.last, 1);
    assert_panics(leave, &server.requests, "drain: leave without enter");
    while (hd_go_count() > 0) /* the request may not have begun: it uses what is on our stack */
        hd_go_yield();
    hd_drain_destroy(&server.requests);
    hd_chan_unref(server.finish);
}

static void an_empty_drain_does_not_wait(void **state)
{
    struct hd_drain drain;

    (void)state;
    hd_drain_init(&drain);
    assert_true(hd_drain_enter(&drain));
    hd_drain_leave(&drain);
    assert_null(hd_drain_wait(&drain, hd_context_background()));
    assert_null(hd_drain_wait(&drain, hd_context_background()));
    hd_drain_destroy(&drain);
    assert_panics(leave, &drain, "use of a drain after its end");
}

struct asker {
    struct hd_owner *owner;
    struct hd_chan *busy, *go_on;
    struct hd_atomic_int32 refused;
};

static void be_busy(void *state, void *arg)
{
    struct asker *asker = arg;

    (void)state;
    hd_chan_send(asker->busy, NULL);
    hd_chan_recv(asker->go_on, NULL);
}

static void keep_busy(void *arg)
{
    struct asker *asker = arg;

    if (hd_owner_call(asker->owner, hd_context_background(), be_busy, asker))
        abort();
}

static void ask_in_vain(void *arg)
{
    struct asker *asker = arg;
    long seen;

    if (hd_owner_call(asker->owner, hd_context_background(), increment, &seen) == hd_cancelled)
        hd_int32_add(&asker->refused, 1);
}

static void end_owner(void *arg)
{
    hd_owner_end(arg);
}

static void call_owner(void *arg)
{
    long seen;

    hd_err_unref(hd_owner_call(arg, hd_context_background(), increment, &seen));
}

/* Calls that wait for their turn when the owner ends; and calls that come later. */
static void what_is_under_way_ends_with_the_owner(void **state)
{
    struct asker asker = {.busy = hd_chan_make(0, 0), .go_on = hd_chan_make(0, 0)};
    struct hd_wg wg = HD_WG_INIT;
    long count = 0;

    (void)state;
    assert_null(hd_owner_start(&asker.owner, hd_context_background(), &count));
    assert_null(hd_wg_go(&wg, keep_busy, &asker));
    hd_chan_recv(asker.busy, NULL);
    for (int i = 0; i < 3; i++)
        assert_null(hd_wg_go(&wg, ask_in_vain, &asker));
    hd_sleep(2 * HD_MILLISECOND); /* they wait */
    hd_chan_close(asker.go_on);
    hd_owner_end(asker.owner);
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&asker.refused) + count, 3);
    assert_panics(call_owner, asker.owner, "use of an owner after its end");
    assert_panics(end_owner, asker.owner, "use of an owner after its end");
    hd_chan_unref(asker.busy);
    hd_chan_unref(asker.go_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_owner_serves_one_after_the_other),
        cmocka_unit_test(an_owner_survives_panics_and_heeds_contexts),
        cmocka_unit_test(ticking_ends_by_error_or_context),
        cmocka_unit_test(a_signal_ends_the_context),
        cmocka_unit_test(draining_waits_for_what_is_inside),
        cmocka_unit_test(an_empty_drain_does_not_wait),
        cmocka_unit_test(what_is_under_way_ends_with_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
