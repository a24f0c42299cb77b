/* The worker uses what main sets up after it started it. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int *table;

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    table[1]++;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void set_up(void)
{
    pthread_mutex_lock(&lock);
    table = calloc(4, sizeof *table);
    pthread_mutex_unlock(&lock);
}

int main(void)
{
#if RIGHT
    set_up();
    pthread_t t = start(worker, NULL);
#else
    pthread_t t = start(worker, NULL);
    set_up();
#endif
    finish(t);
    free(table);
    return 0;
}
