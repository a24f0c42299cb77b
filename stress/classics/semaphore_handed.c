/* A turn that is handed from one to the other and back: whoever has it owes it to the other, so
 * nobody owns it, and the one who keeps it leaves the other waiting. */
#include "classic.h"

static sem_t ping, pong;

static void *first(void *arg)
{
    for (int i = 0; i < 3; i++) {
        sem_wait(&ping);
        if (RIGHT || i < 2)
            sem_post(&pong);
    }
    return arg;
}

static void *second(void *arg)
{
    for (int i = 0; i < 3; i++) {
        sem_wait(&pong);
        sem_post(&ping);
    }
    return arg;
}

int main(void)
{
    sem_init(&ping, 0, 1);
    sem_init(&pong, 0, 0);
    both(first, second);
    sem_destroy(&ping);
    sem_destroy(&pong);
    return 0;
}
