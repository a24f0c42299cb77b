/* The late thread does it only if it finds, under the same lock, what a third one has left there.
 */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int state, item, count;

static void *quick(void *arg)
{
    CHOOSE(state = 1, pass(&lock, &state));
    pass(&lock, &count);
    return arg;
}

static void *producer(void *arg)
{
    be_late();
    pthread_mutex_lock(&lock);
    item = 7;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *consumer(void *arg)
{
    int found = 0;
    for (int i = 0; i < 60 && !found; i++) {
        pthread_mutex_lock(&lock);
        found = item == 7;
        pthread_mutex_unlock(&lock);
    }
    if (found)
        CHOOSE(state = 2, pass(&lock, &state));
    return arg;
}

int main(void)
{
    run3(quick, producer, consumer);
    return state + count > 100;
}
