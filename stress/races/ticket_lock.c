/* A ticket lock whose hand-over is relaxed. */
#include "pattern.h"

static atomic_int next, serving;
static int total;

static void *add(void *arg)
{
    int mine = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&serving, memory_order_acquire) != mine)
        ;
    total++;
    atomic_store_explicit(&serving, mine + 1, CHOOSE(memory_order_relaxed, memory_order_release));
    return arg;
}

int main(void)
{
    run2(add, add, NULL);
    return 0;
}
