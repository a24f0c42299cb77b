/* Who resets the table makes its lock anew, with a writer inside. */
#include "classic.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int rows;

static void *writer(void *arg)
{
    pthread_rwlock_wrlock(&lock);
    sched_yield();
    rows++;
    pthread_rwlock_unlock(&lock);
    return arg;
}

static void *reset(void *arg)
{
#if !RIGHT
    pthread_rwlock_init(&lock, NULL);
#endif
    pthread_rwlock_wrlock(&lock);
    rows = 0;
    pthread_rwlock_unlock(&lock);
    return arg;
}

int main(void)
{
    both(writer, reset);
    return 0;
}
