/* pools.c - worker pools in the five shapes of the guides. */
#include "suite/suite.h"

#include <heddle/select.h>
#include <heddle/waitgroup.h>

struct job {
    int id;
};
struct result {
    int id, value;
};

static int work(int id)
{
    hd_go_yield();
    return 2 * id;
}

/* The first shape: a struct with a queue, a channel of results and a wait group. */
struct pool {
    int workers;
    struct hd_chan *queue, *results;
    struct hd_wg wg;
    struct hd_context *ctx;
    struct tally done;
};

static struct pool *pool_new(int workers, size_t queue_size)
{
    struct pool *p = KEEP(struct pool);

    p->workers = workers;
    p->queue = CHAN(struct job, queue_size);
    p->results = CHAN(struct result, queue_size);
    return p;
}

static void pool_worker(void *arg)
{
    struct pool *p = arg;

    for (;;) {
        struct job job;
        bool ok;
        if (HD_SELECT(HD_RECV_OK(p->queue, &job, &ok), HD_RECV(hd_context_done(p->ctx), NULL)) ==
                1 ||
            !ok)
            break;
        struct result result = {.id = job.id, .value = work(job.id)};
        hd_chan_send(p->results, &result);
    }
    hd_wg_done(&p->wg);
}

static void pool_start(struct pool *p, struct hd_context *ctx, void (*worker)(void *))
{
    p->ctx = ctx;
    for (int i = 0; i < p->workers; i++) {
        hd_wg_add(&p->wg, 1);
        GO(worker, p);
    }
}

static void pool_submit(struct pool *p, struct job job)
{
    hd_chan_send(p->queue, &job);
}

static void pool_close(struct pool *p)
{
    hd_chan_close(p->queue);
    hd_wg_wait(&p->wg);
    hd_chan_close(p->results);
}

static void pool_collect(void *arg)
{
    struct pool *p = arg;

    HD_RANGE(struct result, result, p->results)
    {
        assert(result.value == 2 * result.id);
        tally(&p->done, result.id);
    }
}

static void pool_usage(int workers, int queue, int jobs)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct pool *p = pool_new(workers, (size_t)queue);

    pool_start(p, ctx, pool_worker);
    for (int i = 0; i < jobs; i++)
        pool_submit(p, (struct job){i});
    GO(pool_collect, p);
    pool_close(p);
    assert(tally_count(&p->done) == jobs && "main ended before all results were handled");
    hd_context_end(ctx);
}

void pool_struct_as_written(void)
{
    int queue = draw(2, 5);

    pool_usage(draw(1, 3), queue, draw(1, queue));
}

void pool_struct_small_queue(void)
{
    int workers = draw(1, 2), queue = draw(1, 2);

    pool_usage(workers, queue, 2 * queue + workers + 1);
}

static void cancel_soon(void *ctx)
{
    hd_context_cancel(ctx);
}

void pool_struct_cancelled(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct pool *p = pool_new(draw(1, 3), 1);

    pool_start(p, ctx, pool_worker);
    GO(pool_collect, p);
    GO(cancel_soon, ctx);
    for (int i = 0; i < 4; i++)
        pool_submit(p, (struct job){i});
    pool_close(p);
    hd_context_end(ctx);
}

static void mended_worker(void *arg)
{
    struct pool *p = arg;
    struct hd_chan *done = hd_context_done(p->ctx);

    for (;;) {
        struct job job;
        bool ok;
        if (HD_SELECT(HD_RECV_OK(p->queue, &job, &ok), HD_RECV(done, NULL)) == 1 || !ok)
            break;
        struct result result = {.id = job.id, .value = work(job.id)};
        if (HD_SELECT(HD_SEND(p->results, &result), HD_RECV(done, NULL)) == 1)
            break;
    }
    hd_wg_done(&p->wg);
}

static void mended_collector(void *arg)
{
    struct pool *p = ((void **)arg)[0];
    struct hd_chan *collected = ((void **)arg)[1];

    pool_collect(p);
    hd_chan_close(collected);
}

void pool_struct_mended(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct pool *p = pool_new(draw(1, 3), (size_t)draw(0, 2));
    int jobs = draw(0, 6), sent = 0;
    bool cancels = draw(0, 3) == 0;
    struct hd_chan *collected = SIGNAL(0);
    void **collector = keep(2 * sizeof *collector);

    collector[0] = p;
    collector[1] = collected;
    pool_start(p, ctx, mended_worker);
    GO(mended_collector, collector);
    if (cancels)
        GO(cancel_soon, ctx);
    for (; sent < jobs; sent++) {
        struct job job = {sent};
        if (HD_SELECT(HD_SEND(p->queue, &job), HD_RECV(hd_context_done(ctx), NULL)) == 1)
            break;
    }
    pool_close(p);
    hd_chan_recv(collected, NULL);
    assert(cancels || tally_count(&p->done) == jobs);
    assert(tally_count(&p->done) <= sent);
    hd_context_end(ctx);
    all_gone();
}

/* The second shape: functions over channels; the results are closed when all workers are done. */
struct plain {
    struct hd_chan *jobs, *results;
    struct hd_wg wg;
    int count;
};

static void plain_worker(void *arg)
{
    struct plain *p = arg;

    HD_RANGE(struct job, job, p->jobs)
    {
        struct result result = {.id = job.id, .value = work(job.id)};
        hd_chan_send(p->results, &result);
    }
    hd_wg_done(&p->wg);
}

