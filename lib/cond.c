/* cond.c - see cond.h. In line first, then the mutex is let go: a signal in between finds the
 * waiter. */
#include <heddle/cond.h>

#include "misuse.h"
#include "mutex_take.h"

/* Let go and taken again by operations of their own. */
static void wait_with_locker(struct hd_cond *cond, const void *site)
{
    struct hdi_why why = {HD_EV_HD_COND_WAIT, cond, site};
    struct hdi_waiter self;
    struct hdi_lot *lot;

    hdi_point(&why);
    lot = hdi_lot_lock(cond);
    hdi_lot_push(lot, &self, cond, false);
    hdi_lot_unlock(lot);
    cond->locker.unlock(cond->locker.of);
    hdi_lot_sleep(&self, &why, HD_SEAM_FOREVER);
    hdi_tell_moved(&why, 1, true);
    hdi_acquire(cond);
    cond->locker.lock(cond->locker.of);
}

void hd_cond_wait(struct hd_cond *cond)
{
    struct hdi_why why = {HD_EV_HD_COND_WAIT, cond, HDI_SITE()};
    struct hdi_why relock = {HD_EV_HD_MUTEX_LOCK, cond->mutex, why.site};
    struct hdi_waiter self;
    struct hdi_lot *lot;

    if (!cond->mutex) {
        wait_with_locker(cond, why.site);
        return;
    }
    hdi_point(&why);
    hdi_hide(cond->mutex, sizeof *cond->mutex);
    if (!(atomic_load_explicit(&cond->mutex->state, memory_order_relaxed) & 1u))
        hdi_misuse("sync: wait on a Cond whose mutex is not locked", cond, why.site);
    lot = hdi_lot_lock(cond);
    hdi_lot_push(lot, &self, cond, false);
    hdi_lot_unlock(lot);
    hdi_mutex_tell_given(cond->mutex, why.site);
    hdi_mutex_give(cond->mutex);
    hdi_lot_sleep(&self, &why, HD_SEAM_FOREVER);
    hdi_tell_moved(&why, 1, true);
    hdi_acquire(cond);
    hdi_mutex_take(cond->mutex, &relock);
    hdi_mutex_tell_taken(cond->mutex, why.site);
}

void hd_cond_signal(struct hd_cond *cond)
{
    struct hdi_why why = {HD_EV_HD_COND_SIGNAL, cond, HDI_SITE()};
    struct hdi_waiter *first;
    struct hdi_lot *lot;

    hdi_point(&why);
    hdi_tell_moved(&why, 1, false);
    hdi_release(cond);
    lot = hdi_lot_lock(cond);
    first = hdi_lot_pop(lot, cond);
    hdi_lot_unlock(lot);
    if (first)
        hdi_lot_wake(first);
    hdi_released(why.site);
}

void hd_cond_broadcast(struct hd_cond *cond)
{
    struct hdi_why why = {HD_EV_HD_COND_SIGNAL, cond, HDI_SITE()};

    hdi_point(&why);
    hdi_tell_moved(&why, 1, false);
    hdi_release(cond);
    hdi_lot_unlock_wake_all(hdi_lot_lock(cond), cond);
    hdi_released(why.site);
}

static void init(struct hd_cond *cond, struct hd_cond with, const char *name, const void *site)
{
    *cond = with;
    if (hdi_seam)
        hdi_seam->born(HD_OB_HD_COND, cond, name, site);
}

void hd_cond_init(struct hd_cond *cond, struct hd_mutex *mutex, const char *name)
{
    init(cond, (struct hd_cond){.mutex = mutex}, name, HDI_SITE());
}

void hd_cond_init_locker(struct hd_cond *cond, struct hd_locker locker, const char *name)
{
    init(cond, (struct hd_cond){.locker = locker}, name, HDI_SITE());
}

void hd_cond_destroy(struct hd_cond *cond)
{
    if (hdi_seam)
        hdi_seam->gone(cond, HDI_SITE());
}
