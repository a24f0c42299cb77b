/* watch.h - what lib/ and a library that follows the program (libheddle-watch.so) tell each other
 * while the operating system schedules. Not for programs.
 *
 * Natively lib/ waits on futexes of its own, which nobody sees who stands in front of pthreads. So
 * lib/ looks once, at its start, for HD_WATCH_SYMBOL, and then says which thread carries which
 * goroutine and what it waits for; and it is told of the program's plain threads, for its leak
 * checks.
 *
 *   threads  any; every function is called by the thread that it is about unless said otherwise
 *   blocks   never
 */
#ifndef HEDDLE_WATCH_LIBRARY_H
#define HEDDLE_WATCH_LIBRARY_H

#include <stdint.h>

#include <heddle/api.h>
#include <heddle/event.h>

#define HD_WATCH_VERSION 1
/* const struct hd_watch *heddle_watch_table(uint32_t version) */
#define HD_WATCH_SYMBOL "heddle_watch_table"

/* What a thread does now. */
struct hd_watch_state {
    int ended;
    enum hd_event event; /* HD_EV_NONE: it runs */
    const void *site;
    int64_t since_ns; /* on the monotonic clock */
};

/* From lib/ to the follower: threads as debts of a leak check. */
struct hd_watch_library {
    uint32_t size;

    /* The caller is about to make `thread` at site: a handle, or NULL if it works for no check. */
    void *(*made)(const void *thread, uint32_t number, const void *site);

    /* The thread of that handle begins; and nobody need end it any more (it was joined, or was
     * detached and has ended, or was never made): the handle is gone. Any thread calls this one. */
    void (*begins)(void *handle);
    void (*settled)(void *handle);
};

/* From the follower to lib/. */
struct hd_watch {
    uint32_t version, size;

    void (*attach)(const struct hd_watch_library *library);

    /* The calling thread carries a goroutine from now on, made at `made`; name is copied, may be
     * ""; number 0: it is the library's own and serves all. Or it is idle again. */
    void (*goroutine_begins)(const char *name, unsigned long number, const void *made);
    void (*goroutine_ends)(void);

    /* It waits, and goes on. timed: it ends by itself. */
    void (*waits)(enum hd_event kind, const void *object, const void *site, int timed);
    void (*goes_on)(void);

    /* What a thread does that made() was told of and settled() was not. Any thread. */
    struct hd_watch_state (*state)(const void *thread);
};

#endif /* HEDDLE_WATCH_LIBRARY_H */
