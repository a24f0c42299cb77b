/* A table filled at first use without a lock. */
#include "pattern.h"

static int table[4], filled;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void fill(void)
{
    if (filled)
        return;
    for (int i = 0; i < 4; i++)
        table[i] = i * i;
    filled = 1;
}

static void *lookup(void *arg)
{
    int got;

    GUARD(pthread_mutex_lock(&lock));
    fill();
    got = table[2];
    GUARD(pthread_mutex_unlock(&lock));
    return got == 4 ? arg : NULL;
}

int main(void)
{
    run2(lookup, lookup, NULL);
    return 0;
}
