/* Waits with a recursive mutex taken twice. POSIX calls the result undefined; glibc gives one level
 * back, and the waker waits for the other. Right: waits with it taken once. */
#include "classic.h"

static pthread_mutex_t lock;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool ready;

static void wait_ready(void)
{
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void *waiter(void *arg)
{
#if RIGHT
    wait_ready();
    pthread_mutex_lock(&lock);
#else
    pthread_mutex_lock(&lock);
    wait_ready();
#endif
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *setter(void *arg)
{
    pthread_mutex_lock(&lock);
    ready = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lock, &attr);
    pthread_mutexattr_destroy(&attr);
    both(waiter, setter);
    pthread_mutex_destroy(&lock);
    return 0;
}
