/* deadlock - threads that wait for each other for ever
 *
 * Means:  Each thread of a ring waits for what the next one holds, or would do had it what it
 *         waits for itself: locks, the end of a thread, a once, a value of a channel, a signal.
 * Found:  When no thread of a ring can run any more, from who holds what, and who is left to end
 *         a wait.
 * Limits: A ring through something outside the program (another process, a device) is a hang.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
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
