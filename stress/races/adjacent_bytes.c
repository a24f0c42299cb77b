/* Halves of a buffer: next to each other, or one byte too long. */
#include "pattern.h"

static char buffer[8];

static void *low(void *arg)
{
    for (int i = 0; i < CHOOSE(5, 4); i++)
        buffer[i] = 'l';
    return arg;
}

static void *high(void *arg)
{
    for (int i = 4; i < 8; i++)
        buffer[i] = 'h';
    return arg;
}

int main(void)
{
    run2(low, high, NULL);
    return buffer[3] == 'x';
}
