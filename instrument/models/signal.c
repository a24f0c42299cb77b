/* signal.c - signals between the threads of the program, handlers, and the waits for signals.
 *
 * Handlers are installed with ours in front. One that comes while its thread waits for its turn
 * (from another process, from the kernel) is put off: it stays blocked and pending in the kernel
 * until the thread has the turn. One that comes into the middle of a model is kept until the
 * thread's next operation. What the program's own threads send goes through the model, see
 * signals.h. Faults are the program's alone.
 */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "children.h"
#include "clock.h"
#include "identity.h"
#include "kernel_order.h"
#include "core/handler_calls.h"
#include "core/observers.h"
#include "core/proc.h"
#include "core/real.h"
#include "core/thread.h"

#define SIGNALS 65
#define BIT(number) (1ull << ((number)-1))

struct hdi_due {
    struct hdi_due *next;
    siginfo_t info;
};

static struct sigaction action[SIGNALS]; /* of the program, where ours stands in front */
static bool in_front[SIGNALS];
static struct hdi_due *idle; /* entries to be used again */
static bool noted;           /* what each thread blocks that waits */

static void deliver_kept(struct hdi_thread *self);

static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
           number == SIGTRAP || number == SIGABRT || number == SIGSYS;
}

static uint64_t bits(const sigset_t *set)
{
    uint64_t m;

    memcpy(&m, set, sizeof m);
    return m;
}

/* Handlers of what comes now run at once. Returns what it was. */
static bool let_in(bool now)
{
    struct hdi_thread *self = hdi_self();
    bool before = self && self->signals.let_in;

    if (self)
        self->signals.let_in = now;
    return before;
}

static uint64_t change_mask(int how, uint64_t mask)
{
    uint64_t old = 0;

    hdi_real.syscall(SYS_rt_sigprocmask, how, &mask, &old, sizeof mask);
    return old;
}

/* For the program, whose handlers run here. */
static uint64_t change_mask_let_in(int how, uint64_t mask)
{
    bool before = let_in(true);
    uint64_t old = change_mask(how, mask);

    let_in(before);
    return old;
}

/* ---- handlers ---- */

static void send_to_self(siginfo_t *info)
{
    bool before = let_in(true);

    hdi_real.syscall(SYS_rt_tgsigqueueinfo, hdi_real.syscall(SYS_getpid),
                     hdi_real.syscall(SYS_gettid), info->si_signo, info);
    let_in(before);
}

/* Into the middle of a model or hook, where half of what happens is written down. What the thread sends to
 * itself, or unblocks, is to run where it is. */
static bool comes_between(const struct hdi_thread *self, const siginfo_t *info, const void *context)
{
    bool own = info->si_code <= SI_USER && info->si_pid == hdi_real.syscall(SYS_getpid);

    return !own && !self->signals.let_in && hdi_in_the_middle(context);
}

/* The program may look at its mask before the next operation: only when there are several is one blocked. */
static void put_off(struct hdi_thread *self, siginfo_t *info, ucontext_t *context)
{
    siginfo_t *kept = &self->signals.kept;
    int saved = errno;

    if (!self->inside && !kept->si_signo) {
        *kept = *info;
    } else if (kept->si_signo != info->si_signo ||
               info->si_signo >= SIGRTMIN) { /* as the kernel keeps them */
        sigaddset(&context->uc_sigmask, info->si_signo);
        change_mask(SIG_BLOCK, BIT(info->si_signo)); /* now, too: SA_NODEFER */
        self->signals.postponed |= BIT(info->si_signo);
        send_to_self(info);
    }
    hdi_signal_arrived();
    errno = saved;
}

/* Returns what it was. */
static bool errno_unseen(bool now)
{
    struct hdi_thread *self = hdi_self();
    bool before = self && self->signals.errno_unseen;

    if (self)
        self->signals.errno_unseen = now;
    return before;
}

/* The call that a handler came into says by errno how it ends: with EINTR, or, restarted, with an error of
 * its own; when it succeeds errno means nothing. */
static bool sets_errno(const struct hdi_thread *self)
{
    const struct hdi_op *op = self->turn.suspended;

    return op && op->interrupt != HDI_GOES_ON;
}

