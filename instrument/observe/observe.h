/* observe.h - libheddle-watch.so: a program followed while the operating system schedules it.
 *
 * `heddle watch -- ./prog`, or by hand HEDDLE=leaks,lockorder,dump LD_PRELOAD=libheddle-watch.so.
 * Nothing is modelled and no call changes its meaning: each call that may wait notes what the
 * thread waits for, locks go through the lock-order graph, and a helper thread writes dumps and
 * looks for threads that wait in a circle.
 *
 *   threads   any, unless said otherwise; followers are never unmapped, so that a stale pointer
 * reads an old truth and never faults
 */
#ifndef HEDDLE_OBSERVE_H
#define HEDDLE_OBSERVE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <heddle/event.h>

#include "wire/finding_record.h"
#include "locks/lockgraph.h"

#define FOLLOW_FRAMES 40u
#define FOLLOW_SITE() ((uint64_t)(uintptr_t)__builtin_return_address(0))

#define FOLLOW_DEEDS 4u

struct follower {
    struct follower *next; /* all that were ever made, newest first; constant */
    struct follower *next_free;
    uint32_t number; /* T0 is main */
    _Atomic int tid; /* 0: not started yet */
    pthread_t handle;
    void *(*routine)(void *);
    void *arg;
    uint32_t creator; /* number */
    uint64_t created_site;
    atomic_bool alive, joined, detached;
    atomic_bool used; /* false: free for the next thread */
    struct hdi_lock_thread *locks;

    /* What it did last that can wake others, or waited for and got: a ring. Of its own making;
     * others read it when it stands still. */
    struct observe_deed {
        uint16_t kind;
        uintptr_t object;
        uint64_t site;
    } deed[FOLLOW_DEEDS];
    uint32_t deeds; /* in all */

    /* What it waits for: kind is written last, HD_EV_NONE while it runs. */
    _Atomic uint16_t kind;
    _Atomic uintptr_t object;
    _Atomic uint64_t site;
    _Atomic int64_t since_ns;
    atomic_bool timed; /* the wait ends by itself */

    /* Of the last dump, or look at who waits. */
    _Atomic uint32_t asked, answered;
    uint32_t in_call; /* enum hd_event: what it does in the kernel, in none of our calls */
    uint32_t frames;
    uint64_t frame[FOLLOW_FRAMES];
    int64_t looked_since; /* since_ns at the last look: the same wait if equal */
    uint64_t looked_at;
    bool told;
    atomic_bool leak_expected; /* the program said so */

    /* Of lib/: see goroutines.c. */
    unsigned long goroutine; /* number of the one that it carries; 0: none */
    uint64_t goroutine_site; /* where that was made */
    char label[32];          /* its name, or the thread's; may be empty */
    atomic_bool idle;        /* between two goroutines */
    atomic_bool serves;      /* the library's own: all goroutines' timers */
    void *debt;              /* of a leak check; NULL: none */
};

/* calls.c: what the program calls is ours, this is the C library's. */
struct observe_real {
    int (*lock)(pthread_mutex_t *), (*unlock)(pthread_mutex_t *);
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int (*join)(pthread_t, void **);
    int (*mask_signals)(int, const sigset_t *, sigset_t *);
};
extern struct observe_real observe_real;
void *observe_find(const char *name);
/* What other entries than pthreads' own come to, with the place of the program's call. */
int observe_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr, uint64_t site);
int observe_mutex_lock(pthread_mutex_t *m, uint64_t site);
int observe_mutex_trylock(pthread_mutex_t *m, uint64_t site);
int observe_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until, uint64_t site);
int observe_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, uint64_t site);
int observe_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until,
                           uint64_t site);
int observe_cond_signal(pthread_cond_t *c, bool all, uint64_t site);
int observe_once(pthread_once_t *control, void (*routine)(void), uint64_t site);

/* state.c */
extern bool observe_on; /* the program is followed */
extern bool observe_leaks, observe_orders, observe_dumps, follow_usr1;
extern bool observe_sends; /* the driver wants the lock-order graph */
extern struct hdi_lockgraph *observe_graph;
extern __thread struct follower *observe_self_
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* watched_threads.c */
bool observe_wanted(void);           /* it will be, as soon as we are started */
struct follower *observe_self(void); /* made for threads that nobody is known to have made */
struct follower *observe_first(void);
int64_t observe_now(void);
int observe_create(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *), void *arg,
                   uint64_t site);
int observe_join(pthread_t handle, void **result, uint64_t site);

/* goroutines.c */
struct hd_watch_library;
extern const struct hd_watch_library *observe_library; /* the program's lib/; NULL: none is known */

/* output.c: lines of at most 4 KB, whole ones written at once. A code address is written {c...}, a
 * datum's {o...}, for the driver to put into words; without a driver, as module and offset. */
struct observe_text {
    uint32_t used;
    char text[4096];
};
void observe_add(struct observe_text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void observe_add_code(struct observe_text *t, uint64_t pc);
void observe_add_object(struct observe_text *t, enum hd_event kind, uintptr_t object);
/* "locking mutex ...": what a thread does that waits. */
void observe_add_waits_for(struct observe_text *t, enum hd_event kind, uintptr_t object);
void observe_write(struct observe_text *t); /* and empties it */
void observe_report_start(void);
/* Does the driver want a dump? Asked by the helper alone. */
bool observe_is_asked(void);
/* What lies between stands together, and the driver knows the program's memory map of that
 * moment. */
void observe_report_in_child(void); /* of fork: the lock of a report under way is not ours */
void observe_begin(void);
void observe_end(void);
void observe_ring(const struct hdi_lock_ring *ring, void *data);
/* To the driver alone, when it wants the lock-order graph: all of it; what is lost with a lock. */
void observe_send_graph(void);
void observe_note_forgotten(void); /* in words, when orders were given up for want of room */
const char *observe_word(enum hd_finding_kind kind);
const char *observe_doing(enum hd_event kind);

/* dump.c */
void observe_helper_start(void);
void observe_signals_in_child(void); /* of fork */
void observe_finish_dumps(void);     /* those asked for so far, if they do not take too long */
void observe_look_for_circles(void);
void observe_leaks_at_exit(void);

#endif /* HEDDLE_OBSERVE_H */
