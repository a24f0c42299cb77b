/* context_inside.h - contexts as the library's own objects make them. */
#ifndef HDI_CONTEXT_INSIDE_H
#define HDI_CONTEXT_INSIDE_H

#include <heddle/context.h>

/* On behalf of a caller at `site`, who must see to its end. */
struct hd_context *hdi_context_with_cancel(struct hd_context *parent, const void *site);

/* Part of an object that is itself to be ended, and the context with it. */
struct hd_context *hdi_context_within(struct hd_context *parent, const void *site);

#endif /* HDI_CONTEXT_INSIDE_H */
