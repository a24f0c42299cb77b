/* covered.h - which ways its synchronisation went, in all schedules that a worker has run: which locks somebody
 * had to wait for, which timed waits ran out or were ended, which tries failed, and which of two places came first.
 *
 * Written by the runtime, which only ever adds to it: what a schedule adds does not depend on those before it. The
 * driver joins those of all workers. Plain data in the memory that both share.
 *
 * Two places have an order when different threads did something there to one object that does not commute, and both
 * threads were there: what a thread finds done when it begins, or behind a join, has no other order.
 */
#ifndef HEDDLE_COVERED_H
#define HEDDLE_COVERED_H

#include <stddef.h>
#include <stdint.h>

enum hdp_covered_way {
    HDP_COVERED_LOCKS = 1,     /* a lock is taken there */
    HDP_COVERED_ACCESSES = 2,  /* memory is accessed, or an atomic */
    HDP_COVERED_TIMED = 4,     /* a wait with a time limit, which */
    HDP_COVERED_TIMED_OUT = 8, /* ... ran out */
    HDP_COVERED_WOKEN = 16,    /* ... ended before */
    HDP_COVERED_TRIES = 32,    /* a try to take a lock, which */
    HDP_COVERED_GOT = 64,      /* ... took it */
    HDP_COVERED_MISSED = 128,  /* ... did not */
    HDP_COVERED_PARTLY =
        256, /* so many places used one object that this one was left out now and then */
};

/* Of a lock. */
enum hdp_covered_lock_way {
    HDP_COVERED_SHARED = 1, /* two threads took it that were both there */
    HDP_COVERED_WAITED = 2, /* one waited for it, or tried in vain */
};

/* Of two places. */
enum hdp_covered_order {
    HDP_COVERED_BEFORE = 1, /* the one was before the other */
    HDP_COVERED_MET = 2, /* who was at the one had the lock, who was at the other waited for it */
};

/* What was changed in schedules that may not count after all (in place), to be taken back: a word and what it was. */
#define HDP_COVERED_CHANGES 16384u
struct hdp_covered_change {
    uint32_t word, was;
};

#define HDP_COVERED_PLACES 512u
#define HDP_COVERED_OBJECTS 1024u

struct hdp_covered_place {
    uint64_t site;
    uint32_t ways;
};

struct hdp_covered_lock {
    uint32_t id; /* 0: free */
    uint32_t ways;
    uint64_t addr, created_site;
};

struct hdp_covered {
    uint32_t places;                       /* used entries of place[] */
    uint32_t locks;                        /* of lock[], a hash table */
    uint32_t full;                         /* something did not fit */
    uint32_t noted;                        /* changes are noted, */
    uint32_t changes;                      /* so many since then */
    uint16_t slot[2 * HDP_COVERED_PLACES]; /* hash table of sites: index + 1 */
    struct hdp_covered_place place[HDP_COVERED_PLACES];
    struct hdp_covered_lock lock[HDP_COVERED_OBJECTS];
    uint8_t order[HDP_COVERED_PLACES][HDP_COVERED_PLACES]; /* [first][second] */
    struct hdp_covered_change change[HDP_COVERED_CHANGES];
};

/* As it was after so many changes. */
static inline void hdp_covered_take_back(struct hdp_covered *c, uint32_t changes)
{
    uint32_t n = c->changes < HDP_COVERED_CHANGES ? c->changes : HDP_COVERED_CHANGES;

    for (; n > changes; n--)
        if (c->change[n - 1].word < offsetof(struct hdp_covered, change) / 4)
            ((uint32_t *)(void *)c)[c->change[n - 1].word] = c->change[n - 1].was;
    c->changes = changes;
}

#endif /* HEDDLE_COVERED_H */
