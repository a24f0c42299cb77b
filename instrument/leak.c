/* leak.c - threads that are still there when the program ends.
 *
 * The last of the exit handlers: static destructors and atexit functions have run. Whoever can
 * still run goes on now (its output goes nowhere, its crashes are nobody's) until nobody can: a
 * thread that is blocked then would have been blocked for ever. Sleepers are given a bounded number
 * of wake-ups.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "real.h"
#include "thread.h"

#define SLEEPS 64

static void report(enum hd_finding_kind kind, struct hdi_thread *t)
{
    struct hdp_finding *f = hdi_finding_begin(kind, NULL);
    const struct hdi_op *op = t->op ? t->op : &t->last;

    if (kind == HD_FK_LEAK_BLOCKED) {
        struct hdi_object *o = op->object;
        uint32_t n, all;
        struct hdi_thread **live = hdi_live(&n);
        hdi_note(f, HD_ROLE_WAITS, t, op->kind, o, op->site, t->end_stack);
        for (uint32_t i = 0; o && i < n; i++) {
            struct hdi_held *h = hdi_held_find(live[i], o);
            if (h)
                hdi_note(f, HD_ROLE_HOLDS, live[i], h->kind, o, h->site, h->stack);
        }
        for (uint32_t i = 0; o && i < o->users; i++) {
            if (o->user[i].thread == t->hash)
                continue;
            for (all = 0; hdi_thread_known(all); all++)
                if (hdi_thread_known(all)->hash == o->user[i].thread)
                    hdi_note(f, HD_ROLE_COULD_WAKE, hdi_thread_known(all), o->user[i].kind, o,
                             o->user[i].site, 0);
        }
    } else {
        hdi_note(f, HD_ROLE_HERE, t, HD_EV_THREAD_EXIT, &t->object, t->start, 0);
    }
    hdi_note(f, HD_ROLE_CREATED, t->creator, HD_EV_THREAD_CREATE, &t->object, t->created_site,
             t->created_stack);
    hdi_finding_end(f, false);
}

/* Is t only kept from going on by `self`, which ends the program in the middle of its work: by a
 * lock that it holds, by its end, or by another thread that is kept so? Marks spread until none is
 * new. */
static bool kept_by(struct hdi_thread *t, const struct hdi_thread *self)
{
    struct hdi_object *o = t->op ? t->op->object : NULL;
    struct hdi_thread *u;

    for (uint32_t i = 0; o && (u = hdi_thread_known(i)); i++) {
        if (u == t || (u != self && !u->excused))
            continue;
        if (&u->object == o || hdi_held_find(u, o))
            return true;
        for (uint32_t k = 0; u != self && k < o->users; k++)
            if (o->user[k].thread == u->hash)
                return true;
    }
    return false;
}

/* True: there is one, so somebody may have been about to join whom nobody has joined. */
static bool excuse(const struct hdi_thread *self)
{
    struct hdi_thread *t;
    bool more = true, any = false;

    while (more) {
        more = false;
        for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
            if (t != self && t->state == HDP_T_BLOCKED && !t->excused && kept_by(t, self))
                any = more = t->excused = true;
    }
    return any;
}

static void silence_output(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    fflush(NULL);
    if (nowhere >= 0) {
        dup2(nowhere, 1);
        dup2(nowhere, 2);
    }
}

void hdi_look_for_leaks(bool silence)
{
    struct hdi_thread *self = hdi_self(), *t;
    uint32_t n;
    bool any;

    if (self && hdi_live(&n) && n > 1) {
        if (silence)
            silence_output();
        hdi_drain(SLEEPS);
    }
    any = excuse(self);
    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++) {
        if (t == self || !t->creator || t->leak_expected)
            continue;
        if (t->state == HDP_T_BLOCKED && !t->outside && !t->excused &&
            (!t->op || t->op->until_ns == 0 || t->op->until_ns == HDI_FOREVER))
            report(HD_FK_LEAK_BLOCKED, t);
        else if (t->ended && t->known && !t->joined && !t->detached && !any &&
                 (t->creator == self || t->creator->ended))
            report(HD_FK_LEAK_UNJOINED, t);
    }
}
