/* mutex_take.h - taking a mutex as a part of a larger operation: no point of its own, nothing
 * told. */
#ifndef HDI_MUTEX_TAKE_H
#define HDI_MUTEX_TAKE_H

#include <heddle/mutex.h>

#include "parking_lot.h"

bool hdi_mutex_try_take(struct hd_mutex *mutex);
void hdi_mutex_take(struct hd_mutex *mutex, const struct hdi_why *why);
bool hdi_mutex_give(struct hd_mutex *mutex); /* false: it was not locked, and nothing was done */

/* What a lock and an unlock mean to those who watch. */
void hdi_mutex_tell_taken(struct hd_mutex *mutex, const void *site);
void hdi_mutex_tell_given(struct hd_mutex *mutex, const void *site);

#endif /* HDI_MUTEX_TAKE_H */
