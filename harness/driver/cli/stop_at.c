/* stop_at.c - see stop_at.h */
#include "stop_at.h"

#include <string.h>

#include "findings/collect.h"
#include "reports/report_text.h"
#include "symbols/numbering.h"
#include "util/complain.h"

struct finding *stop_at(struct replaying *r, uint32_t attempt, uint32_t step)
{
    struct hdp_region *region = r->w->region;
    const struct hdp_result *result = &region->result;

    replaying_prepare(r, attempt);
    region->config.stop_at = step;
    if (!campaign_run_now(&r->c, r->w)) {
        if (!campaign_stop)
            complain("the schedule could not be run: %s",
                     r->c.trouble ? r->c.trouble : "the program's process was killed");
        return NULL;
    }
    uint32_t at = result->findings < HDP_FINDINGS ? result->findings : HDP_FINDINGS;
    if (result->outcome != HDP_STOPPED || !at || region->finding[at - 1].kind != HD_FK_HANG) {
        complain("--stop-at=%u: the schedule ended before, after %u decisions", step,
                 result->steps);
        return NULL;
    }
    campaign_look_at(&r->c, r->w);
    struct scene scene = campaign_scene(&r->c, r->w);
    return collect_finding(&scene, &region->finding[at - 1]);
}

static const char *object_of(const struct note *n)
{
    return n->object ? n->object : "";
}

static void tell_note(FILE *to, const struct note *n, bool is_next)
{
    const char *blank = n->object ? " " : "";

    switch (n->role) {
    case HD_ROLE_WAITS:
        fprintf(to, "\n  %s waits, %s%s%s\n", n->thread, event_doing(n->kind), blank, object_of(n));
        break;
    case HD_ROLE_CASE:
        fprintf(to, "    or %s%s%s\n", event_doing(n->kind), blank, object_of(n));
        break;
    case HD_ROLE_HOLDS:
        fprintf(to, "    holds %s, taken at\n", object_of(n));
        break;
    default:
        fprintf(to, "\n  %s %s: %s%s%s\n", n->thread, is_next ? "is next" : "can go on",
                event_doing(n->kind), blank, object_of(n));
    }
    report_stack(to, &n->stack, 6);
}

void stop_at_tell(FILE *to, const struct finding *standing, uint32_t step)
{
    fprintf(to, "stopped before step %u\n", step);
    for (size_t i = 0; i < standing->notes; i++)
        if (standing->note[i].thread || standing->note[i].role == HD_ROLE_CASE)
            tell_note(to, &standing->note[i], i == 0);
}

const char *stop_at_function(const struct finding *f)
{
    if (f && f->notes && f->note[0].kind == HD_EV_THREAD_START)
        return NULL; /* it is not in it yet */
    for (size_t i = 0; f && i < f->notes; i++)
        for (size_t k = 0; k < f->note[i].stack.count; k++)
            if (f->note[i].stack.frame[k].function && !f->note[i].stack.frame[k].inlined)
                return f->note[i].stack.frame[k].function;
    return NULL;
}
