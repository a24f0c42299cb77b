/* view.h - a snapshot understood: where each thread is, and what it waits for.
 *
 *   ownership  the view owns what it points to but the snapshot, which must outlive it
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_VIEW_H
#define HEDDLE_DRIVER_VIEW_H

#include <heddle/event.h>

#include "snapshot.h"
#include "symbols/symbol.h"

#define VIEW_PLACES 100u
#define NOBODY SIZE_MAX

/* One of the things that a select waits for. */
struct wait_case {
    enum hd_event kind;
    char *name; /* of the channel */
};

/* What a thread waits for, as far as can be told. */
struct wait {
    enum hd_event kind; /* HD_EV_NONE: it runs; EXTERNAL: in a system call that `text` names */
    uint64_t object;    /* address that users know it by; 0 = none */
    uint64_t with;      /* the mutex that goes with a condition variable; 0 = unknown */
    size_t from;        /* index of the first place that is the user's */
    size_t holder;      /* index of the thread that must go on first; NOBODY = none, or not known */
    pid_t gone;         /* the holder's number, when no thread has it; 0 = not so */
    bool ends;          /* by time, or by what is outside the process */
    bool woken;         /* already, and is about to go on */
    bool idle;          /* does nothing unless another thread gives it something to do */
    char *name;         /* of the object: "mutex cache.lock"; NULL = none */
    char *text;         /* instead of what its kind says; NULL = none */
    char *detail;       /* what else is known, or NULL */
    struct wait_case *one;
    size_t cases;
};

/* Threads at the same places share a stack. */
struct shape {
    struct symbols_place place[VIEW_PLACES];
    size_t places;
    struct stack stack; /* in words */
};

struct viewed {
    const struct seen_thread *seen;
    char *label; /* "T3 (worker)" */
    size_t shape;
    struct symbols_place *place; /* its own: stack pointers differ */
    size_t places;
    struct wait wait;
};

struct pc_name;
struct object_name;

struct view {
    struct snapshot *s;
    struct symbols *symbols;
    struct viewed *thread; /* in the order of the snapshot */
    size_t threads;
    struct shape *shape;
    size_t shapes;
    struct pc_name *names;
    struct object_name *objects;
};

/* The stacks alone; what threads wait for waits_find() tells, then view_name() how they are called
 * and what of their stacks is shown. */
struct view *view_new(struct snapshot *s);
void view_name(struct view *v);
void view_free(struct view *v);

/* The function of a place, or NULL; borrowed. */
const char *view_function(struct view *v, const struct symbols_place *p);
/* Is it in libc, or on the way from there into the kernel? */
bool view_is_libc(struct view *v, const struct symbols_place *p);

/* What the frames of t say about its object: what it is called then, whoever waits for it. */
void view_learn(struct view *v, const struct viewed *t, uint64_t object);
/* "mutex cache.lock", "mutex 0x55c0 (account.lock)"; free() it. */
char *view_object(struct view *v, enum hd_event kind, uint64_t addr);
/* Who has this number, among those of the process itself; NOBODY. */
size_t view_by_tid(const struct view *v, uint32_t inner_tid);

#endif /* HEDDLE_DRIVER_VIEW_H */
