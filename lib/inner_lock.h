/* inner_lock.h - a lock for a few instructions of the library's own: no point, nothing told, never
 * held across a call that may wait. Under the seam it is always free when asked for. */
#ifndef HDI_INNER_LOCK_H
#define HDI_INNER_LOCK_H

#include <heddle/mutex.h>

#include "mutex_take.h"

static inline void hdi_inner_lock(struct hd_mutex *mutex)
{
    struct hdi_why why = {HD_EV_HD_OTHER, mutex, HDI_SITE()};

    hdi_hide(mutex, sizeof *mutex);
    hdi_mutex_take(mutex, &why);
}

static inline void hdi_inner_unlock(struct hd_mutex *mutex)
{
    hdi_mutex_give(mutex);
}

#endif /* HDI_INNER_LOCK_H */
