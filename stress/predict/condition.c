/* The late thread is woken by a third one; that the early one was there before is chance. In the
 * right version it must have been. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int ready, written, value;

static void *quick(void *arg)
{
    value = 1;
    pthread_mutex_lock(&lock);
    written = 1;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *starter(void *arg)
{
    be_late();
    pthread_mutex_lock(&lock);
    ready = 1;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *waiter(void *arg)
{
    pthread_mutex_lock(&lock);
    while (CHOOSE(!ready, !ready || !written))
        pthread_cond_wait(&change, &lock);
    pthread_mutex_unlock(&lock);
    value = 2;
    return arg;
}

int main(void)
{
    run3(quick, starter, waiter);
    return value + written > 100;
}
