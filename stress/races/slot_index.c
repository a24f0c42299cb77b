/* Threads reserve slots of an array: with a plain index two get the same one. */
#include "pattern.h"

static CHOOSE(int, atomic_int) used;
static int slots[8];

static void *log_twice(void *arg)
{
    for (int i = 0; i < 2; i++) {
        int mine = used++;
        slots[mine] = i;
    }
    return arg;
}

int main(void)
{
    run2(log_twice, log_twice, NULL);
    return 0;
}
