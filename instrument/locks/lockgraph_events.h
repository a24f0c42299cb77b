/* lockgraph_events.h - what the lock-order graph makes of what happens (core/happened.h): the same
 * for a program under control and for one under heddle watch.
 */
#ifndef HEDDLE_LOCKGRAPH_EVENTS_H
#define HEDDLE_LOCKGRAPH_EVENTS_H

#include "core/happened.h"
#include "lockgraph_fast.h"

_Static_assert((int)HDI_SHARED == (int)HDI_LOCK_SHARED && (int)HDI_TRIED == (int)HDI_LOCK_TRY,
               "modes of both kinds");

/* `t` is whose thread the event is about, `lock` the object as g knows it. */
static inline __attribute__((always_inline)) void
lg_observes(struct hdi_lockgraph *g, struct hdi_lock_thread *t, const void *lock,
            enum hd_object kind, enum hdi_what what, const struct hdi_happened *e)
{
    uint32_t mode;

    switch (what) {
    case HDI_MADE:
        hdi_lock_made(g, lock, e->site);
        break;
    case HDI_DESTROYED:
        hdi_lock_destroyed(g, lock);
        break;
    case HDI_ACQUIRED:
        mode = (e->mode & (HDI_SHARED | HDI_TRIED)) | HDI_LOCK_KIND(kind);
        if ((e->mode & (HDI_SHARED | HDI_WRITER_FIRST)) == HDI_WRITER_FIRST)
            mode |= HDI_LOCK_ALONE;
        lg_acquired(t, lock, mode, e->site);
        break;
    case HDI_RELEASED:
        lg_released(t, lock);
        break;
    case HDI_THREAD_FAILED:
    case HDI_THREAD_ENDS:
        hdi_lock_thread_ended(t);
        break;
    default:
        break;
    }
}

#endif /* HEDDLE_LOCKGRAPH_EVENTS_H */
