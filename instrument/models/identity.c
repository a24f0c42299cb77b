/* identity.c - the process calls itself by the number of the one that schedules are forked from:
 * every call that takes or tells the number of a process says so.
 */
#include "identity.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include "core/real.h"
#include "core/thread.h"

int hdi_process_or_group(int pid)
{
    return pid < -1 ? -hdi_process(-pid) : hdi_process(pid);
}

HDI_EXPORT pid_t getpid(void)
{
    return hdi_known_process(hdi_real.getpid());
}

HDI_EXPORT pid_t getppid(void)
{
    return hdi_known_parent(hdi_real.getppid());
}

HDI_EXPORT pid_t gettid(void)
{
    return hdi_known_process(hdi_real.gettid());
}

HDI_EXPORT pid_t getpgrp(void)
{
    return hdi_known_process(hdi_real.getpgid(0));
}

HDI_EXPORT pid_t getpgid(pid_t pid)
{
    return hdi_known_process(hdi_real.getpgid(hdi_process(pid)));
}

HDI_EXPORT int setpgid(pid_t pid, pid_t group)
{
    return hdi_real.setpgid(hdi_process(pid), hdi_process(group));
}

HDI_EXPORT pid_t getsid(pid_t pid)
{
    return hdi_known_process(hdi_real.getsid(hdi_process(pid)));
}

HDI_EXPORT int clock_getcpuclockid(pid_t pid, clockid_t *clock)
{
    return hdi_real.clock_getcpuclockid(hdi_process(pid), clock);
}

HDI_EXPORT int prlimit(pid_t pid, enum __rlimit_resource which, const struct rlimit *new,
                       struct rlimit *old)
{
    return hdi_real.prlimit(hdi_process(pid), which, new, old);
}

/* Who is at the other end. */
HDI_EXPORT int getsockopt(int fd, int level, int name, void *restrict value,
                          socklen_t *restrict bytes)
{
    int rc = hdi_real.getsockopt(fd, level, name, value, bytes);

    if (rc == 0 && level == SOL_SOCKET && name == SO_PEERCRED && *bytes >= sizeof(struct ucred)) {
        struct ucred *peer = value;
        peer->pid = hdi_known_process(peer->pid);
    }
    return rc;
}
