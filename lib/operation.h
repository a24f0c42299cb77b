/* operation.h - what those who schedule and report know of an operation: its kind, object and
 * place. */
#ifndef HDI_OPERATION_H
#define HDI_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "happens_before.h"

/* What a wait is for, in reports. */
struct hdi_why {
    enum hd_event event;
    const void *object;
    const void *site;
};

#define HDI_SITE() __builtin_extract_return_addr(__builtin_return_address(0))

/* The scheduling point before an operation; nothing natively. */
static inline void hdi_point(const struct hdi_why *why)
{
    if (HDI_CONTROLLED())
        hdi_seam->point(why->event, why->object, why->site);
}

/* After an operation that releases others, at its very end: they may run before the caller goes on.
 * Nothing natively. */
static inline void hdi_released(const void *site)
{
    if (HDI_CONTROLLED())
        hdi_seam->point(HD_EV_RELEASED, NULL, site);
}

/* Does whoever schedules want to know this? The later fields of the table may be missing. */
#define HDI_TELLS(field)                                                                           \
    (HDI_CONTROLLED() &&                                                                           \
     hdi_seam->size >= offsetof(struct hd_seam, field) + sizeof hdi_seam->field &&                 \
     hdi_seam->field)

/* Between two steps of an operation, where others may come in natively: a point if the library
 * itself is explored. Whether it is. */
static inline bool hdi_inner(const void *object)
{
    return HDI_TELLS(inner) && hdi_seam->inner(object, HDI_SITE());
}

/* After it was born: how many units there are. */
static inline void hdi_tell_units(const void *object, int64_t units)
{
    if (HDI_TELLS(units))
        hdi_seam->units(object, units);
}

/* The operation has happened; see seam.h. */
static inline void hdi_tell_moved(const struct hdi_why *why, int64_t units, bool could_wait)
{
    if (HDI_TELLS(moved))
        hdi_seam->moved(why->event, why->object, units, could_wait, why->site);
}

/* CLOCK_MONOTONIC natively, virtual under the seam. */
int64_t hdi_now_ns(void);

#endif /* HDI_OPERATION_H */
