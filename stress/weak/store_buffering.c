/* Each thread raises its flag and looks at the other's: both may see none. */
#include "races/pattern.h"

#define ORDER CHOOSE(memory_order_relaxed, memory_order_seq_cst)
static atomic_int x, y, saw_x = 1, saw_y = 1;

static void *first(void *arg)
{
    atomic_store_explicit(&x, 1, ORDER);
    atomic_store(&saw_y, atomic_load_explicit(&y, ORDER));
    return arg;
}

static void *second(void *arg)
{
    atomic_store_explicit(&y, 1, ORDER);
    atomic_store(&saw_x, atomic_load_explicit(&x, ORDER));
    return arg;
}

int main(void)
{
    run2(first, second, NULL);
    assert(atomic_load(&saw_x) || atomic_load(&saw_y));
    return 0;
}
