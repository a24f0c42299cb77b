/* The mutex is let go between the look at the predicate and the wait. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static bool ready;

static void *consumer(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!ready) {
#if RIGHT
        pthread_cond_wait(&more, &lock);
#else
        pthread_mutex_unlock(&lock);
        pthread_cond_wait(&more, &lock);
#endif
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *producer(void *arg)
{
    pthread_mutex_lock(&lock);
    ready = true;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(consumer, producer);
    return 0;
}
