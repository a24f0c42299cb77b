/* The same with relaxed accesses and fences: both are needed. */
#include "races/pattern.h"

static atomic_int x, y, saw_x = 1, saw_y = 1;

static void *first(void *arg)
{
    atomic_store_explicit(&x, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store(&saw_y, atomic_load_explicit(&y, memory_order_relaxed));
    return arg;
}

static void *second(void *arg)
{
    atomic_store_explicit(&y, 1, memory_order_relaxed);
    atomic_thread_fence(CHOOSE(memory_order_acq_rel, memory_order_seq_cst));
    atomic_store(&saw_x, atomic_load_explicit(&x, memory_order_relaxed));
    return arg;
}

int main(void)
{
    run2(first, second, NULL);
    assert(atomic_load(&saw_x) || atomic_load(&saw_y));
    return 0;
}
