/* The exit code says which of two workers came first. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int order[2], count;

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    order[count++] = *(int *)arg;
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(void)
{
    int name[3] = {0, 1, 2};
    pthread_t t = start(worker, &name[1]), u = start(worker, &name[2]);

    finish(t);
    finish(u);
#if RIGHT
    return order[0] + order[1] == 3 ? 0 : 1;
#else
    return order[0] == 1 ? 0 : 4;
#endif
}
