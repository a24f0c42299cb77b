/* One barrier between rounds where two are needed. */
#include "pattern.h"

static int slot[2];
static pthread_barrier_t round_end;

static void *work(void *arg)
{
    int me = *(int *)arg, seen = 0;

    for (int i = 0; i < 2; i++) {
        slot[me] = i;
        pthread_barrier_wait(&round_end);
        seen += slot[1 - me];
        GUARD(pthread_barrier_wait(&round_end));
    }
    return seen == 55 ? arg : NULL;
}

int main(void)
{
    pthread_t t[2];
    static int id[2] = {0, 1};

    pthread_barrier_init(&round_end, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, work, &id[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&round_end);
    return 0;
}
