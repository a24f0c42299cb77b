/* The late thread waits for a post, but not for one of the early thread. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t tokens;
static int value, mine, yours;

static void *quick(void *arg)
{
    value = 1;
    CHOOSE((void)0, sem_post(&tokens));
    pass(&lock, &mine);
    return arg;
}

static void *giver(void *arg)
{
    be_late();
    sem_post(&tokens);
    return arg;
}

static void *slow(void *arg)
{
    sem_wait(&tokens);
    CHOOSE((void)0, sem_wait(&tokens));
    be_late();
    pass(&lock, &yours);
    value = 2;
    return arg;
}

int main(void)
{
    sem_init(&tokens, 0, 0);
    run3(quick, giver, slow);
    return value + mine + yours > 100;
}
