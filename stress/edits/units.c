/* Each of two threads takes a unit of both semaphores, in opposite orders. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static sem_t printer, paper;

static void *print(void *arg)
{
    sem_wait(&printer);
    sem_wait(&paper);
    sem_post(&paper);
    sem_post(&printer);
    return arg;
}

static void *refill(void *arg)
{
#ifdef FIXED
    sem_wait(&printer);
    sem_wait(&paper);
#else
    sem_wait(&paper);
    sem_wait(&printer);
#endif
    sem_post(&printer);
    sem_post(&paper);
    return arg;
}

int main(void)
{
    pthread_t one, two;
    sem_init(&printer, 0, 1);
    sem_init(&paper, 0, 1);
    pthread_create(&one, NULL, print, NULL);
    pthread_create(&two, NULL, refill, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("done\n");
    return 0;
}
