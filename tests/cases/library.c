/* Rules of the library that a program breaks or keeps: library WHAT TWIN. */
#include "case.h"

#include <heddle/heddle.h>

static void begin(struct hd_wg *wg, void (*fn)(void *arg), void *arg)
{
    hd_err err = hd_wg_go(wg, fn, arg);

    assert(!err);
}

/* ---- what is used after its last reference has gone ---- */

static struct hd_chan *chan;
static struct hd_context *ctx;
static struct hd_timer *timer;
static struct hd_ticker *ticker;

static void send_to_it(void *arg)
{
    int one = 1;

    (void)arg;
    if (!hd_chan_try_send(chan, &one))
        return;
}

static void receive_from_it(void *arg)
{
    (void)arg;
    if (!hd_chan_try_recv(chan, NULL, NULL))
        return;
}

static void select_on_it(void *arg)
{
    (void)arg;
    HD_SELECT_DEFAULT(HD_RECV(chan, NULL));
}

/* The goroutine has a reference of its own, or has not. */
static void late_channel(void (*use)(void *arg))
{
    struct hd_wg wg = HD_WG_INIT;

    chan = hd_chan_make(sizeof(int), 1);
    if (!wrong)
        hd_chan_ref(chan);
    begin(&wg, use, NULL);
    hd_chan_unref(chan);
    hd_wg_wait(&wg);
    if (!wrong)
        hd_chan_unref(chan);
}

static void what_send(void)
{
    late_channel(send_to_it);
}

static void what_receive(void)
{
    late_channel(receive_from_it);
}

static void what_select(void)
{
    late_channel(select_on_it);
}

/* What ends by a call: used behind that, or before. And an address may be used anew. */
static void late(void (*make)(void), void (*use)(void *arg), void (*end)(void))
{
    struct hd_wg wg = HD_WG_INIT;

    make();
    end();
    make();
    if (wrong)
        end();
    begin(&wg, use, NULL);
    hd_wg_wait(&wg);
    if (!wrong)
        end();
}

/* Ended while a goroutine waits for it, or when that goes on. */
static void awaited(void (*make)(void), void (*wait)(void *arg), void (*wake)(void),
                    void (*end)(void))
{
    struct hd_wg wg = HD_WG_INIT;

    make();
    begin(&wg, wait, NULL);
    hd_sleep(HD_MILLISECOND); /* it waits */
    if (wrong)
        end();
    wake();
    hd_wg_wait(&wg);
    if (!wrong)
        end();
}

static struct hd_mutex mutex;
static struct hd_rwmutex rw;

static void make_mutex(void)
{
    hd_mutex_init(&mutex, NULL);
}

static void use_mutex(void *arg)
{
    (void)arg;
    hd_mutex_lock(&mutex);
    hd_mutex_unlock(&mutex);
}

static void end_mutex(void)
{
    hd_mutex_destroy(&mutex);
}

static void what_mutex(void)
{
    late(make_mutex, use_mutex, end_mutex);
}

static void make_rw(void)
{
    rw = (struct hd_rwmutex)HD_RWMUTEX_INIT;
}

static void read_it(void *arg)
{
    (void)arg;
    hd_rwmutex_rlock(&rw);
    hd_rwmutex_runlock(&rw);
}

static void write_it(void *arg)
{
    (void)arg;
    hd_rwmutex_lock(&rw);
    hd_rwmutex_unlock(&rw);
}

static void end_rw(void)
{
    hd_rwmutex_destroy(&rw);
}

static void what_readers(void)
{
    late(make_rw, read_it, end_rw);
}

static void what_writer(void)
{
    late(make_rw, write_it, end_rw);
}

static struct hd_cond cond;
static int called;

static void make_cond(void)
{
    cond = (struct hd_cond)HD_COND_INIT(&mutex);
}

static void signal_it(void *arg)
{
    (void)arg;
    hd_cond_signal(&cond);
}

static void wait_for_call(void *arg)
{
    (void)arg;
    hd_mutex_lock(&mutex);
    while (!called)
        hd_cond_wait(&cond);
    hd_mutex_unlock(&mutex);
}

static void call(void)
{
    hd_mutex_lock(&mutex);
    called = 1;
    hd_cond_broadcast(&cond);
    hd_mutex_unlock(&mutex);
}

static void end_cond(void)
{
    hd_cond_destroy(&cond);
}