/* A handler has run to its end, and errno is another one than before. */
static void changes_errno(struct hdi_thread *self, int number, const struct sigaction *a)
{
    const char *name = sigabbrev_np(number);
    char text[64] = "at a real-time signal";
    uint64_t site = (uintptr_t)a->sa_handler + 1;
    uint32_t stack = hdi_stack() ? hdi_stack_pcs(&site, 1) : 0;
    struct hdp_finding *f;

    if (name)
        strcat(strcpy(text, "at SIG"), name);
    f = hdi_finding_begin(HD_FK_HANDLER_ERRNO, text);
    hdi_note(f, HD_ROLE_HERE, self, HD_EV_NONE, NULL, site, stack);
    hdi_finding_end(f, false);
}

/* One that the thread sends to itself comes into the call that sends, which is async-signal-safe. */
static const struct hdi_op *came_into(struct hdi_thread *self, bool sends)
{
    const struct hdi_op *into = sends ? NULL : self->signals.into;

    self->signals.into = NULL;
    return hdi_controlled() ? into : NULL;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    struct hdi_thread *self = hdi_self();
    struct sigaction a = action[number];
    struct hdi_interrupted outer;
    bool unseen, in;
    int before;

    if (number == SIGCHLD)
        hdi_child_end_told();
    if (self && hdi_postpones() && (self->inside || comes_between(self, info, context))) {
        put_off(self, info, context);
        return;
    }
    in = let_in(false);
    if (a.sa_flags & (int)SA_RESETHAND) {
        struct sigaction once = {.sa_handler = SIG_DFL};
        hdi_real.sigaction(number, &once, NULL);
    }
    if (self) {
        hdi_signal_taken(number);
        self->signals.handled++;
        if (!(a.sa_flags & SA_RESTART))
            self->signals.stops = true;
    }
    if (info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL)
        info->si_pid = hdi_known_process(info->si_pid);
    before = errno;
    unseen = errno_unseen(false);
    if (self)
        outer = hdi_handler_begins(number, came_into(self, unseen));
    if (a.sa_flags & SA_SIGINFO)
        a.sa_sigaction(number, info, context);
    else
        a.sa_handler(number);
    if (self && errno != before && !unseen && hdi_controlled() && !sets_errno(self))
        changes_errno(self, number, &a);
    if (self)
        hdi_handler_ends(&outer);
    errno_unseen(unseen);
    let_in(in);
}

void hdi_handle(int number, siginfo_t *info, void *context)
{
    if (in_front[number])
        on_signal(number, info, context);
}

/* The handler that the kernel knows stays the runtime's. */
static int set_beside(int number, const struct sigaction *new, struct sigaction *old)
{
    static const struct sigaction none = {.sa_handler = SIG_DFL};
    struct sigaction before = in_front[number] ? action[number] : none;

    if (new) {
        action[number] = *new;
        in_front[number] = new->sa_handler != SIG_DFL &&new->sa_handler != SIG_IGN;
    }
    if (old)
        *old = before;
    return 0;
}

static int set_action(int number, const struct sigaction *new, struct sigaction *old)
{
    struct sigaction before, real_old, ours;
    bool was;
    int rc;

    if (number <= 0 || number >= SIGNALS || is_fault(number) || !hdi_present())
        return hdi_real.sigaction(number, new, old);
    if (number == HDI_PREEMPT_SIGNAL)
        return set_beside(number, new, old);
    before = action[number];
    was = in_front[number];
    if (number == SIGCHLD && new && !was)
        hdi_child_end_told(); /* what has ended by now: a handler comes too late */
    if (new &&new->sa_handler != SIG_DFL &&new->sa_handler != SIG_IGN) {
        ours = *new;
        ours.sa_sigaction = on_signal;
        ours.sa_flags = (new->sa_flags | SA_SIGINFO) & ~(int)SA_RESETHAND;
        action[number] = *new;
        in_front[number] = true;
        hdi_handlers_exist();
        rc = hdi_real.sigaction(number, &ours, &real_old);
    } else {
        rc = hdi_real.sigaction(number, new, &real_old);
        if (rc == 0 && new)
            in_front[number] = false;
    }
    if (rc != 0) {
        action[number] = before;
        in_front[number] = was;
        return rc;
    }
    if (old)
        *old = was && real_old.sa_sigaction == on_signal ? before : real_old;
    return 0;
}

