/* What is done once keeps its order; what stands before a lock in one thread does not. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t guard = PTHREAD_ONCE_INIT;
static int table, value, mine, yours;

static void fill(void)
{
    table = 1;
}

static void *quick(void *arg)
{
    pthread_once(&guard, fill);
    CHOOSE(value = 1, pass(&lock, &value));
    pass(&lock, &mine);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    pthread_once(&guard, fill);
    pass(&lock, &yours);
    CHOOSE(value = table, pass(&lock, &value));
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return value + mine + yours > 100;
}
