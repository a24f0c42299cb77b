/* Stopping joins the worker with the lock held that the worker still needs. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int jobs;

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    jobs++;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t t = start(worker, NULL);

    pthread_mutex_lock(&lock);
#if RIGHT
    pthread_mutex_unlock(&lock);
    finish(t);
    pthread_mutex_lock(&lock);
#else
    finish(t);
#endif
    assert(jobs == 1);
    pthread_mutex_unlock(&lock);
    return 0;
}
