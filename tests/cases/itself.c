/* What a program finds out about its own process, before its first thread and after it: itself WHAT TWIN. A
 * wrong one expects something else. */
#include "naps.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Each is the same before and after; a number that the thread sees as main does. */
static long same_getppid(void)
{
    assert(getppid() != getpid());
    assert(kill(getppid(), 0) == 0);
    return getppid();
}

static long same_getpid(void)
{
    assert(kill(getpid(), 0) == 0);
    return getpid();
}

static long same_group(void)
{
    assert(getpgid(0) == getpgrp() && getpgid(getpid()) == getpgrp());
    return getpgrp();
}

static long same_session(void)
{
    assert(getsid(getpid()) == getsid(0));
    return getsid(0);
}

static long same_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY);

    assert(fd != -1);
    close(fd);
    return fd;
}

static long same_nice(void)
{
    errno = 0;
    return getpriority(PRIO_PROCESS, 0);
}

static long same_policy(void)
{
    assert(sched_getscheduler(getpid()) == sched_getscheduler(0));
    return sched_getscheduler(0);
}

static long same_limit(void)
{
    struct rlimit now;
    long sum = 0;

    for (int i = RLIMIT_CPU; i <= RLIMIT_NOFILE; i++) {
        assert(getrlimit((__rlimit_resource_t)i, &now) == 0);
        sum += (long)(now.rlim_cur % 1000003 + now.rlim_max % 1000003);
    }
    return sum;
}

static long same_umask(void)
{
    mode_t now = umask(0);

    umask(now);
    return now;
}

static long same_mask(void)
{
    sigset_t set;
    long n = 0;

    pthread_sigmask(SIG_SETMASK, NULL, &set);
    for (int i = 1; i < 32; i++)
        n += sigismember(&set, i);
    return n;
}

/* A file of the process itself. */
static long same_proc(void)
{
    char name[64];

    snprintf(name, sizeof name, "/proc/%d/status", (int)getpid());
    assert(access(name, R_OK) == 0);
    snprintf(name, sizeof name, "/proc/%d/task/%ld", (int)getpid(), syscall(SYS_gettid));
    assert(access(name, R_OK) == 0);
    return 0;
}

/* Who is at the other end of a socket: this process. */
static long same_peer(void)
{
    struct {
        pid_t pid;
        uid_t uid;
        gid_t gid;
    } peer;
    socklen_t bytes = sizeof peer;
    int fd[2];

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    assert(getsockopt(fd[0], SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0);
    close(fd[0]);
    close(fd[1]);
    assert(peer.pid == getpid());
    return 0;
}

static volatile pid_t sender;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    sender = info->si_pid;
}

static long sent(bool queued)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

    sender = 0;
    sigaction(SIGUSR2, &action, NULL);
    if (queued)
        assert(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 1}) == 0);
    else
        assert(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR2) == 0);
    while (!sender)
        sched_yield();
    assert(sender == getpid());
    return 0;
}

static long same_tgkill(void)
{
    return sent(false);
}

static long same_sigqueue(void)
{
    return sent(true);
}

/* A child's parent, and its group. */
static long same_child(void)
{
    pid_t me = getpid(), group = getpgrp(), child = fork();
    int status;

    assert(child != -1);
    if (child == 0)
        _exit(getppid() == me && getpgrp() == group && getpid() != me ? 0 : 1);
    assert(waitpid(child, &status, 0) == child);
    assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}

static long same_owner(void)
{
    char path[] = "case-XXXXXX";
    int fd = mkstemp(path);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}, seen = lock;
    pid_t child;
    int status;

    assert(fd != -1 && fcntl(fd, F_SETLK, &lock) == 0);
    child = fork();
    if (child == 0) /* whose lock is it? */
        _exit(fcntl(fd, F_GETLK, &seen) == 0 && seen.l_pid == getppid() ? 0 : 1);
    assert(waitpid(child, &status, 0) == child);
    assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    unlink(path);
    close(fd);
    return 0;
}

static const struct {
    const char *name;
    long (*get)(void);
} values[] = {{"getppid", same_getppid},
              {"getpid", same_getpid},
              {"group", same_group},
              {"session", same_session},
              {"descriptor", same_descriptor},
              {"nice", same_nice},
              {"policy", same_policy},
              {"limit", same_limit},
              {"umask", same_umask},
              {"mask", same_mask},
              {"proc", same_proc},
              {"peer", same_peer},
              {"tgkill", same_tgkill},
              {"sigqueue", same_sigqueue},
              {"child", same_child},
              {"owner", same_owner}};
static long (*get)(void);

static void *inside(void *expected)
{
    assert(get() == *(long *)expected);
    return expected;
}

int main(int argc, char **argv)
{
    long expected;

    arguments(argc, argv, 1);
    naps_begin();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].name, argv[1]) == 0)
            get = values[i].get;
    if (!get)
        return 2;
    expected = get() + (wrong ? 1 : 0);
    finish(start(inside, &expected));
    assert(get() == expected);
    return 0;
}
