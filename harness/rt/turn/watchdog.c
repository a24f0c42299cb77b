/* watchdog.c - a thread that has the turn and does not come back with it.
 *
 * The threads that wait for their turn look after it. When it sleeps in something that we do not
 * know, control is lost there: the others go on beside it, and it queues up again at its next
 * modelled call. When it computes or spins, it is pre-empted by a signal: it waits in the handler
 * like at any other point, so that still only one thread runs. CPU time is what counts then, so
 * that a loaded machine changes nothing.
 */
#include "rt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "arch/arch.h"
#include "core/proc.h"
#include "core/real.h"
#include "models/signals.h"
#include "reach/snapshot.h"

#define KERNEL_PATIENCE_MS 1000
/* How long a thread computes at least before sleepers beside it wake up. */
#define LONG_NS 200000000
/* At most so long is libc's syscall(): it moves six arguments. */
#define LIBC_SYSCALL_BYTES 64

/* In a model or hook, or in what it calls of libc: half of what happened is written down. */
static bool in_runtime(const struct hdp_registers *at)
{
    const struct hdi_span *libc = &hdi_modules.libc_code;

    return hdi_map_is_own(at->pc) || (at->pc >= libc->low && at->pc < libc->high &&
                                      hdi_map_is_own(*(const uint64_t *)(uintptr_t)at->sp));
}

/* The thread has the turn, and runs. */
static bool runs(const struct hdi_thread *self)
{
    return !self->inside && rt.current == self && self->state == HDP_T_RUNNING;
}

/* Out of a system call by which the program may hear that the signal was sent, or that the signal ended. What
 * the runtime calls for itself goes through syscall(), and tells the program nothing. */
static bool comes_out_of_call(const struct hdi_thread *self, const void *context, uint64_t pc)
{
    int64_t result;

    if (!hdi_after_system_call(context, &result))
        return false;
    return pc - (uintptr_t)hdi_real.syscall >= LIBC_SYSCALL_BYTES ||
           (result == -EINTR && !self->turn.waits_for_lock);
}

bool hdi_in_the_middle(const void *context)
{
    struct hdi_thread *self = hdi_self();
    struct hdp_registers at = hdi_registers_in(context);

    return self && rt.active && !rt.in_process && runs(self) && !self->lent &&
           (self->in_real || (in_runtime(&at) && !comes_out_of_call(self, context, at.pc)));
}

static void on_preempt(int number, siginfo_t *info, void *context)
{
    struct hdi_thread *self = hdi_self();
    struct hdp_registers at = hdi_registers_in(context);
    int saved = errno;

    if (!self || rt.preempting != self->tid) {
        hdi_handle(number, info, context);
        errno = saved;
        return;
    }
    rt.preempting = 0;
    /* Without hooks there is nothing that may not wait, and a thread that calls ours again and again would
     * never be stopped. */
    if (runs(self) && !self->in_real && !(hdi_memory_is_watched() && in_runtime(&at))) {
        struct hdi_op op = {.kind = HD_EV_PREEMPT, .site = at.pc};
        hdi_perform(&op);
    }
    errno = saved;
}

void rt_watchdog_start(void)
{
    /* Beside libc and whoever wraps it: TSan holds asynchronous signals back until the next call
     * that it knows. */
    struct hdi_kernel_action sa = HDI_KERNEL_ACTION(on_preempt, SA_SIGINFO | SA_RESTART);
    hdi_real.syscall(SYS_rt_sigaction, HDI_PREEMPT_SIGNAL, &sa, NULL, sizeof sa.mask);
}

/* State letter of a thread as the kernel gives it, 0 when it cannot be had. */
static char thread_state(int tid)
{
    char text[1024], *p;

    if (hdi_task_read(tid, "stat", text, sizeof text) <= 0)
        return 0;
    p = strrchr(text, ')');
    return p && p[1] ? p[2] : 0;
}

