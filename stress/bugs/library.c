/* library.c - misuse of what stands on top of the primitives: groups, pools, pipelines, maps. */
#include "bug.h"

#include <heddle/errgroup.h>
#include <heddle/limiter.h>
#include <heddle/map.h>
#include <heddle/owner.h>
#include <heddle/pipeline.h>
#include <heddle/semaphore.h>
#include <heddle/shutdown.h>
#include <heddle/singleflight.h>
#include <heddle/workerpool.h>

struct use {
    struct box *box;
    struct hd_semaphore semaphore;
    struct hd_limiter limiter;
    struct hd_singleflight flight;
    struct hd_owner *owner;
    struct hd_workerpool *pool;
    struct hd_map *map;
    struct hd_drain drain;
};

static struct use *use_new(bool right)
{
    struct use *u = KEEP(struct use);

    u->box = box_new(right);
    return u;
}

static void take_piecemeal(void *arg)
{
    struct use *u = arg;
    struct hd_context *ctx = hd_context_background();

    if (u->box->right) {
        started(hd_semaphore_acquire(&u->semaphore, ctx, 2));
    } else {
        started(hd_semaphore_acquire(&u->semaphore, ctx, 1));
        started(hd_semaphore_acquire(&u->semaphore, ctx, 1));
    }
    hd_semaphore_release(&u->semaphore, 2);
    hd_wg_done(&u->box->wg);
}

/* Each holds half of what both need. */
BUG(semaphore_taken_piecemeal)
{
    struct use *u = use_new(right);

    hd_semaphore_init(&u->semaphore, 2, "units");
    hd_wg_add(&u->box->wg, 2);
    GO(take_piecemeal, u);
    GO(take_piecemeal, u);
    hd_wg_wait(&u->box->wg);
}

static void take_or_not(void *arg)
{
    struct use *u = arg;
    bool taken = hd_semaphore_try_acquire(&u->semaphore, 1);

    hd_go_yield();
    if (taken || !u->box->right)
        hd_semaphore_release(&u->semaphore, 1);
    hd_wg_done(&u->box->wg);
}

BUG(semaphore_released_untaken)
{
    struct use *u = use_new(right);

    hd_semaphore_init(&u->semaphore, 1, NULL);
    hd_wg_add(&u->box->wg, 2);
    GO(take_or_not, u);
    GO(take_or_not, u);
    hd_wg_wait(&u->box->wg);
}

static void *look_up_inner(void *arg, hd_err *err)
{
    (void)err;
    return arg;
}

static void *look_up_outer(void *arg, hd_err *err)
{
    struct use *u = arg;
    struct hd_flight_result r =
        hd_singleflight_do(&u->flight, u->box->right ? "inner" : "user", look_up_inner, u);

    *err = r.err;
    return r.value;
}

BUG(flight_inside_its_own)
{
    struct use *u = use_new(right);
    struct hd_flight_result r = hd_singleflight_do(&u->flight, "user", look_up_outer, u);

    assert(r.value == u && !r.err);
}

static void bump(void *state, void *arg)
{
    (void)arg;
    ((struct box *)state)->x++;
}

static void bump_by_request(void *state, void *arg)
{
    struct use *u = arg;

    if (u->box->right)
        bump(state, NULL);
    else
        started(hd_owner_call(u->owner, hd_context_background(), bump, NULL));
}

BUG(owner_asks_itself)
{
    struct use *u = use_new(right);

    started(hd_owner_start(&u->owner, hd_context_background(), u->box));
    started(hd_owner_call(u->owner, hd_context_background(), bump_by_request, u));
    hd_owner_end(u->owner);
    assert(u->box->x == 1);
}

static hd_err split_job(struct hd_context *ctx, void *job, void **result, void *arg)
{
    struct use *u = arg;

    (void)ctx, (void)result;
    if (!u->box->right && *(int *)job < 2)
        for (int i = 0; i < 2; i++)
            started(hd_workerpool_submit(u->pool, &u->box->items[2]));
    return NULL;
}

/* Workers submit to their own full queue. */
BUG(worker_submits_to_its_pool)
{
    struct use *u = use_new(right);
    struct hd_workerpool_options options = {.workers = 1, .queue = 1, .work = split_job, .arg = u};

    u->box->items[2] = 2;
    started(hd_workerpool_start(&u->pool, hd_context_background(), &options));
    for (int i = 0; i < 2; i++)
        started(hd_workerpool_submit(u->pool, &u->box->items[i]));
    assert(hd_workerpool_close(u->pool) == NULL);
}