static void what_cond(void)
{
    late(make_cond, signal_it, end_cond);
}

static void what_cond_awaited(void)
{
    awaited(make_cond, wait_for_call, call, end_cond);
}

static struct hd_semaphore semaphore;

static void make_semaphore(void)
{
    hd_semaphore_init(&semaphore, 1, NULL);
}

static void make_semaphore_taken(void)
{
    make_semaphore();
    assert(hd_semaphore_try_acquire(&semaphore, 1));
}

static void use_semaphore(void *arg)
{
    hd_err err = hd_semaphore_acquire(&semaphore, hd_context_background(), 1);

    (void)arg;
    assert(!err);
    hd_semaphore_release(&semaphore, 1);
}

static void give_unit(void)
{
    hd_semaphore_release(&semaphore, 1);
}

static void end_semaphore(void)
{
    hd_semaphore_destroy(&semaphore);
}

static void what_semaphore(void)
{
    late(make_semaphore, use_semaphore, end_semaphore);
}

static void what_semaphore_awaited(void)
{
    awaited(make_semaphore_taken, use_semaphore, give_unit, end_semaphore);
}

static struct hd_wg team;

static void make_group(void)
{
    team = (struct hd_wg)HD_WG_INIT;
}

static void make_group_of_one(void)
{
    make_group();
    hd_wg_add(&team, 1);
}

static void add_and_be_done(void *arg)
{
    (void)arg;
    hd_wg_add(&team, 1);
    hd_wg_done(&team);
}

static void wait_for_group(void *arg)
{
    (void)arg;
    hd_wg_wait(&team);
}

static void group_done(void)
{
    hd_wg_done(&team);
}

static void end_group(void)
{
    hd_wg_destroy(&team);
}

static void what_group(void)
{
    late(make_group, add_and_be_done, end_group);
}

static void what_group_wait(void)
{
    late(make_group, wait_for_group, end_group);
}

static void what_group_awaited(void)
{
    awaited(make_group_of_one, wait_for_group, group_done, end_group);
}

static struct hd_pool objects;

static void *make_object(void *arg)
{
    (void)arg;
    return malloc(1);
}

static void drop_object(void *object, void *arg)
{
    (void)arg;
    free(object);
}

static void make_pool(void)
{
    hd_err err = hd_pool_init(&objects, make_object, drop_object, NULL);

    assert(!err);
}

static void use_pool(void *arg)
{
    (void)arg;
    hd_pool_put(&objects, hd_pool_get(&objects));
}

static void end_pool(void)
{
    hd_pool_destroy(&objects);
}

static void what_pool(void)
{
    late(make_pool, use_pool, end_pool);
}

static struct hd_map *map;

static void make_map(void)
{
    map = hd_map_create(HD_KEYS_STRING);
}

static void use_map(void *arg)
{
    (void)arg;
    hd_map_load(map, "key", NULL);
}

static void end_map(void)
{
    hd_map_destroy(map);
}

static void what_map(void)
{
    late(make_map, use_map, end_map);
}

static struct hd_drain drain;

static void make_drain(void)
{
    hd_drain_init(&drain);
}

static void use_drain(void *arg)
{
    (void)arg;
    if (hd_drain_enter(&drain))
        hd_drain_leave(&drain);
}

static void end_drain(void)
{
    hd_drain_destroy(&drain);
}

static void what_drain(void)
{
    late(make_drain, use_drain, end_drain);
}

static struct hd_owner *owner;
static int owned;

static void make_owner(void)
{
    hd_err err = hd_owner_start(&owner, hd_context_background(), &owned);

    assert(!err);
}

static void add_one(void *state, void *arg)
{
    (void)arg;
    ++*(int *)state;
}

static void ask_owner(void *arg)
{
    (void)arg;
    hd_err_unref(hd_owner_call(owner, hd_context_background(), add_one, NULL));
}

static void end_owner(void)
{
    hd_owner_end(owner);
}

static void what_owner(void)
{
    late(make_owner, ask_owner, end_owner);
}

static struct hd_workerpool *workers;

static hd_err do_nothing(struct hd_context *context, void *job, void **result, void *arg)
{
    (void)context, (void)job, (void)result, (void)arg;
    return NULL;
}

static void make_workers(void)
{
    struct hd_workerpool_options options = {.workers = 1, .queue = 1, .work = do_nothing};
    hd_err err = hd_workerpool_start(&workers, hd_context_background(), &options);

    assert(!err);
}