/* What comes before a handler is installed comes before it runs, and before who finds it there. */
static int set_in_order(int number, const struct sigaction *new, struct sigaction *old)
{
    struct hdi_thread *self = hdi_self();
    bool known = number > 0 && number < SIGNALS;
    int rc;

    if (known && self && self->signals.kept.si_signo == number)
        deliver_kept(self); /* it came before */
    if (known && new &&hdi_controlled())
        hdi_tell(SENT, .clock = &action[number]);
    rc = set_action(number, new, old);
    if (known && noted && in_front[number] && hdi_controlled())
        hdi_watch_over();
    if (known && old && rc == 0 && hdi_controlled())
        hdi_tell(RECEIVED, .clock = &action[number]);
    return rc;
}

HDI_EXPORT int sigaction(int number, const struct sigaction *restrict new,
                         struct sigaction *restrict old)
{
    int rc = set_in_order(number, new, old);

    if (rc == 0 && new &&new->sa_flags & SA_ONSTACK)
        hdi_handler_stacks_off();
    return rc;
}

HDI_EXPORT sighandler_t signal(int number, sighandler_t handler)
{
    struct sigaction new = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    return set_in_order(number, &new, &old) == 0 ? old.sa_handler : SIG_ERR;
}

enum hdi_disposition hdi_disposition(int number)
{
    struct sigaction a;

    if (hdi_real.sigaction(number, NULL, &a) != 0 || a.sa_handler == SIG_IGN)
        return HDI_SIG_IGNORED;
    if (a.sa_handler != SIG_DFL)
        return HDI_SIG_HANDLED;
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT
               ? HDI_SIG_IGNORED
               : HDI_SIG_ENDS;
}

/* ---- what a thread has pending, what it blocks ---- */

enum { PENDING, SHARED_PENDING, BLOCKED, MASKS };

static uint64_t hex_after(const char *text, const char *name)
{
    const char *p = strstr(text, name);
    uint64_t value = 0;

    if (p)
        hdi_get_hex(p + strlen(name) + strspn(p + strlen(name), " \t"), &value);
    return value;
}

/* As the kernel has it: libc's and the handlers' own changes included. */
static void masks_of(const struct hdi_thread *t, uint64_t mask[MASKS])
{
    char text[4096];

    if (hdi_thread_signals(t, &mask[PENDING], &mask[SHARED_PENDING], &mask[BLOCKED]))
        return;
    hdi_task_read(t->tid, "status", text, sizeof text);
    mask[PENDING] = hex_after(text, "SigPnd:");
    mask[SHARED_PENDING] = hex_after(text, "ShdPnd:");
    mask[BLOCKED] = hex_after(text, "SigBlk:");
}

static bool blocks(const struct hdi_thread *t, int number)
{
    uint64_t mask[MASKS];

    if (t == hdi_self())
        return (change_mask(SIG_BLOCK, 0) & BIT(number)) != 0;
    masks_of(t, mask);
    return (mask[BLOCKED] & ~t->signals.postponed & BIT(number)) != 0;
}

/* ---- sending ---- */

bool hdi_signalled(const struct hdi_thread *t)
{
    return t->signals.due || t->signals.postponed || t->signals.kept.si_signo;
}

static void queue(struct hdi_due **p, const siginfo_t *info)
{
    struct hdi_due *d;

    for (; *p; p = &(*p)->next)
        if ((*p)->info.si_signo == info->si_signo && info->si_signo < SIGRTMIN)
            return; /* one of these is kept, as in the kernel */
    d = idle;
    if (d)
        idle = d->next;
    else
        d = hdi_alloc_lasting(sizeof *d);
    d->info = *info;
    d->next = NULL;
    *p = d;
}

/* The first in the list, which is not empty. */
static siginfo_t unqueue(struct hdi_due **list)
{
    struct hdi_due *d = *list;

    *list = d->next;
    d->next = idle;
    idle = d;
    return d->info;
}

enum hdi_handled hdi_deliver(struct hdi_thread *self, const struct hdi_op *into)
{
    uint32_t before = self->signals.handled;

