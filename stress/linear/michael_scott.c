/* The queue of Michael and Scott, whose nodes are used again, with counts beside their numbers. Wrong: the value is
 * read behind the exchange that gives the node away. */
#include "subject.h"

enum { NODES = 40 };

struct queue {
    _Atomic uint64_t head, tail, idle; /* number of a node, and above it a count */
    struct {
        _Atomic uint64_t next;
        _Atomic long value;
    } node[NODES + 1];
};

static uint64_t counted(uint64_t before, uint64_t node)
{
    return ((before >> 32) + 1) << 32 | (uint32_t)node;
}

static void free_node(struct queue *q, uint32_t node)
{
    uint64_t before = q->idle;

    do
        q->node[node].next = counted(q->node[node].next, before);
    while (!atomic_compare_exchange_weak(&q->idle, &before, counted(before, node)));
}

static uint32_t new_node(struct queue *q, long value)
{
    uint64_t before = q->idle;

    while (!atomic_compare_exchange_weak(&q->idle, &before,
                                         counted(before, q->node[(uint32_t)before].next)))
        ;
    q->node[(uint32_t)before].value = value;
    q->node[(uint32_t)before].next = counted(q->node[(uint32_t)before].next, 0);
    return (uint32_t)before;
}

static void *make(void)
{
    struct queue *q = calloc(1, sizeof *q);

    if (!q)
        return NULL;
    for (uint32_t i = NODES; i > 0; i--)
        free_node(q, i);
    q->head = q->tail = new_node(q, 0);
    return q;
}

static void run_put(void *structure, struct hd_call *call)
{
    struct queue *q = structure;
    uint32_t node = new_node(q, call->arg[0]);

    for (;;) {
        uint64_t tail = q->tail, next = q->node[(uint32_t)tail].next;
        if (tail != q->tail)
            continue;
        if ((uint32_t)next) {
            atomic_compare_exchange_strong(&q->tail, &tail, counted(tail, next));
            continue;
        }
        if (atomic_compare_exchange_strong(&q->node[(uint32_t)tail].next, &next,
                                           counted(next, node))) {
            atomic_compare_exchange_strong(&q->tail, &tail, counted(tail, node));
            return;
        }
    }
}

static void run_take(void *structure, struct hd_call *call)
{
    struct queue *q = structure;

    for (;;) {
        uint64_t head = q->head, tail = q->tail, next = q->node[(uint32_t)head].next;
        long value = RIGHT ? q->node[(uint32_t)next].value : 0;
        if (head != q->head)
            continue;
        if ((uint32_t)head == (uint32_t)tail) {
            if (!(uint32_t)next) {
                call->result[0] = NOTHING;
                return;
            }
            atomic_compare_exchange_strong(&q->tail, &tail, counted(tail, next));
            continue;
        }
        if (atomic_compare_exchange_strong(&q->head, &head, counted(head, next))) {
            call->result[0] = RIGHT ? value : q->node[(uint32_t)next].value;
            free_node(q, (uint32_t)head);
            return;
        }
    }
}

static const struct hd_linear_op ops[] = {
    {.name = "put", .run = run_put, .apply = model_add, .args = 1, .distinct = 1},
    {.name = "take", .run = run_take, .apply = model_first, .results = 1},
};
static const struct hd_linear_spec spec = {.name = "michael_scott",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = free,
                                           .state_bytes = sizeof(struct items)};
SUBJECT(spec, .threads = 3)
