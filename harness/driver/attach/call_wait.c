/* call_wait.c - threads in system calls: what for, and with which descriptor. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/read_file.h"
#include "waits.h"

enum about { NOTHING, FD };

/* In a sentence after the thread's name. FD: the first argument is a descriptor, %s. */
static const struct {
    long call;
    enum about about;
    const char *text;
} calls[] = {
    {SYS_read, FD, "reads from %s"},
    {SYS_pread64, FD, "reads from %s"},
    {SYS_readv, FD, "reads from %s"},
    {SYS_preadv, FD, "reads from %s"},
    {SYS_write, FD, "writes to %s"},
    {SYS_pwrite64, FD, "writes to %s"},
    {SYS_writev, FD, "writes to %s"},
    {SYS_recvfrom, FD, "receives from %s"},
    {SYS_recvmsg, FD, "receives from %s"},
    {SYS_recvmmsg, FD, "receives from %s"},
    {SYS_sendto, FD, "sends to %s"},
    {SYS_sendmsg, FD, "sends to %s"},
    {SYS_sendmmsg, FD, "sends to %s"},
    {SYS_accept, FD, "accepts connections at %s"},
    {SYS_accept4, FD, "accepts connections at %s"},
    {SYS_connect, FD, "connects %s"},
    {SYS_epoll_wait, FD, "waits for events of %s"},
    {SYS_epoll_pwait, FD, "waits for events of %s"},
    {SYS_epoll_pwait2, FD, "waits for events of %s"},
    {SYS_poll, NOTHING, "waits for events of descriptors (poll)"},
    {SYS_ppoll, NOTHING, "waits for events of descriptors (ppoll)"},
    {SYS_select, NOTHING, "waits for events of descriptors (select)"},
    {SYS_pselect6, NOTHING, "waits for events of descriptors (pselect)"},
    {SYS_nanosleep, NOTHING, "sleeps"},
    {SYS_clock_nanosleep, NOTHING, "sleeps"},
    {SYS_restart_syscall, NOTHING, "waits with a time limit"},
    {SYS_pause, NOTHING, "waits for a signal"},
    {SYS_rt_sigsuspend, NOTHING, "waits for a signal"},
    {SYS_rt_sigtimedwait, NOTHING, "waits for a signal"},
    {SYS_wait4, NOTHING, "waits for a child process"},
    {SYS_waitid, NOTHING, "waits for a child process"},
    {SYS_flock, FD, "waits for the file lock of %s"},
    {SYS_fcntl, FD, "waits for the file lock of %s"},
    {SYS_fsync, FD, "waits until %s is written"},
    {SYS_fdatasync, FD, "waits until %s is written"},
    {SYS_open, NOTHING, "opens a file"},
    {SYS_openat, NOTHING, "opens a file"},
    {SYS_semop, NOTHING, "waits for a System V semaphore"},
    {SYS_semtimedop, NOTHING, "waits for a System V semaphore"},
    {SYS_msgrcv, NOTHING, "waits for a System V message"},
    {SYS_msgsnd, NOTHING, "waits for room in a System V message queue"},
    {SYS_mq_timedreceive, FD, "receives from the message queue %s"},
    {SYS_mq_timedsend, FD, "sends to the message queue %s"},
    {SYS_sched_yield, NOTHING, "runs, and yields"},
    {SYS_tgkill, NOTHING, "raises a signal"},
    {SYS_tkill, NOTHING, "raises a signal"},
    {SYS_kill, NOTHING, "raises a signal"},
};

/* The line of /proc/net/NAME that has this inode. */
static char *net_line(pid_t pid, const char *name, const char *inode)
{
    size_t bytes, n = strlen(inode);
    char *path = mem_format("/proc/%d/net/%s", (int)pid, name);
    char *text = read_file(path, 16u << 20, &bytes), *found = NULL;
    free(path);
    for (char *line = text; line && *line && !found;) {
        size_t length = strcspn(line, "\n");
        for (const char *at = line; (at = strstr(at, inode)) && at < line + length && !found; at++)
            if (at > line && at[-1] == ' ' && (at[n] == ' ' || at[n] == '\n'))
                found = mem_format("%.*s", (int)length, line);
        line += length;
        line += *line == '\n';
    }
    free(text);
    return found;
}

