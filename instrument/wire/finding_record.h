/* finding_record.h - what can be found, as the runtime notes it and the driver reports it.
 *
 * The runtime (inside the program under test) fills struct hdp_finding in shared memory when it
 * meets a bug; the driver adds stacks from the replay, a fingerprint and the text.
 */
#ifndef HEDDLE_FINDING_RECORD_H
#define HEDDLE_FINDING_RECORD_H

#include <stdint.h>

enum hd_finding_kind {
#define FINDING(NAME, word, title, advice, plant) HD_FK_##NAME,
#include "finding_kinds.inc"
    HD_FK_COUNT
};

/* What a note of a finding says about its thread, object and place. */
#define HD_ROLE_MAP(X)                                                                             \
    X(HERE, "here")                   /* where it was noticed */                                   \
    X(WAITS, "waits for")             /* thread waits at site for object */                        \
    X(HOLDS, "holds")                 /* thread took object at site and holds it */                \
    X(CREATED, "created")             /* thread or object was made at site, by thread */           \
    X(COULD_WAKE, "could have woken") /* thread used object at site: it may be the waker */        \
    X(EARLIER, "earlier")             /* the other, earlier side of a misuse */                    \
    X(ACCESS, "accesses")             /* one side of a race */                                     \
    X(PREVIOUS_ACCESS, "accessed")    /* the other side */                                         \
    X(ALLOCATED, "allocated")         /* heap block, by thread at site */                          \
    X(FREED, "freed")                                                                              \
    X(EDGE_HELD, "held")    /* lock order: first lock of an edge */                                \
    X(EDGE_TOOK, "took")    /* lock order: second lock of the same edge */                         \
    X(WAITED, "waited for") /* with the lock held that its link names */                           \
    X(NEEDED, "needed") /* took the same lock at site, before it could wake the one that waited */ \
    X(WOKE, "woke")     /* ended that wait, or could have */                                       \
    X(CASE, "or for")   /* one of the things that the select of its link waits for */              \
    X(INTERRUPTED, "interrupted in") /* thread was about to do that when the handler came */       \
    X(WITH, "with")                  /* the mutex that goes with the wait of its link */           \
    X(WOULD_WAKE, "would wake")      /* of a cycle: who is left to end the wait of its link */     \
    X(LAST_OP, "last did")           /* one of the last operations of a thread */

enum hd_role {
#define HD_ROLE_ENUM(name, text) HD_ROLE_##name,
    HD_ROLE_MAP(HD_ROLE_ENUM)
#undef HD_ROLE_ENUM
        HD_ROLE_COUNT
};

/* extra of HD_ROLE_WOULD_WAKE: there are others who could as well */
#define HD_WOULD_PERHAPS 1u
/* extra of a memory access note */
#define HD_ACCESS_SIZE 0xffu /* bytes */
#define HD_ACCESS_WRITE 0x100u
#define HD_ACCESS_ATOMIC 0x200u
#define HD_ACCESS_ALLOCATION 0x400u /* the block's begin; a write */
#define HD_ACCESS_FREE 0x800u       /* and its end */
/* extra of a crash: its address is known; HD_ACCESS_WRITE, and */
#define HD_ACCESS_FAULT 0x2000u
#define HD_ACCESS_FORBIDDEN 0x1000u /* there is memory, but not for this */

static inline const char *hdp_access_word(uint32_t extra)
{
    return extra & HD_ACCESS_ALLOCATION ? "allocation"
           : extra & HD_ACCESS_FREE     ? "free"
           : extra & HD_ACCESS_WRITE    ? "write"
                                        : "read";
}

struct hdp_note {
    uint16_t role;   /* enum hd_role */
    uint16_t kind;   /* enum hd_event */
    uint32_t thread; /* name hash, see struct hdp_thread */
    uint32_t object; /* id, see struct hdp_object; 0 = none */
    uint32_t stack;  /* index into the stack store + 1; 0 = not taken (exploration) */
    uint64_t site;   /* program counter (return address); 0 = unknown */
    uint64_t addr;   /* memory address, for accesses */
    uint32_t extra;  /* by role */
    uint32_t step;   /* decisions made before an access; 0 = unknown */
    /* index of the note that this one belongs to (HOLDS of a WAITS …), or own index */
    uint32_t link;
    uint32_t pad;
};

#define HDP_NOTES 48
#define HDP_TEXT 240

struct hdp_finding {
    uint32_t kind;    /* enum hd_finding_kind */
    uint32_t notes;   /* used entries of note[] */
    uint32_t step;    /* decisions made when it was noticed */
    uint32_t fatal;   /* the schedule ended with it */
    uint32_t dropped; /* notes that did not fit */
    /* so many of the notes are the cause, what is behind follows from it; 0: all */
    uint32_t causes;
    uint32_t only_sleeps; /* a livelock whose threads do nothing but sleep between what they do: a
                             server looks the same, so the driver judges by whether others end */
    uint32_t charged_at;  /* leaks: where in text it says whose test it was; 0 = no test's */
    char text[HDP_TEXT];  /* one line of detail: assertion text, panic message, signal;
                            NUL-terminated */
    struct hdp_note note[HDP_NOTES];
};

enum hdp_thread_state {
    HDP_T_RUNNING,
    HDP_T_ENABLED,
    HDP_T_BLOCKED,
    HDP_T_SLEEPING,
    HDP_T_EXTERNAL,
    HDP_T_LOST,
    HDP_T_ENDED
};

#endif /* HEDDLE_FINDING_RECORD_H */
