/* A thread is cancelled in a cancellation point with a lock held. Right: a clean-up handler. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t inside;
static int writes;

#if RIGHT
static void let_go(void *arg)
{
    pthread_mutex_unlock(arg);
}
#endif

static void *worker(void *arg)
{
    const struct timespec disk = {0, 1000 * 1000};

    pthread_mutex_lock(&lock);
#if RIGHT
    pthread_cleanup_push(let_go, &lock);
#endif
    sem_post(&inside);
    nanosleep(&disk, NULL);
    writes++;
#if RIGHT
    pthread_cleanup_pop(1);
#else
    pthread_mutex_unlock(&lock);
#endif
    return arg;
}

int main(void)
{
    sem_init(&inside, 0, 0);
    pthread_t t = start(worker, NULL);
    sem_wait(&inside);
    pthread_cancel(t);
    finish(t);
    pthread_mutex_lock(&lock);
    assert(writes <= 1);
    pthread_mutex_unlock(&lock);
    sem_destroy(&inside);
    return 0;
}
