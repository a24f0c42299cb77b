/* signalfd.c - signals that are read. What is pending for a thread shows to that thread alone, so that
 * nobody else can ask poll for it: such a read waits as sigwait does. */
#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>

#include "core/control.h"
#include "core/digits.h"
#include "core/proc.h"
#include "core/real.h"
#include "signals.h"

static bool used; /* the program has made one */

HDI_EXPORT int signalfd(int fd, const sigset_t *mask, int flags)
{
    used = true;
    return hdi_real.signalfd(fd, mask, flags);
}

uint64_t hdi_signalfd_mask(int fd)
{
    char path[48] = "/proc/self/fdinfo/", text[512];
    uint64_t mask = 0;
    const char *at;
    int saved = errno;

    if (!used || fd < 0)
        return 0;
    hdi_put_decimal(path + strlen(path), (unsigned)fd);
    if (hdi_proc_read(path, text, sizeof text) > 0 && (at = strstr(text, "sigmask:")))
        hdi_get_hex(at + strlen("sigmask:") + strspn(at + strlen("sigmask:"), " \t"), &mask);
    errno = saved;
    return mask;
}

void hdi_signalfd_taken(int fd, void *buffer, ssize_t n)
{
    struct signalfd_siginfo *info = buffer;

    if (!used || n < (ssize_t)sizeof *info || !hdi_signalfd_mask(fd) || !hdi_enter())
        return;
    for (ssize_t i = 0; i < n / (ssize_t)sizeof *info; i++) {
        hdi_signal_taken((int)info[i].ssi_signo);
        info[i].ssi_pid = (uint32_t)hdi_known_process((int)info[i].ssi_pid);
    }
}
