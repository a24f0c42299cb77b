/* A reader takes the same lock for writing while it holds it for reading. Right: it lets go, takes
 * the write lock and looks again. */
#include "classic.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int cached;

static void *lookup(void *arg)
{
    pthread_rwlock_rdlock(&lock);
    if (!cached) {
#if RIGHT
        pthread_rwlock_unlock(&lock);
#endif
        pthread_rwlock_wrlock(&lock);
        if (!cached)
            cached = 1;
    }
    pthread_rwlock_unlock(&lock);
    return arg;
}

int main(void)
{
    both(lookup, lookup);
    assert(cached == 1);
    return 0;
}
