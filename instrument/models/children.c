/* children.c - the processes that the program made.
 *
 * One that has ended counts until its SIGCHLD has come, where a handler may run for it: what that does
 * may let others go on.
 */
#include "children.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "core/control.h"
#include "core/real.h"

/* Never taken out of the list: handlers go through it. */
struct child {
    struct child *next;
    _Atomic int pid; /* 0: it is to be used again */
    atomic_bool told;
};

static struct child *_Atomic first;
static bool has_forked;

void hdi_child_made(int pid)
{
    struct child *c = first;

    if (pid <= 0)
        return;
    has_forked = true;
    while (c && c->pid)
        c = c->next;
    if (!c) {
        c = hdi_alloc_lasting(sizeof *c);
        c->next = first;
        c->pid = 0;
        first = c;
    }
    c->told = false;
    c->pid = pid;
}

void hdi_child_passes(void)
{
    has_forked = true;
}

enum end { NOT_YET, UNSEEN, SEEN };

/* SEEN: the program has waited for it, or it is none of ours any more. */
static enum end end_of(int pid)
{
    siginfo_t info = {.si_pid = 0};

    if (hdi_real.syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL) != 0)
        return SEEN;
    return info.si_pid ? UNSEEN : NOT_YET;
}

bool hdi_child_left(bool (*end_counts)(void))
{
    bool live = false;
    int saved = errno;

    for (struct child *c = first; c && !live; c = c->next) {
        enum end end = c->pid ? end_of(c->pid) : SEEN;
        live = end == NOT_YET || (end == UNSEEN && !c->told && end_counts());
        if (!live)
            c->pid = 0;
    }
    errno = saved;
    return live;
}

/* Of several ends that come together there is one signal. */
void hdi_child_end_told(void)
{
    int saved = errno;

    for (struct child *c = first; c; c = c->next)
        if (c->pid && !c->told && end_of(c->pid) != NOT_YET)
            c->told = true;
    errno = saved;
}

int hdi_kill_children(int number)
{
    uint32_t reached = 0;

    for (struct child *c = first; c; c = c->next)
        if (c->pid && end_of(c->pid) != SEEN)
            reached += hdi_real.kill(c->pid, number) == 0;
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
    for (struct child *c = first; c; c = c->next)
        c->pid = 0;
}
