/* A spinlock that is let go with a plain store. */
#include "pattern.h"

#if RIGHT
static atomic_int lock;
#else
static int lock;
#endif
static int total;

static void *add(void *arg)
{
    while (__atomic_exchange_n((int *)&lock, 1, __ATOMIC_ACQUIRE))
        ;
    total++;
    CHOOSE(lock = 0, atomic_store_explicit(&lock, 0, memory_order_release));
    return arg;
}

int main(void)
{
    run2(add, add, NULL);
    return 0;
}
