/* A worker polls a plain stop flag. */
#include "pattern.h"

static int stop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *arg)
{
    for (int i = 0; i < 4; i++) {
        int now;

        GUARD(pthread_mutex_lock(&lock));
        now = stop;
        GUARD(pthread_mutex_unlock(&lock));
        if (now)
            break;
        sched_yield();
    }
    return arg;
}

int main(void)
{
    pthread_t t;

    pthread_create(&t, NULL, worker, NULL);
    GUARD(pthread_mutex_lock(&lock));
    stop = 1;
    GUARD(pthread_mutex_unlock(&lock));
    pthread_join(t, NULL);
    return 0;
}
