/* The result of a try-lock is ignored. */
#include "pattern.h"

static int level;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *raise_level(void *arg)
{
    int locked = pthread_mutex_trylock(&lock) == 0;

    if (locked || !RIGHT)
        level++;
    sched_yield();
    if (locked)
        pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    run2(raise_level, raise_level, NULL);
    return 0;
}
