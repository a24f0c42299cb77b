/* Listeners are called under the lock, and one of them unsubscribes itself. Right: a copy of the
 * list is called without it. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void (*listener)(void);

static void unsubscribe(void)
{
    pthread_mutex_lock(&lock);
    listener = NULL;
    pthread_mutex_unlock(&lock);
}

static void *publish(void *arg)
{
    pthread_mutex_lock(&lock);
    void (*call)(void) = listener;
#if RIGHT
    pthread_mutex_unlock(&lock);
    if (call)
        call();
#else
    if (call)
        call();
    pthread_mutex_unlock(&lock);
#endif
    return arg;
}

static void *subscribe(void *arg)
{
    pthread_mutex_lock(&lock);
    listener = unsubscribe;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(publish, subscribe);
    return 0;
}
