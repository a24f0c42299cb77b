/* go.h - goroutines.
 *
 * A goroutine is a function that runs at the same time as others. Natively each is carried by a
 * thread from a cache, or, with HEDDLE_LIB=fibres in the environment (x86-64), all by a thread a
 * processor: then many more can be alive, at the price that one may go on in another thread after
 * any operation that can block, so that thread-local variables, and mutexes that know their owner,
 * are not its own. errno is, in a function that did not look at it
 * before. Of these at most 10,000 can sit in system calls at once. Under Heddle each is a thread that the scheduler controls. Nothing is returned
 * that must be joined: wait for goroutines with a WaitGroup, an errgroup or a channel. When main
 * returns, the program ends without waiting for them, as in Go.
 * Natively a program whose threads all wait in this library, with no timer pending and no handler of a
 * signal that could come, ends with code 2 after some seconds: "fatal error: all goroutines are asleep -
 * deadlock!"; where /proc does not show that it is so, it sleeps on. Under Heddle that is a finding.
 *   errors   hd_out_of_threads, hd_out_of_memory: nothing was started
 *   threads  any; the calling thread need not be a goroutine itself
 * memory: the go call happens before the goroutine's first step.
 * source: Go specification, "Go statements"; package runtime.
 */
#ifndef HEDDLE_GO_H
#define HEDDLE_GO_H

#include <stddef.h>

#include <heddle/api.h>
#include <heddle/errors.h>
#include <heddle/panic.h>

HD_BEGIN_DECLS

/* Run fn(arg) in a new goroutine. arg is borrowed by it: what it points to must live as long as it
 * is used there.  Go: go fn(arg) */
HD_API HD_MUST_USE hd_err hd_go(void (*fn)(void *arg), void *arg);

/* The same with a name for reports (copied, at most 31 bytes are kept; may be NULL). */
HD_API HD_MUST_USE hd_err hd_go_named(const char *name, void (*fn)(void *arg), void *arg);

/* The same in a thread of its own, whatever carries the others. */
HD_API HD_MUST_USE hd_err hd_go_pinned(void (*fn)(void *arg), void *arg);

/* Call fn(arg), which may block outside of this library or compute for long: meanwhile another
 * thread runs the goroutines that shared one with the caller. */
HD_API void hd_blocking(void (*fn)(void *arg), void *arg);

/* The same with a copy of the `bytes` at args, which lives as long as it runs: nothing is shared with
 * the caller, who may go on using args.  Go: go fn(args...) */
HD_API HD_MUST_USE hd_err hd_go_copy(void (*fn)(void *args), const void *args, size_t bytes);

/* The same for any function of one pointer, with its name in reports; panics if nothing could be
 * started.  Go: go fn(arg); go close(ch) is HD_GO(hd_chan_close, ch) */
#define HD_GO(fn, arg) hd_must(hd_go_named(#fn, HDI_FN(fn, arg), arg))

/* Bytes of stack, a guard page aside, of goroutines started from now on: at least 32 KiB, rounded
 * up to pages; 0 for the default of 256 KiB. One that needs more ends the program, which says so
 * ("stack overflow").  errs  hd_invalid: absurd, nothing changed. */
HD_API HD_MUST_USE hd_err hd_go_set_stack(size_t bytes);

/* The calling goroutine's number, from 1 in order of creation; 0 in a thread that is none. */
HD_API unsigned long hd_go_self(void);

/* Its name, or "g" and its number, or "main" in a thread that is none; valid as long as it runs. */
HD_API const char *hd_go_name(void);

/* Goroutines that were started and have not ended.  Go: runtime.NumGoroutine, main not counted */
HD_API size_t hd_go_count(void);

/* Let others run.  Go: runtime.Gosched */
HD_API void hd_go_yield(void);

/* Run what is deferred and end the calling goroutine; in a thread that is none it panics.
 * Go: runtime.Goexit */
HD_API _Noreturn void hd_goexit(void);

HD_END_DECLS

#endif /* HEDDLE_GO_H */
