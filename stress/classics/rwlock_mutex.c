/* A mutex and a rwlock in opposite orders. */
#include "classic.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t stats = PTHREAD_MUTEX_INITIALIZER;
static int rows, lookups;

static void *lookup(void *arg)
{
    pthread_rwlock_rdlock(&table);
    pthread_mutex_lock(&stats);
    lookups += rows;
    pthread_mutex_unlock(&stats);
    pthread_rwlock_unlock(&table);
    return arg;
}

static void *reset(void *arg)
{
#if RIGHT
    pthread_rwlock_wrlock(&table);
    pthread_mutex_lock(&stats);
#else
    pthread_mutex_lock(&stats);
    pthread_rwlock_wrlock(&table);
#endif
    rows = lookups = 0;
    pthread_rwlock_unlock(&table);
    pthread_mutex_unlock(&stats);
    return arg;
}

int main(void)
{
    both(lookup, reset);
    return 0;
}
