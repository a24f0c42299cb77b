/* A sequence lock: what it protects is read while it is written, so it must be atomic itself. */
#include "pattern.h"

static atomic_uint sequence;
static CHOOSE(int, atomic_int) x, y;

#if RIGHT
#define GET(v) atomic_load_explicit(&v, memory_order_relaxed)
#define PUT(v, n) atomic_store_explicit(&v, n, memory_order_relaxed)
#else
#define GET(v) v
#define PUT(v, n) v = n
#endif

static void *writer(void *arg)
{
    atomic_fetch_add_explicit(&sequence, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    PUT(x, 1);
    PUT(y, 1);
    atomic_fetch_add_explicit(&sequence, 1, memory_order_release);
    return arg;
}

static void *reader(void *arg)
{
    for (int tries = 0; tries < 4; tries++) {
        unsigned before = atomic_load_explicit(&sequence, memory_order_acquire);
        if (before & 1)
            continue;
        int a = GET(x), b = GET(y);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&sequence, memory_order_relaxed) == before) {
            assert(a == b);
            break;
        }
    }
    return arg;
}

int main(void)
{
    run2(writer, reader, NULL);
    return 0;
}
