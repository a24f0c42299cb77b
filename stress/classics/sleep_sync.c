/* "A second is enough for the worker": sleeping is not waiting. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t loaded;
static int config;

static void *load(void *arg)
{
    const struct timespec disk = {0, 900 * 1000 * 1000}, busy = {0, 200 * 1000 * 1000};

    nanosleep(&disk, NULL);
    nanosleep(&busy, NULL);
    pthread_mutex_lock(&lock);
    config = 1;
    pthread_mutex_unlock(&lock);
    sem_post(&loaded);
    return arg;
}

int main(void)
{
    sem_init(&loaded, 0, 0);
    pthread_t t = start(load, NULL);
#if RIGHT
    sem_wait(&loaded);
#else
    sleep(1);
#endif
    pthread_mutex_lock(&lock);
    assert(config == 1);
    pthread_mutex_unlock(&lock);
    finish(t);
    sem_destroy(&loaded);
    return 0;
}
