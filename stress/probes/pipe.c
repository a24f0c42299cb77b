/* Handed over through a pipe: who has read the byte may read the data. */
#include "probe.h"

static int ends[2], data;

static void *send_it(void *arg)
{
    data = 42;
    ssize_t n = write(ends[1], "x", 1);
    assert(n == 1);
    return arg;
}

static void *take_it(void *arg)
{
    char byte;
    ssize_t n = read(ends[0], &byte, 1);

    assert(n == 1 && data == 42);
    return arg;
}

int main(void)
{
    int error = pipe(ends);

    assert(error == 0);
    return both(send_it, take_it);
}
