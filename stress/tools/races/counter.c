/* A plain counter incremented by two threads. */
#include "pattern.h"

static int hits;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
    for (int i = 0; i < 3; i++) {
        GUARD(pthread_mutex_lock(&lock));
        hits++;
        GUARD(pthread_mutex_unlock(&lock));
    }
    return arg;
}

int main(void)
{
    run2(work, work, NULL);
    return hits == 0;
}
