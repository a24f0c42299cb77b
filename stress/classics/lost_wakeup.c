/* The waker sets the flag and signals without the mutex: between the waiter's look and its sleep.
 */
#include "classic.h"
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static atomic_int done;

static void *waiter(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!done) {
        sched_yield(); /* a moment between the look and the sleep: any call will do */
        pthread_cond_wait(&ready, &lock);
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *waker(void *arg)
{
#if RIGHT
    pthread_mutex_lock(&lock);
#endif
    done = 1;
    pthread_cond_signal(&ready);
#if RIGHT
    pthread_mutex_unlock(&lock);
#endif
    return arg;
}

int main(void)
{
    both(waiter, waker);
    return 0;
}
