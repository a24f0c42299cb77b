/* One byte of a number that another thread reads as a whole. */
#include "pattern.h"

static union {
    uint32_t number;
    struct {
        uint8_t low, other[3];
    } part;
    uint64_t space;
} view;
static uint32_t apart;

static void *whole(void *arg)
{
    return CHOOSE(view.number, apart) ? arg : NULL;
}

static void *byte(void *arg)
{
    view.part.other[2] = 1;
    return arg;
}

int main(void)
{
    run2(whole, byte, NULL);
    return 0;
}
