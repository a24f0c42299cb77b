/* observers.h - who is told what happens in a program under control: the one table of all
 * detectors, and the call by which the models tell them.
 *
 * A new detector is a file with one function, `void hdi_..._observes(enum hdi_what what, const
 * struct hdi_happened *e)`, and its line here. An observer may look at whoever stands above it, and
 * at nobody below. The call is inlined: of the table only those lines are left that are told.
 */
#ifndef HEDDLE_OBSERVERS_H
#define HEDDLE_OBSERVERS_H

#include "core/happened.h"

#define HDI_OBSERVERS(X)                                                                           \
    /* Who holds what, before whoever looks at it. */                                              \
    X(hdi_held_observes, HDI_OF(ACQUIRED) | HDI_OF(LEVEL) | HDI_OF(THREAD_ENDS))                   \
    /* What a person reads of a schedule: of a lock its first level and its last one. */           \
    X(hdi_story_observes, HDI_OF(UNITS) | HDI_OF(ACQUIRED) | HDI_OF(RELEASED) | HDI_OF(LOST) |     \
                              HDI_OF(DONE) | HDI_OF(SENT) | HDI_OF(RECEIVED) | HDI_OF(HANDED) |    \
                              HDI_OF(TAKEN) | HDI_OF(THREAD_MADE) | HDI_OF(THREAD_BEGINS) |        \
                              HDI_OF(THREAD_ENDS) | HDI_OF(THREAD_JOINED) | HDI_OF(STARTS))        \
    /* Lock orders. */                                                                             \
    X(hdi_lockorder_observes,                                                                      \
      HDI_OF(MADE) | HDI_OF(DESTROYED) | HDI_OF(UNITS) | HDI_OF(ACQUIRED) | HDI_OF(RELEASED) |     \
          HDI_OF(LOST) | HDI_OF(DONE) | HDI_OF(THREAD_MADE) | HDI_OF(THREAD_FAILED) |              \
          HDI_OF(THREAD_ENDS) | HDI_OF(THREAD_JOINED) | HDI_OF(STARTS) | HDI_OF(ENDS))             \
    /* Who has the units of a semaphore or channel. */                                             \
    X(hdi_units_observes, HDI_OF(MADE) | HDI_OF(UNITS) | HDI_OF(DONE))                             \
    /* Waits under a lock. Behind the units: given back, they make no order. */                    \
    X(hdi_waits_observes, HDI_OF(ACQUIRED) | HDI_OF(BEGINS) | HDI_OF(DONE) | HDI_OF(SENT) |        \
                              HDI_OF(RECEIVED) | HDI_OF(THREAD_MADE) | HDI_OF(THREAD_ENDS) |       \
                              HDI_OF(THREAD_JOINED) | HDI_OF(STARTS) | HDI_OF(ENDS))               \
    /* What is owed, and to which leak check. */                                                   \
    X(hdi_leaks_observe, HDI_OF(OWED))                                                             \
    /* Which ways the synchronisation goes. */                                                     \
    X(hdi_coverage_observes, HDI_OF(MADE) | HDI_OF(ACQUIRED) | HDI_OF(MISSED) |                    \
                                 HDI_OF(THREAD_MADE) | HDI_OF(THREAD_JOINED) | HDI_OF(STARTS))     \
    /* Who can still be woken. */                                                                  \
    X(hdi_reach_observes, HDI_OF(BYTES_LEFT) | HDI_OF(THREAD_MADE) | HDI_OF(STARTS))               \
    /* Happens-before and the tape. It looks at the locks that the caller holds. */                \
    X(hdi_races_observe, HDI_OF(ACQUIRED) | HDI_OF(RELEASED) | HDI_OF(MISSED) | HDI_OF(SENT) |     \
                             HDI_OF(RECEIVED) | HDI_OF(HANDED) | HDI_OF(TAKEN) | HDI_OF(IN_TURN) | \
                             HDI_OF(BYTES_LEFT) | HDI_OF(THREAD_MADE) | HDI_OF(THREAD_BEGINS) |    \
                             HDI_OF(THREAD_ENDS) | HDI_OF(THREAD_JOINED) | HDI_OF(STARTS) |        \
                             HDI_OF(FORKED))                                                       \
    /* Locks in memory that was given back. */                                                     \
    X(hdi_freed_observes, HDI_OF(USED) | HDI_OF(THREAD_BEGINS) | HDI_OF(BEGINS))                   \
    /* Descriptors that a thread may have closed twice. */                                         \
    X(hdi_descriptors_observe, HDI_OF(THREAD_ENDS) | HDI_OF(ENDS))                                 \
    /* ThreadSanitizer, Helgrind, DRD. */                                                          \
    X(hdi_tool_observes, HDI_OF(SENT) | HDI_OF(RECEIVED))                                          \
    /* Who holds what, behind whoever looked at it. */                                             \
    X(hdi_held_observes_end, HDI_OF(RELEASED) | HDI_OF(LOST))

#define HDI_OBSERVER(observes, kinds)                                                              \
    void observes(enum hdi_what what, const struct hdi_happened *e);
HDI_OBSERVERS(HDI_OBSERVER)
#undef HDI_OBSERVER

#define HDI_TELL(observes, kinds)                                                                  \
    if ((kinds)&1u << what)                                                                        \
        observes(what, e);
static inline __attribute__((always_inline)) void hdi_happened(enum hdi_what what,
                                                               const struct hdi_happened *e)
{
    HDI_OBSERVERS(HDI_TELL)
}
#undef HDI_TELL

#define hdi_tell(what, ...) hdi_happened(HDI_##what, &(const struct hdi_happened){__VA_ARGS__})

#endif /* HEDDLE_OBSERVERS_H */
