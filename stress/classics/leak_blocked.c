/* The flusher waits for work for ever; main does not tell it to stop. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static bool dirty, stop;
static int flushed;

static void *flusher(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!stop) {
        if (dirty) {
            dirty = false;
            flushed++;
        } else {
            pthread_cond_wait(&wake, &lock);
        }
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t t = start(flusher, NULL);

    pthread_mutex_lock(&lock);
    dirty = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
#if RIGHT
    pthread_mutex_lock(&lock);
    stop = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    finish(t);
#else
    pthread_detach(t);
    sched_yield();
#endif
    return 0;
}
