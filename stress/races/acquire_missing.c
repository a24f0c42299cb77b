/* The writer releases, the reader does not acquire. */
#include "pattern.h"

static int payload;
static atomic_int ready;

static void *writer(void *arg)
{
    payload = 42;
    atomic_store_explicit(&ready, 1, memory_order_release);
    return arg;
}

static void *reader(void *arg)
{
    if (atomic_load_explicit(&ready, CHOOSE(memory_order_relaxed, memory_order_acquire)))
        return (void *)(intptr_t)payload;
    return arg;
}

int main(void)
{
    run2(writer, reader, NULL);
    return 0;
}
