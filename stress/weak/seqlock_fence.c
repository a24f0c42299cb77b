/* A sequence lock whose reader lacks the fence between the data and the second look. */
#include "races/pattern.h"

static atomic_uint sequence;
static atomic_int x, y;

static void *writer(void *arg)
{
    for (int i = 1; i <= 2; i++) {
        unsigned s = atomic_load_explicit(&sequence, memory_order_relaxed);
        atomic_store_explicit(&sequence, s + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&x, i, memory_order_relaxed);
        atomic_store_explicit(&y, i, memory_order_relaxed);
        atomic_store_explicit(&sequence, s + 2, memory_order_release);
    }
    return arg;
}

static void *reader(void *arg)
{
    for (int tries = 0; tries < 3; tries++) {
        unsigned before = atomic_load_explicit(&sequence, memory_order_acquire);
        int a = atomic_load_explicit(&x, memory_order_relaxed);
        int b = atomic_load_explicit(&y, memory_order_relaxed);
        CHOOSE((void)0, atomic_thread_fence(memory_order_acquire));
        unsigned after = atomic_load_explicit(&sequence, memory_order_relaxed);
        if (before == after && !(before & 1))
            assert(a == b);
    }
    return arg;
}

int main(void)
{
    run2(writer, reader, NULL);
    return 0;
}
