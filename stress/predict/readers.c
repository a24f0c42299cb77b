/* A section of a writer before one of a reader, of the same lock. */
#include "pattern.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int table = 5, other, size;

static void *writer(void *arg)
{
    CHOOSE(size = 1, (void)0);
    pthread_rwlock_wrlock(&lock);
    CHOOSE((void)0, size = 1);
    other++;
    pthread_rwlock_unlock(&lock);
    return arg;
}

static void *reader(void *arg)
{
    be_late();
    pthread_rwlock_rdlock(&lock);
    int seen = table + size;
    pthread_rwlock_unlock(&lock);
    return seen > 100 ? NULL : arg;
}

int main(void)
{
    run2(writer, reader, NULL);
    return size + other > 100;
}
