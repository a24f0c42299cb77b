/* A counter. Wrong: load, add and store are three steps. */
#include "subject.h"

struct counter {
#if RIGHT
    atomic_long value;
#else
    long value;
#endif
};

static void *make(void)
{
    return calloc(1, sizeof(struct counter));
}

static void run_add(void *structure, struct hd_call *call)
{
    struct counter *c = structure;

    c->value += call->arg[0];
}

static void run_get(void *structure, struct hd_call *call)
{
    call->result[0] = ((struct counter *)structure)->value;
}

static void apply_add(void *state, struct hd_call *call)
{
    *(long *)state += call->arg[0];
}

static void apply_get(void *state, struct hd_call *call)
{
    call->result[0] = *(long *)state;
}

static const struct hd_linear_op ops[] = {
    {.name = "add", .run = run_add, .apply = apply_add, .args = 1, .range = {{1, 9}}},
    {.name = "get", .run = run_get, .apply = apply_get, .results = 1},
};
static const struct hd_linear_spec spec = {.name = "counter",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = free,
                                           .state_bytes = sizeof(long)};
SUBJECT(spec, .threads = 3)
