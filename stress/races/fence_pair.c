/* Relaxed accesses ordered by two fences, or by only one. */
#include "pattern.h"

static int payload;
static atomic_int ready;

static void *writer(void *arg)
{
    payload = 1;
    CHOOSE((void)0, atomic_thread_fence(memory_order_release));
    atomic_store_explicit(&ready, 1, memory_order_relaxed);
    return arg;
}

static void *reader(void *arg)
{
    if (atomic_load_explicit(&ready, memory_order_relaxed)) {
        atomic_thread_fence(memory_order_acquire);
        return payload ? arg : NULL;
    }
    return NULL;
}

int main(void)
{
    run2(writer, reader, NULL);
    return 0;
}
