/* Waits with the lock held that one of two who might post needs; the other one does not always
 * come. */
#include "classic.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static sem_t filled;
static int rows;

static void *reader(void *arg)
{
    for (int i = 0; i < 30; i++)
        sched_yield();
    pthread_mutex_lock(&table);
    sem_wait(&filled);
    rows++;
    pthread_mutex_unlock(&table);
    return arg;
}

static void *writer(void *arg)
{
    pthread_mutex_lock(&table);
    rows++;
    pthread_mutex_unlock(&table);
    sem_post(&filled);
    return arg;
}

static void *closer(void *arg)
{
    for (int i = 0; i < 60; i++)
        sched_yield();
#if RIGHT
    sem_post(&filled);
#endif
    return arg;
}

int main(void)
{
    sem_init(&filled, 0, 0);
    pthread_t t = start(closer, NULL);
    both(reader, writer);
    finish(t);
    sem_destroy(&filled);
    return 0;
}
