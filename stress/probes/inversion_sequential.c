/* Opposite orders, kept apart by time alone. */
#include "probe.h"

static void *later(void *arg)
{
    pause_ms(200);
    return b_then_a(arg);
}

int main(void)
{
    return both(a_then_b, later);
}
