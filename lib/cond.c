/* cond.c - see cond.h. In line first, then the mutex is let go: a signal in between finds the
 * waiter. Who was woken looks at the cond no more: it may end meanwhile. */
#include <heddle/cond.h>

#include "misuse.h"
#include "mutex_take.h"

static struct hd_mutex ended; /* the mutex of those that have ended */

static void need_alive(const struct hd_cond *cond, const void *site)
{
    if (HDI_UNLIKELY(cond->mutex == &ended))
        hdi_misuse_late("sync: use of a Cond after its end", cond, site, NULL);
}

/* Let go and taken again by operations of their own. */
static void wait_with_locker(struct hd_cond *cond, const void *site)
{
    struct hdi_why why = {HD_EV_HD_COND_WAIT, cond, site};
    struct hd_locker locker = cond->locker;
    struct hdi_waiter self;
    struct hdi_lot *lot;

    hdi_point(&why);
    need_alive(cond, site);
    lot = hdi_lot_lock(cond);
    hdi_lot_push(lot, &self, cond, false);
    hdi_lot_unlock(lot);
    locker.unlock(locker.of);
    hdi_lot_sleep(&self, &why, HD_SEAM_FOREVER);
    hdi_tell_moved(&why, 1, true);
    hdi_acquire(cond);
    locker.lock(locker.of);
}

void hd_cond_wait(struct hd_cond *cond)
{
    struct hdi_why why = {HD_EV_HD_COND_WAIT, cond, HDI_SITE()};
    struct hd_mutex *mutex = cond->mutex;
    struct hdi_why relock = {HD_EV_HD_MUTEX_LOCK, mutex, why.site};
    struct hdi_waiter self;
    struct hdi_lot *lot;

    if (!mutex) {
        wait_with_locker(cond, why.site);
        return;
    }
    hdi_point(&why);
    need_alive(cond, why.site);
    hdi_hide(mutex, sizeof *mutex);
    if (!(atomic_load_explicit(&mutex->state, memory_order_relaxed) & 1u))
        hdi_misuse("sync: wait on a Cond whose mutex is not locked", cond, why.site);
    lot = hdi_lot_lock(cond);
    hdi_lot_push(lot, &self, cond, false);
    hdi_lot_unlock(lot);
    hdi_mutex_tell_given(mutex, why.site);
    hdi_mutex_give(mutex);
    hdi_lot_sleep(&self, &why, HD_SEAM_FOREVER);
    hdi_tell_moved(&why, 1, true);
    hdi_acquire(cond);
    hdi_mutex_take(mutex, &relock);
    hdi_mutex_tell_taken(mutex, why.site);
}

void hd_cond_signal(struct hd_cond *cond)
{
    struct hdi_why why = {HD_EV_HD_COND_SIGNAL, cond, HDI_SITE()};
    struct hdi_waiter *first;
    struct hdi_lot *lot;

    hdi_point(&why);
    need_alive(cond, why.site);
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
    need_alive(cond, why.site);
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
    struct hdi_lot *lot;
    bool awaited;

    need_alive(cond, HDI_SITE());
    lot = hdi_lot_lock(cond);
    awaited = hdi_lot_first(lot, cond) != NULL;
    if (!awaited)
        cond->mutex = &ended;
    hdi_lot_unlock(lot);
    if (awaited)
        hdi_misuse("sync: end of a Cond on which goroutines wait", cond, HDI_SITE());
    if (hdi_seam)
        hdi_seam->gone(cond, HDI_SITE());
}
