/* sync_preserving_inside.h - what the two parts of syncp share. */
#ifndef HEDDLE_DRIVER_SYNC_PRESERVING_INSIDE_H
#define HEDDLE_DRIVER_SYNC_PRESERVING_INSIDE_H

#include "sync_preserving.h"

#define SYNCP_NONE UINT32_MAX

/* Vector timestamps: of each thread, how many of its events come before or are the event itself.
 * They change at few events: a version is valid from its event on, its own thread's part aside. */
struct syncp_version {
    uint32_t from; /* position in the thread */
    uint32_t at;   /* first of its components in `pool` */
};
struct syncp_stamps {
    uint32_t *pool;
    size_t used;
    struct syncp_version **version; /* by thread */
    uint32_t *versions;
    uint32_t *now; /* threads * threads: as of the events so far */
};

/* A critical section. */
struct syncp_section {
    uint32_t begin, end; /* events; end may be SYNCP_NONE */
    uint32_t exclusive;  /* begin + 1 of the thread's last one up to here that is not shared */
    bool shared;
};

/* Locks that are held so that nobody else can hold them: the first few. Set 0 is empty. */
#define SYNCP_GUARDS 6u
struct syncp_guards {
    uint32_t lock[SYNCP_GUARDS]; /* ascending, then SYNCP_NONE */
};

/* What one thread did with one lock. */
struct syncp_slot {
    uint32_t lock, thread;
    struct syncp_section *section; /* in order */
    uint32_t sections;
    bool open;         /* the last one has not ended yet */
    uint32_t last;     /* section that is in the set, valid in */
    uint32_t last_set; /* this set */
};

struct syncp_lock {
    uint32_t *slot; /* of each thread that took it */
    uint32_t slots;
    bool queued;
};

/* An acquisition of a thread, to find those between two positions. */
struct syncp_begin {
    uint32_t position, slot, section;
};

struct syncp_thread {
    uint32_t *event; /* by position */
    uint32_t events;
    uint32_t *slot;
    uint32_t slots;
    struct syncp_begin *begin;
    uint32_t begins;
    uint32_t guards; /* set that is held now */
};

/* An access to one cell in one life of its memory. */
struct syncp_access {
    uint32_t variable, event;
    uint32_t guards; /* set that was held */
    uint8_t mask;
};

struct syncp {
    const struct hdp_tape_event *tape;
    uint32_t events, threads;
    bool careful;
    uint32_t *position;
    struct syncp_thread *thread;
    struct syncp_stamps must; /* what the set must hold with an event */
    struct syncp_stamps hard; /* the same but for what plain reads saw */
    struct syncp_slot *slot;
    uint32_t slots;
    struct syncp_lock *lock;
    uint32_t locks;
    struct syncp_guards *guards;
    uint32_t guard_sets;
    struct syncp_access *access; /* in the order of the tape, until the search sorts them */
    size_t accesses;
    bool sorted;

    /* the set */
    uint32_t set;     /* its number */
    uint32_t *prefix; /* by thread */
    uint32_t *queue;  /* locks to look at */
    uint32_t queued;
    bool impossible; /* it would need the end of a section that never ended */
    uint64_t work;
};

/* Part of event e's timestamp. */
uint32_t syncp_stamp(const struct syncp *s, const struct syncp_stamps *stamps, uint32_t e,
                     uint32_t thread);
/* The whole but for the event's own thread; NULL: nothing of other threads. */
const uint32_t *syncp_stamp_of(const struct syncp *s, const struct syncp_stamps *stamps,
                               uint32_t e);
/* sync_preserving_order.c: read the tape. */
void syncp_read(struct syncp *s);
void syncp_stamps_free(const struct syncp *s, struct syncp_stamps *stamps);

static inline bool syncp_is_access(uint8_t kind)
{
    return kind <= HDP_TAPE_ATOMIC_UPDATE;
}
static inline bool syncp_writes(uint8_t kind)
{
    return kind != HDP_TAPE_READ && kind != HDP_TAPE_ATOMIC_READ;
}
static inline bool syncp_is_atomic(uint8_t kind)
{
    return kind >= HDP_TAPE_ATOMIC_READ;
}

#endif /* HEDDLE_DRIVER_SYNC_PRESERVING_INSIDE_H */
