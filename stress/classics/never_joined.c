/* The slow path starts a helper and forgets it. */
#include "classic.h"

static sem_t done;

static void *helper(void *arg)
{
    sem_post(&done);
    return arg;
}

int main(void)
{
    sem_init(&done, 0, 0);
    pthread_t t = start(helper, NULL);
    sem_wait(&done);
#if RIGHT
    finish(t);
#else
    (void)t;
#endif
    return 0;
}
