/* Opposite orders that meet every time. */
#include "probe.h"

static pthread_barrier_t each_has_one;

static void *cross(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_barrier_wait(&each_has_one);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
    return NULL;
}

static void *ab(void *arg)
{
    (void)arg;
    return cross(&a, &b);
}

static void *ba(void *arg)
{
    (void)arg;
    return cross(&b, &a);
}

int main(void)
{
    pthread_barrier_init(&each_has_one, NULL, 2);
    return both(ab, ba);
}
