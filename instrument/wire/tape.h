/* tape.h - what a schedule did to memory and how its threads waited for each other, event by event.
 *
 * Written by the runtime in the few schedules whose flags ask for it, read by the driver, which
 * predicts races from it. Plain data in the memory that both share. A tape is always the beginning
 * of what happened, without holes: when it is full it ends, and says so.
 *
 * An access that tells nothing new is left out: the thread did the same to these bytes since it
 * last synchronised, and nobody else came near them meanwhile.
 */
#ifndef HEDDLE_TAPE_H
#define HEDDLE_TAPE_H

#include <stdint.h>

enum hdp_tape_kind {
    HDP_TAPE_READ,
    HDP_TAPE_WRITE,
    HDP_TAPE_FREE, /* the block's bytes: conflicts like a write */
    HDP_TAPE_ATOMIC_READ,
    HDP_TAPE_ATOMIC_WRITE,
    HDP_TAPE_ATOMIC_UPDATE,
    HDP_TAPE_RESET,   /* these bytes are new memory */
    HDP_TAPE_LOCK,    /* where: the lock; recursion is not told */
    HDP_TAPE_RDLOCK,  /* the same, shared with other readers */
    HDP_TAPE_UNLOCK,  /* of either */
    HDP_TAPE_RELEASE, /* where: a clock, as of the happens-before edges */
    HDP_TAPE_ACQUIRE,
    HDP_TAPE_LOOK, /* what it did depended on the state of a lock or clock: a try that failed */
    HDP_TAPE_TURN, /* operations on `where` keep their order */
    HDP_TAPE_KINDS
};

struct hdp_tape_event {
    uint64_t where;  /* address of memory, of a lock, of a clock */
    uint64_t bytes;  /* of memory */
    uint64_t site;   /* accesses: return address */
    uint32_t step;   /* decisions made before it: it belongs to the last of them */
    uint16_t thread; /* index in the table of threads */
    uint8_t kind;    /* enum hdp_tape_kind */
    uint8_t point;   /* 1: it is what that decision was about */
};

#define HDP_TAPE_EVENTS (1u << 20)
struct hdp_tape {
    uint32_t events; /* used entries */
    uint32_t full;   /* something happened after the last of them */
    struct hdp_tape_event event[HDP_TAPE_EVENTS];
};

#endif /* HEDDLE_TAPE_H */