static int64_t cpu_ns(int tid)
{
    struct timespec ts = {0, 0};
    hdi_real.syscall(SYS_clock_gettime, (clockid_t)((~(unsigned)tid << 3) | 6), &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* The turn is on its way to it, or it waits for the scheduler's lock: not in the program's code. */
static bool on_its_way(const struct hdi_thread *cur)
{
    return __atomic_load_n(&cur->inside, __ATOMIC_RELAXED) ||
           __atomic_load_n(&cur->turn.waits_for_lock, __ATOMIC_RELAXED);
}

static struct hdi_thread *lose(struct hdi_thread *cur)
{
    rt.region->result.control_lost++;
    rt.region->result.control_lost_site = cur->last.site;
    cur->state = HDP_T_LOST;
    rt.external_count++;
    rt.current = NULL;
    return rt_pass_on(false);
}

/* What a thread computes while a timer of the program runs takes time. True: up to the timer. */
static bool computes_up_to_timer(const struct hdi_thread *cur)
{
    int64_t at = hdi_timer_next(), cpu = cpu_ns(cur->tid);

    if (!at)
        return false;
    rt.now_ns += cpu - rt.computed_ns > 0 && rt.computed_step == rt.watched_step
                     ? cpu - rt.computed_ns
                     : cpu - rt.watched_cpu_ns;
    rt.computed_ns = cpu;
    rt.computed_step = rt.watched_step;
    return rt.now_ns >= at;
}

/* It has computed for so long that whoever only sleeps would have been awake. */
static bool outlasts_sleepers(const struct hdi_thread *cur)
{
    int64_t at = rt_first_deadline(), cpu = cpu_ns(cur->tid) - rt.watched_cpu_ns;

    if (!at || cpu < LONG_NS || cpu < at - rt.now_ns)
        return false;
    if (at > rt.now_ns)
        rt.now_ns = at;
    return true;
}

void rt_watch(struct hdi_thread *self)
{
    struct hdi_thread *cur, *next = NULL;
    int64_t now = rt_real_ns();
    uint32_t limit_ms = rt.config.watchdog_ms ? rt.config.watchdog_ms : 50;

    (void)self;
    rt_lock();
    cur = rt.current;
    if (!cur) {
        next = rt_pass_on(false);
    } else if (cur->state == HDP_T_RUNNING && cur->tid) {
        if (rt.watched_step != rt.region->result.steps || !rt.watched_ns) {
            rt.watched_step = rt.region->result.steps;
            rt.watched_ns = now;
            rt.watched_cpu_ns = cpu_ns(cur->tid);
        } else if (rt.config.timeout_ms &&
                   now - rt.real_start_ns > rt.config.timeout_ms * 1000000LL) {
            rt_hang();
        } else if (now - rt.watched_ns >= (limit_ms - 10) * 1000000LL) {
            char state = thread_state(cur->tid);
            bool timed;
            if (on_its_way(cur)) /* asked last: it may have arrived meanwhile */
                state = '-';
            if (state == 'S' && cur->in_real) /* libc waits for a thread that is on its way out */
                state = 'D';
            timed = state == 'R' && (computes_up_to_timer(cur) || outlasts_sleepers(cur));
            if (state == 'S' || state == 't' || state == 'T' || !state ||
                (state == 'D' && now - rt.watched_ns > KERNEL_PATIENCE_MS * 1000000LL)) {
                next = lose(cur);
            } else if (state == 'R' &&
                       cpu_ns(cur->tid) - rt.watched_cpu_ns >= (limit_ms - 10) * 1000000LL &&
                       (timed || rt_others_can_run() || hdi_signalled(cur))) {
                rt.watched_ns = 0;
                rt.preempting = cur->tid;
                hdi_real.syscall(SYS_tgkill, hdi_real.syscall(SYS_getpid), cur->tid,
                                 HDI_PREEMPT_SIGNAL);
            }
        }
    }
    rt_unlock();
    if (next)
        rt_vehicle->give(next);
}

static void *watch_over(void *unused)
{
    while (rt.active && rt.live_count) {
        struct timespec ts = {0, 10000000};
        hdi_real.syscall(SYS_nanosleep, &ts, NULL);
        rt_watch(NULL);
    }
    return unused;
}

/* A thread of our own, which has no place in the schedule: when the only thread of the program
 * computes, nobody waits for the turn who could look after it. */
void hdi_watch_over(void)
{
    uint64_t all = ~0ull, mask;
    pthread_attr_t attr;
    pthread_t t;

    if (rt.watched_over || !rt.started || rt.in_process)
        return;
    if (rt_vehicle->cannot) /* the driver ends a batch in which one computes for long */
        return;
    rt.watched_over = true;
    hdi_real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof mask);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    hdi_real.pthread_create(&t, &attr, watch_over, NULL);
    pthread_attr_destroy(&attr);
    hdi_real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}
