/* Two threads wait on one condition variable, each with the mutex of its own queue. */
#include "classic.h"

static pthread_mutex_t lock[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_cond_t more[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static bool ready[2];

#if RIGHT
#define COND(queue) (&more[queue])
#else
#define COND(queue) (&more[0])
#endif

static void *consumer(void *arg)
{
    int queue = *(int *)arg;

    pthread_mutex_lock(&lock[queue]);
    while (!ready[queue])
        pthread_cond_wait(COND(queue), &lock[queue]);
    pthread_mutex_unlock(&lock[queue]);
    return NULL;
}

int main(void)
{
    int number[2] = {0, 1};
    pthread_t t = start(consumer, &number[0]), u = start(consumer, &number[1]);

    for (int queue = 0; queue < 2; queue++) {
        pthread_mutex_lock(&lock[queue]);
        ready[queue] = true;
        pthread_cond_broadcast(COND(queue));
        pthread_mutex_unlock(&lock[queue]);
    }
    finish(t);
    finish(u);
    return 0;
}
