/* The second lock is only tried, which waits for nobody. */
#include "probe.h"

static void *try_backwards(void *arg)
{
    pthread_mutex_lock(&b);
    if (pthread_mutex_trylock(&a) == 0)
        pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

int main(void)
{
    return both(a_then_b, try_backwards);
}
