/* use-after-destroy - an object is used after it was destroyed, or its memory freed
 *
 * Means:  The last user was not waited for.
 * Found:  At the use: destroyed objects, and locks in memory that was given back, are
 *         remembered.
 * Limits: Once the memory is another object of the same kind it is that.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <semaphore.h>

static sem_t wanted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *user(void *arg)
{
    sem_wait(&wanted);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a;

    sem_init(&wanted, 0, 0);
    pthread_create(&a, NULL, user, NULL);
#ifndef RIGHT
    pthread_mutex_destroy(&lock);
#endif
    sem_post(&wanted);
    pthread_join(a, NULL);
#ifdef RIGHT
    pthread_mutex_destroy(&lock);
#endif
    return 0;
}
