/* A callback is registered while another thread walks the table. */
#include "pattern.h"

typedef int (*callback)(void);
static callback table[4];
static CHOOSE(int, atomic_int) used;

static int one(void)
{
    return 1;
}

static void *subscribe(void *arg)
{
    int n = used;
    table[n] = one;
    used = n + 1;
    return arg;
}

static void *fire(void *arg)
{
    int sum = 0, n = used;
    for (int i = 0; i < n; i++)
        sum += table[i]();
    return sum ? arg : NULL;
}

int main(void)
{
    run2(subscribe, fire, NULL);
    return 0;
}
