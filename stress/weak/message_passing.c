/* A relaxed flag does not carry the message. */
#include "races/pattern.h"

static atomic_int message, flag;

static void *sender(void *arg)
{
    atomic_store_explicit(&message, 42, memory_order_relaxed);
    atomic_store_explicit(&flag, 1, CHOOSE(memory_order_relaxed, memory_order_release));
    return arg;
}

static void *receiver(void *arg)
{
    if (atomic_load_explicit(&flag, CHOOSE(memory_order_relaxed, memory_order_acquire)))
        assert(atomic_load_explicit(&message, memory_order_relaxed) == 42);
    return arg;
}

int main(void)
{
    run2(sender, receiver, NULL);
    return 0;
}
