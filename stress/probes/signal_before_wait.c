/* Signalled before it waits, and no flag that tells. */
#include "probe.h"

static pthread_cond_t go = PTHREAD_COND_INITIALIZER;

static void *signaller(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_cond_signal(&go);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *waiter(void *arg)
{
    pause_ms(100);
    pthread_mutex_lock(&a);
    pthread_cond_wait(&go, &a);
    pthread_mutex_unlock(&a);
    return arg;
}

int main(void)
{
    return both(signaller, waiter);
}
