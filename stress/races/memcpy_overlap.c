/* Two copies into one buffer: the first is one byte too long. */
#include "pattern.h"

static char line[32];

static void *first(void *arg)
{
    memcpy(line, "sixteen bytes ..", 16 + (size_t)CHOOSE(1, 0));
    return arg;
}

static void *second(void *arg)
{
    memcpy(line + 16, "and another six.", 16);
    return arg;
}

int main(void)
{
    run2(first, second, NULL);
    return line[15] == 'x';
}
