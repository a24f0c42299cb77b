/* Two rwlocks, written in opposite orders. */
#include "probe.h"

static pthread_rwlock_t x = PTHREAD_RWLOCK_INITIALIZER, y = PTHREAD_RWLOCK_INITIALIZER;

static void *write_both(pthread_rwlock_t *first, pthread_rwlock_t *second)
{
    pthread_rwlock_wrlock(first);
    pthread_rwlock_wrlock(second);
    pthread_rwlock_unlock(second);
    pthread_rwlock_unlock(first);
    return NULL;
}

static void *xy(void *arg)
{
    (void)arg;
    return write_both(&x, &y);
}

static void *yx(void *arg)
{
    (void)arg;
    return write_both(&y, &x);
}

int main(void)
{
    return both(xy, yx);
}
