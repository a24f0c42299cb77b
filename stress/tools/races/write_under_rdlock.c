/* A cache is updated under the lock for reading. */
#include "pattern.h"

static int cache;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *refresh(void *arg)
{
#if RIGHT
    pthread_rwlock_wrlock(&lock);
#else
    pthread_rwlock_rdlock(&lock);
#endif
    cache++;
    pthread_rwlock_unlock(&lock);
    return arg;
}

int main(void)
{
    run2(refresh, refresh, NULL);
    return 0;
}
