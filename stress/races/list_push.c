/* A shared list: pushing without compare-and-swap loses nodes. */
#include "pattern.h"

struct node {
    struct node *next;
};
static struct node *CHOOSE(, _Atomic) list;
static struct node nodes[2];

static void push(struct node *n)
{
#if RIGHT
    struct node *old = atomic_load(&list);
    do
        n->next = old;
    while (!atomic_compare_exchange_weak(&list, &old, n));
#else
    n->next = list;
    list = n;
#endif
}

static void *first(void *arg)
{
    push(&nodes[0]);
    return arg;
}

static void *second(void *arg)
{
    push(&nodes[1]);
    return arg;
}

int main(void)
{
    run2(first, second, NULL);
    return 0;
}