    self->signals.stops = false;
    while (self->signals.kept.si_signo) {
        self->signals.into = into;
        deliver_kept(self);
    }
    while (self->signals.due) {
        siginfo_t info = unqueue(&self->signals.due);
        self->signals.into = into;
        send_to_self(&info);
    }
    while (self->signals.postponed) {
        uint64_t mask = self->signals.postponed;
        self->signals.postponed = 0;
        self->signals.into = into;
        change_mask_let_in(SIG_UNBLOCK, mask);
    }
    self->signals.into = NULL;
    if (self->signals.handled == before)
        return HDI_NONE_RAN;
    return self->signals.stops ? HDI_ONE_STOPS : HDI_ALL_RESTART;
}

static void keep(struct hdi_thread *t, const siginfo_t *info)
{
    queue(&t->signals.due, info);
    hdi_reconsider(t);
}

siginfo_t hdi_siginfo(int number, int code, union sigval value)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = number;
    info.si_code = code;
    info.si_pid = (pid_t)hdi_real.syscall(SYS_getpid);
    info.si_uid = (uid_t)hdi_real.syscall(SYS_getuid);
    info.si_value = value;
    return info;
}

/* The kernel knows a thread from its creation on, the runtime from its first turn. */
static int tid_of(const struct hdi_thread *t)
{
    clockid_t clock;

    if (t->tid || !t->life.known || pthread_getcpuclockid(t->handle, &clock) != 0)
        return t->tid;
    return ~(clock >> 3); /* as Linux numbers the clocks of threads */
}

/* tid 0: to the process. The kernel lets nobody but the receiver choose a code that is its own. */
static int really(int tid, const siginfo_t *info)
{
    long pid = hdi_real.syscall(SYS_getpid), rc;
    siginfo_t copy = *info;
    int saved = errno, number = info->si_signo;
    bool plain = info->si_code >= 0 || info->si_code == SI_TKILL, unseen;

    unseen = errno_unseen(true); /* a handler that runs here does so in the call that sends */
    if (tid && tid == hdi_real.syscall(SYS_gettid))
        rc = hdi_real.syscall(SYS_rt_tgsigqueueinfo, pid, tid, number, &copy);
    else if (tid)
        rc = plain ? hdi_real.syscall(SYS_tgkill, pid, tid, number)
                   : hdi_real.syscall(SYS_rt_tgsigqueueinfo, pid, tid, number, &copy);
    else
        rc = plain ? hdi_real.syscall(SYS_kill, pid, number)
                   : hdi_real.syscall(SYS_rt_sigqueueinfo, pid, number, &copy);
    errno_unseen(unseen);
    if (rc)
        rc = errno;
    errno = saved;
    return (int)rc;
}

/* Those that wait for signals look again. */
static void tell_waiters(int number)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; i < n; i++)
        if (live[i]->op && live[i]->op->kind == HD_EV_SIGNAL_WAIT) {
            live[i]->signals.pending_hint |= BIT(number);
            hdi_reconsider(live[i]);
        }
}

/* By now the program may block it, or have taken its handler away. */
static void deliver_kept(struct hdi_thread *self)
{
    siginfo_t info = self->signals.kept;

    self->signals.kept.si_signo = 0;
    if (blocks(self, info.si_signo)) {
        really(0, &info);
        tell_waiters(info.si_signo);
    } else if (in_front[info.si_signo]) {
        send_to_self(&info);
    }
}

void hdi_signal_sent(int number)
{
    hdi_tell(SENT, .clock = &action[number]);
    hdi_told_kernel();
}

void hdi_signal_taken(int number)
{
    hdi_tell(RECEIVED, .clock = &action[number]);
    if (number == SIGCHLD) {
        hdi_heard(false);
        hdi_child_end_told();
    } else {
        hdi_from_others(true);
    }
}

int hdi_signal_thread(struct hdi_thread *t, const siginfo_t *info)
{
    int rc;

    hdi_signal_sent(info->si_signo);
    if (t != hdi_self() && t->state != HDP_T_EXTERNAL && t->state != HDP_T_LOST &&
        hdi_disposition(info->si_signo) == HDI_SIG_HANDLED &&
        (!t->tid || !blocks(t, info->si_signo))) {
        keep(t, info);
        return 0;
    }
    rc = really(tid_of(t), info);
    t->signals.pending_hint |= BIT(info->si_signo);
    tell_waiters(info->si_signo);
    return rc;
}

