/* A detached thread waits for ever when the program ends. */
#include "probe.h"

static sem_t never;

static void *waits(void *arg)
{
    sem_wait(&never);
    return arg;
}

int main(void)
{
    sem_init(&never, 0, 0);
    pthread_detach(start(waits));
    pause_ms(100);
    return 0;
}
