/* A once of one's own: the loser must wait until the winner is ready. */
#include "pattern.h"

static atomic_int state; /* 0 nothing, 1 at work, 2 ready */
static int table[2];

static void *use(void *arg)
{
    int expected = 0;
    if (atomic_compare_exchange_strong(&state, &expected, 1)) {
        table[0] = table[1] = 7;
        atomic_store(&state, 2);
    }
    while (CHOOSE(0, atomic_load(&state) != 2))
        ;
    return table[1] == 7 ? arg : NULL;
}

int main(void)
{
    run2(use, use, NULL);
    return 0;
}
