/* Waits with the lock held that its waker needs. In the right form only when the waker had it
 * before, which no order of these events shows: it is predicted, and then never happens. */
#include "classic.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static sem_t filled;
static int rows;

static void *reader(void *arg)
{
    for (int i = 0; i < 30; i++)
        sched_yield();
    pthread_mutex_lock(&table);
    if (!RIGHT || rows > 0)
        sem_wait(&filled);
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
