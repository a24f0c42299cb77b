/* A lock is read twice by one thread, and written by another. */
#include <pthread.h>

static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void *write_once(void *arg)
{
    pthread_rwlock_wrlock(&table);
    pthread_rwlock_unlock(&table);
    return arg;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, write_once, NULL);
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_unlock(&table);
    pthread_rwlock_unlock(&table);
    pthread_join(t, NULL);
    return 0;
}
