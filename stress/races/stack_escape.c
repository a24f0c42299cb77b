/* A thread keeps using a local variable of a function that goes on changing it. */
#include "pattern.h"

static void *reader(void *arg)
{
    int *shown = arg;
    return (void *)(intptr_t)*shown;
}

static void start(void)
{
    int progress = 1;
    pthread_t t;
    pthread_create(&t, NULL, reader, &progress);
    CHOOSE((void)0, pthread_join(t, NULL));
    progress = 2;
    CHOOSE(pthread_join(t, NULL), (void)0);
}

int main(void)
{
    start();
    return 0;
}
