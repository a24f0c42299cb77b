/* panic.h - what happens when a rule is broken: Go's panic, recover and defer.
 *
 * A panic runs what the goroutine has deferred, last first, and ends at the nearest boundary, where
 * it becomes an error value. Without a boundary it prints panic: MESSAGE goroutine NAME:  and its
 * stack on standard error and aborts the program. Deferred functions (scope.h) do run; a plain
 * __attribute__((cleanup)) of the program's own does not, as with longjmp.
 *   threads  each call concerns the calling goroutine alone
 * source: Go specification, "Handling panics"; package runtime, Goexit.
 */
#ifndef HEDDLE_PANIC_H
#define HEDDLE_PANIC_H

#include <stdbool.h>

#include <heddle/api.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

/* Panic with a message (printf's format).  Go: panic(fmt.Sprintf(...)) */
HD_API _Noreturn void hd_panic(const char *format, ...) HD_PRINTF(1, 2);

/* Panic with an error that one holds; the reference is taken over.  Go: panic(err) */
HD_API _Noreturn void hd_panic_err(hd_err err);

/* Panic with it unless it is NULL.  Go: if err != nil { panic(err) } */
HD_API void hd_must(hd_err err);

/* Run fn(arg) inside a boundary. NULL if it returned; if it panicked, the error: its code is
 * HD_ERR_PANIC for hd_panic(), or it is the very error given to hd_panic_err(). A goexit passes
 * through.  Go: func() { defer func() { recover() }(); fn(arg) }() */
HD_API HD_MUST_USE hd_err hd_recover(void (*fn)(void *arg), void *arg);

/* A function to run when its scope is left; scope.h makes these. On the stack of the caller, which
 * pops what it pushed, last first. */
struct hd_deferred {
    struct hd_deferred *below;
    void (*fn)(void *arg);
    void *arg;
};

HD_API void hdi_defer_push(struct hd_deferred *deferred);
HD_API void hdi_defer_pop(struct hd_deferred *deferred); /* takes it out and runs it */

HD_END_DECLS

#endif /* HEDDLE_PANIC_H */
