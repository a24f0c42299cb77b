/* The last update comes after the unlock. */
#include "pattern.h"

static int head, tail;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *advance(void *arg)
{
    pthread_mutex_lock(&lock);
    head++;
#if RIGHT
    tail = head;
    pthread_mutex_unlock(&lock);
#else
    pthread_mutex_unlock(&lock);
    tail = 1;
#endif
    return arg;
}

int main(void)
{
    run2(advance, advance, NULL);
    return 0;
}
