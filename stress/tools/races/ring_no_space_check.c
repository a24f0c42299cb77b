/* A ring of one slot without waiting for space. */
#include "pattern.h"

static int slot;
static sem_t full, space;

static void *produce(void *arg)
{
    for (int i = 0; i < 2; i++) {
        GUARD(sem_wait(&space));
        slot = i;
        sem_post(&full);
    }
    return arg;
}

static void *consume(void *arg)
{
    int sum = 0;

    for (int i = 0; i < 2; i++) {
        sem_wait(&full);
        sum += slot;
        sem_post(&space);
    }
    return sum == 9 ? NULL : arg;
}

int main(void)
{
    sem_init(&full, 0, 0);
    sem_init(&space, 0, 1);
    run2(produce, consume, NULL);
    sem_destroy(&full);
    sem_destroy(&space);
    return 0;
}
