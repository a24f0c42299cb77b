/* A mutex locked twice by its owner. */
#include "probe.h"

static void *twice(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&a);
    return arg;
}

int main(void)
{
    pthread_join(start(twice), NULL);
    return 0;
}
