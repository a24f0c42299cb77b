/* held.c - the locks that each thread holds, oldest first. */
#include <string.h>

#include "observers.h"
#include "thread.h"

struct hdi_held *hdi_held_find(struct hdi_thread *t, const struct hdi_object *object)
{
    for (uint32_t i = t->locks.count; i-- > 0;)
        if (t->locks.held[i].object == object)
            return &t->locks.held[i];
    return NULL;
}

static bool is_try(enum hd_event kind)
{
    return kind == HD_EV_MUTEX_TRYLOCK || kind == HD_EV_RWLOCK_TRYLOCK ||
           kind == HD_EV_SPIN_TRYLOCK || kind == HD_EV_SEM_TRYWAIT ||
           kind == HD_EV_HD_MUTEX_TRYLOCK || kind == HD_EV_HD_RWMUTEX_TRYLOCK;
}

/* t, which has just taken a lock by `kind`, would have given up at once or after a while. */
static bool gives_up(const struct hdi_thread *t, enum hd_event kind)
{
    const struct hdi_op *last = &t->last;

    return is_try(kind) || (last->kind == kind && last->until_ns && last->until_ns != HDI_FOREVER);
}

static void hold(const struct hdi_happened *e)
{
    struct hdi_thread *t = hdi_self();
    struct hdi_held *h = hdi_held_find(t, e->object);

    if (h) {
        h->count++;
        h->tried = gives_up(t, e->event);
        return;
    }
    if (t->locks.count == t->locks.capacity) {
        uint32_t capacity = t->locks.capacity ? 2 * t->locks.capacity : 8;
        struct hdi_held *more = hdi_alloc(capacity * sizeof *more);
        if (t->locks.count)
            memcpy(more, t->locks.held, t->locks.count * sizeof *more);
        t->locks.held = more;
        t->locks.capacity = capacity;
    }
    t->locks.held[t->locks.count++] = (struct hdi_held){.object = e->object,
                                                        .site = e->site,
                                                        .stack = hdi_stack(),
                                                        .kind = (uint16_t)e->event,
                                                        .shared = (e->mode & HDI_SHARED) != 0,
                                                        .tried = gives_up(t, e->event),
                                                        .count = 1};
}

/* A lock of lib/ belongs to no thread: another may give it back yet. */
static bool is_nobodys(const struct hdi_object *o)
{
    return o->label_kind == HD_OB_HD_MUTEX || o->label_kind == HD_OB_HD_RWMUTEX;
}

/* What t holds is not given back by its end. */
static void at_exit(struct hdi_thread *t, bool for_good)
{
    for (uint32_t i = 0; i < t->locks.count; i++) {
        struct hdi_held *h = &t->locks.held[i];
        struct hdp_finding *f;
        if (h->told || (!for_good && is_nobodys(h->object)))
            continue;
        h->told = true;
        f = hdi_finding_begin(HD_FK_LOCK_AT_EXIT, NULL);
        hdi_note(f, HD_ROLE_HERE, t, HD_EV_THREAD_EXIT, h->object, t->start, 0);
        hdi_note(f, HD_ROLE_HOLDS, t, h->kind, h->object, h->site, h->stack);
        hdi_finding_end(f, false);
    }
}

void hdi_held_for_good(void)
{
    struct hdi_thread *t;

    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
        if (t->life.ended)
            at_exit(t, true);
}

struct hdp_finding *hdi_left_locked(const struct hdi_object *o)
{
    struct hdi_thread *t;

    for (uint32_t i = 0; o && (t = hdi_thread_known(i)); i++)
        if (t->life.ended && hdi_held_find(t, o))
            return hdi_finding_of(HD_FK_LOCK_AT_EXIT, t, o);
    return NULL;
}

void hdi_held_observes(enum hdi_what what, const struct hdi_happened *e)
{
    switch (what) {
    case HDI_ACQUIRED:
        hold(e);
        break;
    case HDI_LEVEL:
        hdi_held_find(e->thread, e->object)->count += (uint32_t)e->n;
        break;
    case HDI_THREAD_ENDS:
        at_exit(hdi_self(), false);
        break;
    default:
        break;
    }
}

/* RELEASED, a level; LOST, all of them. */
void hdi_held_observes_end(enum hdi_what what, const struct hdi_happened *e)
{
    struct hdi_thread *t = e->thread, *self = hdi_self();
    struct hdi_object *object = e->object;
    struct hdi_held *h = hdi_held_find(t, object);

    if (!h || (what == HDI_RELEASED && --h->count > 0))
        return;
    object->dropped_kind = (uint16_t)self->last.kind;
    object->dropped_site = self->last.site;
    object->dropped_stack = hdi_stack();
    object->dropper = self;
    uint32_t i = (uint32_t)(h - t->locks.held);
    memmove(h, h + 1, (t->locks.count - i - 1) * sizeof *h);
    t->locks.count--;
}

static bool gives_back(enum hd_event event)
{
    return event == HD_EV_MUTEX_UNLOCK || event == HD_EV_RWLOCK_UNLOCK ||
           event == HD_EV_SPIN_UNLOCK;
}

void hdi_lock_misuse(enum hd_finding_kind kind, const char *text, struct hdi_object *object,
                     enum hd_event event, uint64_t site)
{
    struct hdp_finding *f = hdi_finding_begin(kind, text);
    struct hdi_thread *t;

    hdi_note(f, HD_ROLE_HERE, hdi_self(), event, object, site, hdi_stack());
    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++) {
        struct hdi_held *h = hdi_held_find(t, object);
        if (h)
            hdi_note(f, HD_ROLE_HOLDS, t, h->kind, object, h->site, h->stack);
    }
    for (t = gives_back(event) ? NULL : object->pending; t; t = t->pending_next)
        if (!hdi_held_find(t, object))
            hdi_note(f, HD_ROLE_WAITS, t, t->op->kind, object, t->op->site, t->end_stack);
    if (kind == HD_FK_UNLOCK_NOT_HELD && object->dropped_kind)
        hdi_note(f, HD_ROLE_EARLIER, object->dropper, object->dropped_kind, object,
                 object->dropped_site, object->dropped_stack);
    hdi_note(f, HD_ROLE_CREATED, object->creator, HD_EV_NONE, object, object->created_site,
             object->created_stack);
    hdi_finding_end(f, false);
}
