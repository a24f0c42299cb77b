/* A barrier of one counter: arriving must publish what was done before. */
#include "pattern.h"

static atomic_int arrived;
static int part[2];

static void meet(void)
{
    atomic_fetch_add_explicit(&arrived, 1, CHOOSE(memory_order_relaxed, memory_order_acq_rel));
    while (atomic_load_explicit(&arrived, memory_order_acquire) < 2)
        ;
}

static void *left(void *arg)
{
    part[0] = 1;
    meet();
    return part[1] ? arg : NULL;
}

static void *right(void *arg)
{
    part[1] = 1;
    meet();
    return part[0] ? arg : NULL;
}

int main(void)
{
    run2(left, right, NULL);
    return 0;
}
