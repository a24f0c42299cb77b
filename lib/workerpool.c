/* workerpool.c - see workerpool.h.
 *
 * Submits hold `open` for reading while they send, so that close, which takes it for writing, never
 * closes the queue under a sender; the workers go on meanwhile, so those senders come to an end.
 * Before the pool goes, close takes it once more: whoever was waiting for it then has seen `closed`.
 */
#include <heddle/workerpool.h>

#include <stdlib.h>

#include <heddle/errgroup.h>
#include <heddle/panic.h>
#include <heddle/rwmutex.h>
#include <heddle/select.h>

#include "context_inside.h"
#include "graveyard.h"
#include "leak_ledger.h"
#include "parking_lot.h"
#include "spawn.h"

struct hd_workerpool {
    struct hd_workerpool_options options;
    struct hd_context *ctx; /* the workers' */
    struct hd_chan *jobs;   /* of void * */
    struct hd_chan *results;
    struct hd_errgroup workers;
    struct hd_rwmutex open;
    bool closed; /* guarded by open */
    struct hd_mutex lock;
    hd_err err; /* guarded by lock: the first of a job */
    struct hdi_owed close;
    const void *gone; /* where it was closed */
};

static void need_alive(const struct hd_workerpool *pool, const void *site)
{
    hdi_need_alive(pool->gone, "use of a worker pool after its end", pool, site);
}

struct job {
    struct hd_workerpool *pool;
    struct hd_job_result outcome;
};

static void work(void *arg)
{
    struct job *job = arg;
    struct hd_workerpool_options *options = &job->pool->options;

    job->outcome.err =
        options->work(job->pool->ctx, job->outcome.job, &job->outcome.result, options->arg);
}

/* A worker works on after a failure: the first is kept, the rest are dropped. */
static void keep(struct hd_workerpool *pool, hd_err err)
{
    if (!err)
        return;
    hd_mutex_lock(&pool->lock);
    if (!pool->err) {
        pool->err = err;
        err = NULL;
    }
    hd_mutex_unlock(&pool->lock);
    hd_err_unref(err);
}

static void do_job(struct hd_workerpool *pool, void *what)
{
    struct job job = {.pool = pool, .outcome = {.job = what}};
    hd_err panic = hd_recover(work, &job);

    if (panic)
        job.outcome.err = panic;
    if (!pool->results)
        keep(pool, job.outcome.err);
    else if (HD_SELECT(HD_SEND(pool->results, &job.outcome),
                       HD_RECV(hd_context_done(pool->ctx), NULL)) == 1)
        hd_err_unref(job.outcome.err);
}

static hd_err worker(void *arg)
{
    struct hd_workerpool *pool = arg;
    struct hd_chan *done = hd_context_done(pool->ctx);
    void *job;
    bool ok = true;

    while (!hd_context_err(pool->ctx) &&
           HD_SELECT(HD_RECV_OK(pool->jobs, &job, &ok), HD_RECV(done, NULL)) == 0 && ok)
        do_job(pool, job);
    return NULL;
}

static void dispose(struct hd_workerpool *pool, const void *site)
{
    hdi_settle(&pool->close, pool);
    if (hdi_seam) {
        hdi_seam->gone(&pool->open, site);
        hdi_seam->gone(pool, site);
    }
    hd_chan_unref(pool->jobs);
    hd_chan_unref(pool->results);
    pool->gone = site;
    hdi_bury(pool, sizeof *pool);
}

hd_err hd_workerpool_start(struct hd_workerpool **pool, struct hd_context *ctx,
                           const struct hd_workerpool_options *options)
{
    const void *site = HDI_SITE();
    struct hd_workerpool *made;

    if (options->workers < 1 || !options->work)
        return hd_invalid;
    made = calloc(1, sizeof *made);
    if (!made)
        return hd_out_of_memory;
    made->options = *options;
    made->ctx = made->workers.ctx = hdi_context_within(ctx, site);
    if (hdi_seam)
        hdi_seam->born(HD_OB_POOL, made, "worker pool", site);
    hdi_owe(&made->close, HD_OB_POOL, made, "worker pool", site);
    made->jobs = hd_chan_make_named("jobs", sizeof(void *), options->queue);
    if (options->results)
        made->results = hd_chan_make_named("results", sizeof(struct hd_job_result), options->queue);
    for (int i = 0; i < options->workers; i++)
        if (!hdi_errgroup_start(&made->workers, worker, made, 0, site)) {
            hd_err err = hd_errgroup_wait(&made->workers); /* their context has ended */
            hd_errgroup_destroy(&made->workers);
            dispose(made, site);
            return err;
        }
    *pool = made;
    return NULL;
}

hd_err hd_workerpool_submit(struct hd_workerpool *pool, void *job)
{
    hd_err err;

    need_alive(pool, HDI_SITE());
    hd_rwmutex_rlock(&pool->open);
    err = pool->closed ? hd_closed : hd_context_err(pool->ctx);
    if (!err &&
        HD_SELECT(HD_SEND(pool->jobs, &job), HD_RECV(hd_context_done(pool->ctx), NULL)) == 1)
        err = hd_context_err(pool->ctx);
    hd_rwmutex_runlock(&pool->open);
    return err;
}

struct hd_chan *hd_workerpool_results(struct hd_workerpool *pool)
{
    need_alive(pool, HDI_SITE());
    return pool->results;
}

hd_err hd_workerpool_close(struct hd_workerpool *pool)
{
    void *job;
    hd_err err;

    need_alive(pool, HDI_SITE());
    hd_rwmutex_lock(&pool->open);
    pool->closed = true;
    hd_chan_close(pool->jobs);
    hd_rwmutex_unlock(&pool->open);
    err = hd_errgroup_wait(&pool->workers);
    hd_errgroup_destroy(&pool->workers);
    while (hd_chan_recv(pool->jobs, &job))
        if (pool->options.drop)
            pool->options.drop(job, pool->options.arg);
    if (pool->results)
        hd_chan_close(pool->results);
    if (pool->err) {
        hd_err_unref(err);
        err = pool->err;
    }
    hd_rwmutex_lock(&pool->open);
    hd_rwmutex_unlock(&pool->open);
    dispose(pool, HDI_SITE());
    return err;
}
