/* Waits for the post with the table locked, which whoever posts locks first. */
#include "classic.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static sem_t filled;
static int rows;

static void *reader(void *arg)
{
    for (int i = 0; i < 30; i++) /* nearly always late */
        sched_yield();
#if RIGHT
    sem_wait(&filled);
    pthread_mutex_lock(&table);
#else
    pthread_mutex_lock(&table);
    sem_wait(&filled);
#endif
    assert(rows == 1);
    pthread_mutex_unlock(&table);
    return arg;
}

static void *writer(void *arg)
{
    pthread_mutex_lock(&table);
    rows = 1;
    pthread_mutex_unlock(&table);
    sem_post(&filled);
    return arg;
}

int main(void)
{
    sem_init(&filled, 0, 0);
    both(reader, writer);
    sem_destroy(&filled);
    return 0;
}
