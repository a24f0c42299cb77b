/* suite.h - what the scenarios of a suite share: registration, parameters, memory, goroutines.
 *
 * A suite is a program; `suite NAME` runs one scenario in its own process, natively or under
 * Heddle, and `suite --list` prints the table that `heddle stress` and the documentation are made
 * of. A scenario's parameters are drawn by draw(): under Heddle each value is a choice that is
 * recorded with the schedule and replayed with it. Its oracle are assertions.
 *
 *   threads  draw() and all_gone(): the scenario's own thread; the rest: any
 */
#ifndef HEDDLE_STRESS_SUITE_H
#define HEDDLE_STRESS_SUITE_H

#undef NDEBUG
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/errors.h>
#include <heddle/go.h>
#include <heddle/time.h>

enum suite_flags {
    LIBRARY = 1 << 0,  /* touches nothing but the library's state and its own memory */
    EXTERNAL = 1 << 1, /* sockets, signals or files of the real world */
    PTHREAD = 1 << 2,  /* plain pthreads: knows nothing of lib/ */
    SPURIOUS = 1 << 3, /* shows only when condition variables wake up for no reason */
};

/* One line of a scenarios.inc: SCENARIO(name, family, flags, expect, covers, why)
 *   expect  "clean", or the kinds of findings, of which one at least must appear and no other may
 *   covers  patterns: blocks of the guides ("000:1 001:6"); bugs: the class of the bug
 *   why     one sentence */
struct scenario {
    const char *name, *family;
    unsigned flags;
    const char *expect, *covers, *why;
    void (*run)(void);
};

/* main() of a suite. */
int suite_main(int argc, char **argv, const struct scenario *scenarios, size_t count);

/* The assertions are the oracles in every build type. With --bare none fails: what is found then is
 * what the tool sees by itself. */
#undef assert
#define assert(what) ((what) ? (void)0 : suite_failed(#what, __FILE__, __LINE__, __func__))
void suite_failed(const char *what, const char *file, unsigned line, const char *function);

/* Before a scenario: the seam is looked for, kept memory is new. After one, where another follows
 * in the same process: references are given up. A process that ends does not: nothing orders that
 * after what a goroutine did last. */
void suite_begin(void);
void suite_end(void);

/* In programs that can (inside.c): explore in process; the exit code. */
int suite_explore(const struct scenario *scenario, uint32_t schedules, uint64_t seed)
    __attribute__((weak));

/* A number in [low, high], drawn anew in each schedule. */
int draw(int low, int high);

/* This long under Heddle, where waiting costs nothing; a two-hundredth of it natively. */
int64_t span(int64_t ns);

/* Zeroed memory that lives until the run ends, as garbage-collected memory would; and references
 * that live as long. */
void *keep(size_t bytes);
struct hd_chan *keep_chan(struct hd_chan *chan);
struct hd_context *keep_context(struct hd_context *ctx);
#define KEEP(type) ((type *)keep(sizeof(type)))
#define CHAN(type, capacity) keep_chan(hd_chan_make_named(#type, sizeof(type), capacity))
#define SIGNAL(capacity) keep_chan(hd_chan_make_named("signal", 0, capacity))

/* go fn(arg); the goroutine bears the function's name in reports. */
#define GO(fn, arg) started(hd_go_named(#fn, fn, arg))
void started(hd_err err);

/* Wait until no goroutine runs any more: at most a minute of virtual time, then fail. */
void all_gone(void);

/* How many are at work, and how many were at once at most. Counted behind the detectors' backs: it
 * orders nothing. */
struct gauge {
    int now, most;
};
void gauge_enter(struct gauge *g);
void gauge_leave(struct gauge *g);

/* Done items 0 .. 63; panics at the second time. Behind the detectors' backs, too. */
struct tally {
    uint64_t seen;
};
void tally(struct tally *t, int item);
int tally_count(const struct tally *t);

#endif /* HEDDLE_STRESS_SUITE_H */
