/* happened.h - a thing that happened, said once by the model of the call that did it:
 *
 *     hdi_tell(ACQUIRED, .object = &x->object, .event = HD_EV_MUTEX_LOCK, .site = site);
 *
 * Who is told of what stands in one table: observers.h for a program under control,
 * observe/watch_observers.h for one under heddle watch. Waits are told by the latter alone: under
 * control the scheduler knows of them.
 *
 *   threads   the one that has the turn; BYTES_LEFT, and all under heddle watch: any
 */
#ifndef HEDDLE_HAPPENED_H
#define HEDDLE_HAPPENED_H

#include <pthread.h>
#include <stdint.h>

#include <heddle/event.h>

enum hdi_what {
    /* An object */
    HDI_MADE,      /* it begins, perhaps anew: what was known of it, or at its address, is over */
    HDI_DESTROYED, /* it is gone */
    HDI_USED,      /* the caller begins an operation on it */
    HDI_UNITS,     /* a semaphore has n units, a channel room for n; n < 0: anybody may give some */
    HDI_OWED,      /* its holder must still end it (n: 1), or need not any more (0) */

    /* A lock */
    HDI_ACQUIRED, /* the caller took it */
    HDI_LEVEL,    /* `thread` took a recursive one n times more, or gave -n levels back */
    HDI_RELEASED, /* the caller gave back what `thread` had taken */
    HDI_LOST,     /* `thread` does not hold it any more, and nobody gave it back */
    HDI_MISSED,   /* the caller looked at the state of `clock` and does not have it: a failed try */

    /* An operation on what others may wait for */
    HDI_BEGINS, /* the caller is about to do one */
    HDI_DONE,   /* it has happened: n units or values went in or out, or a signal, or a wait ended;
                   HDI_COULD_WAIT */

    /* Order: what the caller did before SENT comes before what others do after RECEIVED, for each
     * clock. HDI_STANDS_IN, HDI_OF_LIB, HDI_OF_LOCK */
    HDI_SENT,
    HDI_RECEIVED,
    HDI_HANDED, /* the same, finer: from the one who woke to the one who was woken */
    HDI_TAKEN,
    HDI_IN_TURN, /* what the caller did to `clock` depends on who did something to it before */

    HDI_BYTES_LEFT, /* n bytes at `clock` leave the process, or are kept for it by the kernel */

    /* A thread */
    HDI_THREAD_MADE,   /* `thread`, by the caller, with `attr`; it has not begun */
    HDI_THREAD_FAILED, /* ... and never will */
    HDI_THREAD_BEGINS, /* the caller, with its first turn */
    HDI_THREAD_ENDS,   /* the caller, with its last one */
    HDI_THREAD_JOINED, /* the caller waited for the end of `thread` */
    HDI_WAITS,         /* `thread`, the caller, is about to wait; HDI_COULD_WAIT: for ever */
    HDI_WOKE,          /* ... and does so no more */

    /* The program */
    HDI_STARTS, /* `thread` is about to make the first thread; mode: enum hdp_flags */
    HDI_ENDS,   /* what goes on after is not looked at */
    HDI_FORKED, /* the caller is in a child of the program */
};

enum hdi_mode {
    HDI_SHARED = 1,       /* of a lock: for reading */
    HDI_TRIED = 2,        /* of a lock: by one that would have given up */
    HDI_WRITER_FIRST = 4, /* of a lock: readers wait behind a waiting writer */
    HDI_COULD_WAIT = 8,   /* the operation would have waited for ever if it had to */
    HDI_STANDS_IN = 16,   /* of order: the model stood in for the call that makes it */
    HDI_OF_LIB = 32,      /* of order: by a primitive of lib/ */
    HDI_OF_LOCK = 64,     /* of order: another schedule may have it the other way round */
};

struct hdi_happened {
    enum hd_event event; /* the operation, as reports call it */
    uint32_t mode;       /* enum hdi_mode */
    union {
        struct hdi_object *object; /* under control */
        const void *address;       /* under heddle watch, which knows no more of it than */
    };
    enum hd_object kind; /* ... this, of locks */
    union {
        struct hdi_thread *thread; /* when it is not always the caller */
        struct follower *follower; /* under heddle watch: always */
    };
    const void *clock; /* an address that orders are made by */
    uint64_t site;
    int64_t n;
    const pthread_attr_t *attr;
};

/* The places of a set of enum hdi_what, for the tables. */
#define HDI_OF(what) (1u << HDI_##what)

#endif /* HEDDLE_HAPPENED_H */
