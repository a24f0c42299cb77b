/* barrier.c - pthread barriers, wholly in the model: the real one is made and destroyed, never
 * waited at. The thread that completes a round is the serial one, so who that is follows from the
 * schedule. */

#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "refused.h"

#define BYTES sizeof(pthread_barrier_t)

struct hdi_barrier {
    struct hdi_object object;
    uint32_t count, arrived;
    struct hdi_thread *first; /* waiting, by wait.next */
    bool shared;              /* other processes may come to it */
};

static struct hdi_barrier *barrier_of(pthread_barrier_t *b, uint64_t site)
{
    struct hdi_barrier *x = (struct hdi_barrier *)hdi_object_get(b, HD_OB_BARRIER, sizeof *x, site);
    hdi_tell(USED, .object = &x->object, .site = site);
    hdi_object_use(&x->object, sizeof *x, BYTES, site);
    return x;
}

static bool granted(const struct hdi_op *op)
{
    return op->self->wait.granted;
}

HDI_EXPORT int pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr,
                                    unsigned count)
{
    struct hdi_barrier *x;
    int rc, shared = PTHREAD_PROCESS_PRIVATE;

    if (!hdi_enter())
        return hdi_real.pthread_barrier_init(b, attr, count);
    x = (struct hdi_barrier *)hdi_object_find(b, HD_OB_BARRIER);
    if (x && x->arrived && !x->object.freed) {
        hdi_lock_misuse(HD_FK_SYNC_MISUSE, "initialised while threads wait at it", &x->object,
                        HD_EV_NONE, HDI_SITE());
        return 0; /* they wait on */
    }
    rc = hdi_real.pthread_barrier_init(b, attr, count);
    x = (struct hdi_barrier *)hdi_object_get(b, HD_OB_BARRIER, sizeof *x, HDI_SITE());
    if (rc)
        hdi_refused(rc, HD_FK_SYNC_MISUSE, HDI_NOT_MADE, &x->object, HD_EV_NONE, HDI_SITE());
    if (rc == 0) {
        hdi_object_reborn(&x->object, sizeof *x, HDI_SITE());
        x->count = count;
        if (attr)
            pthread_barrierattr_getpshared(attr, &shared);
        x->shared = shared == PTHREAD_PROCESS_SHARED;
    }
    return rc;
}

HDI_EXPORT int pthread_barrier_destroy(pthread_barrier_t *b)
{
    uint64_t site = HDI_SITE();
    struct hdi_barrier *x;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_barrier_destroy(b);
    x = barrier_of(b, site);
    hdi_point(HD_EV_BARRIER_DESTROY, &x->object, site);
    if (x->arrived) {
        struct hdp_finding *f = hdi_finding_begin(HD_FK_DESTROY_IN_USE, NULL);
        hdi_note(f, HD_ROLE_HERE, hdi_self(), HD_EV_BARRIER_DESTROY, &x->object, site, hdi_stack());
        for (struct hdi_thread *t = x->first; t; t = t->wait.next)
            hdi_note(f, HD_ROLE_WAITS, t, HD_EV_BARRIER_WAIT, &x->object, t->op ? t->op->site : 0,
                     t->end_stack);
        hdi_finding_end(f, false);
        return 0; /* the real one would wait for them */
    }
    rc = hdi_real.pthread_barrier_destroy(b);
    if (rc == 0)
        hdi_object_bury(&x->object, BYTES, site);
    return rc;
}

HDI_EXPORT int pthread_barrier_wait(pthread_barrier_t *b)
{
    uint64_t site = HDI_SITE();
    struct hdi_thread *self;
    struct hdi_barrier *x;

    if (!hdi_enter())
        return hdi_real.pthread_barrier_wait(b);
    self = hdi_self();
    x = barrier_of(b, site);
    if (!x->count) /* made before control began: nothing is known of it */
        return hdi_real.pthread_barrier_wait(b);
    if (x->shared && hdi_has_forked()) {
        int rc;
        hdi_to_others(true);
        hdi_external_enter(site);
        rc = hdi_real.pthread_barrier_wait(b);
        hdi_external_leave();
        hdi_from_others(true);
        return rc;
    }
    hdi_point(HD_EV_BARRIER_WAIT, &x->object, site);
    hdi_tell(SENT, .object = &x->object, .clock = b, .mode = HDI_STANDS_IN);
    if (++x->arrived == x->count) {
        struct hdi_thread *t = x->first, *next;
        x->arrived = 0;
        x->first = NULL;
        for (; t; t = next) {
            next = t->wait.next;
            t->wait.granted = true;
        }
        hdi_changed(&x->object);
        hdi_tell(RECEIVED, .object = &x->object, .clock = b, .mode = HDI_STANDS_IN);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    {
        struct hdi_op op = {.kind = HD_EV_BARRIER_WAIT,
                            .object = &x->object,
                            .site = site,
                            .ready = granted,
                            .granted = true};
        self->wait.granted = false;
        self->wait.next = x->first;
        x->first = self;
        hdi_perform(&op);
    }
    hdi_tell(RECEIVED, .object = &x->object, .clock = b, .mode = HDI_STANDS_IN);
    return 0;
}
