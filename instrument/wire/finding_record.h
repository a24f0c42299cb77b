/* finding_record.h - what can be found, as the runtime notes it and the driver reports it.
 *
 * The runtime (inside the program under test) fills struct hdp_finding in shared memory when it
 * meets a bug; the driver adds stacks from the replay, a fingerprint and the text. Every kind is
 * here once: constant, the word used in file names, JSON and suppressions, the title.
 */
#ifndef HEDDLE_FINDING_RECORD_H
#define HEDDLE_FINDING_RECORD_H

#include <stdint.h>

#define HD_FINDING_MAP(X)                                                                          \
    X(DEADLOCK, "deadlock", "deadlock")                                                            \
    X(LOST_WAKEUP, "lost-wakeup", "all threads wait and nobody is left to wake them")              \
    X(SELF_DEADLOCK, "self-deadlock", "a thread waits for a lock that it holds itself")            \
    X(LEAK_BLOCKED, "leak-blocked", "thread blocked for ever")                                     \
    X(LEAK_UNJOINED, "leak-unjoined", "thread never joined nor detached")                          \
    X(UNLOCK_NOT_HELD, "unlock-not-held", "unlock of a lock that nobody holds")                    \
    X(UNLOCK_NOT_OWNER, "unlock-not-owner", "unlock of a lock that another thread holds")          \
    X(DESTROY_IN_USE, "destroy-in-use", "destroyed while in use")                                  \
    X(USE_AFTER_DESTROY, "use-after-destroy", "used after it was destroyed")                       \
    X(COND_TWO_MUTEXES, "cond-two-mutexes", "condition variable waited on with two mutexes")       \
    X(COND_NOT_LOCKED, "cond-not-locked", "wait on a condition variable without its mutex")        \
    X(LOCK_AT_EXIT, "lock-at-exit", "thread ended holding a lock")                                 \
    X(JOIN_MISUSE, "join-misuse", "join or detach of a thread that cannot be joined")              \
    X(SYNC_MISUSE, "sync-misuse", "misuse of a synchronisation object")                            \
    X(CRASH, "crash", "crash")                                                                     \
    X(ASSERTION, "assertion", "assertion failed")                                                  \
    X(PANIC, "panic", "panic")                                                                     \
    X(EXIT_CODE, "exit-code", "exit code depends on the schedule")                                 \
    X(OUTPUT, "output", "output depends on the schedule")                                          \
    X(ORACLE, "oracle", "the oracle command rejected the output")                                  \
    X(LIVELOCK, "livelock", "livelock")                                                            \
    X(HANG, "hang", "hang")                                                                        \
    X(NONDETERMINISM, "nondeterminism", "something is not under control")                          \
    X(DATA_RACE, "data-race", "data race")                                                         \
    X(PREDICTED_RACE, "predicted-race", "data race in another order of the same events")           \
    X(USE_AFTER_FREE, "use-after-free", "memory used after it was freed")                          \
    X(DOUBLE_FREE, "double-free", "memory freed twice")                                            \
    X(LOCK_ORDER, "lock-order", "locks taken in opposite orders")                                  \
    X(WAIT_HOLDING_LOCK, "wait-holding-lock", "waits while holding a lock that its waker needs")   \
    X(LEAK_OBJECT, "leak-object", "object never closed, stopped or cancelled")                     \
    X(SANITIZER, "sanitizer", "report of a sanitizer")                                             \
    X(TOOL, "tool", "report of another tool")

enum hd_finding_kind {
#define HD_FINDING_ENUM(name, word, title) HD_FK_##name,
    HD_FINDING_MAP(HD_FINDING_ENUM)
#undef HD_FINDING_ENUM
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
    X(WITH, "with")     /* the mutex that goes with the wait of its link */                        \
    X(LAST_OP, "last did") /* one of the last operations of a thread */

enum hd_role {
#define HD_ROLE_ENUM(name, text) HD_ROLE_##name,
    HD_ROLE_MAP(HD_ROLE_ENUM)
#undef HD_ROLE_ENUM
        HD_ROLE_COUNT
};

/* extra of a memory access note */
#define HD_ACCESS_SIZE 0xffu /* bytes */
#define HD_ACCESS_WRITE 0x100u
#define HD_ACCESS_ATOMIC 0x200u

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
    uint32_t
        link; /* index of the note that this one belongs to (HOLDS of a WAITS …), or own index */
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
    uint32_t
        causes; /* so many of the notes are the cause, what is behind follows from it; 0: all */
    char text[HDP_TEXT]; /* one line of detail: assertion text, panic message, signal;
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