static bool waits_for(const struct hdi_thread *t, int number)
{
    return t->op && t->op->kind == HD_EV_SIGNAL_WAIT && t->op->data &&
           (*(const uint64_t *)t->op->data & BIT(number));
}

static bool lets_through(const struct hdi_thread *t, int number)
{
    return t && t->tid && !t->life.ended && !blocks(t, number);
}

bool hdi_signal_gets_through(int number)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; i < n; i++)
        if (lets_through(live[i], number))
            return true;
    return false;
}

static struct hdi_thread *receiver(int number)
{
    struct hdi_thread *self = hdi_self();
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; i < n; i++)
        if (waits_for(live[i], number))
            return NULL; /* it is to stay pending for them */
    if (n && !live[0]->creator && lets_through(live[0], number))
        return live[0];
    if (lets_through(self, number))
        return self;
    for (uint32_t i = 0; i < n; i++)
        if (lets_through(live[i], number))
            return live[i];
    return NULL;
}

int hdi_signal_process(const siginfo_t *info)
{
    struct hdi_thread *self = hdi_self(), *to = NULL;
    int rc;

    if (self && !self->inside) /* not by a timer */
        hdi_signal_sent(info->si_signo);
    if (hdi_disposition(info->si_signo) == HDI_SIG_HANDLED)
        to = receiver(info->si_signo);
    if (to && to->state != HDP_T_EXTERNAL && to->state != HDP_T_LOST &&
        (to != self || self->inside)) {
        keep(to, info);
        return 0;
    }
    rc = really(to ? to->tid : 0, info);
    if (!to)
        tell_waiters(info->si_signo);
    return rc;
}

/* What was put off until its next operation is for the others: there is none. */
void hdi_signals_leave(struct hdi_thread *self)
{
    static const struct timespec none;
    struct hdi_due *all = NULL;
    siginfo_t info;
    sigset_t set;

    memset(&set, 0, sizeof set);
    memcpy(&set, &self->signals.postponed, sizeof self->signals.postponed);
    if (self->signals.kept.si_signo)
        queue(&all, &self->signals.kept);
    self->signals.kept.si_signo = 0;
    /* All before the first is sent again, which may stay pending. */
    while (self->signals.postponed && hdi_real.sigtimedwait(&set, &info, &none) > 0)
        queue(&all, &info);
    while (all) {
        struct hdi_thread *to;
        info = unqueue(&all);
        to = receiver(info.si_signo);
        if (to) {
            keep(to, &info);
        } else {
            really(0, &info);
            tell_waiters(info.si_signo);
        }
    }
}

bool hdi_signal_pends(int number)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);
    uint64_t pending = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (live[i]->signals.postponed & BIT(number) || live[i]->signals.kept.si_signo == number)
            return true;
        for (const struct hdi_due *d = live[i]->signals.due; d; d = d->next)
            if (d->info.si_signo == number)
                return true;
    }
    hdi_real.syscall(SYS_rt_sigpending, &pending, sizeof pending);
    return (pending & BIT(number)) != 0;
}

/* A fork does not inherit what is pending: from here on each schedule does it itself. */
static void keep_pending(int number)
{
    if (number > 0 && number < SIGNALS && blocks(hdi_self(), number))
        hdi_first_thread();
}

/* Whoever is sent it may go on before the sender does. */
static int sent(int rc, uint64_t site)
{
    int saved = errno;

    if (rc == 0)
        hdi_released(NULL, site);
    errno = saved;
    return rc;
}

static int kill_thread(struct hdi_thread *t, int number, uint64_t site)
{
    siginfo_t info;

    keep_pending(number);
    hdi_point(HD_EV_THREAD_KILL, t ? &t->object : NULL, site);
    if (!t)
        return ESRCH;
    if (number < 0 || number >= SIGNALS)
        return EINVAL;
    if (number == 0 || t->life.ended)
        return 0;
    if (t == hdi_self())
        return hdi_real.pthread_kill(t->handle, number);
    info = hdi_siginfo(number, SI_TKILL, (union sigval){.sival_ptr = NULL});
    return sent(hdi_signal_thread(t, &info), site);
}

