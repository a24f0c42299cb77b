/* Neighbouring bit fields under two locks. */
#include "pattern.h"

static struct {
    unsigned open : 4;
#if RIGHT
    unsigned : 0;
#endif
    unsigned dirty : 4;
} flags;
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t dirty_lock = PTHREAD_MUTEX_INITIALIZER;

static void *opener(void *arg)
{
    pthread_mutex_lock(&open_lock);
    flags.open = 3;
    pthread_mutex_unlock(&open_lock);
    return arg;
}

static void *writer(void *arg)
{
    pthread_mutex_lock(&dirty_lock);
    flags.dirty = 5;
    pthread_mutex_unlock(&dirty_lock);
    return arg;
}

int main(void)
{
    run2(opener, writer, NULL);
    return flags.open == 0;
}
