/* story.h - what happened between the decisions of a schedule: who waits and who lets him go on,
 * who holds which lock, what is in a channel, what comes before what.
 *
 * Written by the runtime in a rich replay alone, read by the driver, which makes the timeline of a
 * finding of it. The decisions themselves are the trace's. Plain data in the memory that both
 * share; the beginning of what happened, without holes: when it is full it ends, and says so.
 */
#ifndef HEDDLE_STORY_H
#define HEDDLE_STORY_H

#include <stdint.h>

enum hdp_story_what {
    HDP_STORY_WAITS,    /* thread cannot do `kind` on object yet, at site */
    HDP_STORY_CASE,     /* of the wait before: it may also end by `kind` on object */
    HDP_STORY_GOES_ON,  /* what thread waits for can happen now; other made it so */
    HDP_STORY_TAKES,    /* lock; n 1: with others who read */
    HDP_STORY_GIVES,    /* the same lock back */
    HDP_STORY_MOVES,    /* kind, of a channel or semaphore: n values or units */
    HDP_STORY_ROOM,     /* of a channel for n values; a semaphore has n units; -1: not known */
    HDP_STORY_FILLED,   /* before the first thread: n values are in it, or units out */
    HDP_STORY_MAKES,    /* thread makes other */
    HDP_STORY_BEGINS,   /* thread */
    HDP_STORY_ENDS,     /* thread */
    HDP_STORY_JOINS,    /* thread has waited for the end of other */
    HDP_STORY_SENT,     /* what thread did before comes before what others do ... */
    HDP_STORY_RECEIVED, /* ... after this; site: what orders it */
    HDP_STORY_KINDS
};

#define HDP_STORY_NOBODY UINT16_MAX
struct hdp_story_event {
    uint64_t site;   /* return address; of order: the address that it is made by */
    uint32_t step;   /* decisions made before it */
    uint32_t object; /* id; 0 = none */
    int32_t n;
    uint16_t thread, other; /* index in the table of threads; HDP_STORY_NOBODY */
    uint8_t what;           /* enum hdp_story_what */
    uint8_t kind;           /* enum hd_event */
    uint16_t pad;
    uint32_t stack; /* of a close: index into the stack store + 1 */
};

#define HDP_STORY_EVENTS (1u << 20)
struct hdp_story {
    uint32_t events; /* used entries */
    uint32_t full;   /* something happened after the last of them */
    struct hdp_story_event event[HDP_STORY_EVENTS];
};

#endif /* HEDDLE_STORY_H */