static char *socket_name(pid_t pid, const char *link)
{
    char *inode = mem_format("%.*s", (int)strspn(link + 8, "0123456789"), link + 8), *text = NULL;
    char *line = net_line(pid, "tcp", inode);
    unsigned here, there, here_port, there_port, state;
    if (line && sscanf(line, " %*d: %8x:%4x %8x:%4x %2x", &here, &here_port, &there, &there_port,
                       &state) == 5) {
        char own[INET_ADDRSTRLEN], other[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &here, own, sizeof own);
        inet_ntop(AF_INET, &there, other, sizeof other);
        text = there_port ? mem_format("TCP %s:%u to %s:%u", own, here_port, other, there_port)
                          : mem_format("TCP %s:%u", own, here_port);
    }
    free(line);
    if (!text && (line = net_line(pid, "tcp6", inode))) {
        const char *colon = strchr(line, ':');
        const char *port = colon ? strchr(colon + 1, ':') : NULL;
        if (port)
            text = mem_format("TCP (IPv6) port %lu", strtoul(port + 1, NULL, 16));
        free(line);
    }
    if (!text && (line = net_line(pid, "unix", inode))) {
        const char *path = strrchr(line, '/');
        for (const char *at = line; (at = strstr(at, " /")); at++)
            path = at + 1;
        text = path ? mem_format("socket %s", path) : mem_copy("a local socket");
        free(line);
    }
    free(inode);
    return text;
}

static char *descriptor(const struct view *v, int fd)
{
    char link[4096], *path = mem_format("/proc/%d/fd/%d", (int)v->s->through, fd);
    ssize_t n = v->s->pid ? readlink(path, link, sizeof link - 1) : -1;
    free(path);
    if (n <= 0)
        return mem_format("descriptor %d", fd);
    link[n] = '\0';
    char *name = strncmp(link, "socket:[", 8) == 0 ? socket_name(v->s->through, link) : NULL;
    char *text = mem_format("descriptor %d (%s)", fd, name ? name : link);
    free(name);
    return text;
}

/* A call that goes on after it was stopped: which one, its function tells. */
static int64_t first_call(struct view *v, const struct viewed *t)
{
    static const struct {
        const char *part;
        long call;
    } table[] = {{"nanosleep", SYS_clock_nanosleep}, {"poll", SYS_poll}};
    if (t->seen->call != SYS_restart_syscall)
        return t->seen->call;
    for (size_t i = 0; i < t->places && i < 3; i++) {
        const char *name = view_function(v, &t->place[i]);
        for (size_t k = 0; name && k < sizeof table / sizeof *table; k++)
            if (strstr(name, table[k].part))
                return table[k].call;
    }
    return t->seen->call;
}

bool wait_in_call(struct view *v, const struct viewed *t, struct wait *w)
{
    int64_t call = first_call(v, t);
    if (call == NO_CALL)
        return false;
    w->kind = HD_EV_EXTERNAL;
    w->ends = true;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].call != call)
            continue;
        const char *hole = strstr(calls[i].text, "%s");
        char *fd = hole ? descriptor(v, (int)t->seen->arg[0]) : NULL;
        w->text =
            fd ? mem_format("%.*s%s%s", (int)(hole - calls[i].text), calls[i].text, fd, hole + 2)
               : mem_copy(calls[i].text);
        free(fd);
        return true;
    }
    w->text = mem_format("is in system call %lld", (long long)call);
    return true;
}

void wait_by_running(struct view *v, const struct viewed *t, struct wait *w)
{
    w->kind = HD_EV_NONE;
    w->ends = true;
    w->text = mem_copy("runs");
    for (size_t i = 0; i < t->places && i < 2; i++) {
        const char *name = view_function(v, &t->place[i]);
        if (!name || strncmp(name + strspn(name, "_"), "pthread_spin_lock", 17) != 0)
            continue;
        /* its argument stays in rdi */
        free(w->text);
        w->kind = HD_EV_SPIN_LOCK;
        w->object = t->seen->arg[0];
        w->name = view_object(v, w->kind, w->object);
        w->text = mem_format("spins for %s", w->name);
        break;
    }
}
