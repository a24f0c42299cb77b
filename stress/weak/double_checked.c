/* Double-checked initialisation: the fast path must acquire. */
#include "races/pattern.h"

static atomic_int size;
static atomic_int *_Atomic table;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *use(void *arg)
{
    atomic_int *t =
        atomic_load_explicit(&table, CHOOSE(memory_order_relaxed, memory_order_acquire));
    if (!t) {
        pthread_mutex_lock(&lock);
        t = atomic_load_explicit(&table, memory_order_relaxed);
        if (!t) {
            t = &size;
            atomic_store_explicit(t, 16, memory_order_relaxed);
            atomic_store_explicit(&table, t, CHOOSE(memory_order_relaxed, memory_order_release));
        }
        pthread_mutex_unlock(&lock);
    }
    assert(atomic_load_explicit(t, memory_order_relaxed) == 16);
    return arg;
}

int main(void)
{
    run2(use, use, NULL);
    return 0;
}
