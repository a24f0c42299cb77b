/* One thread waits for a signal with a lock held that another one wants, when main returns: signalled TWIN. In the
 * right twin a third one, which lives by the clock, signals it in time; in the wrong one only who wants the lock would. */
#include "case.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER, mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool told;
static sem_t holding;

static void tell(void)
{
    pthread_mutex_lock(&mutex);
    told = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void *waits(void *arg)
{
    pthread_mutex_lock(&table);
    sem_post(&holding);
    pthread_mutex_lock(&mutex);
    while (!told)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_unlock(&table);
    return arg;
}

static void *wants(void *arg)
{
    pthread_mutex_lock(&table);
    if (wrong)
        tell();
    pthread_mutex_unlock(&table);
    return arg;
}

static void *lives_by_the_clock(void *arg)
{
    for (;;) {
        usleep(10000);
        if (!wrong)
            tell();
    }
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 0);
    sem_init(&holding, 0, 0);
    pthread_detach(start(waits, NULL));
    sem_wait(&holding);
    pthread_detach(start(wants, NULL));
    pthread_detach(start(lives_by_the_clock, NULL));
    usleep(1000);
    return 0;
}
