/* outside.c - what makes processes, queues and rules that no model knows: each is named in the
 * report, and works all the same.
 *
 * What cannot be set back in the process that schedules are forked from moves that point forward.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "core/real.h"
#include "core/thread.h"
#include "wire/protocol.h"
#include "children.h"
#include "raw_calls.h"
#include "scheduling.h"
#include "signals.h"

/* ---- vfork: the child borrows this thread, stack and all, until it executes or ends; machine.S
 * calls this ---- */

static __thread struct hdi_thread *lender __attribute__((tls_model("initial-exec")));

void hdi_before_vfork(uint64_t site)
{
    lender = NULL;
    if (!hdi_enter())
        return;
    hdi_first_thread();
    hdi_unmodelled("vfork", site);
    hdi_masks_note();
    hdi_scheduling_release_cpu();
    lender = hdi_self();
    lender->in_real++; /* what the child calls passes through */
    lender->lent = true;
}

long hdi_after_vfork(long pid)
{
    struct hdi_thread *self = lender;

    lender = NULL;
    if (self) {
        self->lent = false;
        self->in_real--;
        hdi_scheduling_pin();
        hdi_child_made((int)pid);
    }
    if (pid >= 0)
        return pid;
    errno = (int)-pid;
    return -1;
}

/* ---- clone ---- */

struct cloned {
    int (*body)(void *);
    void *arg;
    bool own_memory;
};

static int begin_clone(void *data)
{
    struct cloned *c = data;

    if (c->own_memory)
        hdi_in_child();
    return c->body(c->arg);
}

HDI_EXPORT int clone(int (*body)(void *), void *stack, int flags, void *arg, ...)
{
    struct hdi_thread *self;
    struct cloned *c;
    void *more[3];
    va_list ap;
    int pid;

    va_start(ap, arg);
    for (int i = 0; i < 3; i++)
        more[i] = va_arg(ap, void *);
    va_end(ap);
    if (!hdi_enter() || !body || !stack)
        return hdi_real.clone(body, stack, flags, arg, more[0], more[1], more[2]);
    hdi_first_thread();
    hdi_unmodelled("clone", HDI_SITE());
    hdi_masks_note();
    self = hdi_self();
    c = hdi_alloc(sizeof *c);
    *c = (struct cloned){body, arg, !(flags & CLONE_VM)};
    hdi_scheduling_release_cpu();
    self->lent = (flags & CLONE_VFORK) != 0; /* the child borrows this thread */
    self->in_real += self->lent;
    pid = hdi_real.clone(begin_clone, stack, flags, c, more[0], more[1], more[2]);
    self->in_real -= self->lent;
    self->lent = false;
    hdi_scheduling_pin();
    if (!(flags & CLONE_THREAD))
        hdi_child_made(pid);
    return pid;
}

/* ---- daemon: what it forks would go on without us, so that this process goes on instead ---- */

HDI_EXPORT int daemon(int stay, int keep_open)
{
    int null;

    if (!hdi_enter())
        return hdi_real.daemon(stay, keep_open);
    hdi_unmodelled("daemon, which stays as it is", HDI_SITE());
    if (!stay && chdir("/") != 0)
        return -1;
    if (keep_open)
        return 0;
    null = (int)hdi_real.syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
    if (null < 0)
        return -1;
    for (int fd = 0; fd <= 2; fd++)
        hdi_real.syscall(SYS_dup2, null, fd);
    if (null > 2)
        hdi_real.syscall(SYS_close, null);
    return 0;
}

/* ---- what a process cannot take back, and a fork of it has as well ---- */

void hdi_filter_set(uint64_t site)
{
    hdi_first_thread();
    hdi_unmodelled(HDP_FILTER, site);
}

HDI_EXPORT int prctl(int option, ...)
{
    unsigned long a[4];
    va_list ap;

    va_start(ap, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(ap, unsigned long);
    va_end(ap);
    if (option == PR_SET_SECCOMP && hdi_enter())
        hdi_filter_set(HDI_SITE());
    return hdi_real.prctl(option, a[0], a[1], a[2], a[3]);
}

/* Whose parent is asked to trace it: that is to be who starts the schedules. */
HDI_EXPORT long ptrace(enum __ptrace_request request, ...)
{
    void *a[3];
    va_list ap;

    va_start(ap, request);
    for (int i = 0; i < 3; i++)
        a[i] = va_arg(ap, void *);
    va_end(ap);
    if (request == PTRACE_TRACEME && hdi_enter())
        hdi_first_thread();
    return hdi_real.ptrace(request, a[0], a[1], a[2]);
}

/* ---- io_uring: its library makes the calls itself ---- */

static int is_uring(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    return strstr(info->dlpi_name, "/liburing.so") != NULL;
}

void hdi_outside_note(void)
{
    if (dl_iterate_phdr(is_uring, NULL))
        hdi_unmodelled("io_uring", 0);
}

/* ---- inotify: what it watches, and was told, cannot be looked at ---- */

HDI_EXPORT int inotify_init1(int flags)
{
    if (hdi_enter())
        hdi_first_thread();
    return hdi_real.inotify_init1(flags);
}

HDI_EXPORT int inotify_init(void)
{
    return inotify_init1(0);
}
