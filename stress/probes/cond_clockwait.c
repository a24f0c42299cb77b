/* A wait with a time limit on the monotonic clock. */
#include "probe.h"

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int value;

static void *set(void *arg)
{
    pthread_mutex_lock(&a);
    value = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *get(void *arg)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 5;
    pthread_mutex_lock(&a);
    while (!value)
        if (pthread_cond_clockwait(&changed, &a, CLOCK_MONOTONIC, &until) != 0)
            break;
    pthread_mutex_unlock(&a);
    return arg;
}

int main(void)
{
    return both(set, get);
}
