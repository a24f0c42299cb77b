/* signal-unlocked - a condition variable is signalled by who does not hold its mutex (with --hints)
 *
 * Means:  POSIX allows it. But what is waited for must have been changed with the mutex held; else the signal can come
 *         between a waiter's test and its wait, and is lost. And a waiter that is woken by another signal may have
 *         destroyed the condition variable by then.
 * Found:  At the call, where a thread has waited before, or does, with that mutex.
 * Limits: Only with --hints. Whether the change was made with the mutex held is not looked at.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run --hints -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready;

static void *consumer(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *producer(void *arg)
{
    pthread_mutex_lock(&lock);
    ready = 1;
#ifdef RIGHT
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
#else
    pthread_mutex_unlock(&lock);
    pthread_cond_signal(&changed);
#endif
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, consumer, NULL);
    pthread_create(&b, NULL, producer, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
