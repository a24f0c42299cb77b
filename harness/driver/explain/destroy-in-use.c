/* destroy-in-use - an object is destroyed while a thread holds it or waits for it
 *
 * Means:  Whoever is inside goes on with memory that may be something else by then.
 * Found:  At the call that destroys it.
 * Limits: That an object is only used later is use-after-destroy.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *user(void *arg)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a;

    pthread_create(&a, NULL, user, NULL);
#ifdef RIGHT
    pthread_join(a, NULL);
    pthread_mutex_destroy(&lock);
#else
    pthread_mutex_destroy(&lock);
    pthread_join(a, NULL);
#endif
    return 0;
}
