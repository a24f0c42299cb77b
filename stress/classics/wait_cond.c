/* A wait gives its own mutex back, but not the one around it, which the signaller goes through. */
#include "classic.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static bool is_ready;

static void *waiter(void *arg)
{
    for (int i = 0; i < 30; i++)
        sched_yield();
    pthread_mutex_lock(&outer);
#if RIGHT
    pthread_mutex_unlock(&outer);
#endif
    pthread_mutex_lock(&inner);
    while (!is_ready)
        pthread_cond_wait(&ready, &inner);
    pthread_mutex_unlock(&inner);
#if !RIGHT
    pthread_mutex_unlock(&outer);
#endif
    return arg;
}

static void *signaller(void *arg)
{
    pthread_mutex_lock(&outer);
    pthread_mutex_unlock(&outer);
    for (int i = 0; i < 60; i++)
        sched_yield();
    pthread_mutex_lock(&inner);
    is_ready = true;
    pthread_cond_signal(&ready);
    pthread_mutex_unlock(&inner);
    return arg;
}

int main(void)
{
    both(waiter, signaller);
    return 0;
}
