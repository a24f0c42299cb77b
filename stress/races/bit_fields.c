/* Two bit-fields share a word: writing one rewrites both. */
#include "pattern.h"

static struct {
    unsigned busy : 4;
#if RIGHT
    unsigned : 0;
#endif
    unsigned error : 4;
} state;

static void *set_busy(void *arg)
{
    state.busy = 3;
    return arg;
}

static void *set_error(void *arg)
{
    state.error = 5;
    return arg;
}

int main(void)
{
    run2(set_busy, set_error, NULL);
    return state.busy == 9 && state.error == 9;
}
