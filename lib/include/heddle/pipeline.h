/* pipeline.h - stages that pass pointers on, each with its own number of goroutines.
 *
 * Each stage receives from the one before and sends to the one after; the channels are closed from
 * the front to the back, each by the last worker that sends to it. The first error of any worker
 * ends the context of all.
 *   ownership  a pipeline lives from start to wait; values are borrowed pointers, handed from stage
 *              to stage, or to `drop` if the pipeline ends before they are through
 *   errors     a stage that panics counts as one that returned the panic as its error
 *   threads    any number of goroutines may send to the input and receive from the output; wait:
 *              once
 * source: guides "Pipeline Pattern".
 */
#ifndef HEDDLE_PIPELINE_H
#define HEDDLE_PIPELINE_H

#include <stddef.h>

#include <heddle/api.h>
#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

struct hd_pipeline;

struct hd_stage {
    const char *name; /* borrowed until wait; for reports */
    int workers;      /* >= 1; with more than one, values may overtake each other */
    size_t buffer;    /* capacity of the channel that it sends to */

    /* Turn a value into the next stage's; NULL in *out drops it. The error is handed over; a value
     * that it concerns is the stage's to dispose of. */
    hd_err (*process)(struct hd_context *ctx, void *in, void **out, void *arg);
    void *arg; /* borrowed, handed to process */
};

/* Start the stages (copied).
 *   input  a channel of void *, borrowed until wait returns; its senders close it
 *   drop   for values that are not passed on when the context has ended; may be NULL
 *   errs   hd_invalid | hd_out_of_memory; a lack of threads is wait's answer */
HD_API HD_MUST_USE hd_err hd_pipeline_start(struct hd_pipeline **pipeline, struct hd_context *ctx,
                                            struct hd_chan *input, const struct hd_stage *stages,
                                            size_t count, void (*drop)(void *value));

/* The last stage's channel of void *: somebody must receive from it until it is closed, or end the
 * context. Borrowed until wait returns. */
HD_API struct hd_chan *hd_pipeline_output(struct hd_pipeline *pipeline);

/* The context of the stages: it ends with the one given, or at the first error. Borrowed until wait
 * returns. For senders to the input, so that they do not wait for a pipeline that has ended. */
HD_API struct hd_context *hd_pipeline_context(struct hd_pipeline *pipeline);

/* Wait for all stages, drop what is left in the channels, the input apart, and free the pipeline.
 * The first error, a reference to hand on; the context's if it ended first; NULL if all went
 * through. */
HD_API HD_MUST_USE hd_err hd_pipeline_wait(struct hd_pipeline *pipeline);

HD_END_DECLS

#endif /* HEDDLE_PIPELINE_H */
