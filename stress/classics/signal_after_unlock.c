/* The waiter owns the event and destroys it once it is set; the setter unlocks before it signals,
 * and signals an event that is gone. */
#include "classic.h"

static struct event {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool set;
} event = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

static void *setter(void *arg)
{
    pthread_mutex_lock(&event.lock);
    event.set = true;
#if RIGHT
    pthread_cond_signal(&event.changed);
    pthread_mutex_unlock(&event.lock);
#else
    pthread_mutex_unlock(&event.lock);
    pthread_cond_signal(&event.changed);
#endif
    return arg;
}

int main(void)
{
    pthread_t t = start(setter, NULL);

    pthread_mutex_lock(&event.lock);
    while (!event.set)
        pthread_cond_wait(&event.changed, &event.lock);
    pthread_mutex_unlock(&event.lock);
    pthread_cond_destroy(&event.changed);
    finish(t);
    pthread_mutex_destroy(&event.lock);
    return 0;
}
