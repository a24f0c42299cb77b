/* Opposite orders under a common lock: no two threads can be inside. */
#include "probe.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *ab(void *arg)
{
    pthread_mutex_lock(&gate);
    nest(&a, &b);
    pthread_mutex_unlock(&gate);
    return arg;
}

static void *ba(void *arg)
{
    pthread_mutex_lock(&gate);
    nest(&b, &a);
    pthread_mutex_unlock(&gate);
    return arg;
}

int main(void)
{
    return both(ab, ba);
}
