/* Published with a release fence and a relaxed store, taken with a relaxed load and an acquire
 * fence. */
#include "probe.h"
#include <stdatomic.h>

static int data;
static atomic_int ready;

static void *publish(void *arg)
{
    data = 42;
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&ready, 1, memory_order_relaxed);
    return arg;
}

static void *consume(void *arg)
{
    while (!atomic_load_explicit(&ready, memory_order_relaxed))
        sched_yield();
    atomic_thread_fence(memory_order_acquire);
    assert(data == 42);
    return arg;
}

int main(void)
{
    return both(publish, consume);
}
