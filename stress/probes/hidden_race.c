/* A race that a lock, taken for something else, happens to order. */
#include "probe.h"

int data; /* visible elsewhere: its reads stay */
static int other;

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
    for (volatile int i = 0; i < 200000;)
        i = i + 1; /* work, so that on its own it comes second */
    pthread_mutex_lock(&a);
    other++;
    pthread_mutex_unlock(&a);
    return data == 1 ? arg : NULL;
}

int main(void)
{
    return both(write_first, read_later);
}
