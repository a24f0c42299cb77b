/* A thread ended, and nobody joined it. */
#include "probe.h"

static void *ends(void *arg)
{
    return arg;
}

int main(void)
{
    start(ends);
    pause_ms(100);
    return 0;
}
