/* lost-wakeup - all threads wait, and nobody is left to wake them
 *
 * Means:  A thread waits for a signal, a post or a byte that nobody will give: it came before
 *         the wait, woke another, or its sender has ended.
 * Found:  When no thread can run any more, and no ring of waits is the reason.
 * Limits: Where another thread goes on for ever it is told as a leak, or in doubt: that one may
 *         signal yet.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready;

static void *producer(void *arg)
{
    pthread_mutex_lock(&lock);
    ready = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *consumer(void *arg)
{
    pthread_mutex_lock(&lock);
#ifdef RIGHT
    while (!ready)
#endif
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, producer, NULL);
    pthread_create(&b, NULL, consumer, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
