/* A function formats into a static buffer. */
#include "pattern.h"

static char shared[32];

static const char *describe(int number, char *mine)
{
    char *out = RIGHT ? mine : shared;

    out[0] = (char)('0' + number);
    out[1] = 0;
    return out;
}

static void *work(void *arg)
{
    char mine[32];

    return describe(*(int *)arg, mine)[0] == 'q' ? arg : NULL;
}

int main(void)
{
    static int number = 5;

    run2(work, work, &number);
    return shared[0] == 'q';
}
