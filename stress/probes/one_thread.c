/* Opposite orders in one thread, which cannot wait for itself there. */
#include "probe.h"

static void *alone(void *arg)
{
    nest(&a, &b);
    nest(&b, &a);
    return arg;
}

int main(void)
{
    pthread_join(start(alone), NULL);
    return 0;
}
