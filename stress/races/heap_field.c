/* One field of a shared heap object is outside the lock. */
#include "pattern.h"

struct account {
    pthread_mutex_t lock;
    long balance, fees;
};

static void *charge(void *arg)
{
    struct account *a = arg;
    pthread_mutex_lock(&a->lock);
    a->balance -= 3;
    CHOOSE(pthread_mutex_unlock(&a->lock), (void)0);
    a->fees += 1;
    CHOOSE((void)0, pthread_mutex_unlock(&a->lock));
    return NULL;
}

int main(void)
{
    struct account *a = calloc(1, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    run2(charge, charge, a);
    free(a);
    return 0;
}
