/* owner.h - one goroutine owns a state; others ask it to do things to it. No locks, no sharing.
 *
 * The C form of the guides' map owner: what the requests do, and to what, is given by functions.
 *   ownership  an owner lives from start to end; the state is borrowed and, meanwhile, belongs to
 *              the owner's goroutine alone
 *   errors     a request that panics panics in the one that asked, and the owner lives on
 *   threads    call: any; end: once, when no call can begin any more, or with calls under way, which
 *              get the error of the owner's context if they were not taken
 * memory: the calls happen one after the other; each before the next, and before end returns.
 * source: guide "one goroutine owns the map".
 */
#ifndef HEDDLE_OWNER_H
#define HEDDLE_OWNER_H

#include <heddle/api.h>
#include <heddle/context.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

struct hd_owner;

/* Start the goroutine that owns `state`; it serves until ctx ends or hd_owner_end().
 * owner: [out] set on success only.  errs  hd_out_of_memory | hd_out_of_threads */
HD_API HD_MUST_USE hd_err hd_owner_start(struct hd_owner **owner, struct hd_context *ctx,
                                         void *state);

/* Have fn(state, arg) run by the owner and wait for it. Blocks ("select").
 *   errs  the error of ctx or of the owner's context, if either ends before the request was taken:
 *         fn was not and will not be called */
HD_API HD_MUST_USE hd_err hd_owner_call(struct hd_owner *owner, struct hd_context *ctx,
                                        void (*fn)(void *state, void *arg), void *arg);

/* Stop serving, wait for the goroutine and free the owner; the state is the caller's again. */
HD_API void hd_owner_end(struct hd_owner *owner);

HD_END_DECLS

#endif /* HEDDLE_OWNER_H */
