/* A pointer is exchanged without lock. */
#include "pattern.h"

static int old_data = 1, new_data = 2;
static int *data = &old_data;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *swap(void *arg)
{
    GUARD(pthread_mutex_lock(&lock));
    data = &new_data;
    GUARD(pthread_mutex_unlock(&lock));
    return arg;
}

static void *use(void *arg)
{
    int *p;

    GUARD(pthread_mutex_lock(&lock));
    p = data;
    GUARD(pthread_mutex_unlock(&lock));
    return *p == 7 ? NULL : arg;
}

int main(void)
{
    run2(swap, use, NULL);
    return 0;
}
