/* units.c - see units.h */
#include "units.h"

#include <string.h>

static bool is_channel(const struct hdi_object *o)
{
    return o->label_kind == HD_OB_CHAN;
}

/* All of them are free. */
static void start(struct hdi_object *o, int64_t total)
{
    if (!o->units)
        o->units = hdi_alloc(HDI_UNITS_SIDES * sizeof *o->units);
    o->units[HDI_UNITS_CONTENT].total = is_channel(o) ? 0 : total;
    o->units[HDI_UNITS_ROOM].total = is_channel(o) ? total : 0;
}

static void forget(struct hdi_object *o)
{
    for (int side = 0; o->units && side < HDI_UNITS_SIDES; side++) {
        struct hdi_units *u = &o->units[side];
        *u = (struct hdi_units){.holder = u->holder, .capacity = u->capacity};
    }
}

/* Nobody owns them from here on. */
static void hand(struct hdi_object *o)
{
    for (int side = 0; o->units && side < HDI_UNITS_SIDES; side++)
        o->units[side].handed = true;
}

static struct hdi_unit *holding(const struct hdi_units *u, const struct hdi_thread *t)
{
    for (uint32_t i = 0; i < u->holders; i++)
        if (u->holder[i].thread == t)
            return &u->holder[i];
    return NULL;
}

static struct hdi_unit *add(struct hdi_units *u)
{
    if (u->holders == u->capacity) {
        uint32_t capacity = u->capacity ? 2 * u->capacity : 4;
        struct hdi_unit *more = hdi_alloc(capacity * sizeof *more);
        if (u->holders)
            memcpy(more, u->holder, u->holders * sizeof *more);
        u->holder = more;
        u->capacity = capacity;
    }
    return &u->holder[u->holders++];
}

static void take(const struct hdi_happened *e, enum hdi_units_side side, int64_t n)
{
    struct hdi_units *u = e->object->units ? &e->object->units[side] : NULL;
    struct hdi_thread *self = hdi_self();

    if (!u || u->handed || n <= 0)
        return;
    struct hdi_unit *h = holding(u, self);
    if (!h) {
        h = add(u);
        *h = (struct hdi_unit){.thread = self};
    }
    h->count += n;
    h->site = e->site;
    h->stack = hdi_stack();
    h->kind = (uint16_t)e->event;
    u->out += n;
}

static void give(const struct hdi_happened *e, enum hdi_units_side side, int64_t n)
{
    struct hdi_units *u = e->object->units ? &e->object->units[side] : NULL;
    uint32_t live;

    if (!u || u->handed || n <= 0)
        return;
    struct hdi_unit *h = holding(u, hdi_self());
    if (!h || h->count < n) {
        hdi_live(&live);
        if (h || live > 1 || u->out)
            u->handed = true;
        else
            u->total += n;
        return;
    }
    u->returned = true;
    u->out -= n;
    h->count -= n;
    if (h->count == 0) {
        uint32_t i = (uint32_t)(h - u->holder);
        memmove(h, h + 1, (u->holders - i - 1) * sizeof *h);
        u->holders--;
    }
}

static void passed(const struct hdi_happened *e)
{
    switch (e->event) {
    case HD_EV_SEM_WAIT:
    case HD_EV_SEM_TRYWAIT:
        take(e, HDI_UNITS_CONTENT, e->n);
        break;
    case HD_EV_SEM_POST:
        give(e, HDI_UNITS_CONTENT, e->n);
        break;
    case HD_EV_HD_SEMAPHORE:
        take(e, HDI_UNITS_CONTENT, e->n);
        give(e, HDI_UNITS_CONTENT, -e->n);
        break;
    case HD_EV_CHAN_SEND:
        take(e, HDI_UNITS_ROOM, e->n);
        give(e, HDI_UNITS_CONTENT, e->n);
        break;
    case HD_EV_CHAN_RECV:
        take(e, HDI_UNITS_CONTENT, e->n);
        give(e, HDI_UNITS_ROOM, e->n);
        break;
    case HD_EV_CHAN_CLOSE:
        hand(e->object);
        break;
    default:
        break;
    }
}

void hdi_units_observes(enum hdi_what what, const struct hdi_happened *e)
{
    switch (what) {
    case HDI_MADE:
        forget(e->object);
        break;
    case HDI_UNITS:
        start(e->object, e->n);
        if (e->n < 0)
            hand(e->object);
        break;
    case HDI_DONE:
        passed(e);
        break;
    default:
        break;
    }
}

bool hdi_units_owned(const struct hdi_object *o)
{
    return o->units && !o->units[HDI_UNITS_CONTENT].handed;
}

const struct hdi_units *hdi_units_awaited(const struct hdi_op *op)
{
    enum hdi_units_side side = HDI_UNITS_CONTENT;

    if (!op || !op->object || !op->object->units || op->self->wait.count > 1)
        return NULL;
    switch (op->self->wait.count ? op->self->wait.cases[0].kind : op->kind) {
    case HD_EV_SEM_WAIT:
    case HD_EV_HD_SEMAPHORE:
    case HD_EV_CHAN_RECV:
        break;
    case HD_EV_CHAN_SEND:
        side = HDI_UNITS_ROOM;
        break;
    default:
        return NULL;
    }
    const struct hdi_units *u = &op->object->units[side];
    return u->handed || u->holders == 0 || u->out > u->total ? NULL : u;
}
