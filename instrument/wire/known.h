/* known.h - what a schedule of another build names, as the driver found it in this one.
 *
 * A replay of it (HDP_EDITED) gives threads and objects the names and ids that the schedule knows
 * them by, and its entries are events: a thread is run on until it has done one so many times.
 * Entry i of `replay` has in `site` the event, in `choice` how many times. Plain data; the runtime
 * writes to what it counts.
 */
#ifndef HEDDLE_KNOWN_H
#define HEDDLE_KNOWN_H

#include <stdint.h>

#define HDP_KNOWN_RANGES 8192u
#define HDP_KNOWN_PLACES 2048u
#define HDP_KNOWN_THREADS 1024u
#define HDP_KNOWN_OBJECTS 2048u
#define HDP_KNOWN_EVENTS 8192u
#define HDP_ANYWHERE UINT32_MAX

/* Return addresses above low, up to high. */
struct hdp_known_range {
    uint64_t low, high;
};

/* A line of the recorded program: where its code is now. */
struct hdp_known_place {
    uint32_t first, count; /* in range[] */
};

struct hdp_known_thread {
    uint32_t hash, creator; /* of names */
    uint32_t child;         /* the last number of its name */
    uint64_t start;         /* its function; 0: there is none of that name any more */
    uint32_t rank; /* so many of its creator's had begun there when it did, itself included */
    uint32_t seen; /* of these in this run */
};

struct hdp_known_object {
    uint32_t id;
    uint32_t kind;    /* enum hd_object by which it is found */
    uint64_t addr;    /* of a static one, else 0: */
    uint32_t creator; /* name hash of the thread that made it, */
    uint32_t place;   /* where, or HDP_ANYWHERE, */
    uint32_t rank;    /* as which of its kind */
    uint32_t seen;    /* of these in this run */
};

/* A thread does this, to this object, or at this place when it is to none. */
struct hdp_known_event {
    uint32_t thread, kind, object, place;
    uint32_t done; /* how often in this run */
};

struct hdp_known {
    uint32_t ranges, places, threads, objects, events; /* used entries */
    struct hdp_known_range range[HDP_KNOWN_RANGES];
    struct hdp_known_place place[HDP_KNOWN_PLACES];
    struct hdp_known_thread thread[HDP_KNOWN_THREADS];
    struct hdp_known_object object[HDP_KNOWN_OBJECTS];
    struct hdp_known_event event[HDP_KNOWN_EVENTS]; /* in order of their threads */
};

#endif /* HEDDLE_KNOWN_H */
