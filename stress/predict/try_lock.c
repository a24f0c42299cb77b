/* The late thread gives the lock a try and does it only if it got it. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int value, mine, yours;

static void *quick(void *arg)
{
    CHOOSE(value = 1, pass(&lock, &value));
    pass(&lock, &mine);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    if (pthread_mutex_trylock(&lock) != 0)
        return arg;
    CHOOSE(yours++, value = 2);
    pthread_mutex_unlock(&lock);
    CHOOSE(value = 2, yours++);
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return value + mine + yours > 100;
}
