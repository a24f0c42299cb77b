/* errgroup.h - goroutines that work on parts of one task: the first error ends it. x/sync/errgroup.
 *
 * The zero value is a group without a context and without a limit.
 *   ownership  embed it, or keep it on the stack of the one that waits; each group must be waited
 *              for. A limit and the first error stay until hd_errgroup_destroy(): one that has
 *              neither need not be destroyed.
 *   errors     a task that panics counts as one that returned the panic as its error; so does one
 *              that cannot be started
 *   threads    go and try_go: any; with_context, set_limit and wait: the owner
 * memory: a go happens before its task starts; the end of each task before wait returns.
 * source: Go package golang.org/x/sync/errgroup.
 * departs: a panic becomes an error (Go ends the program); the context of a group ends with its
 *          first wait.
 */
#ifndef HEDDLE_ERRGROUP_H
#define HEDDLE_ERRGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include <heddle/api.h>
#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/errors.h>
#include <heddle/mutex.h>
#include <heddle/waitgroup.h>

HD_BEGIN_DECLS

struct hd_errgroup {
    struct hd_wg wg; /* private, as the rest */
    struct hd_mutex lock;
    hd_err err; /* guarded by lock: the first */
    struct hd_context *ctx;
    struct hd_chan *slots; /* a value for each task that runs; NULL without a limit */
};

#define HD_ERRGROUP_INIT                                                                           \
    {                                                                                              \
        .wg = HD_WG_INIT                                                                           \
    }

/* A context for the tasks: cancelled, with the error as its cause, when the first task fails, and
 * when wait returns. Borrowed; it lives until wait returns. group: zero.  Go: WithContext */
HD_API struct hd_context *hd_errgroup_with_context(struct hd_errgroup *group,
                                                   struct hd_context *parent);

/* At most `most` tasks at once; 0 starts none, negative lifts the limit. Panics while tasks run
 * ("errgroup: modify limit while N goroutines in the group are still active").  Go: SetLimit */
HD_API void hd_errgroup_set_limit(struct hd_errgroup *group, int most);

/* Run task(arg) in a goroutine; the error that it returns is handed over. Blocks while the limit is
 * reached ("chan send").  Go: Go */
HD_API void hd_errgroup_go(struct hd_errgroup *group, hd_err (*task)(void *arg), void *arg);

/* The same with a copy of the `bytes` at args, which lives as long as it runs. */
HD_API void hd_errgroup_go_copy(struct hd_errgroup *group, hd_err (*task)(void *args),
                                const void *args, size_t bytes);

/* The same if the limit allows it now; whether it does.  Go: TryGo */
HD_API HD_MUST_USE bool hd_errgroup_try_go(struct hd_errgroup *group, hd_err (*task)(void *arg),
                                           void *arg);

/* Wait for all tasks; the first error there ever was, a reference to hand on, or NULL. More tasks
 * may be started after it, under the same limit. Blocks ("waitgroup wait").  Go: Wait */
HD_API HD_MUST_USE hd_err hd_errgroup_wait(struct hd_errgroup *group);

/* After a wait: give up the limit and the error. The group is zero again. */
HD_API void hd_errgroup_destroy(struct hd_errgroup *group);

HD_END_DECLS

#endif /* HEDDLE_ERRGROUP_H */
