/* stop.c - a replay that stops before a given decision: it ends there with where each thread stands, or,
 * for a debugger, the thread that is about to go on traps.
 *
 * What is told is no finding, but has the form of one (a hang's): notes of threads, the one that is next
 * first.
 */
#include "turn/rt.h"

static void note_thread(struct hdp_finding *f, struct hdi_thread *t)
{
    uint32_t link = f->notes;

    if (t->op && !t->enabled)
        hdi_note_wait(f, t, t->op);
    else
        hdi_note(f, HD_ROLE_LAST_OP, t, t->op ? t->op->kind : t->last.kind,
                 t->op ? t->op->object : t->last.object, t->op ? t->op->site : t->last.site,
                 t->end_stack);
    for (uint32_t i = 0; i < t->locks.count; i++) {
        const struct hdi_held *h = &t->locks.held[i];
        hdi_note(f, HD_ROLE_HOLDS, t, h->kind, h->object, h->site, h->stack)->link = link;
    }
}

void rt_stop_before(struct hdi_thread *next)
{
    uint32_t count;
    struct hdi_thread **live = hdi_live(&count);
    struct hdp_finding *f;

    rt.config.stop_at = 0;
    if (rt.config.flags & HDP_TRAP) {
        rt.trap_due = true;
        return;
    }
    f = hdi_finding_begin(HD_FK_HANG, "");
    note_thread(f, next);
    for (uint32_t i = 0; i < count; i++)
        if (live[i] != next)
            note_thread(f, live[i]);
    hdi_finding_end(f, true);
}
