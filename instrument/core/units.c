/* units.c - see units.h */
#include "units.h"

#include <string.h>

void hdi_units_start(struct hdi_object *o, enum hdi_units_side side, int64_t total)
{
    if (!o->units)
        o->units = hdi_alloc(HDI_UNITS_SIDES * sizeof *o->units);
    o->units[side].total = total;
}

void hdi_units_forget(struct hdi_object *o)
{
    for (int side = 0; o->units && side < HDI_UNITS_SIDES; side++) {
        struct hdi_units *u = &o->units[side];
        *u = (struct hdi_units){.holder = u->holder, .capacity = u->capacity};
    }
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

void hdi_units_take(struct hdi_object *o, enum hdi_units_side side, int64_t n, enum hd_event kind,
                    uint64_t site)
{
    struct hdi_units *u = o->units ? &o->units[side] : NULL;
    struct hdi_thread *self = hdi_self();

    if (!u || u->handed || n <= 0)
        return;
    struct hdi_unit *h = holding(u, self);
    if (!h) {
        h = add(u);
        *h = (struct hdi_unit){.thread = self};
    }
    h->count += n;
    h->site = site;
    h->stack = hdi_stack();
    h->kind = (uint16_t)kind;
    u->out += n;
}

bool hdi_units_give(struct hdi_object *o, enum hdi_units_side side, int64_t n)
{
    struct hdi_units *u = o->units ? &o->units[side] : NULL;
    uint32_t live;

    if (!u || u->handed || n <= 0)
        return false;
    struct hdi_unit *h = holding(u, hdi_self());
    if (!h || h->count < n) {
        hdi_live(&live);
        if (h || live > 1 || u->out)
            u->handed = true;
        else
            u->total += n;
        return false;
    }
    u->returned = true;
    u->out -= n;
    h->count -= n;
    if (h->count == 0) {
        uint32_t i = (uint32_t)(h - u->holder);
        memmove(h, h + 1, (u->holders - i - 1) * sizeof *h);
        u->holders--;
    }
    return true;
}

void hdi_units_hand(struct hdi_object *o)
{
    for (int side = 0; o->units && side < HDI_UNITS_SIDES; side++)
        o->units[side].handed = true;
}

const struct hdi_units *hdi_units_awaited(const struct hdi_op *op)
{
    enum hdi_units_side side = HDI_UNITS_CONTENT;

    if (!op || !op->object || !op->object->units || op->self->cases > 1)
        return NULL;
    switch (op->self->cases ? op->self->wait_case[0].kind : op->kind) {
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
