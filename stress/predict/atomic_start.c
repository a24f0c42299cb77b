/* An atomic flag starts the late thread: that order stays, the one by the lock does not. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int start;
static int value, mine, yours;

static void *quick(void *arg)
{
    value = 1;
    CHOOSE((void)0, atomic_fetch_add(&start, 1));
    pass(&lock, &mine);
    return arg;
}

static void *starter(void *arg)
{
    be_late();
    atomic_fetch_add(&start, 1);
    return arg;
}

static void *slow(void *arg)
{
    while (atomic_load(&start) < CHOOSE(1, 2))
        ;
    pass(&lock, &yours);
    value = 2;
    return arg;
}

int main(void)
{
    run3(quick, starter, slow);
    return value + mine + yours > 100;
}
