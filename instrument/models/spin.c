/* spin.c - pthread spinlocks: a waiter does not spin, it is not enabled. */
#include <errno.h>

#include "mutex.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"

#define BYTES sizeof(pthread_spinlock_t)

struct hdi_spin {
    struct hdi_object object;
    struct hdi_thread *owner;
    bool shared; /* other processes may hold it */
};

static struct hdi_spin *spin_of(pthread_spinlock_t *l, uint64_t site)
{
    struct hdi_spin *x =
        (struct hdi_spin *)hdi_object_get((const void *)l, HD_OB_SPIN, sizeof *x, site);
    hdi_tell(USED, .object = &x->object, .site = site);
    hdi_object_use(&x->object, sizeof *x, BYTES, site);
    return x;
}

static bool is_free(const struct hdi_op *op)
{
    const struct hdi_spin *x = (const struct hdi_spin *)op->object;

    /* glibc's is 1 while it is free. */
    return !x->owner && (!op->outside || *(const pthread_spinlock_t *)x->object.addr == 1);
}

static void own(struct hdi_spin *x, enum hd_event kind, uint64_t site)
{
    x->owner = hdi_self();
    hdi_tell(ACQUIRED, .object = &x->object, .event = kind, .site = site);
    hdi_from_others(x->shared);
    hdi_changed(&x->object);
}

HDI_EXPORT int pthread_spin_init(pthread_spinlock_t *l, int shared)
{
    struct hdi_spin *x;

    if (!hdi_enter())
        return hdi_real.pthread_spin_init(l, shared);
    x = (struct hdi_spin *)hdi_object_get((const void *)l, HD_OB_SPIN, sizeof *x, HDI_SITE());
    if (x->owner && !x->owner->life.ended && *l != 1 &&
        hdi_initialised_while_held(&x->object, x->owner, HD_EV_NONE, HDI_SITE()))
        return 0;
    if (x->owner)
        hdi_tell(LOST, .object = &x->object, .thread = x->owner);
    hdi_object_reborn(&x->object, sizeof *x, HDI_SITE());
    x->shared = shared == PTHREAD_PROCESS_SHARED;
    return hdi_real.pthread_spin_init(l, shared);
}

HDI_EXPORT int pthread_spin_destroy(pthread_spinlock_t *l)
{
    uint64_t site = HDI_SITE();
    struct hdi_spin *x;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_spin_destroy(l);
    x = spin_of(l, site);
    hdi_point(HD_EV_SPIN_DESTROY, &x->object, site);
    if (x->owner || x->object.pending) {
        hdi_lock_misuse(HD_FK_DESTROY_IN_USE, NULL, &x->object, HD_EV_SPIN_DESTROY, site);
        return 0; /* stays usable: its users' next calls are no findings */
    }
    rc = hdi_real.pthread_spin_destroy(l);
    if (rc == 0)
        hdi_object_bury(&x->object, BYTES, site);
    return rc;
}

HDI_EXPORT int pthread_spin_lock(pthread_spinlock_t *l)
{
    uint64_t site = HDI_SITE();
    struct hdi_op op = {.kind = HD_EV_SPIN_LOCK, .site = site, .ready = is_free};
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_spin_lock(l);
    op.object = &spin_of(l, site)->object;
    op.outside = hdi_has_forked() && ((struct hdi_spin *)op.object)->shared;
    do {
        hdi_perform(&op);
        rc = op.outside ? hdi_real.pthread_spin_trylock(l) : hdi_real.pthread_spin_lock(l);
    } while (rc == EBUSY);
    own((struct hdi_spin *)op.object, HD_EV_SPIN_LOCK, site);
    return rc;
}

HDI_EXPORT int pthread_spin_trylock(pthread_spinlock_t *l)
{
    uint64_t site = HDI_SITE();
    struct hdi_spin *x;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_spin_trylock(l);
    x = spin_of(l, site);
    hdi_point(HD_EV_SPIN_TRYLOCK, &x->object, site);
    rc = x->owner ? EBUSY : hdi_real.pthread_spin_trylock(l);
    if (rc == 0) {
        own(x, HD_EV_SPIN_TRYLOCK, site);
    } else {
        hdi_tell(MISSED, .clock = (const void *)l);
        hdi_retry();
    }
    return rc;
}

HDI_EXPORT int pthread_spin_unlock(pthread_spinlock_t *l)
{
    uint64_t site = HDI_SITE();
    struct hdi_spin *x;

    if (!hdi_enter())
        return hdi_real.pthread_spin_unlock(l);
    x = spin_of(l, site);
    hdi_point(HD_EV_SPIN_UNLOCK, &x->object, site);
    if (!x->owner) {
        hdi_lock_misuse(HD_FK_UNLOCK_NOT_HELD, NULL, &x->object, HD_EV_SPIN_UNLOCK, site);
        return hdi_real.pthread_spin_unlock(l);
    }
    if (x->owner != hdi_self())
        hdi_lock_misuse(HD_FK_UNLOCK_NOT_OWNER, NULL, &x->object, HD_EV_SPIN_UNLOCK, site);
    hdi_tell(RELEASED, .object = &x->object, .thread = x->owner);
    hdi_to_others(x->shared);
    x->owner = NULL;
    hdi_changed(&x->object);
    hdi_real.pthread_spin_unlock(l);
    hdi_released(NULL, site);
    return 0;
}
