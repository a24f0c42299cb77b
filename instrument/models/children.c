/* children.c - the processes that the program made. */
#include "children.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/control.h"
#include "core/real.h"

static int *child;
static uint32_t children, capacity;
static bool has_forked;

/* It has ended, or is none of ours any more. */
static bool is_gone(int pid)
{
    siginfo_t info = {.si_pid = 0};

    return hdi_real.syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL) !=
               0 ||
           info.si_pid != 0;
}

static void forget_ended(void)
{
    uint32_t n = 0;
    int saved = errno;

    for (uint32_t i = 0; i < children; i++)
        if (!is_gone(child[i]))
            child[n++] = child[i];
    children = n;
    errno = saved;
}

void hdi_child_made(int pid)
{
    if (pid <= 0)
        return;
    has_forked = true;
    if (children == capacity)
        forget_ended();
    if (children == capacity) {
        uint32_t more = capacity ? 2 * capacity : 64;
        int *wider = hdi_alloc_lasting(more * sizeof *wider);
        if (children)
            memcpy(wider, child, children * sizeof *wider);
        child = wider;
        capacity = more;
    }
    child[children++] = pid;
}

void hdi_child_passes(void)
{
    has_forked = true;
}

bool hdi_children_live(void)
{
    int saved = errno;

    while (children && is_gone(child[children - 1]))
        children--;
    errno = saved;
    return children != 0;
}

int hdi_kill_children(int number)
{
    uint32_t reached = 0;

    for (uint32_t i = 0; i < children; i++)
        reached += hdi_real.kill(child[i], number) == 0;
    if (!reached)
        errno = ESRCH;
    return reached ? 0 : -1;
}

bool hdi_has_forked(void)
{
    return has_forked;
}

void hdi_children_forget(void)
{
    children = 0;
}