static int signal_missed(pthread_t handle, uint64_t site)
{
    return hdi_thread_missing(
        handle, "error ignored: signal to a thread that was joined, or has ended detached",
        HD_EV_THREAD_KILL, site);
}

HDI_EXPORT int pthread_kill(pthread_t handle, int number)
{
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_kill(handle, number);
    rc = kill_thread(hdi_thread_of(handle), number, HDI_SITE());
    return hdi_thread_is_gone(handle) ? signal_missed(handle, HDI_SITE()) : rc;
}

int hdi_tgkill(int process, int tid, int number, uint64_t site)
{
    struct hdi_thread **live, *t = NULL;
    uint32_t n;
    int rc;

    if (!hdi_enter() || hdi_process(process) != hdi_real.syscall(SYS_getpid))
        return (int)hdi_real.syscall(SYS_tgkill, process, tid, number);
    live = hdi_live(&n);
    for (uint32_t i = 0; i < n; i++)
        if (hdi_process(tid) == tid_of(live[i]))
            t = live[i];
    rc = kill_thread(t, number, site);
    if (rc)
        errno = rc;
    return rc ? -1 : 0;
}

HDI_EXPORT int tgkill(pid_t process, pid_t tid, int number)
{
    return hdi_tgkill(process, tid, number, HDI_SITE());
}

HDI_EXPORT int pthread_sigqueue(pthread_t handle, int number, const union sigval value)
{
    struct hdi_thread *t;
    siginfo_t info;

    hdi_tell(BYTES_LEFT, .clock = &value, .n = sizeof value);
    if (!hdi_enter())
        return hdi_real.pthread_sigqueue(handle, number, value);
    keep_pending(number);
    t = hdi_thread_of(handle);
    hdi_point(HD_EV_THREAD_KILL, t ? &t->object : NULL, HDI_SITE());
    if (!t)
        return signal_missed(handle, HDI_SITE());
    if (number <= 0 || number >= SIGNALS || t == hdi_self())
        return hdi_real.pthread_sigqueue(handle, number, value);
    info = hdi_siginfo(number, SI_QUEUE, value);
    return sent(hdi_signal_thread(t, &info), HDI_SITE());
}

static int to_process(pid_t pid, int number, int code, union sigval value)
{
    siginfo_t info = hdi_siginfo(number, code, value);
    int rc;

    if (hdi_process(pid) != info.si_pid || number <= 0 || number >= SIGNALS)
        return 1;
    rc = hdi_signal_process(&info);
    if (rc)
        errno = rc;
    return rc ? -1 : 0;
}

int hdi_kill(int pid, int number, uint64_t site)
{
    int rc;

    if (pid == -1 && hdi_present()) {
        hdi_unmodelled("kill of all processes", site);
        return hdi_kill_children(number);
    }
    if (hdi_enter()) {
        keep_pending(number);
        hdi_point(HD_EV_THREAD_KILL, NULL, site);
        rc = to_process(pid, number, SI_USER, (union sigval){.sival_ptr = NULL});
        if (rc <= 0)
            return sent(rc, site);
        hdi_told_kernel(); /* a child may end of it */
    }
    return hdi_real.kill(hdi_process_or_group(pid), number);
}

HDI_EXPORT int kill(pid_t pid, int number)
{
    return hdi_kill(pid, number, HDI_SITE());
}

HDI_EXPORT int killpg(pid_t group, int number)
{
    if (group < 0) {
        errno = EINVAL;
        return -1;
    }
    return hdi_kill(-group, number, HDI_SITE());
}

HDI_EXPORT int sigqueue(pid_t pid, int number, const union sigval value)
{
    int rc;

    hdi_tell(BYTES_LEFT, .clock = &value, .n = sizeof value);
    if (hdi_enter()) {
        keep_pending(number);
        hdi_point(HD_EV_THREAD_KILL, NULL, HDI_SITE());
        rc = to_process(pid, number, SI_QUEUE, value);
        if (rc <= 0)
            return sent(rc, HDI_SITE());
    }
    return hdi_real.sigqueue(hdi_process(pid), number, value);
}

