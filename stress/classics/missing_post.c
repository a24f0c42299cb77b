/* The path of an error forgets to give the token back. */
#include "classic.h"
#include <stdatomic.h>

static sem_t tokens;
static atomic_int jobs;

static void *worker(void *arg)
{
    sem_wait(&tokens);
    int n = jobs++;
    if (n == 1) {
        /* this job fails */
#if RIGHT
        sem_post(&tokens);
#endif
        return arg;
    }
    sem_post(&tokens);
    return arg;
}

int main(void)
{
    pthread_t t[3];

    sem_init(&tokens, 0, 1);
    for (int i = 0; i < 3; i++)
        t[i] = start(worker, NULL);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    sem_destroy(&tokens);
    return 0;
}
