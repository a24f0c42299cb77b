/* A spin on an atomic flag with sched_yield; the thread that should set it waits for the spinner.
 */
#include "classic.h"
#include <stdatomic.h>

static atomic_bool go_on;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *spinner(void *arg)
{
#if !RIGHT
    pthread_mutex_lock(&lock);
#endif
    while (!go_on)
        sched_yield();
#if RIGHT
    pthread_mutex_lock(&lock);
#endif
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *setter(void *arg)
{
    pthread_mutex_lock(&lock);
    go_on = true;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(spinner, setter);
    return 0;
}