HDI_EXPORT int raise(int number)
{
    bool unseen;
    int rc;

    if (hdi_enter())
        keep_pending(number);
    unseen = errno_unseen(true);
    rc = hdi_real.raise(number);
    errno_unseen(unseen);
    return rc;
}

/* ---- waiting ---- */

static bool never(const struct hdi_op *op)
{
    (void)op;
    return false;
}

static bool others_send;

void hdi_others_send(void)
{
    others_send = true;
}

/* What its user and the kernel have no use for. */
bool hdi_signals_are_own(uint64_t mask)
{
    uint64_t own = BIT(SIGUSR1) | BIT(SIGUSR2) | ~(BIT(SIGRTMIN) - 1);

    return !others_send && !hdi_has_forked() && (mask & ~own) == 0;
}

static uint64_t handled_signals(void)
{
    uint64_t mask = 0;

    for (int number = 1; number < SIGNALS; number++)
        mask |= in_front[number] ? BIT(number) : 0;
    return mask;
}

void hdi_mask_note(struct hdi_thread *self)
{
    if (noted)
        self->signals.waits_with = change_mask(SIG_BLOCK, 0);
}

static bool waits(const struct hdi_thread *t)
{
    return t != hdi_self() && t->op && t->tid && !t->life.ended && t->state != HDP_T_EXTERNAL &&
           t->state != HDP_T_LOST;
}

void hdi_masks_note(void)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);
    uint64_t mask[MASKS];

    for (uint32_t i = 0; i < n && !noted; i++)
        if (waits(live[i])) {
            masks_of(live[i], mask);
            live[i]->signals.waits_with = mask[BLOCKED];
        }
    noted = true;
    if (handled_signals())
        hdi_watch_over();
}

/* The kernel blocks a signal while its handler runs, and shows what is pending and what is blocked of one moment. */
bool hdi_signal_on_its_way(void)
{
    uint64_t handled = handled_signals(), mask[MASKS];
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; i < n && noted; i++)
        if (waits(live[i])) {
            masks_of(live[i], mask);
            if (handled & ((mask[BLOCKED] & ~live[i]->signals.waits_with) |
                           ((mask[PENDING] | mask[SHARED_PENDING]) & ~mask[BLOCKED])))
                return true;
        }
    return false;
}

/* Until a handler has run; the mask is in force. */
static void wait_for_handler(uint64_t site)
{
    uint64_t may_come = handled_signals() & ~change_mask(SIG_BLOCK, 0);
    uint64_t alarm = hdi_real_clock() ? 0 : BIT(SIGALRM); /* of a timer, which is a deadline */
    struct hdi_op op = {.kind = HD_EV_SIGNAL_WAIT,
                        .site = site,
                        .ready = never,
                        .outside = !may_come || !hdi_signals_are_own(may_come & ~alarm),
                        .interrupt = HDI_STOPS,
                        .cancellable = true};

    if (hdi_perform(&op) == HDI_CANCELLED)
        hdi_cancel_self();
}

bool hdi_mask_replace(const sigset_t *mask, uint64_t *old)
{
    struct hdi_thread *self = hdi_self();
    uint32_t before = self->signals.handled;

    errno_unseen(true); /* if a handler runs the call ends with EINTR */
    *old = change_mask_let_in(SIG_SETMASK, bits(mask));
    return self->signals.handled != before;
}

void hdi_mask_restore(uint64_t old)
{
    change_mask_let_in(SIG_SETMASK, old);
    errno_unseen(false);
}

uint64_t hdi_mask_all(bool block)
{
    return change_mask(SIG_SETMASK, block ? ~0ull : 0);
}

void hdi_mask_back(uint64_t old)
{
    change_mask(SIG_SETMASK, old);
}

HDI_EXPORT int pause(void)
{
    if (!hdi_enter())
        return hdi_real.pause();
    wait_for_handler(HDI_SITE());
    errno = EINTR;
    return -1;
}

