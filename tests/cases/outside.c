/* What is not under control is named, and works all the same: outside WHAT TWIN. A wrong one fails after it. */
#include "naps.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void outside_vfork(void)
{
    pid_t child = vfork();
    int status;

    if (child == 0)
        _exit(0);
    assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
}

/* The child writes to its parent's memory, and becomes another program. */
static void outside_vfork_exec(void)
{
    volatile int written = 0;
    pid_t child = vfork();
    int status;

    if (child == 0) {
        written = 1;
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    assert(waitpid(child, &status, 0) == child && status == 0 && written);
}

static int ends_with_7(void *unused)
{
    (void)unused;
    _exit(7);
}

static void cloned(int flags)
{
    static _Alignas(16) char stack[65536];
    pid_t child = clone(ends_with_7, stack + sizeof stack, SIGCHLD | flags, NULL);
    int status;

    assert(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void outside_clone_function(void)
{
    cloned(0);
}

static void outside_clone_borrowing(void)
{
    cloned(CLONE_VM | CLONE_VFORK);
}

static void outside_daemon(void)
{
    char folder[16];

    assert(daemon(0, 1) == 0);
    assert(getcwd(folder, sizeof folder) && strcmp(folder, "/") == 0);
}

static void outside_clone(void)
{
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    int status;

    if (child == 0)
        _exit(0);
    assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
}

/* Whether the system has it or not: the call is made. */
static void outside_io_uring(void)
{
    char parameters[120] = {0};
    long fd = syscall(SYS_io_uring_setup, 4, parameters);

    if (fd >= 0)
        close((int)fd);
}

/* A signal that the program uses itself. */
static volatile sig_atomic_t called;

static void on_call(int sig)
{
    (void)sig;
    called = 1;
}

static void outside_sigsys(void)
{
    struct sigaction action = {.sa_handler = on_call};

    assert(sigaction(SIGSYS, &action, NULL) == 0);
    assert(raise(SIGSYS) == 0);
    assert(called);
}

static void filter(struct sock_fprog program)
{
    assert(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    assert(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define IF_CALL(number, answer)                                                                    \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, answer)
#define ANSWER(answer) BPF_STMT(BPF_RET | BPF_K, answer)

/* A call is answered by the program's own handler. */
static void outside_trap(void)
{
    struct sigaction action = {.sa_handler = on_call};
    struct sock_filter rules[] = {NUMBER, IF_CALL(SYS_acct, SECCOMP_RET_TRAP),
                                  ANSWER(SECCOMP_RET_ALLOW)};

    assert(sigaction(SIGSYS, &action, NULL) == 0);
    filter((struct sock_fprog){sizeof rules / sizeof *rules, rules});
    syscall(SYS_acct, NULL);
    assert(called);
}

/* The filter of a program that lets itself do only what it needs. */
static void only_what_it_needs(unsigned otherwise)
{
#define ALLOW(call) IF_CALL(SYS_##call, SECCOMP_RET_ALLOW)
    struct sock_filter rules[] = {NUMBER,
                                  ALLOW(read),
                                  ALLOW(write),
                                  ALLOW(close),
                                  ALLOW(futex),
                                  ALLOW(mmap),
                                  ALLOW(munmap),
                                  ALLOW(mprotect),
                                  ALLOW(madvise),
                                  ALLOW(brk),
                                  ALLOW(clone),
                                  ALLOW(clone3),
                                  ALLOW(set_robust_list),
                                  ALLOW(rseq),
                                  ALLOW(rt_sigprocmask),
                                  ALLOW(rt_sigaction),
                                  ALLOW(rt_sigreturn),
                                  ALLOW(gettid),
                                  ALLOW(getpid),
                                  ALLOW(tgkill),
                                  ALLOW(clock_gettime),
                                  ALLOW(clock_nanosleep),
                                  ALLOW(exit),
                                  ALLOW(exit_group),
                                  ANSWER(otherwise)};

    filter((struct sock_fprog){sizeof rules / sizeof *rules, rules});
}

static void outside_refused(void)
{
    only_what_it_needs(SECCOMP_RET_ERRNO | EPERM);
}

/* Whoever does something else is killed. */
static void outside_forbidden(void)
{
    only_what_it_needs(SECCOMP_RET_KILL_PROCESS);
}

/* What the right one never does, and the runtime does in many schedules. */
static void outside_unasked(void)
{
    struct sock_filter rules[] = {NUMBER, IF_CALL(SYS_tgkill, SECCOMP_RET_KILL_PROCESS),
                                  ANSWER(SECCOMP_RET_ALLOW)};

    filter((struct sock_fprog){sizeof rules / sizeof *rules, rules});
}

/* Not even a signal to itself, which abort() sends. */
static void outside_strict(void)
{
    struct sock_filter rules[] = {NUMBER,
                                  IF_CALL(SYS_tgkill, SECCOMP_RET_ERRNO | EPERM),
                                  IF_CALL(SYS_tkill, SECCOMP_RET_ERRNO | EPERM),
                                  IF_CALL(SYS_kill, SECCOMP_RET_ERRNO | EPERM),
                                  IF_CALL(SYS_rt_tgsigqueueinfo, SECCOMP_RET_ERRNO | EPERM),
                                  ANSWER(SECCOMP_RET_ALLOW)};

    filter((struct sock_fprog){sizeof rules / sizeof *rules, rules});
}

static const struct variant outsides[] = {VARIANT(outside, vfork_exec),
                                          VARIANT(outside, clone_function),
                                          VARIANT(outside, clone_borrowing),
                                          VARIANT(outside, daemon),
                                          VARIANT(outside, vfork),
                                          VARIANT(outside, clone),
                                          VARIANT(outside, io_uring),
                                          VARIANT(outside, sigsys),
                                          VARIANT(outside, trap),
                                          VARIANT(outside, forbidden),
                                          VARIANT(outside, unasked),
                                          VARIANT(outside, strict),
                                          VARIANT(outside, refused)};

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int n;

static void *adds(void *arg)
{
    pthread_mutex_lock(&m);
    n++;
    pthread_mutex_unlock(&m);
    return arg;
}

static void *acts(void *what)
{
    run(what);
    return adds(what);
}

int main(int argc, char **argv)
{
    const struct variant *what;
    pthread_t t, u;
    bool before;

    arguments(argc, argv, 2);
    naps_begin();
    what = PICK(outsides, argv[1]);
    before = strcmp(argv[2], "before") == 0; /* before the first thread, or in one */
    if (!before && strcmp(argv[2], "inside") != 0)
        return 2;
    if (before)
        what->run();
    t = start(before ? adds : acts, what);
    u = start(adds, NULL);
    finish(t);
    finish(u);
    assert(n == (wrong ? 3 : 2));
    return 0;
}
