/* An event that resets itself: two posts before the wait become one. Right: a count. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int pending;

static void *poster(void *arg)
{
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&lock);
#if RIGHT
        pending++;
#else
        pending = 1;
#endif
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *taker(void *arg)
{
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&lock);
        while (pending == 0)
            pthread_cond_wait(&changed, &lock);
        pending--;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    both(poster, taker);
    return 0;
}