static void submit_a_job(void *arg)
{
    (void)arg;
    hd_err_unref(hd_workerpool_submit(workers, NULL));
}

static void end_workers(void)
{
    hd_err_unref(hd_workerpool_close(workers));
}

static void what_workers(void)
{
    late(make_workers, submit_a_job, end_workers);
}

static struct hd_chan *job_ends;

static hd_err long_job(struct hd_context *context, void *job, void **result, void *arg)
{
    (void)context, (void)job, (void)result, (void)arg;
    hd_chan_recv(job_ends, NULL);
    return NULL;
}

static void submit_at_the_close(void *arg)
{
    hd_err err;

    (void)arg;
    hd_sleep(wrong ? HD_SECOND : 10 * HD_MILLISECOND);
    err = hd_workerpool_submit(workers, NULL);
    assert(err == hd_closed);
}

static void let_jobs_end(void *arg)
{
    (void)arg;
    hd_sleep(30 * HD_MILLISECOND);
    hd_chan_close(job_ends);
}

/* One submits while the close waits for another, whose job no worker takes yet; or later. */
static void what_closing(void)
{
    struct hd_workerpool_options options = {.workers = 1, .work = long_job};
    struct hd_wg wg = HD_WG_INIT;
    hd_err err;

    job_ends = hd_chan_make(0, 0);
    err = hd_workerpool_start(&workers, hd_context_background(), &options);
    assert(!err);
    err = hd_workerpool_submit(workers, NULL);
    assert(!err);
    begin(&wg, submit_a_job, NULL);
    begin(&wg, submit_at_the_close, NULL);
    begin(&wg, let_jobs_end, NULL);
    hd_sleep(5 * HD_MILLISECOND);
    end_workers();
    hd_wg_wait(&wg);
    hd_chan_unref(job_ends);
}

static void make_channel(void)
{
    chan = hd_chan_make(sizeof(int), 0);
}

static void receive(void *arg)
{
    (void)arg;
    hd_chan_recv(chan, NULL);
}

static void close_channel(void)
{
    hd_chan_close(chan);
}

static void end_channel(void)
{
    hd_chan_unref(chan);
}

static void what_channel_awaited(void)
{
    awaited(make_channel, receive, close_channel, end_channel);
}

static void *make_slowly(void *arg, hd_err *err)
{
    (void)err;
    hd_sleep(2 * HD_MILLISECOND);
    return arg;
}

static struct hd_once_value made_once;

static void make_once(void)
{
    made_once = (struct hd_once_value)HD_ONCE_VALUE(make_slowly, NULL);
}

static void get_value(void *arg)
{
    (void)arg;
    hd_once_value_get(&made_once, NULL);
}

static void nothing_wakes(void)
{
}

static void clear_value(void)
{
    hd_once_value_clear(&made_once);
}

static void what_once_awaited(void)
{
    awaited(make_once, get_value, nothing_wakes, clear_value);
}

static void until_it_ends(void *arg)
{
    (void)arg;
    while (!hd_context_err(ctx))
        hd_sleep(HD_MILLISECOND);
}

static void make_below(void *arg)
{
    (void)arg;
    hd_sleep(2 * HD_MILLISECOND);
    hd_context_end(hd_context_with_cancel(ctx));
}

static void late_context(void (*use)(void *arg))
{
    struct hd_wg wg = HD_WG_INIT;

    ctx = hd_context_with_cancel(hd_context_background());
    if (!wrong)
        hd_context_ref(ctx);
    begin(&wg, use, NULL);
    hd_sleep(2 * HD_MILLISECOND);
    hd_context_end(ctx);
    hd_wg_wait(&wg);
    if (!wrong)
        hd_context_unref(ctx);
}

static void what_context(void)
{
    late_context(until_it_ends);
}

static void what_parent(void)
{
    late_context(make_below);
}

static void wait_for_done(void *arg)
{
    hd_chan_recv(arg, NULL);
}

/* A done channel is borrowed: it goes with its context. */
static void what_done(void)
{
    struct hd_wg wg = HD_WG_INIT;

    ctx = hd_context_with_cancel(hd_context_background());
    if (!wrong)
        hd_context_ref(ctx);
    begin(&wg, wait_for_done, hd_context_done(ctx));
    hd_context_end(ctx);
    hd_wg_wait(&wg);
    if (!wrong)
        hd_context_unref(ctx);
}

