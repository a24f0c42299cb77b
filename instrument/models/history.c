/* history.c - operations of a structure that has a specification: see history.h */
#include "history.h"

#include "core/control.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"

HDI_EXPORT void heddle_rt_operation(const void *history)
{
    if (hdi_enter())
        hdi_point(HD_EV_OPERATION,
                  hdi_object_get(history, HD_OB_NONE, sizeof(struct hdi_object), HDI_SITE()),
                  HDI_SITE());
}

HDI_EXPORT void heddle_rt_aside(int begins)
{
    hdi_memory_aside(begins != 0);
}

HDI_EXPORT void heddle_rt_contradiction(const char *text)
{
    struct hdp_finding *f;

    if (!hdi_enter())
        return;
    f = hdi_finding_begin(HD_FK_ASSERTION, text);
    hdi_note(f, HD_ROLE_HERE, hdi_self(), HD_EV_NONE, NULL, HDI_SITE(), hdi_stack());
    hdi_finding_end(f, true);
}
