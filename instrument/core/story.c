/* story.c - see story.h */
#include "story.h"

#include "observers.h"
#include "units.h"

struct hdp_story *hdi_story;

static uint16_t index_of(const struct hdi_thread *t)
{
    return t && t->index < HDP_STORY_NOBODY ? (uint16_t)t->index : HDP_STORY_NOBODY;
}

static void add(enum hdp_story_what what, const struct hdi_thread *t, struct hdp_story_event e)
{
    struct hdp_story *s = hdi_story;

    if (s->events == HDP_STORY_EVENTS) {
        s->full = 1;
        return;
    }
    e.what = (uint8_t)what;
    e.thread = index_of(t);
    e.step = hdi_step();
    s->event[s->events++] = e;
}

static void about(enum hdp_story_what what, const struct hdi_thread *t, const struct hdi_object *o,
                  enum hd_event kind, uint64_t site, int64_t n, const struct hdi_thread *other)
{
    add(what, t,
        (struct hdp_story_event){.kind = (uint8_t)kind,
                                 .object = o ? o->id : 0,
                                 .site = site,
                                 .n = n > INT32_MAX   ? INT32_MAX
                                      : n < INT32_MIN ? INT32_MIN
                                                      : (int32_t)n,
                                 .other = index_of(other)});
}

void hdi_story_waits(const struct hdi_thread *t, const struct hdi_op *op)
{
    if (!hdi_story)
        return;
    about(HDP_STORY_WAITS, t, op->object, op->kind, op->site, 0, NULL);
    for (uint32_t i = 0; t->wait.count > 1 && i < t->wait.count; i++)
        about(HDP_STORY_CASE, t, t->wait.cases[i].object, t->wait.cases[i].kind, 0, 0, NULL);
}

void hdi_story_goes_on(const struct hdi_thread *t, const struct hdi_op *op,
                       const struct hdi_thread *by)
{
    if (hdi_story)
        about(HDP_STORY_GOES_ON, t, op->object, op->kind, 0, 0, by);
}

/* What an object holds when the schedule begins, if that is known. */
static void begin_object(struct hdi_object *o)
{
    if (!o->units || o->dead)
        return;
    enum hdi_units_side side = o->label_kind == HD_OB_CHAN ? HDI_UNITS_ROOM : HDI_UNITS_CONTENT;
    const struct hdi_units *u = &o->units[side];
    about(HDP_STORY_ROOM, NULL, o, HD_EV_NONE, 0, u->total, NULL);
    if (!u->handed)
        about(HDP_STORY_FILLED, NULL, o, HD_EV_NONE, 0, u->out, NULL);
}

static void begin(const struct hdi_thread *main)
{
    hdi_objects_each(begin_object);
    for (uint32_t i = 0; i < main->locks.count; i++) {
        const struct hdi_held *h = &main->locks.held[i];
        about(HDP_STORY_TAKES, main, h->object, h->kind, h->site, h->shared, NULL);
    }
}

static void lock_taken(const struct hdi_happened *e)
{
    struct hdi_thread *self = hdi_self();
    const struct hdi_held *h = hdi_held_find(self, e->object);

    if (h && h->count == 1)
        about(HDP_STORY_TAKES, self, e->object, e->event, e->site, h->shared, NULL);
}

static void lock_given(enum hdi_what what, const struct hdi_happened *e)
{
    const struct hdi_held *h = hdi_held_find(e->thread, e->object);

    if (h && (what == HDI_LOST || h->count == 1))
        about(HDP_STORY_GIVES, e->thread, e->object, e->event, e->site, 0, hdi_self());
}

static void order(enum hdp_story_what what, const struct hdi_happened *e)
{
    about(what, hdi_self(), e->object, e->event, (uint64_t)(uintptr_t)e->clock, 0, NULL);
}

void hdi_story_observes(enum hdi_what what, const struct hdi_happened *e)
{
    if (!hdi_story)
        return;
    switch (what) {
    case HDI_STARTS:
        begin(e->thread);
        break;
    case HDI_UNITS:
        about(HDP_STORY_ROOM, hdi_self(), e->object, e->event, 0, e->n, NULL);
        break;
    case HDI_ACQUIRED:
        lock_taken(e);
        break;
    case HDI_RELEASED:
    case HDI_LOST:
        lock_given(what, e);
        break;
    case HDI_DONE:
        about(HDP_STORY_MOVES, hdi_self(), e->object, e->event, e->site, e->n, NULL);
        if (e->event == HD_EV_CHAN_CLOSE && !hdi_story->full)
            hdi_story->event[hdi_story->events - 1].stack = hdi_stack();
        break;
    case HDI_SENT:
    case HDI_HANDED:
        order(HDP_STORY_SENT, e);
        break;
    case HDI_RECEIVED:
    case HDI_TAKEN:
        order(HDP_STORY_RECEIVED, e);
        break;
    case HDI_THREAD_MADE:
        about(HDP_STORY_MAKES, hdi_self(), NULL, HD_EV_THREAD_CREATE, e->site, 0, e->thread);
        break;
    case HDI_THREAD_BEGINS:
        about(HDP_STORY_BEGINS, hdi_self(), NULL, HD_EV_THREAD_START, 0, 0, NULL);
        break;
    case HDI_THREAD_ENDS:
        about(HDP_STORY_ENDS, hdi_self(), NULL, HD_EV_THREAD_EXIT, 0, 0, NULL);
        break;
    case HDI_THREAD_JOINED:
        about(HDP_STORY_JOINS, hdi_self(), NULL, HD_EV_THREAD_JOIN, e->site, 0, e->thread);
        break;
    default:
        break;
    }
}
