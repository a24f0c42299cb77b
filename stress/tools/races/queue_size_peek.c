/* The size of a queue is looked at without its lock. */
#include "pattern.h"

static int item[8], size;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *push(void *arg)
{
    pthread_mutex_lock(&lock);
    item[size++] = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *drain(void *arg)
{
#if !RIGHT
    if (size == 0)
        return arg;
#endif
    pthread_mutex_lock(&lock);
    if (size > 0)
        size--;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    run2(push, drain, NULL);
    return 0;
}
