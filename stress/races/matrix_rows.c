/* Rows of a matrix are shared out; the ranges meet, or overlap by one row. */
#include "pattern.h"

#define N 4
static double m[N][N];

static void *upper(void *arg)
{
    for (int i = 0; i < N / 2 + CHOOSE(1, 0); i++)
        for (int j = 0; j < N; j++)
            m[i][j] *= 2;
    return arg;
}

static void *lower(void *arg)
{
    for (int i = N / 2; i < N; i++)
        for (int j = 0; j < N; j++)
            m[i][j] *= 2;
    return arg;
}

int main(void)
{
    run2(upper, lower, NULL);
    return 0;
}
