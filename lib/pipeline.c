/* pipeline.c - see pipeline.h. */
#include <heddle/pipeline.h>

#include <stdint.h>
#include <stdlib.h>

#include <heddle/atomic.h>
#include <heddle/errgroup.h>
#include <heddle/panic.h>
#include <heddle/select.h>

#include "parking_lot.h"
#include "spawn.h"

struct stage {
    struct hd_stage what;
    struct hd_pipeline *pipeline;
    struct hd_chan *in, *out; /* out is ours, in the one before's */
    struct hd_atomic_int32 working;
};

struct hd_pipeline {
    struct hd_errgroup group;
    struct hd_context *ctx; /* the group's */
    void (*drop)(void *value);
    size_t count;
    struct stage stages[];
};

static void drop(struct hd_pipeline *pipeline, void *value)
{
    if (pipeline->drop)
        pipeline->drop(value);
}

/* Receive, process, send, until the input or the context ends. */
static hd_err flow(struct stage *stage)
{
    struct hd_context *ctx = stage->pipeline->ctx;
    struct hd_chan *done = hd_context_done(ctx);

    for (;;) {
        void *in, *out = NULL;
        bool ok;
        hd_err err;
        if (HD_SELECT(HD_RECV_OK(stage->in, &in, &ok), HD_RECV(done, NULL)) == 1)
            return hd_context_err(ctx);
        if (!ok)
            return NULL;
        err = stage->what.process(ctx, in, &out, stage->what.arg);
        if (err)
            return err;
        if (out && HD_SELECT(HD_SEND(stage->out, &out), HD_RECV(done, NULL)) == 1) {
            drop(stage->pipeline, out);
            return hd_context_err(ctx);
        }
    }
}

/* Also when the worker panics: the next stage must see its input end. */
static void leave(void *arg)
{
    struct stage *stage = arg;

    if (hd_int32_add(&stage->working, -1) == 0)
        hd_chan_close(stage->out);
}

static hd_err worker(void *arg)
{
    struct hd_deferred leaving = {.fn = leave, .arg = arg};
    hd_err err;

    hdi_defer_push(&leaving);
    err = flow(arg);
    hdi_defer_pop(&leaving);
    return err;
}

static bool valid(const struct hd_stage *stages, size_t count)
{
    if (count == 0 || count > SIZE_MAX / 2 / sizeof(struct stage))
        return false;
    for (size_t i = 0; i < count; i++)
        if (stages[i].workers < 1 || !stages[i].process)
            return false;
    return true;
}

hd_err hd_pipeline_start(struct hd_pipeline **pipeline, struct hd_context *ctx,
                         struct hd_chan *input, const struct hd_stage *stages, size_t count,
                         void (*drop_value)(void *value))
{
    const void *site = HDI_SITE();
    struct hd_pipeline *made;

    if (!valid(stages, count))
        return hd_invalid;
    made = calloc(1, sizeof *made + count * sizeof made->stages[0]);
    if (!made)
        return hd_out_of_memory;
    made->ctx = hd_errgroup_with_context(&made->group, ctx);
    made->drop = drop_value;
    made->count = count;
    for (size_t i = 0; i < count; i++) {
        struct stage *stage = &made->stages[i];
        stage->what = stages[i];
        stage->pipeline = made;
        stage->in = i == 0 ? input : made->stages[i - 1].out;
        stage->out = hd_chan_make_named(stages[i].name, sizeof(void *), stages[i].buffer);
        hd_int32_store(&stage->working, stages[i].workers);
    }
    for (size_t i = 0; i < count; i++)
        for (int w = 0; w < stages[i].workers; w++)
            if (!hdi_errgroup_start(&made->group, worker, &made->stages[i], 0, site))
                leave(&made->stages[i]);
    *pipeline = made;
    return NULL;
}

struct hd_chan *hd_pipeline_output(struct hd_pipeline *pipeline)
{
    return pipeline->stages[pipeline->count - 1].out;
}

struct hd_context *hd_pipeline_context(struct hd_pipeline *pipeline)
{
    return pipeline->ctx;
}

hd_err hd_pipeline_wait(struct hd_pipeline *pipeline)
{
    hd_err err = hd_errgroup_wait(&pipeline->group);

    hd_errgroup_destroy(&pipeline->group);
    for (size_t i = 0; i < pipeline->count; i++) {
        void *value;
        bool ok;
        /* What came through belongs to the receivers, who may hold the channel longer. */
        while (err && hd_chan_try_recv(pipeline->stages[i].out, &value, &ok) && ok)
            drop(pipeline, value);
        hd_chan_unref(pipeline->stages[i].out);
    }
    free(pipeline);
    return err;
}
