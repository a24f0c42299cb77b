/* Two semaphores of one, taken in opposite orders. */
#include "probe.h"

static sem_t x, y;

static void *take_both(sem_t *first, sem_t *second)
{
    sem_wait(first);
    sem_wait(second);
    sem_post(second);
    sem_post(first);
    return NULL;
}

static void *xy(void *arg)
{
    (void)arg;
    return take_both(&x, &y);
}

static void *yx(void *arg)
{
    (void)arg;
    return take_both(&y, &x);
}

int main(void)
{
    sem_init(&x, 0, 1);
    sem_init(&y, 0, 1);
    return both(xy, yx);
}
