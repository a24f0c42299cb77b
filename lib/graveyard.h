/* graveyard.h - memory of objects whose last reference has gone is kept a while before it is given
 * back, so that whoever still uses one is told so: its count of references is 0 there, or it says
 * where it ended. The last 64 of the process natively, under the seam some thousands. */
#ifndef HDI_GRAVEYARD_H
#define HDI_GRAVEYARD_H

#include <stddef.h>

#include "happens_before.h"
#include "misuse.h"

/* To be freed, sometime; what is too large to keep at once. */
void hdi_bury(void *memory, size_t bytes);

/* gone: where the object ended; NULL: it has not. The message is as hdi_misuse()'s. */
static inline void hdi_need_alive(const void *gone, const char *message, const void *object,
                                  const void *site)
{
    if (HDI_UNLIKELY(gone != NULL))
        hdi_misuse_late(message, object, site, gone);
}

#endif /* HDI_GRAVEYARD_H */
