/* A poller sleeps until it is told to stop; the word is set back by whoever initialises it too
 * late. Right: it is initialised before anybody can set it. */
#include "classic.h"
#include <stdatomic.h>

static atomic_bool stop;

static void *poller(void *arg)
{
    while (!stop)
        usleep(1000);
    return arg;
}

static void *stopper(void *arg)
{
    stop = true;
    sched_yield();
    return arg;
}

int main(void)
{
#if RIGHT
    stop = false;
#endif
    pthread_t t = start(poller, NULL), u = start(stopper, NULL);

#if !RIGHT
    sched_yield();
    stop = false;
#endif
    finish(u);
    finish(t);
    return 0;
}
