/* lock-at-exit - a thread ended with a lock that it holds
 *
 * Means:  Nobody can give it back: whoever wants it next waits for ever.
 * Found:  When the thread ends, or once nobody is left who could unlock it.
 * Limits: Robust mutexes, and locks that another goroutine gives back later, are none.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int money;

static void *spend(void *arg)
{
    pthread_mutex_lock(&lock);
    if (money == 0) {
#ifdef RIGHT
        pthread_mutex_unlock(&lock);
#endif
        return arg;
    }
    money--;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a;

    pthread_create(&a, NULL, spend, NULL);
    pthread_join(a, NULL);
    return 0;
}
