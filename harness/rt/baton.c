/* baton.c - the vehicle that works everywhere: each thread waits for its turn on its own futex.
 *
 * The driver pins the process to one CPU, so a hand-over is one switch. The wait wakes up every few
 * milliseconds to look after a thread that has the turn and does not come back with it.
 */
#include "rt.h"

#define WATCH_EVERY_NS 10000000

static void give(struct hdi_thread *t)
{
    __atomic_store_n(&t->turn, 1, __ATOMIC_RELEASE);
    rt_futex_wake(&t->turn, 1, false);
}

static void wait_for_turn(struct hdi_thread *self)
{
    while (__atomic_exchange_n(&self->turn, 0, __ATOMIC_ACQUIRE) == 0) {
        rt_futex_wait(&self->turn, 0, WATCH_EVERY_NS, false);
        if (__atomic_load_n(&self->turn, __ATOMIC_RELAXED) == 0)
            rt_watch(self);
    }
}

const struct rt_vehicle rt_baton = {.give = give, .wait = wait_for_turn};
const struct rt_vehicle *rt_vehicle = &rt_baton;
