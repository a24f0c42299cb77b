/* A queue with a lock for each end. Wrong: without a dummy node, whoever takes the last item and whoever puts the
 * next one write the same fields under different locks. */
#include "subject.h"

#include <pthread.h>

struct node {
    struct node *next;
    long value;
};

struct queue {
    pthread_mutex_t at_head, at_tail;
    struct node *_Atomic head, *_Atomic tail;
    struct node node[ITEMS + 1];
    atomic_int used;
};

static struct node *new_node(struct queue *q, long value)
{
    struct node *n = &q->node[atomic_fetch_add(&q->used, 1)];

    n->value = value;
    return n;
}

static void *make(void)
{
    struct queue *q = calloc(1, sizeof *q);

    if (!q)
        return NULL;
    pthread_mutex_init(&q->at_head, NULL);
    pthread_mutex_init(&q->at_tail, NULL);
    if (RIGHT)
        q->head = q->tail = new_node(q, 0);
    return q;
}

static void destroy(void *structure)
{
    struct queue *q = structure;

    pthread_mutex_destroy(&q->at_head);
    pthread_mutex_destroy(&q->at_tail);
    free(q);
}

static struct node *load_next(struct node *n)
{
    return __atomic_load_n(&n->next, __ATOMIC_ACQUIRE);
}

static void run_put(void *structure, struct hd_call *call)
{
    struct queue *q = structure;
    struct node *n = new_node(q, call->arg[0]), *last;

    pthread_mutex_lock(&q->at_tail);
    last = q->tail;
    if (last)
        __atomic_store_n(&last->next, n, __ATOMIC_RELEASE);
    else
        q->head = n;
    q->tail = n;
    pthread_mutex_unlock(&q->at_tail);
}

#if RIGHT
static long take(struct queue *q)
{
    struct node *first = load_next(q->head);

    if (!first)
        return NOTHING;
    q->head = first;
    return first->value;
}
#else
static long take(struct queue *q)
{
    struct node *first = q->head;

    if (!first)
        return NOTHING;
    q->head = load_next(first);
    if (!q->head)
        q->tail = NULL;
    return first->value;
}
#endif

static void run_take(void *structure, struct hd_call *call)
{
    struct queue *q = structure;

    pthread_mutex_lock(&q->at_head);
    call->result[0] = take(q);
    pthread_mutex_unlock(&q->at_head);
}

static const struct hd_linear_op ops[] = {
    {.name = "put", .run = run_put, .apply = model_add, .args = 1, .distinct = 1},
    {.name = "take", .run = run_take, .apply = model_first, .results = 1},
};
static const struct hd_linear_spec spec = {.name = "two_locks",
                                           .ops = ops,
                                           .op_count = COUNT_OF(ops),
                                           .make = make,
                                           .destroy = destroy,
                                           .state_bytes = sizeof(struct items)};
SUBJECT(spec, .threads = 3)
