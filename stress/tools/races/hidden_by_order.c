/* An unlocked write that a lock taken later orders by accident: a race in one order only. */
#include "pattern.h"

static int config, unrelated;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *load(void *arg)
{
#if !RIGHT
    config = 1;
#endif
    pthread_mutex_lock(&lock);
#if RIGHT
    config = 1;
#endif
    unrelated++;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *use(void *arg)
{
    int seen;

    pthread_mutex_lock(&lock);
    unrelated++;
    seen = config;
    pthread_mutex_unlock(&lock);
    return seen == 9 ? NULL : arg;
}

int main(void)
{
    run2(load, use, NULL);
    return 0;
}
