/* unlock-not-owner - unlock of a lock that another thread holds
 *
 * Means:  A mutex belongs to the thread that locked it: what it guards is open from then on.
 * Found:  At the call.
 * Limits: For locks of lib/, as in Go, any goroutine may unlock.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <semaphore.h>

#ifdef RIGHT
static sem_t done;
#else
static pthread_mutex_t done = PTHREAD_MUTEX_INITIALIZER;
#endif

static void *worker(void *arg)
{
#ifdef RIGHT
    sem_post(&done);
#else
    pthread_mutex_unlock(&done);
#endif
    return arg;
}

int main(void)
{
    pthread_t a;

#ifdef RIGHT
    sem_init(&done, 0, 0);
#else
    pthread_mutex_lock(&done);
#endif
    pthread_create(&a, NULL, worker, NULL);
#ifdef RIGHT
    sem_wait(&done);
#else
    pthread_mutex_lock(&done);
#endif
    pthread_join(a, NULL);
    return 0;
}