static void plain_closer(void *arg)
{
    struct plain *p = arg;

    hd_wg_wait(&p->wg);
    hd_chan_close(p->results);
}

static void plain_sender(void *arg)
{
    struct plain *p = arg;

    for (int i = 0; i < p->count; i++) {
        struct job job = {i};
        hd_chan_send(p->jobs, &job);
    }
    hd_chan_close(p->jobs);
}

static struct plain *plain_start(int workers, int count)
{
    struct plain *p = KEEP(struct plain);

    p->jobs = CHAN(struct job, (size_t)draw(0, 3));
    p->results = CHAN(struct result, (size_t)draw(0, 2));
    p->count = count;
    for (int i = 0; i < workers; i++) {
        hd_wg_add(&p->wg, 1);
        GO(plain_worker, p);
    }
    GO(plain_closer, p);
    GO(plain_sender, p);
    return p;
}

void pool_closing_results(void)
{
    int jobs = draw(0, 6);
    struct plain *p = plain_start(draw(1, 3), jobs);
    struct tally done = {0};

    HD_RANGE(struct result, result, p->results)
    tally(&done, result.id);
    assert(tally_count(&done) == jobs);
    all_gone();
}

void pool_closing_results_left_early(void)
{
    struct plain *p = plain_start(draw(1, 3), 8);
    struct result result;

    hd_chan_recv(p->results, &result);
}

/* The fifth shape: a channel for each result and error, and a quit channel for each worker. */
struct answered {
    int id;
    struct hd_chan *result, *error;
};
struct quitter {
    int id;
    struct hd_chan *queue, *quit;
    struct hd_wg *wg;
};
struct quit_pool {
    struct quitter *workers[4];
    int count;
    struct hd_chan *queue, *quit;
    struct hd_wg wg;
    struct tally done;
};

static void quitter_run(void *arg)
{
    struct quitter *w = arg;
    struct answered job;

    while (HD_SELECT(HD_RECV(w->queue, &job), HD_RECV(w->quit, NULL)) == 0) {
        int result;
        hd_sleep(span(100 * HD_MILLISECOND));
        hd_sleep(span(50 * HD_MILLISECOND));
        result = job.id;
        hd_chan_send(job.result, &result);
    }
    hd_wg_done(w->wg);
}

struct waiting {
    struct answered job;
    struct quit_pool *pool;
};

static void handle_result(void *arg)
{
    struct waiting *w = arg;
    int result, error;

    if (HD_SELECT(HD_RECV(w->job.result, &result), HD_RECV(w->job.error, &error)) == 0)
        tally(&w->pool->done, result);
}

static struct quit_pool *quit_pool_start(int workers, size_t queue)
{
    struct quit_pool *p = KEEP(struct quit_pool);

    p->count = workers;
    p->queue = CHAN(struct answered, queue);
    p->quit = CHAN(bool, 0);
    for (int i = 0; i < workers; i++) {
        struct quitter *w = p->workers[i] = KEEP(struct quitter);
        *w = (struct quitter){i, p->queue, CHAN(bool, 0), &p->wg};
        hd_wg_add(&p->wg, 1);
        GO(quitter_run, w);
    }
    return p;
}

static void quit_pool_stop(struct quit_pool *p)
{
    hd_chan_close(p->quit);
    for (int i = 0; i < p->count; i++) {
        bool yes = true;
        hd_chan_send(p->workers[i]->quit, &yes);
    }
    hd_wg_wait(&p->wg);
}

static void quit_pool_usage(struct quit_pool *p, int jobs)
{
    for (int i = 0; i < jobs; i++) {
        struct waiting *w = KEEP(struct waiting);
        w->job = (struct answered){i, CHAN(int, 1), CHAN(int, 1)};
        w->pool = p;
        hd_chan_send(p->queue, &w->job);
        GO(handle_result, w);
    }
}

void pool_quit_as_written(void)
{
    struct quit_pool *p = quit_pool_start(3, 10);
    int64_t start = hd_now();

    quit_pool_usage(p, 10);
    hd_sleep(span(2 * HD_SECOND));
    assert(hd_now() - start >= span(2 * HD_SECOND));
    quit_pool_stop(p);
    assert(tally_count(&p->done) == 10);
}

void pool_quit_out_of_time(void)
{
    struct quit_pool *p = quit_pool_start(1, 10);

    quit_pool_usage(p, 10);
    hd_sleep(span(HD_SECOND));
    quit_pool_stop(p);
}

static void queue_closed_worker(void *arg)
{
    struct quitter *w = arg;

    HD_RANGE(struct answered, job, w->queue)
    {
        hd_sleep(span(150 * HD_MILLISECOND));
        hd_chan_send(job.result, &job.id);
    }
    hd_wg_done(w->wg);
}

void pool_quit_mended(void)
{
    struct quit_pool *p = KEEP(struct quit_pool);
    int workers = draw(1, 3), jobs = draw(1, 8);

    p->queue = CHAN(struct answered, (size_t)draw(0, 4));
    for (int i = 0; i < workers; i++) {
        struct quitter *w = p->workers[i] = KEEP(struct quitter);
        *w = (struct quitter){i, p->queue, NULL, &p->wg};
        hd_wg_add(&p->wg, 1);
        GO(queue_closed_worker, w);
    }
    quit_pool_usage(p, jobs);
    hd_chan_close(p->queue);
    hd_wg_wait(&p->wg);
    all_gone();
    assert(tally_count(&p->done) == jobs);
}
