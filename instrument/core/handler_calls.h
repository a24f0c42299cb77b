/* handler_calls.h - what a signal handler calls.
 *
 * POSIX (System Interfaces, 2.4.3) leaves open what happens when a handler that came into a function which is not
 * async-signal-safe calls another such one. Both are known of calls that have a model, of the allocator, of streams
 * and of exit(). A handler that comes into anything else may call what it likes.
 *   threads  the one that has the turn
 */
#ifndef HEDDLE_HANDLER_CALLS_H
#define HEDDLE_HANDLER_CALLS_H

#include "thread.h"

/* The program has had a handler: what of the C library it calls is looked at, and a handler may come into it. */
extern bool hdi_handlers;
void hdi_handlers_exist(void);

/* A handler of signal `number` begins in the calling thread, and ends; `sent`: by a call of its own that sends it,
 * or lets it through. It came into `into` otherwise (NULL: not known). What begins returns is for the end. */
struct hdi_interrupted hdi_handler_begins(int number, const struct hdi_op *into);
void hdi_handler_ends(const struct hdi_interrupted *before);

/* In a handler that came into what is not async-signal-safe. */
static inline bool hdi_in_doubtful_handler(const struct hdi_thread *self)
{
    return __builtin_expect(self->signals.interrupted.function != NULL, 0);
}
/* It is about to do this. */
void hdi_handler_does(struct hdi_thread *self, const struct hdi_op *op);

/* The program calls a function of the C library that is not async-signal-safe; `ends`: which does not come back. */
void hdi_library_called(const char *function, bool ends, uint64_t site);
static inline void hdi_library_call(const char *function, uint64_t site)
{
    if (__builtin_expect(hdi_handlers, 0))
        hdi_library_called(function, false, site);
}

#endif /* HEDDLE_HANDLER_CALLS_H */
