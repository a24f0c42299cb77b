/* Writers lock, the reader does not. */
#include "pattern.h"

static long sum;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *writer(void *arg)
{
    pthread_mutex_lock(&lock);
    sum += 7;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *reader(void *arg)
{
    long seen;

    GUARD(pthread_mutex_lock(&lock));
    seen = sum;
    GUARD(pthread_mutex_unlock(&lock));
    return seen > 100 ? NULL : arg;
}

int main(void)
{
    run2(writer, reader, NULL);
    return 0;
}
