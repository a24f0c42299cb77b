/* leak.c - threads that are still there when the program ends, and objects that nobody ended.
 *
 * The last of the exit handlers: static destructors and atexit functions have run. Whoever can
 * still run goes on now (its output goes nowhere, its crashes are nobody's) until nobody can: a
 * thread that is blocked then would have been blocked for ever. Sleepers are given a bounded number
 * of wake-ups. A context that is not cancelled then, a ticker that is not stopped and a pool that
 * is not closed will never be, unless whoever made it is himself still there
 * (docs/decisions/leaks.md).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "observers.h"
#include "real.h"
#include "thread.h"
#include "units.h"

#define SLEEPS 64

static bool in_the_middle;
static uint32_t end_step; /* when the program ended */

void hdi_leaves_in_the_middle(void)
{
    in_the_middle = true;
}

/* Who keeps t from going on: by a lock that it wants, or because it has not ended. */
static struct hdi_thread *kept_waiting_by(const struct hdi_thread *t)
{
    const struct hdi_object *o = t->op && !t->enabled ? t->op->object : NULL;
    struct hdi_thread *u;

    for (uint32_t i = 0; o && (u = hdi_thread_known(i)); i++)
        if (u != t && (&u->object == o || hdi_held_find(u, o)))
            return u;
    return NULL;
}

static void note_left(struct hdp_finding *f, struct hdi_thread *t)
{
    struct hdi_object *o = t->op->object;
    const struct hdi_units *u = hdi_units_awaited(t->op);
    uint32_t n, link = f->notes;
    struct hdi_thread **live = hdi_live(&n);

    hdi_note_wait(f, t, t->op);
    for (uint32_t i = 0; o && i < n; i++) {
        struct hdi_held *h = hdi_held_find(live[i], o);
        if (h)
            hdi_note(f, HD_ROLE_HOLDS, live[i], h->kind, o, h->site, h->stack)->link = link;
    }
    for (uint32_t i = 0; u && i < u->holders; i++) {
        const struct hdi_unit *h = &u->holder[i];
        hdi_note(f, HD_ROLE_HOLDS, h->thread, h->kind, o, h->site, h->stack)->link = link;
    }
}

struct hdp_finding *hdi_leaked_thread(struct hdi_thread *t, const char *text)
{
    struct hdp_finding *f =
        hdi_finding_begin(t->life.ended ? HD_FK_LEAK_UNJOINED : HD_FK_LEAK_BLOCKED, text);
    bool runs = !t->op || t->enabled;

    t->leak.told = true;
    if (!t->life.ended && runs) {
        const struct hdi_op *op = &t->last;
        hdi_note(f, HD_ROLE_LAST_OP, t, op->kind, op->object, op->site, t->end_stack);
    } else if (!t->life.ended) {
        note_left(f, t);
        hdi_note_wakers(f, t, t->op, 0);
    } else {
        hdi_note(f, HD_ROLE_HERE, t, HD_EV_THREAD_EXIT, &t->object, t->start, 0);
    }
    if (t->creator)
        hdi_note(f, HD_ROLE_CREATED, t->creator, HD_EV_THREAD_CREATE, &t->object, t->created_site,
                 t->created_stack);
    hdi_finding_end(f, false);
    return f;
}

/* Is t only kept from going on by `self`, which ends the program: because it waits for its end, for
 * a lock that it holds in the middle of its work, or for another thread that is kept so? Marks
 * spread until none is new. */
static bool kept_by(struct hdi_thread *t, const struct hdi_thread *self)
{
    struct hdi_object *o = t->op ? t->op->object : NULL;
    struct hdi_thread *u;

    for (uint32_t i = 0; o && (u = hdi_thread_known(i)); i++) {
        if (u == t || (u != self && !u->leak.excused))
            continue;
        if (&u->object == o || ((in_the_middle || u != self) && hdi_held_find(u, o)))
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
            if (t != self && t->state == HDP_T_BLOCKED && !t->leak.excused && kept_by(t, self))
                any = more = t->leak.excused = true;
    }
    return any;
}

