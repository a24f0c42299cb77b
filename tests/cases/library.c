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

static struct hd_mutex mutex;
static struct hd_rwmutex rw;

static void lock_it(void *arg)
{
    (void)arg;
    hd_mutex_lock(&mutex);
    hd_mutex_unlock(&mutex);
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

static void end_locks(void)
{
    hd_mutex_destroy(&mutex);
    hd_rwmutex_destroy(&rw);
}

/* They end behind who uses them, or before. And an address may be used anew. */
static void late_lock(void (*use)(void *arg))
{
    struct hd_wg wg = HD_WG_INIT;

    hd_mutex_init(&mutex, NULL);
    hd_rwmutex_init(&rw, NULL);
    end_locks();
    hd_mutex_init(&mutex, NULL);
    rw = (struct hd_rwmutex)HD_RWMUTEX_INIT;
    if (wrong)
        end_locks();
    begin(&wg, use, NULL);
    hd_wg_wait(&wg);
    if (!wrong)
        end_locks();
}

static void what_mutex(void)
{
    late_lock(lock_it);
}

static void what_readers(void)
{
    late_lock(read_it);
}

static void what_writer(void)
{
    late_lock(write_it);
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

static const struct variant whats[] = {
    VARIANT(what, mutex),   VARIANT(what, readers), VARIANT(what, writer),
    VARIANT(what, send),    VARIANT(what, receive), VARIANT(what, select),
    VARIANT(what, context), VARIANT(what, parent),  VARIANT(what, done),
    VARIANT(what, timer),   VARIANT(what, ticker),  VARIANT(what, recovered),
    VARIANT(what, aborted), VARIANT(what, limit),   VARIANT(what, twice)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(whats, argv[1])->run();
    return 0;
}
