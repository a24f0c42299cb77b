/* A worker that has nothing to do skips the second phase, and with it the barrier. */
#include "classic.h"

static pthread_barrier_t phase;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int left = 2;

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    bool work = left > 0;
    if (work)
        left--;
    pthread_mutex_unlock(&lock);
    pthread_barrier_wait(&phase);
#if !RIGHT
    if (!work)
        return arg;
#endif
    pthread_barrier_wait(&phase);
    return arg;
}

int main(void)
{
    pthread_t t[3];

    pthread_barrier_init(&phase, NULL, 3);
    for (int i = 0; i < 3; i++)
        t[i] = start(worker, NULL);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    pthread_barrier_destroy(&phase);
    return 0;
}
