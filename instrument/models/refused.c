/* refused.c - errors that mean misuse, and that nobody looks at. */
#include "refused.h"

#include <errno.h>

#include "arch/arch.h"

int hdi_refused(int rc, enum hd_finding_kind kind, const char *text, struct hdi_object *object,
                enum hd_event event, uint64_t site)
{
    int saved = errno;

    if (hdi_result_is_ignored(site))
        hdi_lock_misuse(kind, text, object, event, site);
    errno = saved;
    return rc;
}
