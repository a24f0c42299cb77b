/* The count is lowered in one critical section and looked at in another: both owners free. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int references = 2;
static char *buffer;

static void *drop(void *arg)
{
    pthread_mutex_lock(&lock);
    references--;
#if !RIGHT
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
#endif
    bool last = references == 0;
    pthread_mutex_unlock(&lock);
    if (last)
        free(buffer);
    return arg;
}

int main(void)
{
    buffer = malloc(5000); /* too much for the caches of threads, which notice later or never */
    both(drop, drop);
    return 0;
}
