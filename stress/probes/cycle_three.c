/* A cycle through three locks. */
#include "probe.h"

static void *b_then_c(void *arg)
{
    nest(&b, &c);
    return arg;
}

static void *c_then_a(void *arg)
{
    nest(&c, &a);
    return arg;
}

int main(void)
{
    pthread_t t = start(a_then_b);

    both(b_then_c, c_then_a);
    pthread_join(t, NULL);
    return 0;
}
