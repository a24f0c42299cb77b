/* lock_edges.h - the lock-order graph of one schedule, as the runtime hands it to the driver: plain
 * data in shared memory, bounded; what did not fit is counted.
 */
#ifndef HEDDLE_LOCK_EDGES_H
#define HEDDLE_LOCK_EDGES_H

#include <stdint.h>

#define HDP_LOCKS 4096u
#define HDP_LOCK_EDGES 16384u
#define HDP_LOCK_GATES 4u

/* A lock; or all further ones that were made at one place, when there are too many. */
struct hdp_lock {
    uint32_t id;   /* as of struct hdp_object; 0: a class */
    uint16_t kind; /* enum hd_object */
    uint16_t pad;
    uint32_t creator; /* thread name hash */
    uint32_t count;   /* locks that it stands for */
    uint64_t addr;    /* 0: a class */
    uint64_t created_site;
    char label[32]; /* given name; may be empty */
};

/* `thread` held one lock and took another by waiting for it. */
struct hdp_lock_edge {
    uint32_t held, took; /* entries of lock[] */
    uint64_t held_site, took_site;
    uint32_t thread;                  /* name hash */
    uint8_t held_shared, took_shared; /* for reading */
    uint16_t gates;                   /* other locks held meanwhile, ... */
    uint32_t gate[HDP_LOCK_GATES];    /* ... the oldest of them: entry of lock[], + 1 */
    uint32_t count;                   /* orders of single locks that it stands for */
};

struct hdp_lock_graph {
    uint32_t locks, edges;                 /* used entries */
    uint32_t locks_dropped, edges_dropped; /* did not fit; at most UINT32_MAX */
    uint64_t forgotten; /* orders or searches given up: something may not have been predicted */
    uint32_t valid;     /* the schedule got to its end: this is all of it */
    struct hdp_lock lock[HDP_LOCKS];
    struct hdp_lock_edge edge[HDP_LOCK_EDGES];
};

#endif /* HEDDLE_LOCK_EDGES_H */
