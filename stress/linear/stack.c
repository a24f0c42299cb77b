/* Treiber's stack whose nodes are used again. Wrong: a pop does not notice that its node was popped and pushed
 * again in between (ABA), and makes a node that is free the top. Right: a count beside the top changes each time. */
#include "subject.h"

enum { NODES = 40, NONE = 0 };

struct stack {
    _Atomic uint64_t top; /* number of a node, and above it the count */
    _Atomic uint64_t idle;
    struct {
        _Atomic uint32_t next;
        long value;
    } node[NODES + 1];
};

static uint64_t counted(uint64_t before, uint32_t node, bool count)
{
    return (count ? (before >> 32) + 1 : 0) << 32 | node;
}

static void push_node(struct stack *s, _Atomic uint64_t *list, uint32_t node, bool count)
{
    uint64_t before = *list;

    do
        s->node[node].next = (uint32_t)before;
    while (!atomic_compare_exchange_weak(list, &before, counted(before, node, count)));
}

static uint32_t pop_node(struct stack *s, _Atomic uint64_t *list, bool count)
{
    uint64_t before = *list;
    uint32_t node;

    do
        node = (uint32_t)before;
    while (node != NONE && !atomic_compare_exchange_weak(
                               list, &before, counted(before, s->node[node].next, count)));
    return node;
}

static void *make(void)
{
    struct stack *s = calloc(1, sizeof *s);

    for (uint32_t i = NODES; s && i > 0; i--)
        push_node(s, &s->idle, i, true);
    return s;
}

static void run_push(void *structure, struct hd_call *call)
{
    struct stack *s = structure;
    uint32_t node = pop_node(s, &s->idle, true);

    s->node[node].value = call->arg[0];
    push_node(s, &s->top, node, RIGHT);
}

static void run_pop(void *structure, struct hd_call *call)
{
    struct stack *s = structure;
    uint32_t node = pop_node(s, &s->top, RIGHT);

    call->result[0] = node == NONE ? NOTHING : s->node[node].value;
    if (node != NONE)
        push_node(s, &s->idle, node, true);
}

static const struct hd_linear_op ops[] = {
    {.name = "push", .run = run_push, .apply = model_add, .args = 1, .distinct = 1},
    {.name = "pop", .run = run_pop, .apply = model_last, .results = 1},
};
static const struct hd_linear_spec spec = {.name = "stack",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = free,
                                           .state_bytes = sizeof(struct items)};
SUBJECT(spec, .threads = 3)
