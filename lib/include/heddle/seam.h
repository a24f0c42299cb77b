/* seam.h - the one seam through which anything in lib/ may wait.
 *
 * Natively there is no table and lib/ parks on futexes. Under Heddle the runtime that is loaded
 * into the program offers this table; lib/ finds it once, at first use, with dlsym(RTLD_DEFAULT,
 * HD_SEAM_SYMBOL) (dlsym referenced weakly, so that static programs link) and then routes every
 * wait through it.
 *
 * While the table is in force exactly one thread runs at a time, and another thread can come in
 * only inside point(), block(), external_enter()/leave() or a modelled pthread call. Code between
 * two such calls is atomic. One operation of lib/ is ONE point: call point() first, then do the
 * whole operation; call block() only when it must wait.
 *
 *   threads  every function: the running thread only
 *   site     return address into the user's code: where a report will say it happened
 *   object   the address that users know the object by; its identity in reports
 */
#ifndef HEDDLE_SEAM_H
#define HEDDLE_SEAM_H

#include <stddef.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/event.h>

#define HD_SEAM_VERSION 1
/* const struct hd_seam *heddle_rt_seam(uint32_t version) */
#define HD_SEAM_SYMBOL "heddle_rt_seam"

#define HD_SEAM_FOREVER INT64_MAX

enum hd_seam_wake { HD_SEAM_WOKEN, HD_SEAM_TIMED_OUT };

/* One of the things that a wait may end by. */
struct hd_seam_case {
    const void *object;
    enum hd_event kind;
};

#define HD_SEAM_UNITS_OPEN (-1) /* not goroutines alone give them: a timer, a context */

/* A leak check, and what is left at its end. */
struct hd_seam_check {
    const char *name, *file; /* live as long as the program */
    int line;
};

struct hd_seam_left {
    enum hd_object kind; /* HD_OB_THREAD: a goroutine or thread */
    const char *name;    /* "" none */
    int goroutine;       /* not a plain thread */
    int ended;           /* a thread that has ended, and was neither joined nor detached */
    enum hd_event event; /* what a thread waits for; HD_EV_NONE: it runs */
    const char *object;  /* the name of what it waits for, "" none */
    const void *site;    /* where it waits, or NULL */
    const void *made;    /* where it was made */
    int64_t since_ns;    /* for how long it has waited; -1 unknown */
};

struct hd_seam {
    uint32_t version; /* HD_SEAM_VERSION */
    uint32_t size;    /* bytes of this table that the runtime fills */

    /* A visible operation is about to happen: the scheduler may run other threads first. */
    void (*point)(enum hd_event kind, const void *object, const void *site);

    /* Wait until wake(self) or until virtual time `until_ns`. A wake() that came since the last
     * block() returned makes it return at once (one token, as futex-based parkers have). The caller
     * re-checks its condition. */
    enum hd_seam_wake (*block)(enum hd_event kind, const void *object, const void *site,
                               int64_t until_ns);

    /* Let `thread` (from its own self()) return from block(). Not a point. */
    void (*wake)(void *thread);

    /* The calling thread's handle: stable until the thread ends. */
    void *(*self)(void);

    /* A uniform choice in [0, n) that is explored, recorded and replayed. n >= 1. */
    uint32_t (*choose)(uint32_t n, const void *site);

    /* Virtual monotonic clock, ns: the same value as clock_gettime(CLOCK_MONOTONIC). */
    int64_t (*now)(void);

    /* Start a detached, controlled thread. stack_bytes 0 = default. `shown`: the user's function
     * that it runs, as reports call it. `name` may be NULL, is copied. 0 or an errno value. One
     * point. */
    int (*spawn)(void *(*start)(void *), void *arg, size_t stack_bytes, const void *shown,
                 const char *name, const void *site);

    /* The caller leaves control for a system call that may block, and comes back. */
    void (*external_enter)(const void *site);
    void (*external_leave)(void);

    /* An object exists from born to gone; name may be NULL (copied). For reports, leak checks
     * and stable identities. Objects that are never announced are known at first use. */
    void (*born)(enum hd_object kind, const void *object, const char *name, const void *site);
    void (*gone)(const void *object, const void *site);

    /* Lock-like ownership, for waits-for cycles and the lock-order graph. */
    void (*acquired)(const void *object, int shared, const void *site);
    void (*released)(const void *object, const void *site);

    /* Happens-before edges as Go's memory model states them: release before acquire, per
     * address. */
    void (*release)(const void *clock);
    void (*acquire)(const void *clock);

    /* A misuse that is about to panic ("send on closed channel"): becomes a finding if the panic is
     * not recovered, which is told with ""; `object` may be NULL. */
    void (*panic)(const char *message, const void *object, const void *site);

    /* `word` is a thread-local variable of the calling thread that belongs to a goroutine. When the
     * runtime runs many goroutines on one thread it keeps a value of it for each. */
    void (*local)(void **word);

    /* The fields below may be missing (`size`) or NULL. */

    /* Told after born(): how many units a semaphore has, or the buffer of a channel. */
    void (*units)(const void *object, int64_t units);

    /* The caller's operation has happened, its latest point() being about it: a value went in or
     * came out (units 1; at a closed channel, and for a close, 0), units were taken (> 0) or given
     * back (< 0), a group's counter changed by so much, a wait for it or for a signal was over, a
     * signal was given (1). could_wait: it would have waited for ever if it had to. Not a point. */
    void (*moved)(enum hd_event kind, const void *object, int64_t units, int could_wait,
                  const void *site);

    /* The caller's next block() ends by any of these; they are copied. */
    void (*cases)(const struct hd_seam_case *cases, uint32_t count);

    /* `object`, which was born, must still be cancelled, stopped or closed by whoever has it (1),
     * or need not be any more (0). */
    void (*owes)(const void *object, int owes);

    /* Leak checks (heddle/leak.h). The calling thread works for `check` from now on, and so do the
     * threads that it makes; NULL: for none. Returns which one it was. */
    void *(*check_swap)(void *check);

    /* A new check, for which the calling thread works; `name` is copied, `file` lives as long as
     * the program. And its end: when no other thread can get any further, tell() is called for all
     * that is left. *check is set to which one it was; false if the calling thread began none. */
    void (*check_begin)(const char *name, const char *file, int line, const void *site);
    int (*check_end)(struct hd_seam_check *check,
                     void (*tell)(const struct hd_seam_left *left, void *arg), void *arg,
                     const void *site);

    /* What lies in [memory, memory + bytes) keeps nothing alive: that list knows waiters by their
     * address, and nobody finds an object by it. */
    void (*weak)(const void *memory, size_t bytes);

    /* Within an operation, where another thread could come in natively: a point if the library
     * itself is explored, else nothing. Whether it is. */
    int (*inner)(const void *object, const void *site);

    /* Is another thread at its point() before such an operation on the object? Nothing orders that
     * with what the caller does now. */
    int (*about_to)(enum hd_event kind, const void *object);
};

/* Route every wait through `seam` from now on; NULL: natively again. Only while no goroutine
 * exists: the in-process explorer calls it (heddle/test.h).   threads: the only one of the process
 */
HD_BEGIN_DECLS
HD_API void hd_seam_attach(const struct hd_seam *seam);
HD_END_DECLS

#endif /* HEDDLE_SEAM_H */
