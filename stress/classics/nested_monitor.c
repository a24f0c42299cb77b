/* Waits inside an inner monitor with the outer one locked, through which its waker must come. */
#include "classic.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items;

static void *get(void *arg)
{
#if !RIGHT
    pthread_mutex_lock(&outer);
#endif
    pthread_mutex_lock(&inner);
    while (items == 0)
        pthread_cond_wait(&filled, &inner);
    items--;
    pthread_mutex_unlock(&inner);
#if !RIGHT
    pthread_mutex_unlock(&outer);
#endif
    return arg;
}

static void *put(void *arg)
{
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    items++;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    return arg;
}

int main(void)
{
    both(get, put);
    return 0;
}
