/* workerpool.h - a fixed number of goroutines that work off a queue of jobs.
 *
 *   ownership  a pool lives from start to close; jobs are borrowed pointers, handed to the worker,
 *              or to `drop` if the pool's context ends before a worker takes them
 *   errors     a job that panics counts as one that returned the panic as its error
 *   threads    submit: any; close: once, by the owner, when no submit can begin any more or with
 *              submits under way, which then fail
 * memory: a submit happens before the job runs; the end of each job before close returns.
 * source: guides "Worker Pool Pattern".
 */
#ifndef HEDDLE_WORKERPOOL_H
#define HEDDLE_WORKERPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include <heddle/api.h>
#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

struct hd_workerpool;

struct hd_workerpool_options {
    int workers;  /* >= 1 */
    size_t queue; /* jobs that may wait; 0: a submit waits for a free worker */
    bool results; /* send a struct hd_job_result for each job on the pool's channel */

    /* Do one job; *result is NULL on entry. The error is a reference to hand over. */
    hd_err (*work)(struct hd_context *ctx, void *job, void **result, void *arg);
    void (*drop)(void *job, void *arg); /* a job that no worker will take; may be NULL */
    void *arg;                          /* borrowed, handed to both */
};

struct hd_job_result {
    void *job, *result;
    hd_err err; /* a reference of the receiver's own */
};

/* Start the workers. They stop when ctx ends or at close.
 *   pool  [out] set on success only
 *   errs  hd_invalid | hd_out_of_memory | hd_out_of_threads: nothing runs */
HD_API HD_MUST_USE hd_err hd_workerpool_start(struct hd_workerpool **pool, struct hd_context *ctx,
                                              const struct hd_workerpool_options *options);

/* Queue a job; blocks while the queue is full.
 *   errs  the context's error | hd_closed: the job is still the caller's */
HD_API HD_MUST_USE hd_err hd_workerpool_submit(struct hd_workerpool *pool, void *job);

/* Results, in the order in which jobs end; closed when the last one has. NULL without
 * options.results. Somebody must receive them, or the workers wait, too. Borrowed until close
 * returns: take a reference to read on afterwards. */
HD_API struct hd_chan *hd_workerpool_results(struct hd_workerpool *pool);

/* Take no more jobs, let the queued ones be done, wait for the workers and free the pool. Without
 * results, the first error of a job, a reference to hand on; with results NULL. */
HD_API HD_MUST_USE hd_err hd_workerpool_close(struct hd_workerpool *pool);

HD_END_DECLS

#endif /* HEDDLE_WORKERPOOL_H */
