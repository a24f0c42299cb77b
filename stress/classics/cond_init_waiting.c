/* The second user makes the condition variable anew, and forgets who waits on it. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static bool is_ready;

static void *waiter(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!is_ready)
        pthread_cond_wait(&ready, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *setter(void *arg)
{
#if !RIGHT
    pthread_cond_init(&ready, NULL);
#endif
    pthread_mutex_lock(&lock);
    is_ready = true;
    pthread_cond_broadcast(&ready);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(waiter, setter);
    return 0;
}
