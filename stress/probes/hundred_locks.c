/* A hundred locks held at once, always in the same order. */
#include "probe.h"

enum { LOCKS = 100 };
static pthread_mutex_t lock[LOCKS];

static void *take_all(void *arg)
{
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_lock(&lock[i]);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_unlock(&lock[i]);
    return arg;
}

int main(void)
{
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&lock[i], NULL);
    return both(take_all, take_all);
}
