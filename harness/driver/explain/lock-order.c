/* lock-order - locks are taken in opposite orders
 *
 * Means:  Two threads, at the right moment, would wait for each other: a deadlock that did not
 *         happen yet.
 * Found:  From which locks are taken while which others are held, over all schedules, then
 *         brought about: a deadlock where that worked.
 * Limits: Not confirmed: no try came there, which may be because something else keeps the two
 *         apart.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run --strategy=rr -n 1 --steer=0 -- ./program
 */
#include <pthread.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, two = PTHREAD_MUTEX_INITIALIZER;

static void *forward(void *arg)
{
    pthread_mutex_lock(&one);
    pthread_mutex_lock(&two);
    pthread_mutex_unlock(&two);
    pthread_mutex_unlock(&one);
    return arg;
}

static void *backward(void *arg)
{
#ifdef RIGHT
    pthread_mutex_lock(&one);
    pthread_mutex_lock(&two);
#else
    pthread_mutex_lock(&two);
    pthread_mutex_lock(&one);
#endif
    pthread_mutex_unlock(&one);
    pthread_mutex_unlock(&two);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, forward, NULL);
    pthread_create(&b, NULL, backward, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
