/* signals.c - signals in place, between threads that the kernel takes for one.
 *
 * What each thread blocks and has pending is kept here. One that gets through is sent to the kernel
 * thread while its receiver runs, and under its mask: so the kernel builds the frame and calls the
 * handler at once. The mask that the kernel has between two of them is nobody's.
 *
 *   1 nothing is pending in the kernel: what is sent there is let through by the mask of that moment
 *   2 SIGSYS is never blocked: the next system call would end the process
 */
#include "engine.h"

#include <errno.h>
#include <sys/syscall.h>

#define BIT(signal) (1ull << ((signal)-1))
#define NUMBERS 64
#define IGNORED (BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT))
#define NEVER_BLOCKED (BIT(SIGKILL) | BIT(SIGSTOP))
#define RAW(number, a, b, c, d)                                                                    \
    hdi_passed_call(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* `is` is SIG_IGN or SIG_DFL. */
static bool action_is(const struct hdi_kernel_action *a, void (*is)(int number))
{
    return (uintptr_t)a->handler == (uintptr_t)is;
}

static bool reaches(const struct rt_pending *p, const struct rt_place *to)
{
    return !p->to || p->to == to;
}

/* What the kernel would give next: a thread's own before the process's, low numbers first. */
static struct rt_pending *first(const struct rt_place *to, uint64_t set)
{
    struct rt_done *d = &rt_engine->done;
    struct rt_pending *best = NULL;

    for (uint32_t i = 0; i < d->pendings; i++) {
        struct rt_pending *p = &d->pending[i];
        if (!reaches(p, to) || !(set & BIT(p->info.si_signo)))
            continue;
        if (!best || (p->to && !best->to) ||
            (!p->to == !best->to && p->info.si_signo < best->info.si_signo))
            best = p;
    }
    return best;
}

static void take(struct rt_pending *p, siginfo_t *info)
{
    struct rt_done *d = &rt_engine->done;

    *info = p->info;
    d->pendings--;
    for (; p < &d->pending[d->pendings]; p++)
        p[0] = p[1];
}

static void keep(struct rt_place *to, const siginfo_t *info)
{
    struct rt_done *d = &rt_engine->done;

    for (uint32_t i = 0; i < d->pendings; i++)
        if (d->pending[i].to == to && d->pending[i].info.si_signo == info->si_signo &&
            info->si_signo < 32)
            return; /* one of these is kept, as in the kernel */
    if (d->pendings == RT_PENDING)
        rt_in_place_cannot("has more than 16 signals pending");
    d->pending[d->pendings].to = to;
    d->pending[d->pendings++].info = *info;
}

/* It is ignored now. */
static void forget(int number)
{
    struct rt_done *d = &rt_engine->done;
    siginfo_t info;

    for (uint32_t i = d->pendings; i-- > 0;)
        if (d->pending[i].info.si_signo == number)
            take(&d->pending[i], &info);
}

/* To be undone. */
static void action_changes(int number)
{
    struct rt_done *d = &rt_engine->done;

    if (d->actions & BIT(number))
        return;
    RAW(SYS_rt_sigaction, number, 0, &d->action[number], 8);
    d->actions |= BIT(number);
}

long rt_signals_action(const long a[6])
{
    const struct hdi_kernel_action *new = (const struct hdi_kernel_action *)a[1];
    long number = a[0];

    if (!new || number < 1 || number > NUMBERS)
        return RAW(SYS_rt_sigaction, a[0], a[1], a[2], a[3]);
    if (number == SIGSYS)
        rt_in_place_cannot("handles SIGSYS");
    action_changes((int)number);
    if (action_is(new, SIG_IGN))
        forget((int)number);
    return RAW(SYS_rt_sigaction, a[0], a[1], a[2], a[3]);
}

/* To the thread that runs and does not block it. Returns behind its handler. */
static void deliver(siginfo_t *info)
{
    struct rt_engine *e = rt_engine;
    struct rt_place *p = e->running;
    struct hdi_kernel_action a;
    int number = info->si_signo;
    uint64_t mask = p->mask & ~BIT(SIGSYS);
    long error;

    RAW(SYS_rt_sigaction, number, 0, &a, sizeof a.mask);
    if (action_is(&a, SIG_IGN) || (action_is(&a, SIG_DFL) && IGNORED & BIT(number)))
        return;
    if (action_is(&a, SIG_DFL) || number == SIGSYS)
        rt_in_place_cannot("is ended, or stopped, by a signal");
    if (number == SIGABRT)
        rt_in_place_cannot("calls abort()");
    if (a.flags & (SA_ONSTACK | SA_RESETHAND))
        rt_in_place_cannot("has a signal handler with a stack of its own, or for once");
    if (a.mask & BIT(SIGSYS)) {
        action_changes(number);
        a.mask &= ~BIT(SIGSYS);
        RAW(SYS_rt_sigaction, number, &a, 0, sizeof a.mask);
    }
    e->done.masked = true;
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);
    p->mask |= a.mask | (a.flags & SA_NODEFER ? 0 : BIT(number));
    error = RAW(SYS_rt_tgsigqueueinfo, RAW(SYS_getpid, 0, 0, 0, 0), e->place[0].tid, number, info);
    if (error)
        rt_in_place_cannot("sends a signal that the kernel refuses");
}

