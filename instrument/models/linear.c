/* linear.c - operations of a structure that has a specification: see linear.h */
#include "linear.h"

#include "core/control.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "wire/points.h"

HDI_EXPORT void heddle_rt_begins(const void *history)
{
    if (hdi_enter())
        hdi_point(HD_EV_OPERATION,
                  hdi_object_get(history, HD_OB_NONE, sizeof(struct hdi_object), HDI_SITE()),
                  HDI_SITE());
}

static bool memory_is_weak(void)
{
    struct hdi_memory_config c;

    hdi_memory_config(&c);
    return c.model != HDP_MEMORY_SC;
}

HDI_EXPORT void heddle_rt_comes_behind(const void *history)
{
    if (hdi_enter() && memory_is_weak())
        hdi_tell(RECEIVED, .clock = history);
}

HDI_EXPORT void heddle_rt_has_ended(const void *history)
{
    if (!hdi_enter())
        return;
    hdi_touched_end(hdi_object_get(history, HD_OB_NONE, sizeof(struct hdi_object), HDI_SITE()));
    if (memory_is_weak())
        hdi_tell(SENT, .clock = history);
}

HDI_EXPORT unsigned heddle_rt_steps(void)
{
    return hdi_step();
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
