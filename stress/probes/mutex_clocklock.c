/* A lock with a time limit on the monotonic clock. */
#include "probe.h"

static int value;

static void *add(void *arg)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 5;
    if (pthread_mutex_clocklock(&a, CLOCK_MONOTONIC, &until) == 0) {
        value++;
        pthread_mutex_unlock(&a);
    }
    return arg;
}

int main(void)
{
    return both(add, add);
}