HDI_EXPORT int sigsuspend(const sigset_t *mask)
{
    uint64_t old;

    if (!hdi_enter())
        return hdi_real.sigsuspend(mask);
    if (!hdi_mask_replace(mask, &old))
        wait_for_handler(HDI_SITE());
    hdi_mask_restore(old);
    errno = EINTR;
    return -1;
}

/* What is pending for another thread only /proc tells, which is asked where there may be something. */
bool hdi_signal_pends_for(struct hdi_thread *t, uint64_t mask)
{
    uint64_t shared = 0, of[MASKS];

    hdi_real.syscall(SYS_rt_sigpending, &shared, sizeof shared);
    if (!((shared | t->signals.pending_hint) & mask))
        return false;
    masks_of(t, of);
    t->signals.pending_hint = of[PENDING];
    return ((of[PENDING] | of[SHARED_PENDING]) & mask) != 0;
}

static bool has_pending(const struct hdi_op *op)
{
    return hdi_signal_pends_for(op->self, *(const uint64_t *)op->data);
}

bool hdi_await_signal(uint64_t mask, uint64_t site)
{
    struct hdi_op op = {.kind = HD_EV_SIGNAL_WAIT,
                        .site = site,
                        .ready = has_pending,
                        .data = &mask,
                        .outside = !hdi_signals_are_own(mask),
                        .interrupt = HDI_RESTARTS,
                        .cancellable = true};
    enum hdi_wake wake = hdi_perform(&op);

    if (wake == HDI_CANCELLED)
        hdi_cancel_self();
    if (wake == HDI_INTERRUPTED)
        errno = EINTR;
    return wake != HDI_INTERRUPTED;
}

/* What is pending now: its number, or -1 and errno. */
static int take_signal(const sigset_t *set, siginfo_t *info)
{
    static const struct timespec none;
    int number = hdi_real.sigtimedwait(set, info, &none);

    if (number > 0)
        hdi_signal_taken(number);
    if (number > 0 && info &&
        (info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL))
        info->si_pid = hdi_known_process(info->si_pid);
    return number;
}

/* The number, or -1 and errno. until: virtual deadline, 0 = for ever. */
static int wait_for_signal(const sigset_t *set, siginfo_t *info, int64_t until, bool again,
                           uint64_t site)
{
    uint64_t mask = bits(set);
    struct hdi_op op = {.kind = HD_EV_SIGNAL_WAIT,
                        .site = site,
                        .ready = has_pending,
                        .data = &mask,
                        .until_ns = until,
                        .outside = !hdi_signals_are_own(mask),
                        .interrupt = again ? HDI_GOES_ON : HDI_STOPS,
                        .cancellable = true};

    for (;;) {
        enum hdi_wake wake = hdi_perform(&op);
        int rc;
        if (wake == HDI_CANCELLED)
            hdi_cancel_self();
        if (wake == HDI_INTERRUPTED) {
            errno = EINTR;
            return -1;
        }
        rc = take_signal(set, info);
        if (rc > 0 || errno != EAGAIN || wake == HDI_TIMED_OUT)
            return rc;
    }
}

HDI_EXPORT int sigwait(const sigset_t *restrict set, int *restrict number)
{
    int rc, saved = errno;

    if (!hdi_enter())
        return hdi_real.sigwait(set, number);
    rc = wait_for_signal(set, NULL, 0, true, HDI_SITE());
    if (rc < 0) {
        rc = errno;
        errno = saved;
        return rc;
    }
    *number = rc;
    return 0;
}

HDI_EXPORT int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    return hdi_enter() ? wait_for_signal(set, info, 0, false, HDI_SITE())
                       : hdi_real.sigwaitinfo(set, info);
}

HDI_EXPORT int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                            const struct timespec *restrict timeout)
{
    int64_t until = 0;

    if (!hdi_enter() || (timeout && !hdi_interval_valid(timeout)))
        return hdi_real.sigtimedwait(set, info, timeout);
    if (timeout) {
        if (timeout->tv_sec == 0 && timeout->tv_nsec == 0) {
            hdi_point(HD_EV_SIGNAL_WAIT, NULL, HDI_SITE());
            return take_signal(set, info);
        }
        until = hdi_deadline_for(timeout);
    }
    return wait_for_signal(set, info, until, false, HDI_SITE());
}
