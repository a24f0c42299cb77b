/* Dekker's entry protocol needs more than release and acquire. */
#include "races/pattern.h"

static atomic_int wants[2], inside;

static void enter(int me)
{
    atomic_store_explicit(&wants[me], 1, CHOOSE(memory_order_release, memory_order_seq_cst));
    if (!atomic_load_explicit(&wants[1 - me], CHOOSE(memory_order_acquire, memory_order_seq_cst))) {
        assert(atomic_fetch_add(&inside, 1) == 0);
        atomic_fetch_sub(&inside, 1);
    }
    atomic_store_explicit(&wants[me], 0, memory_order_release);
}

static void *first(void *arg)
{
    enter(0);
    return arg;
}

static void *second(void *arg)
{
    enter(1);
    return arg;
}

int main(void)
{
    run2(first, second, NULL);
    return 0;
}
