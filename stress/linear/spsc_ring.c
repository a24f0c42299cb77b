/* A ring for one producer and one consumer. Wrong: the producer says that the slot is full before it has filled it. */
#include "subject.h"

enum { SLOTS = 2 };

struct ring {
    atomic_uint put, taken;
    _Atomic long slot[SLOTS];
};

static void *make(void)
{
    return calloc(1, sizeof(struct ring));
}

static void run_put(void *structure, struct hd_call *call)
{
    struct ring *r = structure;
    unsigned put = atomic_load_explicit(&r->put, memory_order_relaxed);

    if (put - atomic_load_explicit(&r->taken, memory_order_acquire) == SLOTS)
        return;
#if RIGHT
    atomic_store_explicit(&r->slot[put % SLOTS], call->arg[0], memory_order_relaxed);
    atomic_store_explicit(&r->put, put + 1, memory_order_release);
#else
    atomic_store_explicit(&r->put, put + 1, memory_order_release);
    atomic_store_explicit(&r->slot[put % SLOTS], call->arg[0], memory_order_relaxed);
#endif
    call->result[0] = 1;
}

static void run_take(void *structure, struct hd_call *call)
{
    struct ring *r = structure;
    unsigned taken = atomic_load_explicit(&r->taken, memory_order_relaxed);

    call->result[0] = NOTHING;
    if (taken == atomic_load_explicit(&r->put, memory_order_acquire))
        return;
    call->result[0] = atomic_load_explicit(&r->slot[taken % SLOTS], memory_order_relaxed);
    atomic_store_explicit(&r->taken, taken + 1, memory_order_release);
}

static void apply_put(void *state, struct hd_call *call)
{
    struct items *m = state;

    if (m->count == SLOTS)
        return;
    add_item(m, call->arg[0]);
    call->result[0] = 1;
}

static const struct hd_linear_op ops[] = {
    {.name = "put",
     .run = run_put,
     .apply = apply_put,
     .args = 1,
     .results = 1,
     .distinct = 1,
     .only = 1},
    {.name = "take", .run = run_take, .apply = model_first, .results = 1, .only = 2},
};
static const struct hd_linear_spec spec = {.name = "spsc_ring",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = free,
                                           .state_bytes = sizeof(struct items)};
SUBJECT(spec, .threads = 2)
