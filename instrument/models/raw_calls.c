/* raw_calls.c - syscall(): calls by number. Those that have a model go to it. */
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/real.h"
#include "core/thread.h"
#include "children.h"
#include "raw_calls.h"
#include "signals.h"

/* What makes a process or queue that no model knows; NULL: number does not. */
static const char *unknown(long number)
{
    switch (number) {
    case SYS_clone:
        return "clone";
    case SYS_clone3:
        return "clone3";
    case SYS_fork:
        return "fork";
    case SYS_vfork:
        return "vfork";
    case SYS_io_uring_setup:
        return "io_uring";
    default:
        return NULL;
    }
}

static long make(long number, const long a[6], uint64_t site)
{
    uint64_t mask;
    long made;

    hdi_first_thread();
    hdi_unmodelled(unknown(number), site);
    hdi_masks_note();
    mask = hdi_mask_all(true);
    made = hdi_real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (made == 0 && number != SYS_io_uring_setup)
        hdi_in_child();
    else if (number != SYS_io_uring_setup)
        hdi_child_made((int)made);
    hdi_mask_back(mask);
    return made;
}

/* The kernel's call tells how many bytes of the set there are. */
static long get_affinity(const long a[6])
{
    long bytes = hdi_real.syscall(SYS_sched_getaffinity, hdi_process((int)a[0]), a[1], a[2]);

    if (bytes > 0)
        sched_getaffinity((pid_t)a[0], (size_t)bytes, (cpu_set_t *)a[2]);
    return bytes;
}

/* What the program sees of itself. False: number is something else. */
static bool about_itself(long number, const long a[6], uint64_t site, long *result)
{
    switch (number) {
    case SYS_getpid:
        *result = getpid();
        return true;
    case SYS_getppid:
        *result = getppid();
        return true;
    case SYS_gettid:
        *result = gettid();
        return true;
    case SYS_kill:
        *result = hdi_kill((int)a[0], (int)a[1], site);
        return true;
    case SYS_tkill:
        *result = hdi_tgkill(getpid(), (int)a[0], (int)a[1], site);
        return true;
    case SYS_tgkill:
        *result = hdi_tgkill((int)a[0], (int)a[1], (int)a[2], site);
        return true;
    case SYS_sched_setscheduler:
        *result = sched_setscheduler((pid_t)a[0], (int)a[1], (const struct sched_param *)a[2]);
        return true;
    case SYS_sched_getscheduler:
        *result = sched_getscheduler((pid_t)a[0]);
        return true;
    case SYS_sched_setparam:
        *result = sched_setparam((pid_t)a[0], (const struct sched_param *)a[1]);
        return true;
    case SYS_sched_getparam:
        *result = sched_getparam((pid_t)a[0], (struct sched_param *)a[1]);
        return true;
    case SYS_sched_setaffinity:
        *result = sched_setaffinity((pid_t)a[0], (size_t)a[1], (const cpu_set_t *)a[2]);
        return true;
    case SYS_sched_getaffinity:
        *result = get_affinity(a);
        return true;
    case SYS_setpriority:
        *result = setpriority((__priority_which_t)a[0], (id_t)a[1], (int)a[2]);
        return true;
    case SYS_getpriority:
        *result = 20 - getpriority((__priority_which_t)a[0], (id_t)a[1]);
        return true;
    default:
        return false;
    }
}

HDI_EXPORT long syscall(long number, ...)
{
    uint64_t site = HDI_SITE();
    long a[6], result;
    va_list ap;

    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (about_itself(number, a, site, &result))
        return result;
    if (number == SYS_futex && hdi_enter() && hdi_futex(a, site, &result))
        return result;
    if (number == SYS_sched_yield && hdi_enter()) {
        hdi_point(HD_EV_YIELD, NULL, site);
        return 0;
    }
    if (unknown(number) && hdi_enter())
        return make(number, a, site);
    if ((number == SYS_seccomp || (number == SYS_prctl && a[0] == PR_SET_SECCOMP)) && hdi_enter())
        hdi_filter_set(site);
    return hdi_real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
