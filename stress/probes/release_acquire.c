/* Published with a release store, taken with an acquire load. */
#include "probe.h"
#include <stdatomic.h>

static int data;
static atomic_int ready;

static void *publish(void *arg)
{
    data = 42;
    atomic_store_explicit(&ready, 1, memory_order_release);
    return arg;
}

static void *consume(void *arg)
{
    while (!atomic_load_explicit(&ready, memory_order_acquire))
        sched_yield();
    assert(data == 42);
    return arg;
}

int main(void)
{
    return both(publish, consume);
}
