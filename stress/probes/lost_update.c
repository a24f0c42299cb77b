/* Read in one critical section, written in the next. */
#include "probe.h"

static int count;

static void *add(void *arg)
{
    pthread_mutex_lock(&a);
    int n = count;
    pthread_mutex_unlock(&a);
    pthread_mutex_lock(&a);
    count = n + 1;
    pthread_mutex_unlock(&a);
    return arg;
}

int main(void)
{
    both(add, add);
    assert(count == 2);
    return 0;
}
