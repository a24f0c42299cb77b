/* A reader reads again inside, and a writer that is preferred comes in between: it waits for the
 * first reading, the second reading waits for it. */
#include "classic.h"

static pthread_rwlock_t lock;
static int size = 4, used = 2;

static int room(void)
{
#if !RIGHT
    pthread_rwlock_rdlock(&lock);
#endif
    int n = size - used;
#if !RIGHT
    pthread_rwlock_unlock(&lock);
#endif
    return n;
}

static void *reader(void *arg)
{
    pthread_rwlock_rdlock(&lock);
    assert(room() >= 0);
    pthread_rwlock_unlock(&lock);
    return arg;
}

static void *writer(void *arg)
{
    pthread_rwlock_wrlock(&lock);
    used++;
    pthread_rwlock_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    both(reader, writer);
    pthread_rwlock_destroy(&lock);
    return 0;
}
