/* Two threads go in step; a third, that does not, has always been there before. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t step;
static int value, mine, yours;

static void *quick(void *arg)
{
    value = 1;
    pass(&lock, &mine);
    CHOOSE((void)0, pthread_barrier_wait(&step));
    return arg;
}

static void *partner(void *arg)
{
    be_late();
    pthread_barrier_wait(&step);
    return arg;
}

static void *slow(void *arg)
{
    pthread_barrier_wait(&step);
    pass(&lock, &yours);
    value = 2;
    return arg;
}

int main(void)
{
    pthread_barrier_init(&step, NULL, CHOOSE(2, 3));
    run3(quick, partner, slow);
    return value + mine + yours > 100;
}
