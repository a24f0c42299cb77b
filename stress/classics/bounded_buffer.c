/* A buffer of one place, two producers, two consumers, one condition variable and signal: a
 * consumer wakes the other consumer. Right: one condition variable a direction. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#if RIGHT
static pthread_cond_t space = PTHREAD_COND_INITIALIZER, items = PTHREAD_COND_INITIALIZER;
#else
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
#define space changed
#define items changed
#endif
static int stored, produced, consumed;

static void *producer(void *arg)
{
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&lock);
        while (stored == 1)
            pthread_cond_wait(&space, &lock);
        stored++;
        produced++;
        pthread_cond_signal(&items);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *consumer(void *arg)
{
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&lock);
        while (stored == 0)
            pthread_cond_wait(&items, &lock);
        stored--;
        consumed++;
        pthread_cond_signal(&space);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        t[i] = start(i % 2 ? producer : consumer, NULL);
    for (int i = 0; i < 4; i++)
        finish(t[i]);
    assert(produced == 4 && consumed == 4 && stored == 0);
    return 0;
}
