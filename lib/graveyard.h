/* graveyard.h - memory of objects whose last reference has gone is kept a while before it is given
 * back, so that whoever still uses one is told so: its count of references is 0 there. The last 64
 * of the process natively, under the seam some thousands. */
#ifndef HDI_GRAVEYARD_H
#define HDI_GRAVEYARD_H

#include <stddef.h>

/* To be freed, sometime; what is too large to keep at once. */
void hdi_bury(void *memory, size_t bytes);

#endif /* HDI_GRAVEYARD_H */