static void stop_timer(void *arg)
{
    (void)arg;
    hd_timer_stop(timer);
}

static void what_timer(void)
{
    struct hd_wg wg = HD_WG_INIT;

    timer = hd_timer_make(HD_HOUR);
    begin(&wg, stop_timer, NULL);
    if (!wrong)
        hd_wg_wait(&wg);
    hd_timer_free(timer);
    hd_wg_wait(&wg);
}

static void stop_ticker(void *arg)
{
    (void)arg;
    hd_ticker_stop(ticker);
}

static void what_ticker(void)
{
    struct hd_wg wg = HD_WG_INIT;

    ticker = hd_ticker_make(HD_HOUR);
    begin(&wg, stop_ticker, NULL);
    if (!wrong)
        hd_wg_wait(&wg);
    hd_ticker_free(ticker);
    hd_wg_wait(&wg);
}

/* ---- groups ---- */

static hd_err nap(void *arg)
{
    (void)arg;
    hd_sleep(HD_MILLISECOND);
    return NULL;
}

/* The limit is set while a task runs. */
static void what_limit(void)
{
    struct hd_errgroup group = HD_ERRGROUP_INIT;

    if (!wrong)
        hd_errgroup_set_limit(&group, 1);
    hd_errgroup_go(&group, nap, NULL);
    if (wrong)
        hd_errgroup_set_limit(&group, 1);
    hd_err_unref(hd_errgroup_wait(&group));
    hd_errgroup_destroy(&group);
}

/* ---- select ---- */

static void send_either(void *arg)
{
    int zero = 0, one = 1;

    (void)arg;
    HD_SELECT(HD_SEND(chan, &zero), HD_SEND(chan, &one));
}

/* Of two cases on one channel either may happen, also when both had to wait. */
static void what_twice(void)
{
    struct hd_wg wg = HD_WG_INIT;
    int value = -1;

    chan = hd_chan_make(sizeof value, 0);
    begin(&wg, send_either, NULL);
    hd_sleep(HD_MILLISECOND); /* it waits */
    hd_chan_recv(chan, &value);
    assert(wrong ? value == 0 : value == 0 || value == 1);
    hd_wg_wait(&wg);
    hd_chan_unref(chan);
}

/* ---- panics ---- */

static void panic_now(void *arg)
{
    (void)arg;
    hd_panic("out of range");
}

static void recover_it(void *arg)
{
    hd_err err = hd_recover(panic_now, arg);

    hd_err_unref(err);
    assert(err && !wrong); /* what fails is this, not what was recovered */
}

static void what_recovered(void)
{
    struct hd_wg wg = HD_WG_INIT;

    begin(&wg, recover_it, NULL);
    hd_wg_wait(&wg);
}

static void abort_later(void *arg)
{
    hd_err err = hd_recover(panic_now, arg);

    hd_err_unref(err);
    if (wrong)
        abort();
}

static void what_aborted(void)
{
    struct hd_wg wg = HD_WG_INIT;

    begin(&wg, abort_later, NULL);
    hd_wg_wait(&wg);
}

static const struct variant whats[] = {VARIANT(what, mutex),
                                       VARIANT(what, readers),
                                       VARIANT(what, writer),
                                       VARIANT(what, cond),
                                       VARIANT(what, cond_awaited),
                                       VARIANT(what, semaphore),
                                       VARIANT(what, semaphore_awaited),
                                       VARIANT(what, group),
                                       VARIANT(what, group_wait),
                                       VARIANT(what, group_awaited),
                                       VARIANT(what, pool),
                                       VARIANT(what, map),
                                       VARIANT(what, drain),
                                       VARIANT(what, owner),
                                       VARIANT(what, workers),
                                       VARIANT(what, closing),
                                       VARIANT(what, channel_awaited),
                                       VARIANT(what, once_awaited),
                                       VARIANT(what, send),
                                       VARIANT(what, receive),
                                       VARIANT(what, select),
                                       VARIANT(what, context),
                                       VARIANT(what, parent),
                                       VARIANT(what, done),
                                       VARIANT(what, timer),
                                       VARIANT(what, ticker),
                                       VARIANT(what, recovered),
                                       VARIANT(what, aborted),
                                       VARIANT(what, limit),
                                       VARIANT(what, twice)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(whats, argv[1])->run();
    return 0;
}
