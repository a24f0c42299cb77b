/* A semaphore as a lock, posted once too often when the queue was empty: then two are inside. */
#include "classic.h"
#include <stdatomic.h>

static sem_t lock;
static atomic_int inside;
static int queued = 1;

static void *worker(void *arg)
{
    sem_wait(&lock);
    assert(atomic_fetch_add(&inside, 1) == 0);
    bool empty = queued == 0;
    if (!empty)
        queued--;
    sched_yield();
    atomic_fetch_sub(&inside, 1);
    sem_post(&lock);
#if !RIGHT
    if (empty)
        sem_post(&lock);
#endif
    return arg;
}

int main(void)
{
    pthread_t t[4];

    sem_init(&lock, 0, 1);
    for (int i = 0; i < 4; i++)
        t[i] = start(worker, NULL);
    for (int i = 0; i < 4; i++)
        finish(t[i]);
    sem_destroy(&lock);
    return 0;
}
