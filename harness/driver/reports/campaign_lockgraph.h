/* campaign_lockgraph.h - the lock-order graph of a whole campaign: those of its schedules, merged.
 *
 * A node is a lock, known by its id from schedule to schedule; past LOCKGRAPH_LOCKS of them, and
 * where the runtime had no room, a class: all locks made at one place. An edge says that somebody
 * held one and took another by waiting for it, at these two places.
 *
 *   ownership  strings are copied in, stacks are the graph's
 *   errors     memory is the only one, and ends the program with a sentence
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_CAMPAIGN_LOCKGRAPH_H
#define HEDDLE_DRIVER_CAMPAIGN_LOCKGRAPH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "findings/collect.h"
#include "findings/finding.h"

#define LOCKGRAPH_LOCKS 65536u
#define LOCKGRAPH_EDGES 262144u
#define LOCKGRAPH_NONE UINT32_MAX

struct lock_place; /* opaque */

struct lock_node {
    uint64_t key;        /* of the hash table */
    uint32_t id;         /* of the object; 0: a class, or a program that was followed */
    enum hd_object kind; /* HD_OB_NONE: not known */
    bool is_class;
    char *home; /* "table.lock", "made at pool.c:12"; NULL = no better than its number */
    const struct lock_place *created; /* where it was made; NULL = unknown */
    uint64_t count;                   /* locks that it stands for, at most in one schedule */
    char *name;                       /* "mutex M1 (table.lock)" */
};

struct lock_arc {
    uint32_t held, took; /* nodes */
    bool held_shared, took_shared;
    const struct lock_place *held_at, *took_at; /* NULL = unknown */
    uint32_t *gate; /* nodes that were held each time that it was seen */
    size_t gates;
    char **thread; /* names of the threads that did it, THREADS_NAMED at most */
    size_t threads;
    uint64_t count;     /* orders of single locks, over all schedules */
    uint64_t schedules; /* that showed it */
    uint64_t last;      /* number of the last one */
    uint64_t *symptom;  /* keys of predicted deadlocks that it is part of */
    size_t symptoms;
    const char **finding; /* their names, once they are known; borrowed */
    size_t findings;
    bool predicted;
};

struct lockgraph {
    struct lock_node *node;
    size_t nodes;
    struct lock_arc *arc;
    size_t arcs;
    struct lock_node_entry *by_key;
    struct lock_arc_entry *by_ends;
    struct lock_place *places;
    uint64_t schedules, without; /* merged; ended without leaving a graph */
    uint64_t locks_dropped, arcs_dropped, forgotten;
};

struct lockgraph *lockgraph_new(void);
void lockgraph_free(struct lockgraph *g);

/* The node of a lock (or class: id and addr 0); *is_new: its home is the caller's to set.
 * LOCKGRAPH_NONE: no room. `created` may be NULL. */
uint32_t lockgraph_node(struct lockgraph *g, const struct hdp_lock *lock,
                        const struct lock_place *created, bool *is_new);
/* The place of a return address; NULL for 0 and for places without a word. */
const struct lock_place *lockgraph_place(struct lockgraph *g, struct symbols *symbols,
                                         uint64_t site);
const struct stack *lockgraph_stack(const struct lock_place *p);
/* The edge with the ends, modes and places of `like`; gates, threads, counts and schedule are
 * merged in (one `thread`, one `schedule`; no `gate`: they are not known). NULL: no room. Valid
 * until the next call. */
struct lock_arc *lockgraph_arc(struct lockgraph *g, const struct lock_arc *like, const char *thread,
                               uint64_t schedule);

/* The schedule that has ended in scene->region is number `schedule`. */
void lockgraph_take(struct lockgraph *g, const struct scene *scene, uint64_t schedule);
/* Its finding `raw`, known by `symptom`, predicts a deadlock: mark the edges. */
void lockgraph_predicted(struct lockgraph *g, const struct scene *scene,
                         const struct hdp_finding *raw, uint64_t symptom);

/* "es" of "mutexes", "s" of "rwlocks". */
const char *lockgraph_plural(const char *word);
/* Give every node the name that reports use, and put nodes and edges in an order that does not
 * depend on when they were seen. Before writing; adds nothing after. */
void lockgraph_finish(struct lockgraph *g, struct names *objects);

/* ---- campaign_lockgraph_write.c ---- */

struct lockgraph_about {
    const char *source;  /* "run", "watch" */
    const char *program; /* path */
    char *const *argv;
};
/* Does the name end in .dot or .json, and is there a folder for it? NULL, or a sentence (free()
 * it). */
char *lockgraph_check(const char *path);
/* Write it, whole or not at all. NULL, or a sentence (free() it). */
char *lockgraph_save(const struct lockgraph *g, const struct lockgraph_about *about,
                     const char *path);

#endif /* HEDDLE_DRIVER_CAMPAIGN_LOCKGRAPH_H */
