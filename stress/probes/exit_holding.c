/* A thread ends with a lock held. */
#include "probe.h"

static void *keeps(void *arg)
{
    pthread_mutex_lock(&a);
    return arg;
}

int main(void)
{
    pthread_join(start(keeps), NULL);
    return 0;
}
