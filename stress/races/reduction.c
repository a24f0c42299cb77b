/* A sum over an array by two threads, into one variable or into one each. */
#include "pattern.h"

static int data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static long sum[2];

static void add(int me)
{
    for (int i = me * 4; i < me * 4 + 4; i++)
        sum[CHOOSE(0, me)] += data[i];
}

static void *first(void *arg)
{
    add(0);
    return arg;
}

static void *second(void *arg)
{
    add(1);
    return arg;
}

int main(void)
{
    run2(first, second, NULL);
    return sum[0] + sum[1] > 36;
}
