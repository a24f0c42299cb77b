/* watch_observers.h - who is told what happens in a program under heddle watch: see
 * core/observers.h. Here the observers themselves are inlined where a lock that is free goes
 * through them.
 */
#ifndef HEDDLE_WATCH_OBSERVERS_H
#define HEDDLE_WATCH_OBSERVERS_H

#include "locks/lockgraph_events.h"
#include "observe.h"

#define FOLLOW_OBSERVERS(X)                                                                        \
    /* What each thread waits for, and what it did last. */                                        \
    X(observe_thread_observes, HDI_OF(DONE) | HDI_OF(WAITS) | HDI_OF(WOKE))                        \
    /* The driver's drawing, before the graph forgets. */                                          \
    X(observe_drawing_observes, HDI_OF(MADE) | HDI_OF(DESTROYED))                                  \
    /* Lock orders. */                                                                             \
    X(observe_lockorder_observes, HDI_OF(MADE) | HDI_OF(DESTROYED) | HDI_OF(UNITS) |               \
                                      HDI_OF(ACQUIRED) | HDI_OF(RELEASED) | HDI_OF(DONE) |         \
                                      HDI_OF(THREAD_MADE) | HDI_OF(THREAD_FAILED) |                \
                                      HDI_OF(THREAD_ENDS) | HDI_OF(THREAD_JOINED) | HDI_OF(ENDS))

void observe_thread_observes(enum hdi_what what, const struct hdi_happened *e);
void observe_drawing_observes(enum hdi_what what, const struct hdi_happened *e);
void observe_lockorder_rest(enum hdi_what what, const struct hdi_happened *e);

static inline __attribute__((always_inline)) void
observe_lockorder_observes(enum hdi_what what, const struct hdi_happened *e)
{
    if (what != HDI_ACQUIRED && what != HDI_RELEASED) {
        observe_lockorder_rest(what, e);
    } else if (e->follower && e->follower->locks) {
        if (e->mode & HDI_WRITER_FIRST)
            hdi_lock_traits(observe_graph, e->address, HDI_LOCK_WRITER_FIRST);
        lg_observes(observe_graph, e->follower->locks, e->address, e->kind, what, e);
    }
}

#define FOLLOW_TELL(observes, kinds)                                                               \
    if ((kinds)&1u << what)                                                                        \
        observes(what, e);
static inline __attribute__((always_inline)) void observe_happened(enum hdi_what what,
                                                                   const struct hdi_happened *e)
{
    FOLLOW_OBSERVERS(FOLLOW_TELL)
}
#undef FOLLOW_TELL

#define observe_tell(what, ...)                                                                    \
    observe_happened(HDI_##what, &(const struct hdi_happened){__VA_ARGS__})

#endif /* HEDDLE_WATCH_OBSERVERS_H */