void rt_signals_let_in(void)
{
    const struct rt_place *p = rt_engine->running;
    struct rt_pending *next = first(p, ~p->mask);
    siginfo_t info;

    if (!next)
        return;
    take(next, &info);
    if (first(p, ~p->mask))
        rt_in_place_cannot("gets several signals at once");
    deliver(&info);
}

static bool is_sendable(int number)
{
    return number > 0 && number <= NUMBERS && !(BIT(number) & NEVER_BLOCKED);
}

/* The kernel would interrupt such a thread there and then. */
static bool others_let_in(int number)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; i < n; i++) {
        const struct rt_place *p = live[i]->carrier.place;
        if (p != rt_engine->running && !live[i]->life.ended && !(p->mask & BIT(number)))
            return true;
    }
    return false;
}

static long send(struct rt_place *to, siginfo_t *info)
{
    struct rt_engine *e = rt_engine;
    int number = info->si_signo;
    bool here = (!to || to == e->running) && !(e->running->mask & BIT(number));

    if (!is_sendable(number))
        rt_in_place_cannot("sends a signal that cannot be blocked, or that is none");
    if (here && (to || e->running == &e->place[0] || !others_let_in(number)))
        deliver(info);
    else if (to ? !(to->mask & BIT(number)) : here || others_let_in(number))
        rt_in_place_cannot("sends a signal into the middle of another thread");
    else
        keep(to, info);
    return 0;
}

static siginfo_t plain_info(long number, int code)
{
    siginfo_t info = {.si_signo = (int)number};

    info.si_code = code;
    info.si_pid = (pid_t)RAW(SYS_getpid, 0, 0, 0, 0);
    info.si_uid = (uid_t)RAW(SYS_getuid, 0, 0, 0, 0);
    return info;
}

static struct rt_place *place_of(long tid)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; i < n; i++)
        if (live[i]->carrier.place->tid == tid)
            return live[i]->carrier.place;
    rt_in_place_cannot("sends a signal to a thread that is not there");
}

long rt_signals_send(long number, const long a[6])
{
    bool to_thread = number == SYS_tgkill || number == SYS_rt_tgsigqueueinfo;
    bool told = number == SYS_rt_tgsigqueueinfo || number == SYS_rt_sigqueueinfo;
    long signal = a[to_thread ? 2 : 1];
    struct rt_place *to = NULL;
    siginfo_t info;

    if (a[0] != RAW(SYS_getpid, 0, 0, 0, 0))
        rt_in_place_cannot("sends a signal to another process");
    if (to_thread)
        to = place_of(a[1]);
    if (told)
        info = *(const siginfo_t *)a[to_thread ? 3 : 2];
    else
        info = plain_info(signal, to_thread ? SI_TKILL : SI_USER);
    info.si_signo = (int)signal;
    return send(to, &info);
}

long rt_signals_mask(const long a[6])
{
    struct rt_place *p = rt_engine->running;
    const uint64_t *set = (const uint64_t *)a[1];
    uint64_t old = p->mask;

    if (a[3] != 8 || (set && a[0] != SIG_BLOCK && a[0] != SIG_UNBLOCK && a[0] != SIG_SETMASK))
        return -EINVAL;
    if (set && a[0] == SIG_BLOCK)
        p->mask |= *set & ~NEVER_BLOCKED;
    else if (set && a[0] == SIG_UNBLOCK)
        p->mask &= ~*set;
    else if (set)
        p->mask = *set & ~NEVER_BLOCKED;
    if (a[2])
        *(uint64_t *)a[2] = old;
    rt_signals_let_in();
    return 0;
}

long rt_signals_pending(const long a[6])
{
    const struct rt_place *p = rt_engine->running;

    if (a[1] != sizeof(uint64_t))
        return -EINVAL;
    *(uint64_t *)a[0] = (rt_pending_of(p) | rt_pending_of(NULL)) & p->mask;
    return 0;
}

/* The model asks when one is there, or only whether. */
long rt_signals_wait(const long a[6])
{
    struct rt_pending *p = first(rt_engine->running, *(const uint64_t *)a[0]);
    const struct timespec *time = (const struct timespec *)a[2];
    siginfo_t info;

    if (!p && (!time || time->tv_sec || time->tv_nsec))
        rt_in_place_cannot("waits for a signal in the kernel");
    if (!p)
        return -EAGAIN;
    take(p, &info);
    if (a[1])
        *(siginfo_t *)a[1] = info;
    return info.si_signo;
}

void rt_signals_return(void *context)
{
    uint64_t mask = hdi_return_again(context, ~BIT(SIGSYS));
    struct rt_place *p = rt_engine->running;

    p->mask = mask | (p->mask & BIT(SIGSYS));
    rt_signals_let_in();
}

void rt_signals_undo(void)
{
    struct rt_engine *e = rt_engine;

    for (int i = 1; e->done.actions && i <= NUMBERS; i++)
        if (e->done.actions & BIT(i))
            RAW(SYS_rt_sigaction, i, &e->done.action[i], 0, 8);
    if (e->done.masked)
        RAW(SYS_rt_sigprocmask, SIG_SETMASK, &e->kernel_mask, 0, sizeof e->kernel_mask);
    e->done.masked = false;
    e->done.pendings = 0;
    e->done.actions = 0;
}
