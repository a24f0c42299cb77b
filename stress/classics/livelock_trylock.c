/* Both hold one lock, try the other, let go and begin again: in step, for ever. Right: one order.
 */
#include "classic.h"

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
#if RIGHT
    (void)first;
    (void)second;
    pthread_mutex_lock(&left);
    pthread_mutex_lock(&right);
    pthread_mutex_unlock(&right);
    pthread_mutex_unlock(&left);
#else
    for (;;) {
        pthread_mutex_lock(first);
        if (pthread_mutex_trylock(second) == 0)
            break;
        pthread_mutex_unlock(first);
        sched_yield();
    }
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
#endif
}

static void *one(void *arg)
{
    take(&left, &right);
    return arg;
}

static void *other(void *arg)
{
    take(&right, &left);
    return arg;
}

int main(void)
{
    both(one, other);
    return 0;
}
