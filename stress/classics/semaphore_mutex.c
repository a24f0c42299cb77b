/* A semaphore as a lock and a mutex, taken in opposite orders by three threads in a ring. */
#include "classic.h"

static sem_t slot, tray;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void *feed(void *arg)
{
    sem_wait(&slot);
    sem_wait(&tray);
    sem_post(&tray);
    sem_post(&slot);
    return arg;
}

static void *print(void *arg)
{
    sem_wait(&tray);
    pthread_mutex_lock(&log_lock);
    pthread_mutex_unlock(&log_lock);
    sem_post(&tray);
    return arg;
}

static void *report(void *arg)
{
#if RIGHT
    sem_wait(&slot);
    pthread_mutex_lock(&log_lock);
#else
    pthread_mutex_lock(&log_lock);
    sem_wait(&slot);
#endif
    sem_post(&slot);
    pthread_mutex_unlock(&log_lock);
    return arg;
}

int main(void)
{
    sem_init(&slot, 0, 1);
    sem_init(&tray, 0, 1);
    pthread_t t = start(feed, NULL);
    both(print, report);
    finish(t);
    sem_destroy(&slot);
    sem_destroy(&tray);
    return 0;
}
