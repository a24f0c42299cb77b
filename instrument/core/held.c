/* held.c - the locks that each thread holds, oldest first. */
#include <string.h>

#include "locks/lockorder.h"
#include "thread.h"

struct hdi_held *hdi_held_find(struct hdi_thread *t, const struct hdi_object *object)
{
    for (uint32_t i = t->held_count; i-- > 0;)
        if (t->held[i].object == object)
            return &t->held[i];
    return NULL;
}

void hdi_hold(struct hdi_object *object, enum hd_event kind, bool shared, uint64_t site)
{
    struct hdi_thread *t = hdi_self();
    struct hdi_held *h = hdi_held_find(t, object);

    if (h) {
        h->count++;
        if (shared) { /* a try may follow a lock */
            struct hdi_held again = *h;
            again.kind = (uint16_t)kind;
            hdi_lockorder_held(&again, site);
        }
        return;
    }
    if (t->held_count == t->held_capacity) {
        uint32_t capacity = t->held_capacity ? 2 * t->held_capacity : 8;
        struct hdi_held *more = hdi_alloc(capacity * sizeof *more);
        if (t->held_count)
            memcpy(more, t->held, t->held_count * sizeof *more);
        t->held = more;
        t->held_capacity = capacity;
    }
    t->held[t->held_count++] = (struct hdi_held){.object = object,
                                                 .site = site,
                                                 .stack = hdi_stack(),
                                                 .kind = (uint16_t)kind,
                                                 .shared = shared,
                                                 .count = 1};
    hdi_lockorder_held(&t->held[t->held_count - 1], site);
}

bool hdi_drop(struct hdi_thread *t, struct hdi_object *object, bool all)
{
    struct hdi_held *h = hdi_held_find(t, object);

    if (!h)
        return false;
    if (h->shared) /* each read lock was told, of the others the first */
        hdi_lockorder_dropped(t, object, all ? h->count : 1);
    else if (all || h->count == 1)
        hdi_lockorder_dropped(t, object, 1);
    if (all || --h->count == 0) {
        struct hdi_thread *self = hdi_self();
        object->dropped_kind = (uint16_t)self->last.kind;
        object->dropped_site = self->last.site;
        object->dropped_stack = hdi_stack();
        object->dropper = self;
        uint32_t i = (uint32_t)(h - t->held);
        memmove(h, h + 1, (t->held_count - i - 1) * sizeof *h);
        t->held_count--;
    }
    return true;
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
