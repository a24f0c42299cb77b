/* The early thread is nearly always first at the lock, which then orders what it wrote before. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static int config, early, late, busy;

static void *quick(void *arg)
{
    CHOOSE(config = 1, (void)0);
    pthread_mutex_lock(&lock);
    CHOOSE((void)0, config = 1);
    early++;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *slow(void *arg)
{
    for (int i = 0; i < 60; i++) {
        pthread_mutex_lock(&other);
        busy++;
        pthread_mutex_unlock(&other);
    }
    pthread_mutex_lock(&lock);
    late++;
    CHOOSE((void)0, config = 2);
    pthread_mutex_unlock(&lock);
    CHOOSE(config = 2, (void)0);
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return config + early + late + busy > 1000;
}
