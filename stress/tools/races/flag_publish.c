/* Data published by a plain flag. */
#include "pattern.h"

static int data, ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *producer(void *arg)
{
    data = 42;
    GUARD(pthread_mutex_lock(&lock));
    ready = 1;
    GUARD(pthread_mutex_unlock(&lock));
    return arg;
}

static void *consumer(void *arg)
{
    int seen = 0, got = 0;

    for (int i = 0; i < 5 && !seen; i++) {
        GUARD(pthread_mutex_lock(&lock));
        seen = ready;
        GUARD(pthread_mutex_unlock(&lock));
        sched_yield();
    }
    if (seen)
        got = data;
    return got == 41 ? NULL : arg;
}

int main(void)
{
    run2(producer, consumer, NULL);
    return 0;
}
