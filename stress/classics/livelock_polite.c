/* Each sees that the other wants in, and waits until it no longer does; neither takes its wish
 * back. Right: a turn decides (Dekker). */
#include "classic.h"
#include <stdatomic.h>

static atomic_int wants[2];
#if RIGHT
static atomic_int turn;
#endif
static int inside;

static void enter(int me)
{
    int other = 1 - me;

    wants[me] = 1;
    sched_yield();
    while (wants[other]) {
#if RIGHT
        if (turn != me) {
            wants[me] = 0;
            while (turn != me)
                sched_yield();
            wants[me] = 1;
        }
#endif
        sched_yield();
    }
}

static void leave(int me)
{
#if RIGHT
    turn = 1 - me;
#endif
    wants[me] = 0;
}

static void *body(void *arg)
{
    int me = *(int *)arg;

    enter(me);
    inside++;
    leave(me);
    return NULL;
}

int main(void)
{
    int me[2] = {0, 1};
    pthread_t t = start(body, &me[0]), u = start(body, &me[1]);

    finish(t);
    finish(u);
    assert(inside == 2);
    return 0;
}
