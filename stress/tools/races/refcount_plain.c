/* A reference count kept without lock. */
#include "pattern.h"

static struct {
    int refs;
    int payload;
} * thing;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *drop(void *arg)
{
    int left;

    GUARD(pthread_mutex_lock(&lock));
    left = --thing->refs;
    GUARD(pthread_mutex_unlock(&lock));
    if (left == 0)
        free(thing);
    return arg;
}

int main(void)
{
    thing = calloc(1, sizeof(*thing));
    thing->refs = 2;
    run2(drop, drop, NULL);
    return 0;
}
