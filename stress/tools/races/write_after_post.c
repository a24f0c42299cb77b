/* The producer changes the item after it posted it. */
#include "pattern.h"

static int item;
static sem_t filled;

static void *produce(void *arg)
{
    item = 1;
#if RIGHT
    item = 2;
#endif
    sem_post(&filled);
#if !RIGHT
    item = 2;
#endif
    return arg;
}

static void *consume(void *arg)
{
    sem_wait(&filled);
    return item == 5 ? NULL : arg;
}

int main(void)
{
    sem_init(&filled, 0, 0);
    run2(produce, consume, NULL);
    sem_destroy(&filled);
    return 0;
}
