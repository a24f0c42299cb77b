/* Two cells that are read together. Wrong: one after the other. Right: again, until nothing has changed in between;
 * each value comes with the number of its update. */
#include "subject.h"

struct cells {
    _Atomic uint64_t cell[2]; /* a value, and above it the number of updates */
};

static void *make(void)
{
    return calloc(1, sizeof(struct cells));
}

static void run_update(void *structure, struct hd_call *call)
{
    struct cells *c = structure;
    uint64_t before = c->cell[call->arg[0]];

    while (!atomic_compare_exchange_weak(&c->cell[call->arg[0]], &before,
                                         ((before >> 32) + 1) << 32 | (uint32_t)call->arg[1]))
        ;
}

static void run_scan(void *structure, struct hd_call *call)
{
    struct cells *c = structure;
    uint64_t first, second, again;

    do {
        first = c->cell[0];
        second = c->cell[1];
        again = RIGHT ? c->cell[0] : first;
    } while (again != first);
    call->result[0] = (uint32_t)first;
    call->result[1] = (uint32_t)second;
}

static void apply_update(void *state, struct hd_call *call)
{
    ((long *)state)[call->arg[0]] = call->arg[1];
}

static void apply_scan(void *state, struct hd_call *call)
{
    memcpy(call->result, state, 2 * sizeof(long));
}

static const struct hd_linear_op ops[] = {
    {.name = "update",
     .run = run_update,
     .apply = apply_update,
     .args = 2,
     .range = {{0, 1}, {1, 9}}},
    {.name = "scan", .run = run_scan, .apply = apply_scan, .results = 2},
};
static const struct hd_linear_spec spec = {.name = "snapshot",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = free,
                                           .state_bytes = 2 * sizeof(long)};
SUBJECT(spec, .threads = 3)
