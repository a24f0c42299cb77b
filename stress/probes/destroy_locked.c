/* A locked mutex is destroyed. */
#include "probe.h"

static void *destroys(void *arg)
{
    pthread_mutex_t m;

    pthread_mutex_init(&m, NULL);
    pthread_mutex_lock(&m);
    pthread_mutex_destroy(&m);
    return arg;
}

int main(void)
{
    pthread_join(start(destroys), NULL);
    return 0;
}
