/* unlock-not-held - unlock of a lock that nobody holds
 *
 * Means:  One unlock too many, or one after a lock that failed: the behaviour is undefined.
 * Found:  At the call.
 * Limits: Error-checking and robust mutexes return EPERM, which the program may handle: no
 *         finding.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int places = 1;

static void *reserve(void *arg)
{
    pthread_mutex_lock(&lock);
    if (places == 0) {
        pthread_mutex_unlock(&lock);
#ifdef RIGHT
        return arg;
#endif
    } else {
        places--;
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, reserve, NULL);
    pthread_create(&b, NULL, reserve, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
