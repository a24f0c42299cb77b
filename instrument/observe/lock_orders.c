/* lock_orders.c - the lock-order graph of a program under heddle watch: what is not inlined. */
#include "watch_observers.h"

/* A semaphore is a lock only if it began with one unit: the graph knows. */
static void passed(const struct hdi_happened *e)
{
    struct hdi_lock_thread *t = e->follower ? e->follower->locks : NULL;
    struct hdi_happened taken = {.mode = e->mode & HDI_COULD_WAIT ? 0 : HDI_TRIED, .site = e->site};
    bool post = e->event == HD_EV_SEM_POST;

    if (t && (post || e->event == HD_EV_SEM_WAIT) &&
        hdi_lock_is(follow_graph, e->address, HDI_LOCK_COUNTED))
        lg_observes(follow_graph, t, e->address, HD_OB_SEM, post ? HDI_RELEASED : HDI_ACQUIRED,
                    &taken);
}

void follow_lockorder_rest(enum hdi_what what, const struct hdi_happened *e)
{
    struct follower *me = follow_self_, *f = e->follower;

    if (!follow_graph)
        return;
    switch (what) {
    case HDI_MADE:
    case HDI_DESTROYED:
        if (follow_on)
            lg_observes(follow_graph, NULL, e->address, HD_OB_NONE, what, e);
        break;
    case HDI_UNITS:
        if (follow_on && e->n == 1)
            hdi_lock_traits(follow_graph, e->address, HDI_LOCK_COUNTED);
        break;
    case HDI_DONE:
        passed(e);
        break;
    case HDI_THREAD_MADE:
        f->locks = hdi_lock_thread_made(follow_graph, me ? me->locks : NULL, f);
        break;
    case HDI_THREAD_FAILED:
    case HDI_THREAD_ENDS:
        if (f->locks)
            lg_observes(follow_graph, f->locks, NULL, HD_OB_NONE, what, e);
        break;
    case HDI_THREAD_JOINED:
        if (f->locks && me->locks)
            hdi_lock_thread_joined(f->locks, me->locks);
        f->locks = NULL; /* the graph may use it anew */
        break;
    case HDI_ENDS:
        hdi_lockgraph_finish(follow_graph);
        break;
    default:
        break;
    }
}
