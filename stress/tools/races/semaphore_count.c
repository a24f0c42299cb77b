/* A semaphore used as a lock starts at 2. */
#include "pattern.h"

static int stock;
static sem_t gate;

static void *take(void *arg)
{
    sem_wait(&gate);
    stock--;
    sem_post(&gate);
    return arg;
}

int main(void)
{
    sem_init(&gate, 0, RIGHT ? 1 : 2);
    run2(take, take, NULL);
    sem_destroy(&gate);
    return 0;
}