static void drop_results(void *arg)
{
    struct hd_chan *results = arg;

    HD_RANGE(struct hd_job_result, result, results)
    hd_err_unref(result.err);
}

BUG(pool_results_not_received)
{
    struct use *u = use_new(right);
    struct hd_workerpool_options options = {
        .workers = 1, .queue = 1, .results = true, .work = split_job, .arg = u};

    u->box->items[0] = u->box->items[1] = 9;
    started(hd_workerpool_start(&u->pool, hd_context_background(), &options));
    if (right)
        GO(drop_results, keep_chan(hd_chan_ref(hd_workerpool_results(u->pool))));
    for (int i = 0; i < 4; i++)
        started(hd_workerpool_submit(u->pool, &u->box->items[i % 2]));
    assert(hd_workerpool_close(u->pool) == NULL);
}

static hd_err pass_on(struct hd_context *ctx, void *in, void **out, void *arg)
{
    (void)ctx, (void)arg;
    *out = in;
    return NULL;
}

BUG(pipeline_output_not_drained)
{
    struct box *b = box_new(right);
    struct hd_stage stage = {.name = "pass on", .workers = 1, .buffer = 1, .process = pass_on};
    struct hd_pipeline *pipeline;
    struct hd_chan *input = CHAN(void *, 4);

    for (int i = 0; i < 3; i++) {
        void *value = &b->items[i];
        hd_chan_send(input, &value);
    }
    hd_chan_close(input);
    started(hd_pipeline_start(&pipeline, hd_context_background(), input, &stage, 1, NULL));
    if (right)
        HD_RANGE(void *, value, hd_pipeline_output(pipeline))
    b->x++;
    assert(hd_pipeline_wait(pipeline) == NULL);
}

static void register_name(void *arg)
{
    struct use *u = arg;
    void *there = NULL;
    bool loaded;

    if (u->box->right) {
        started(hd_map_load_or_store(u->map, "name", u, &there, &loaded));
    } else {
        loaded = hd_map_load(u->map, "name", &there);
        if (!loaded)
            started(hd_map_store(u->map, "name", u));
    }
    if (!loaded)
        tally(&u->box->tally, 0); /* the first one registers */
    hd_wg_done(&u->box->wg);
}

BUG(map_load_then_store)
{
    struct use *u = use_new(right);

    u->map = hd_map_create(HD_KEYS_STRING);
    hd_wg_add(&u->box->wg, 2);
    GO(register_name, u);
    GO(register_name, u);
    hd_wg_wait(&u->box->wg);
    hd_map_destroy(u->map);
}

static void serve_request(void *arg)
{
    struct use *u = arg;

    if (hd_drain_enter(&u->drain)) {
        assert(u->box->x == 0 && "served after the shutdown");
        hd_drain_leave(&u->drain);
    } else if (!u->box->right) {
        assert(u->box->x == 0 && "the refusal was ignored");
    }
    hd_wg_done(&u->box->wg);
}

BUG(refusal_ignored)
{
    struct use *u = use_new(right);

    hd_drain_init(&u->drain);
    hd_wg_add(&u->box->wg, 1);
    GO(serve_request, u);
    assert(hd_drain_wait(&u->drain, hd_context_background()) == NULL);
    u->box->x = 1; /* the database is closed */
    hd_wg_wait(&u->box->wg);
    hd_drain_destroy(&u->drain);
}

static void call_limited(void *arg)
{
    struct use *u = arg;
    hd_err err = hd_limiter_wait(&u->limiter, hd_context_background());

    if (!err || !u->box->right)
        gauge_enter(&u->box->gauge);
    hd_err_unref(err);
    hd_wg_done(&u->box->wg);
}

/* A burst of 0 lets nothing through; each wait says so, and nobody looks. */
BUG(limiter_error_ignored)
{
    struct use *u = use_new(right);

    hd_limiter_init(&u->limiter, 10, 0);
    hd_wg_add(&u->box->wg, 3);
    for (int i = 0; i < 3; i++)
        GO(call_limited, u);
    hd_wg_wait(&u->box->wg);
    assert(u->box->gauge.now == 0);
}
