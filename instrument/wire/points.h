/* points.h - which memory accesses are scheduling points, and what schedules learn for each other.
 *
 * Plain data in the memory that driver and program share. A schedule reads what the driver gives it
 * and writes what is new to a table of its own; the driver joins those of all workers between
 * phases of a campaign, so that what a schedule knows depends on its number and not on who ran
 * before it. Layer: beside finding_record.h; instrument/wire/protocol.h includes it.
 *
 * Accesses that synchronisation orders are no points: as long as they are ordered, no switch
 * between them can be told from one at the synchronisation itself.
 *
 * Replay needs no copy of the table: the points that matter to a schedule are those at which one of
 * its threads stood, also if it never went on from there. Nothing else that was learned changes
 * what a schedule does.
 */
#ifndef HEDDLE_POINTS_H
#define HEDDLE_POINTS_H

#include <stdint.h>

enum hdp_points {
    HDP_POINTS_SHARED, /* code that takes part in a race, or may in another order of the locks */
    HDP_POINTS_ALL,    /* every instrumented access */
    HDP_POINTS_SYNC,   /* synchronisation and atomics alone */
};

enum hdp_memory_model {
    HDP_MEMORY_SC,  /* a load returns the last store */
    HDP_MEMORY_TSO, /* atomic stores wait in a buffer of their thread, in order */
    HDP_MEMORY_C11, /* an atomic load returns any store that coherence and happens-before allow */
};

/* What a choice was about, mostly of a memory model; 0: of something else. */
enum hdp_chose {
    HDP_CHOSE_READ = 1,  /* a store to read; detail: how many newer ones there are */
    HDP_CHOSE_NO_REASON, /* ... by a compare-exchange that fails for none */
    HDP_CHOSE_PLACE,     /* of a store in modification order; detail: before how many others */
    HDP_CHOSE_BUFFER, /* whose stores reach memory; value 0: nobody's; detail: index of the thread */
    HDP_CHOSE_HOW_MANY, /* of them; detail: that many */
    HDP_CHOSE_FAULT,    /* none of a model: it happened; detail: enum hdp_fault_kind; value: nth */
};

#define HDP_LEARNED_SITES 8192u
#define HDP_LEARNED_WORDS 2048u

/* Two places whose accesses only the order of lock owners kept apart (see
 * memory/race/reordered.c). */
#define HDP_LEARNED_PAIRS 128u
struct hdp_learned_pair {
    uint64_t first, second;
};

struct hdp_learned {
    uint32_t sites; /* used entries of site[] */
    uint32_t words; /* used entries of word[] */
    uint32_t pairs; /* used entries of pair[] */
    uint32_t full;  /* a table was too small: the driver makes every access a point from then on */
    uint32_t words_lost; /* there were more than word[] has room for */
    struct hdp_learned_pair pair[HDP_LEARNED_PAIRS];
    uint64_t site[HDP_LEARNED_SITES]; /* return addresses of such accesses */
    uint64_t word[HDP_LEARNED_WORDS]; /* 8-byte words that they touched, address / 8 */
};

/* The points at which threads of a schedule stood, each once. With HDP_POINTS_ALL they are not
 * kept. */
struct hdp_reached {
    uint32_t watched; /* something of the program was built with heddle-cc */
    uint32_t sites;
    uint64_t site[HDP_LEARNED_SITES];
    uint32_t from[HDP_LEARNED_SITES];  /* how many steps had been made when it became a point */
    uint32_t until[HDP_LEARNED_SITES]; /* and when it ceased to be one; 0: it did not */
};

#endif /* HEDDLE_POINTS_H */
