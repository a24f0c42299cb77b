/* Two threads count in one variable. */
#include "pattern.h"

static CHOOSE(int, _Atomic int) hits;

static void *count(void *arg)
{
    for (int i = 0; i < 2; i++)
        hits++;
    return arg;
}

int main(void)
{
    run2(count, count, NULL);
    return 0;
}
