/* refused.h - calls that fail since they are misused, and say so. */
#ifndef HEDDLE_REFUSED_H
#define HEDDLE_REFUSED_H

#include "core/thread.h"

#define HDI_NO_TIME "error ignored: no valid time"
#define HDI_NOT_MADE "error ignored: not initialised"

/* The call at `site` failed, and returns rc: given back, with errno as it is. It may be there to be told, so
 * that it is a finding only where the caller does not look. */
int hdi_refused(int rc, enum hd_finding_kind kind, const char *text, struct hdi_object *object,
                enum hd_event event, uint64_t site);

#endif /* HEDDLE_REFUSED_H */
