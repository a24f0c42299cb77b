/* `if` in place of `while`: another consumer takes the item between the signal and the wake-up. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static int items;

static void *consumer(void *arg)
{
    pthread_mutex_lock(&lock);
#if RIGHT
    while (items == 0)
#else
    if (items == 0)
#endif
        pthread_cond_wait(&more, &lock);
    assert(items > 0);
    items--;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *producer(void *arg)
{
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&lock);
        items++;
        pthread_cond_signal(&more);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    pthread_t t = start(consumer, NULL), u = start(consumer, NULL), v = start(producer, NULL);

    finish(t);
    finish(u);
    finish(v);
    assert(items == 0);
    return 0;
}
