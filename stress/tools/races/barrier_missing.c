/* Two phases without a barrier between them. */
#include "pattern.h"

static int part[2];
static pthread_barrier_t phase;

static void *work(void *arg)
{
    int me = *(int *)arg;

    part[me] = me + 1;
    GUARD(pthread_barrier_wait(&phase));
    return part[0] + part[1] == 30 ? arg : NULL;
}

int main(void)
{
    pthread_t t[2];
    static int id[2] = {0, 1};

    pthread_barrier_init(&phase, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, work, &id[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&phase);
    return 0;
}
