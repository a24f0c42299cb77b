/* Peterson's lock with volatile variables, and with sequentially consistent ones. */
#include "pattern.h"

static CHOOSE(volatile int, atomic_int) wants[2], turn;
static int total;

static void enter(int me)
{
    wants[me] = 1;
    turn = 1 - me;
    while (wants[1 - me] && turn == 1 - me)
        ;
    total++;
    wants[me] = 0;
}

static void *first(void *arg)
{
    enter(0);
    return arg;
}

static void *second(void *arg)
{
    enter(1);
    return arg;
}

int main(void)
{
    run2(first, second, NULL);
    return 0;
}
