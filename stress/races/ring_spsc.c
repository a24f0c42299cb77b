/* A ring between one producer and one consumer: the index publishes the slot, or does not. */
#include "pattern.h"

#define SLOTS 4
static int slot[SLOTS];
static atomic_uint head, tail;

static void *producer(void *arg)
{
    for (int i = 0; i < 3; i++) {
        unsigned t = atomic_load_explicit(&tail, memory_order_relaxed);
        if (t - atomic_load_explicit(&head, memory_order_acquire) == SLOTS)
            break;
        slot[t % SLOTS] = i;
        atomic_store_explicit(&tail, t + 1, CHOOSE(memory_order_relaxed, memory_order_release));
    }
    return arg;
}

static void *consumer(void *arg)
{
    intptr_t sum = 0;
    for (int i = 0; i < 3; i++) {
        unsigned h = atomic_load_explicit(&head, memory_order_relaxed);
        if (h == atomic_load_explicit(&tail, memory_order_acquire))
            break;
        sum += slot[h % SLOTS];
        atomic_store_explicit(&head, h + 1, memory_order_release);
    }
    return sum ? NULL : arg;
}

int main(void)
{
    run2(producer, consumer, NULL);
    return 0;
}
