/* A ring for many producers and one consumer: a producer takes a number, fills that slot and marks it. Wrong: a
 * consumer who finds the first slot unmarked says that the ring is empty, while later slots may have been filled by
 * puts that are over. Right: it waits for whoever has the number. */
#include "subject.h"

#include <sched.h>

struct ring {
    atomic_uint numbers, taken;
    struct {
        _Atomic long value;
        atomic_bool full;
    } slot[ITEMS];
};

static void *make(void)
{
    return calloc(1, sizeof(struct ring));
}

static void run_put(void *structure, struct hd_call *call)
{
    struct ring *r = structure;
    unsigned number = atomic_fetch_add(&r->numbers, 1);

    r->slot[number].value = call->arg[0];
    r->slot[number].full = true;
}

static void run_take(void *structure, struct hd_call *call)
{
    struct ring *r = structure;
    unsigned taken = r->taken;

    call->result[0] = NOTHING;
    if (RIGHT && taken == r->numbers)
        return;
    while (RIGHT && !r->slot[taken].full)
        sched_yield();
    if (!r->slot[taken].full)
        return;
    call->result[0] = r->slot[taken].value;
    r->taken = taken + 1;
}

static const struct hd_linear_op ops[] = {
    {.name = "put", .run = run_put, .apply = model_add, .args = 1, .distinct = 1},
    {.name = "take", .run = run_take, .apply = model_first, .results = 1, .only = 1},
};
static const struct hd_linear_spec spec = {.name = "mpsc_ring",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = free,
                                           .state_bytes = sizeof(struct items)};
SUBJECT(spec, .threads = 3)
