/* Main reads what a detached thread writes after it said it was done. */
#include "pattern.h"

static int result;
static sem_t done;

static void *work(void *arg)
{
#if RIGHT
    result = 8;
#endif
    sem_post(&done);
#if !RIGHT
    result = 8;
#endif
    return arg;
}

int main(void)
{
    pthread_t t;
    int got;

    sem_init(&done, 0, 0);
    pthread_create(&t, NULL, work, NULL);
    pthread_detach(t);
    sem_wait(&done);
    got = result;
    sched_yield();
    return got == 9;
}
