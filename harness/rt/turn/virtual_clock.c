/* virtual_clock.c - time as the program sees it: it jumps to the next deadline when nobody can run,
 * or when those who can have done so much that it would have been reached: a thread that polls, or
 * never ends, keeps nobody asleep for ever. */
#include "rt.h"

#include <sys/syscall.h>
#include <time.h>

#include "core/real.h"
#include "models/signals.h"

/* How long the outside may take, at most, before the clock jumps: no longer than the jump. The second
 * is for programs for which nothing ever came from there. */
#define IDLE_GRACE_NS 20000000
#define SILENT_GRACE_NS 500000
/* How long a replay waits for a thread that came back from outside in the record. */
#define REPLAY_PATIENCE_NS 2000000000
/* Once a child was found to be late: until others go ahead, and until it is given up. */
#define LATE_PATIENCE_NS 20000000
#define LAST_PATIENCE_NS 500000000
/* Failed tries in a row after which a deadline is due. */
#define IDLE_OPS 250u
/* The same for decisions of any kind. More than most tests make while somebody sleeps in order to
 * let the others finish; the driver gives a smaller number once it has seen that they never do. */
#define WORK_STEPS 50000u

int64_t rt_real_ns(void)
{
    struct timespec ts;
    hdi_real.syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int64_t next_deadline(void)
{
    struct hdi_thread *t = rt_earliest();
    int64_t timer = hdi_timer_next(), at = t ? t->op->until_ns : 0;

    return timer && (!at || timer < at) ? timer : at;
}

uint32_t rt_work_steps(void)
{
    uint32_t steps = rt.config.work_steps ? rt.config.work_steps : WORK_STEPS;
    uint32_t most = rt.config.max_steps / 4;

    return most && steps > most ? most : steps;
}

static void move_clock(int64_t at)
{
    rt_explore_clock(true);
    rt.now_ns = at;
    rt.moves++;
    rt.clock_step = rt.region->result.steps;
}

void rt_work_takes_time(void)
{
    int64_t at = next_deadline();
    uint32_t steps = rt.region->result.steps;

    if (rt.draining || rt.exploring)
        return;
    if (!at || at <= rt.now_ns) {
        if (!at)
            rt.clock_step = steps;
        return;
    }
    if (rt.idle_ops > 0 && rt.idle_ops % IDLE_OPS == 0) {
        move_clock(at);
    } else if (steps - rt.clock_step >= rt_work_steps()) {
        rt.region->result.work_jumps++;
        move_clock(at);
    }
}

void rt_expire_timers(void)
{
    int64_t at = hdi_timer_next();

    if (at && at <= rt.now_ns && !rt.draining)
        hdi_timer_expire(rt.now_ns);
}

static int64_t grace(int64_t jump_ns, bool child)
{
    int64_t most = rt.config.flags & HDP_SILENT ? SILENT_GRACE_NS : IDLE_GRACE_NS;

    return child || jump_ns < most ? jump_ns : most;
}

bool rt_let_time_pass(bool may_wait)
{
    struct hdi_thread *first = rt_earliest();
    uint32_t from_outside = rt_awaited_outside();
    bool child = hdi_children_live() || (hdi_has_forked() && hdi_signal_on_its_way()),
         outside = rt.external_count || from_outside || child;
    bool near = rt.external_count || from_outside > rt.signal_waits || child;
    int64_t timer = hdi_timer_next(), at = first ? first->op->until_ns : 0, now;

    if (rt.recheck)
        return true; /* a signal has come meanwhile */
    /* Nobody else will move: an alarm that would only kill the program is no way on. */
    if (timer && !outside && !first && (rt_circle() || !hdi_timer_helps()))
        timer = 0;
    if (timer && (!at || timer < at))
        at = timer;
    if (at && rt.now_ns >= at && !rt.replay_waits)
        return at == timer || !rt.drainer;
    /* Who waits for a signal from outside holds nobody up. */
    if (at && (at == timer ? !child && !rt.external_count : !near) && !rt.drainer &&
        !rt.replay_waits) {
        uint32_t waited = rt.region->result.steps - rt.clock_step;
        if (waited > rt.region->result.waited_steps)
            rt.region->result.waited_steps = waited;
        move_clock(at);
        return true;
    }
    if (!outside)
        return false;
    now = rt_real_ns();
    if (!rt.idle_real_ns)
        rt.idle_real_ns = now;
    if (rt.replaying) {
        int64_t idle = now - rt.idle_real_ns;
        bool late = rt.region->result.ahead;
        if (child && idle > (late ? LATE_PATIENCE_NS : REPLAY_PATIENCE_NS) && rt_replay_ahead())
            return true;
        if (idle > (late ? LAST_PATIENCE_NS : REPLAY_PATIENCE_NS)) {
            rt.region->result.diverged_at = rt.replay_at + 1;
            rt.replaying = rt.replay_waits = false;
        }
    } else if (at && now - rt.idle_real_ns >= grace(at - rt.now_ns, child)) {
        move_clock(at);
        rt.idle_real_ns = 0;
        return true;
    }
    if (rt.config.timeout_ms && now - rt.real_start_ns > rt.config.timeout_ms * 1000000LL)
        rt_hang();
    if (!may_wait)
        return true;
    rt_unlock();
    {
        struct timespec ts = {0, now - rt.idle_real_ns < 2000000 ? 50000 : 1000000};
        hdi_real.syscall(SYS_nanosleep, &ts, NULL);
    }
    rt_lock();
    return true;
}

int64_t hdi_now(void)
{
    return rt.now_ns;
}

int64_t hdi_realtime_offset(void)
{
    return rt.config.clock_base_ns - RT_CLOCK_START_NS;
}

bool hdi_real_clock(void)
{
    return (rt.config.flags & HDP_REAL_CLOCK) != 0;
}

int64_t hdi_clock_read(void)
{
    struct hdi_thread *self = hdi_self();
    uint32_t n = self ? ++self->turn.clock_reads : 0, shift = n > 128 ? (n - 128) / 16 : 0;

    rt_explore_clock(false);
    rt.now_ns += shift > 13 ? 10000000 : 1000LL << shift;
    if (rt.started && hdi_timer_next() && hdi_timer_next() <= rt.now_ns)
        hdi_point(HD_EV_YIELD, NULL, 0);
    return rt.now_ns;
}
