/* A mutex as a signal: one thread locks, another unlocks. Right: a semaphore. */
#include "classic.h"

#if RIGHT
static sem_t done;
#else
static pthread_mutex_t done = PTHREAD_MUTEX_INITIALIZER;
#endif

static void *worker(void *arg)
{
#if RIGHT
    sem_post(&done);
#else
    pthread_mutex_unlock(&done);
#endif
    return arg;
}

int main(void)
{
#if RIGHT
    sem_init(&done, 0, 0);
#else
    pthread_mutex_lock(&done);
#endif
    pthread_t t = start(worker, NULL);
#if RIGHT
    sem_wait(&done);
#endif
    finish(t);
    return 0;
}
