/* A thread-local variable is private until its address is given away. */
#include "pattern.h"

static _Thread_local int mine;
static _Atomic(int *) published;

static void *owner(void *arg)
{
    CHOOSE(atomic_store(&published, &mine), (void)0);
    mine = 1;
    atomic_store(&published, NULL);
    return mine > 5 ? arg : NULL;
}

static void *guest(void *arg)
{
    int *other = atomic_load(&published);
    mine = 2;
    if (other)
        *other = 3;
    return arg;
}

static void *keeper(void *arg)
{
    /* both live until both are done, so that the address stays valid */
    pthread_t t;
    pthread_create(&t, NULL, guest, arg);
    owner(arg);
    pthread_join(t, NULL);
    return arg;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, keeper, NULL);
    pthread_join(t, NULL);
    return 0;
}
