/* children.c - the processes that the program made. */
#include "children.h"

#include <errno.h>
#include <sys/syscall.h>

#include "core/control.h"
#include "core/real.h"

#define CHILDREN 64

static int child[CHILDREN];
static uint32_t children;
static bool has_forked;

void hdi_child_made(int pid)
{
    has_forked |= pid > 0;
    if (pid > 0 && children < CHILDREN)
        child[children++] = pid;
}

/* It has ended, or is none of ours any more. */
static bool is_gone(int pid)
{
    siginfo_t info = {.si_pid = 0};

    return hdi_real.syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL) !=
               0 ||
           info.si_pid != 0;
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
