/* trap.c - the calling thread stops for a debugger, in which threads bear the names of the report. */
#include "turn/rt.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "core/real.h"

/* As the debugger lists them. */
static void name_threads(void)
{
    uint32_t count;
    struct hdi_thread **live = hdi_live(&count);

    for (uint32_t i = 0; i < count; i++) {
        char file[64], name[sizeof live[i]->name + sizeof live[i]->label + 2];
        int n = snprintf(name, sizeof name, "%.31s%s%.31s", live[i]->name,
                         live[i]->label[0] ? " " : "", live[i]->label);
        snprintf(file, sizeof file, "/proc/self/task/%d/comm", live[i]->tid);
        long fd = hdi_real.syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        hdi_real.syscall(SYS_write, fd, name, n);
        hdi_real.syscall(SYS_close, fd);
    }
}

void rt_trap(void)
{
    rt.trap_due = false;
    name_threads();
    hdi_real.syscall(SYS_tgkill, hdi_real.syscall(SYS_getpid), hdi_real.syscall(SYS_gettid),
                     SIGTRAP);
}