const char *hdi_owed_text(const struct hdi_object *o)
{
    switch (o->label_kind) {
    case HD_OB_CONTEXT:
        return "context never cancelled";
    case HD_OB_TICKER:
        return "ticker never stopped";
    default:
        return strcmp(o->label, "owner") == 0         ? "owner never ended"
               : strcmp(o->label, "worker pool") == 0 ? "worker pool never closed"
                                                      : "pool never destroyed";
    }
}

void hdi_leaks_observe(enum hdi_what what, const struct hdi_happened *e)
{
    if (what != HDI_OWED)
        return;
    e->object->owed = e->n != 0;
    e->object->check = hdi_self()->leak.check;
}

struct hdp_finding *hdi_leaked_object(struct hdi_object *o, const char *text, uint32_t step)
{
    struct hdp_finding *f = hdi_finding_begin(HD_FK_LEAK_OBJECT, text);

    o->leak_told = true;
    f->step = step;
    hdi_note(f, HD_ROLE_CREATED, o->creator, HD_EV_NONE, o, o->created_site, o->created_stack);
    hdi_finding_end(f, false);
    return f;
}

/* Made by one that is gone, or by the one that ends the program: nobody is left who ought to end
 * it. A pool among a module's own data lives as long as the program. */
static void look_at_object(struct hdi_object *o)
{
    if (o->owed && !o->leak_told &&
        (!o->creator || o->creator->life.ended || o->creator == hdi_self()) &&
        !(o->label_kind == HD_OB_POOL && hdi_object_is_static(o)))
        hdi_leaked_object(o, hdi_owed_text(o), end_step);
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

static bool is_left(const struct hdi_thread *t, const struct hdi_thread *self)
{
    return t != self && t->creator && !t->leak.expected && !t->leak.excused &&
           t->state == HDP_T_BLOCKED && (!t->outside || (t->op->own && !t->op->timed)) &&
           (!t->op || t->op->until_ns == 0 || t->op->until_ns == HDI_FOREVER) &&
           !hdi_goes_on_with_time(t);
}

static bool is_unjoined(const struct hdi_thread *t, const struct hdi_thread *self)
{
    return t != self && t->creator && !t->leak.expected && !t->leak.told && t->life.ended &&
           t->life.known && !t->life.joined && !t->life.detached &&
           (t->creator == self || t->creator->life.ended);
}

/* The one that t waits for by way of all others that are left: circles have been reported before. */
static struct hdi_thread *root_of(struct hdi_thread *t)
{
    struct hdi_thread *u;

    while ((u = kept_waiting_by(t)) && u->leak.left)
        t = u;
    return t;
}

/* Those that are left: who keeps others waiting is a finding, the others stand under it. */
static void tell_blocked(void)
{
    struct hdi_thread *t, *u;

    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++) {
        struct hdp_finding *f;
        if (!t->leak.left || root_of(t) != t)
            continue;
        f = hdi_left_locked(t->op ? t->op->object : NULL);
        if (!f && t->leak.told)
            f = t->reach.finding;
        else if (!f)
            f = hdi_leaked_thread(t, "thread still blocked when the program ended");
        if (!f)
            continue; /* said at the end of a check */
        if (!f->causes)
            f->causes = f->notes;
        for (uint32_t k = 0; (u = hdi_thread_known(k)); k++)
            if (u->leak.left && !u->leak.told && root_of(u) == t) {
                u->leak.told = true;
                note_left(f, u);
            }
    }
}

void hdi_look_for_leaks(bool silence)
{
    struct hdi_thread *self = hdi_self(), *t;
    uint32_t n;
    bool any;

    end_step = hdi_step();
    if (self && hdi_live(&n) && n > 1) {
        if (silence)
            silence_output();
        hdi_drain(SLEEPS);
    }
    if (!in_the_middle)
        hdi_held_for_good();
    any = excuse(self);
    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
        t->leak.left = is_left(t, self);
    tell_blocked();
    for (uint32_t i = 0; !any && (t = hdi_thread_known(i)); i++)
        if (is_unjoined(t, self))
            hdi_leaked_thread(t, NULL);
    if (!any && !in_the_middle)
        hdi_objects_each(look_at_object);
}
