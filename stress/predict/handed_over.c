/* Handed over under a lock: the same events, and the order between them is meant. Wrong: the flag
 * says nothing of the value. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int value, full;

static void *quick(void *arg)
{
    value = 1;
    pthread_mutex_lock(&lock);
    full = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    pthread_mutex_lock(&lock);
    int there = full;
    pthread_mutex_unlock(&lock);
    if (CHOOSE(there >= 0, there == 1))
        value = 2;
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return value > 100;
}
