/* Two counting semaphores, taken in opposite orders. */
#include "classic.h"

static sem_t printer, scanner;

static void *copy(void *arg)
{
    sem_wait(&scanner);
    sem_wait(&printer);
    sem_post(&printer);
    sem_post(&scanner);
    return arg;
}

static void *report(void *arg)
{
#if RIGHT
    sem_wait(&scanner);
    sem_wait(&printer);
#else
    sem_wait(&printer);
    sem_wait(&scanner);
#endif
    sem_post(&scanner);
    sem_post(&printer);
    return arg;
}

int main(void)
{
    sem_init(&printer, 0, 1);
    sem_init(&scanner, 0, 1);
    both(copy, report);
    sem_destroy(&printer);
    sem_destroy(&scanner);
    return 0;
}
