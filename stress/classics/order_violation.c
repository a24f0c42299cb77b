/* "Closed" is set in one critical section, the last write comes in a later one. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool closed;
static int written;

static void *writer(void *arg)
{
#if RIGHT
    pthread_mutex_lock(&lock);
    written = 5;
    closed = true;
    pthread_mutex_unlock(&lock);
#else
    pthread_mutex_lock(&lock);
    closed = true;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
    written = 5;
    pthread_mutex_unlock(&lock);
#endif
    return arg;
}

static void *reader(void *arg)
{
    pthread_mutex_lock(&lock);
    if (closed)
        assert(written == 5);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(writer, reader);
    return 0;
}
