/* volatile is no synchronisation. */
#include "pattern.h"

static CHOOSE(volatile int, atomic_int) stop;

static void *worker(void *arg)
{
    for (int i = 0; i < 5 && !stop; i++)
        ;
    return arg;
}

static void *boss(void *arg)
{
    stop = 1;
    return arg;
}

int main(void)
{
    run2(worker, boss, NULL);
    return 0;
}
