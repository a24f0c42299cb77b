/* The result is read before the thread is joined. */
#include "pattern.h"

static int result;

static void *work(void *arg)
{
    result = 99;
    return arg;
}

int main(void)
{
    pthread_t t;
    int got;

    pthread_create(&t, NULL, work, NULL);
#if RIGHT
    pthread_join(t, NULL);
    got = result;
#else
    got = result;
    pthread_join(t, NULL);
#endif
    return got == 1;
}
