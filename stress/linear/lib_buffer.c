/* A bounded buffer under a lock of lib/ for readers and writers. Wrong: between looking, as a reader, whether there is
 * room, and putting, as a writer, others may come. */
#include "subject.h"

#include <heddle/rwmutex.h>

enum { ROOM = 2 };

struct buffer {
    struct hd_rwmutex lock;
    struct items items;
};

static void *make(void)
{
    return calloc(1, sizeof(struct buffer));
}

static bool has_room(struct buffer *b)
{
    bool room;

    hd_rwmutex_rlock(&b->lock);
    room = b->items.count < ROOM;
    hd_rwmutex_runlock(&b->lock);
    return room;
}

static void run_put(void *structure, struct hd_call *call)
{
    struct buffer *b = structure;

    if (!has_room(b))
        return;
    hd_rwmutex_lock(&b->lock);
    if (!RIGHT || b->items.count < ROOM) {
        add_item(&b->items, call->arg[0]);
        call->result[0] = 1;
    }
    hd_rwmutex_unlock(&b->lock);
}

static void run_take(void *structure, struct hd_call *call)
{
    struct buffer *b = structure;

    hd_rwmutex_lock(&b->lock);
    call->result[0] = first_item(&b->items);
    hd_rwmutex_unlock(&b->lock);
}

static void apply_put(void *state, struct hd_call *call)
{
    struct items *m = state;

    if (m->count == ROOM)
        return;
    add_item(m, call->arg[0]);
    call->result[0] = 1;
}

static const struct hd_linear_op ops[] = {
    {.name = "put", .run = run_put, .apply = apply_put, .args = 1, .results = 1, .distinct = 1},
    {.name = "take", .run = run_take, .apply = model_first, .results = 1},
};
static const struct hd_linear_spec spec = {.name = "lib_buffer",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = free,
                                           .state_bytes = sizeof(struct items)};
SUBJECT(spec, .threads = 3)
