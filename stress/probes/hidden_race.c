/* A race that a lock, taken for something else, happens to order. */
#include "probe.h"

static int data, other;

static void *write_first(void *arg)
{
    data = 1;
    pthread_mutex_lock(&a);
    other++;
    pthread_mutex_unlock(&a);
    return arg;
}

static void *read_later(void *arg)
{
    pause_ms(100);
    pthread_mutex_lock(&a);
    other++;
    pthread_mutex_unlock(&a);
    if (data > 1)
        return NULL;
    return arg;
}

int main(void)
{
    return both(write_first, read_later);
}
