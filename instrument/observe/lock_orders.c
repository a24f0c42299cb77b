/* lock_orders.c - the lock-order graph of a program under heddle watch: what is not inlined. */
#include "watch_observers.h"

/* A semaphore is a lock only if it began with one unit: the graph knows. */
static void passed(const struct hdi_happened *e)
{
    struct hdi_lock_thread *t = e->follower ? e->follower->locks : NULL;
    struct hdi_happened taken = {.mode = e->mode & HDI_COULD_WAIT ? 0 : HDI_TRIED, .site = e->site};
    bool post = e->event == HD_EV_SEM_POST;

    if (t && (post || e->event == HD_EV_SEM_WAIT) &&
        hdi_lock_is(observe_graph, e->address, HDI_LOCK_COUNTED))
        lg_observes(observe_graph, t, e->address, HD_OB_SEM, post ? HDI_RELEASED : HDI_ACQUIRED,
                    &taken);
}

void observe_lockorder_rest(enum hdi_what what, const struct hdi_happened *e)
{
    struct follower *me = observe_self_, *f = e->follower;

    if (!observe_graph)
        return;
    switch (what) {
    case HDI_MADE:
    case HDI_DESTROYED:
        if (observe_on)
            lg_observes(observe_graph, NULL, e->address, HD_OB_NONE, what, e);
        break;
    case HDI_UNITS:
        if (observe_on && e->n == 1)
            hdi_lock_traits(observe_graph, e->address, HDI_LOCK_COUNTED);
        break;
    case HDI_DONE:
        passed(e);
        break;
    case HDI_THREAD_MADE:
        f->locks = hdi_lock_thread_made(observe_graph, me ? me->locks : NULL, f);
        break;
    case HDI_THREAD_FAILED:
    case HDI_THREAD_ENDS:
        if (f->locks)
            lg_observes(observe_graph, f->locks, NULL, HD_OB_NONE, what, e);
        break;
    case HDI_THREAD_JOINED:
        if (f->locks && me->locks)
            hdi_lock_thread_joined(f->locks, me->locks);
        f->locks = NULL; /* the graph may use it anew */
        break;
    case HDI_ENDS:
        hdi_lockgraph_finish(observe_graph);
        break;
    default:
        break;
    }
}
