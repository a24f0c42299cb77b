/* A spin lock and a mutex in opposite orders. */
#include "classic.h"

static pthread_spinlock_t irq;
static pthread_mutex_t device = PTHREAD_MUTEX_INITIALIZER;
static int events;

static void *handler(void *arg)
{
    pthread_spin_lock(&irq);
    pthread_mutex_lock(&device);
    events++;
    pthread_mutex_unlock(&device);
    pthread_spin_unlock(&irq);
    return arg;
}

static void *driver(void *arg)
{
#if RIGHT
    pthread_spin_lock(&irq);
    pthread_mutex_lock(&device);
#else
    pthread_mutex_lock(&device);
    pthread_spin_lock(&irq);
#endif
    events--;
    pthread_spin_unlock(&irq);
    pthread_mutex_unlock(&device);
    return arg;
}

int main(void)
{
    pthread_spin_init(&irq, PTHREAD_PROCESS_PRIVATE);
    both(handler, driver);
    pthread_spin_destroy(&irq);
    return 0;
}
