/* The result of a timed lock is ignored: after a time-out the owner's lock is unlocked. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int hits;

static void *slow(void *arg)
{
    const struct timespec pause = {0, 50 * 1000 * 1000};

    pthread_mutex_lock(&lock);
    nanosleep(&pause, NULL);
    hits++;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *hurried(void *arg)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 10 * 1000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    int error = pthread_mutex_timedlock(&lock, &until);
#if RIGHT
    if (error)
        return arg;
    hits++;
#else
    if (!error)
        hits++;
#endif
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(slow, hurried);
    return 0;
}
