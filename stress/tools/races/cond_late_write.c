/* The last write of a message comes after the broadcast and the unlock. */
#include "pattern.h"

static int ready, length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;

static void *send(void *arg)
{
    pthread_mutex_lock(&lock);
#if RIGHT
    length = 6;
#endif
    ready = 1;
    pthread_cond_broadcast(&arrived);
    pthread_mutex_unlock(&lock);
#if !RIGHT
    length = 6;
#endif
    return arg;
}

static void *receive(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&arrived, &lock);
    pthread_mutex_unlock(&lock);
    return length == 9 ? NULL : arg;
}

int main(void)
{
    run2(send, receive, NULL);
    return 0;
}
