/* Two threads work on halves that share one element. */
#include "pattern.h"

static int cell[9];

static void *low(void *arg)
{
    for (int i = 0; i < (RIGHT ? 4 : 5); i++)
        cell[i]++;
    return arg;
}

static void *high(void *arg)
{
    for (int i = 4; i < 9; i++)
        cell[i]++;
    return arg;
}

int main(void)
{
    run2(low, high, NULL);
    return cell[0] == 9;
}
