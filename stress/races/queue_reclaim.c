/* A Michael-Scott queue: the dequeuer frees the old dummy while another thread still reads it. */
#include "pattern.h"

struct node {
    _Atomic(struct node *) next;
    int value;
};
static _Atomic(struct node *) head, tail;
static struct node *retired[8];
static atomic_int retired_count;

static struct node *node_new(int value)
{
    struct node *n = malloc(sizeof *n);
    atomic_init(&n->next, NULL);
    n->value = value;
    return n;
}

static void enqueue(int value)
{
    struct node *n = node_new(value), *last, *next;
    for (;;) {
        last = atomic_load(&tail);
        next = atomic_load(&last->next);
        if (next) {
            atomic_compare_exchange_strong(&tail, &last, next);
            continue;
        }
        if (atomic_compare_exchange_strong(&last->next, &next, n))
            break;
    }
    atomic_compare_exchange_strong(&tail, &last, n);
}

static int dequeue(void)
{
    for (;;) {
        struct node *first = atomic_load(&head), *last = atomic_load(&tail);
        struct node *next = atomic_load(&first->next);
        if (!next)
            return -1;
        if (first == last) {
            atomic_compare_exchange_strong(&tail, &last, next);
            continue;
        }
        int value = next->value;
        if (atomic_compare_exchange_strong(&head, &first, next)) {
            CHOOSE(free(first), retired[atomic_fetch_add(&retired_count, 1)] = first);
            return value;
        }
    }
}

static void *worker(void *arg)
{
    enqueue(1);
    dequeue();
    return arg;
}

int main(void)
{
    struct node *dummy = node_new(0);
    atomic_store(&head, dummy);
    atomic_store(&tail, dummy);
    run2(worker, worker, NULL);
    for (int i = 0; i < atomic_load(&retired_count); i++)
        free(retired[i]);
    return 0;
}
