/* operation.h - what those who schedule and report know of an operation: its kind, object and
 * place. */
#ifndef HDI_OPERATION_H
#define HDI_OPERATION_H

#include <stdint.h>

#include "edge.h"

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

/* CLOCK_MONOTONIC natively, virtual under the seam. */
int64_t hdi_now_ns(void);

#endif /* HDI_OPERATION_H */
