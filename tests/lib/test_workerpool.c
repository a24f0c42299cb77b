/* Worker pool: every job once, results, errors and panics, contexts that end, closing under
 * submits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/go.h>
#include <heddle/panic.h>
#include <heddle/waitgroup.h>
#include <heddle/workerpool.h>

#include "rounds.h"

#define JOBS 200
#define MANY (rounds(200) < 20 ? 20 : 200) /* 13 and 14 are special */

struct tally {
    struct hd_atomic_int32 done[JOBS], dropped, total;
    struct hd_chan *gate;
};

static hd_err count(struct hd_context *ctx, void *job, void **result, void *arg)
{
    struct tally *tally = arg;
    intptr_t number = (intptr_t)job;

    (void)ctx;
    hd_int32_add(&tally->done[number], 1);
    hd_int32_add(&tally->total, 1);
    *result = (void *)(number * 2);
    if (number == 13)
        return hd_errorf(HD_ERR_USER, "unlucky");
    if (number == 14)
        hd_panic("worse");
    return NULL;
}

static void drop(void *job, void *arg)
{
    struct tally *tally = arg;

    (void)job;
    hd_int32_add(&tally->dropped, 1);
}

static struct hd_workerpool *start(struct tally *tally, int workers, size_t queue, bool results)
{
    struct hd_workerpool_options options = {workers, queue, results, count, drop, tally};
    struct hd_workerpool *pool = NULL;

    assert_null(hd_workerpool_start(&pool, hd_context_background(), &options));
    return pool;
}

static void each_job_once_and_the_first_error_kept(void **state)
{
    static struct tally tally;
    struct hd_workerpool *pool = start(&tally, 4, 10, false);
    hd_err err;

    (void)state;
    assert_null(hd_workerpool_results(pool));
    for (intptr_t i = 0; i < MANY; i++)
        assert_null(hd_workerpool_submit(pool, (void *)i));
    err = hd_workerpool_close(pool);
    assert_non_null(err);
    hd_err_unref(err);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(hd_int32_load(&tally.done[i]), 1);
    assert_int_equal(hd_int32_load(&tally.dropped), 0);
}

struct sum {
    struct hd_chan *results;
    struct hd_wg wg;
    long total;
    int errors, panics;
};

static void collect(void *arg)
{
    struct sum *sum = arg;

    HD_RANGE(struct hd_job_result, r, sum->results)
    {
        sum->total += (long)(intptr_t)r.result;
        sum->errors += hd_err_code(r.err) == HD_ERR_USER;
        sum->panics += hd_err_code(r.err) == HD_ERR_PANIC;
        hd_err_unref(r.err);
    }
    hd_chan_unref(sum->results);
}

static void results_arrive_and_end(void **state)
{
    static struct tally tally;
    struct hd_workerpool *pool = start(&tally, 3, 4, true);
    struct sum sum = {.results = hd_chan_ref(hd_workerpool_results(pool))};

    (void)state;
    assert_null(hd_wg_go(&sum.wg, collect, &sum));
    for (intptr_t i = 0; i < MANY; i++)
        assert_null(hd_workerpool_submit(pool, (void *)i));
    assert_null(hd_workerpool_close(pool));
    hd_wg_wait(&sum.wg);
    assert_int_equal(sum.total, MANY * (MANY - 1));
    assert_int_equal(sum.errors, 1);
    assert_int_equal(sum.panics, 1);
}

static hd_err stay(struct hd_context *ctx, void *job, void **result, void *arg)
{
    struct tally *tally = arg;

    (void)job, (void)result;
    hd_int32_add(&tally->total, 1);
    hd_chan_send(tally->gate, NULL);
    hd_chan_recv(hd_context_done(ctx), NULL);
    return hd_context_err(ctx);
}

static void an_ended_context_stops_it_and_drops_the_queue(void **state)
{
    static struct tally tally;
    struct hd_workerpool_options options = {1, 5, false, stay, drop, &tally};
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
    struct hd_workerpool *pool;

    (void)state;
    tally.gate = hd_chan_make(0, 0);
    assert_null(hd_workerpool_start(&pool, ctx, &options));
    assert_null(hd_workerpool_submit(pool, &tally));
    hd_chan_recv(tally.gate, NULL); /* the worker is busy: the rest stays in the queue */
    for (int i = 0; i < 5; i++)
        assert_null(hd_workerpool_submit(pool, &tally));
    hd_context_cancel(ctx);
    assert_ptr_equal(hd_workerpool_submit(pool, &tally), hd_cancelled);
    assert_ptr_equal(hd_workerpool_close(pool), hd_cancelled);
    assert_int_equal(hd_int32_load(&tally.total), 1);
    assert_int_equal(hd_int32_load(&tally.dropped), 5);
    hd_context_end(ctx);
    hd_chan_unref(tally.gate);
}

struct rush {
    struct hd_workerpool *pool;
    struct hd_atomic_int32 accepted, begun;
};

static hd_err count_only(struct hd_context *ctx, void *job, void **result, void *arg)
{
    (void)ctx, (void)result, (void)arg;
    hd_int32_add(job, 1);
    return NULL;
}

static void submit_some(void *arg)
{
    struct rush *rush = arg;
    static struct hd_atomic_int32 ran;

    hd_int32_add(&rush->begun, 1);
    for (int i = 0; i < rounds(20); i++)
        if (!hd_workerpool_submit(rush->pool, &ran))
            hd_int32_add(&rush->accepted, 1);
}

static void invalid_options(void **state)
{
    struct hd_workerpool_options options = {0, 1, false, count_only, NULL, NULL};
    struct hd_workerpool *pool;

    (void)state;
    assert_ptr_equal(hd_workerpool_start(&pool, hd_context_background(), &options), hd_invalid);
    options = (struct hd_workerpool_options){1, 1, false, NULL, NULL, NULL};
    assert_ptr_equal(hd_workerpool_start(&pool, hd_context_background(), &options), hd_invalid);
}

static void many_may_submit(void **state)
{
    struct hd_workerpool_options options = {2, 0, false, count_only, NULL, NULL};
    struct rush rush = {.accepted = {0}};
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    assert_null(hd_workerpool_start(&rush.pool, hd_context_background(), &options));
    for (int i = 0; i < 4; i++)
        assert_null(hd_wg_go(&wg, submit_some, &rush));
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&rush.accepted), 4 * rounds(20));
    assert_null(hd_workerpool_close(rush.pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_job_once_and_the_first_error_kept),
        cmocka_unit_test(results_arrive_and_end),
        cmocka_unit_test(an_ended_context_stops_it_and_drops_the_queue),
        cmocka_unit_test(invalid_options),
        cmocka_unit_test(many_may_submit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
