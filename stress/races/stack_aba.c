/* A lock-free stack whose pop compares the pointer alone: A, then B and A again, looks unchanged.
 */
#include "pattern.h"

#define NODES 3
struct node {
    uint32_t next; /* index + 1 */
};
static struct node nodes[NODES + 1];
/* index + 1 in the low half, a tag in the high half that only the right version changes */
static _Atomic uint64_t head;
static atomic_int owned[NODES + 1];

static void push(uint32_t n)
{
    uint64_t old = atomic_load(&head), fresh;
    do {
        __atomic_store_n(&nodes[n].next, (uint32_t)old, __ATOMIC_RELAXED);
        fresh = (old & ~(uint64_t)UINT32_MAX) + CHOOSE(0, ((uint64_t)1 << 32)) + n;
    } while (!atomic_compare_exchange_weak(&head, &old, fresh));
}

static uint32_t pop(void)
{
    uint64_t old = atomic_load(&head), fresh;
    do {
        if (!(uint32_t)old)
            return 0;
        fresh = (old & ~(uint64_t)UINT32_MAX) + CHOOSE(0, ((uint64_t)1 << 32)) +
                __atomic_load_n(&nodes[(uint32_t)old].next, __ATOMIC_RELAXED);
    } while (!atomic_compare_exchange_weak(&head, &old, fresh));
    return (uint32_t)old;
}

static uint32_t take(void)
{
    uint32_t n = pop();
    if (n)
        assert(atomic_fetch_add(&owned[n], 1) == 0);
    return n;
}

static void give(uint32_t n)
{
    atomic_fetch_sub(&owned[n], 1);
    push(n);
}

static void *slow(void *arg)
{
    uint32_t n = take(), m = take();
    (void)n, (void)m;
    return arg;
}

static void *quick(void *arg)
{
    uint32_t a = take(), b = take();
    if (a)
        give(a);
    (void)b;
    return arg;
}

int main(void)
{
    for (uint32_t n = NODES; n > 0; n--)
        push(n);
    run2(slow, quick, NULL);
    return 0;
}
