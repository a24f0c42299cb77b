/* baton.c - the vehicle that works everywhere: each thread waits for its turn on its own futex.
 *
 * The driver pins the process to one CPU, so a hand-over is one switch. The wait wakes up now and
 * then to look after a thread that has the turn and does not come back with it: the oldest every
 * few milliseconds, the k-th of many k times as seldom, so that a thousand threads do not keep the
 * CPU busy with watching.
 */
#include "turn/rt.h"

#include <sys/syscall.h>

#include "core/real.h"

#define WATCH_EVERY_NS 10000000
#define WATCH_SELDOM 100u
#define FAREWELL_NS 20000000
#define FAREWELL_LOOK_NS 50000

static void give(struct hdi_thread *t)
{
    __atomic_store_n(&t->turn.word, 1, __ATOMIC_RELEASE);
    rt_futex_wake(&t->turn.word, 1, false);
}

/* A thread that has ended still has libc's farewell to do, which frees memory and may crash: nobody
 * runs beside it. */
static void see_off(int tid)
{
    static uint32_t zero;
    int64_t start = 0;

    while (hdi_real.syscall(SYS_tgkill, rt.pid, tid, 0) == 0) {
        int64_t now = rt_real_ns();
        start = start ? start : now;
        if (now - start > FAREWELL_NS)
            return;
        if (rt.filtered) /* a call that none but we make, and when depends on the machine */
            rt_futex_wait(&zero, 0, FAREWELL_LOOK_NS, false);
        else
            hdi_real.syscall(SYS_sched_yield);
    }
}

static void wait_for_turn(struct hdi_thread *self)
{
    uint32_t rank = __atomic_load_n(&rt.live_count, __ATOMIC_RELAXED);
    int leaving;

    rank = rank ? self->index % rank : 0;
    if (rank > WATCH_SELDOM)
        rank = WATCH_SELDOM;
    while (__atomic_exchange_n(&self->turn.word, 0, __ATOMIC_ACQUIRE) == 0) {
        rt_futex_wait(&self->turn.word, 0, (rank + 1) * (int64_t)WATCH_EVERY_NS, false);
        if (__atomic_load_n(&self->turn.word, __ATOMIC_RELAXED) == 0)
            rt_watch(self);
    }
    leaving = rt.leaving;
    if (leaving) {
        rt.leaving = 0;
        see_off(leaving);
    }
}

const struct rt_vehicle rt_baton = {.give = give, .wait = wait_for_turn, .begin = rt_handler_stack};
const struct rt_vehicle *rt_vehicle = &rt_baton;
