/* A condition variable remembers nothing: a signal before the wait is lost when no flag is kept. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;
static bool running;

static void *service(void *arg)
{
    pthread_mutex_lock(&lock);
    running = true;
    pthread_cond_signal(&started);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t t = start(service, NULL);

    pthread_mutex_lock(&lock);
#if RIGHT
    while (!running)
        pthread_cond_wait(&started, &lock);
    assert(running);
#else
    pthread_cond_wait(&started, &lock);
#endif
    pthread_mutex_unlock(&lock);
    finish(t);
    return 0;
}
