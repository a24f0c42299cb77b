/* scheduling.c - what a program asks of the kernel's scheduler it gets, or is told that it may not;
 * and what it is called by, and calls itself. */
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t parent_before;
static cpu_set_t machine; /* all that there is for this program */

static void *in_thread(void *(*f)(void *), void *arg)
{
    pthread_t t;
    void *result = NULL;

    ANSWERS(0, pthread_create(&t, NULL, f, arg));
    ANSWERS(0, pthread_join(t, &result));
    return result;
}

/* ---- CPUs ---- */

static cpu_set_t only(int nth)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &machine) && nth-- == 0)
            CPU_SET(cpu, &set);
    return set;
}

static void *has_cpus(void *expected)
{
    cpu_set_t set, bytes[2];

    CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_EQUAL(&set, (cpu_set_t *)expected));
    CPU_ZERO(&set);
    ANSWERS(0, pthread_getaffinity_np(pthread_self(), sizeof set, &set));
    CHECK(CPU_EQUAL(&set, (cpu_set_t *)expected));
    memset(bytes, 0, sizeof bytes);
    CHECK(syscall(SYS_sched_getaffinity, 0, sizeof bytes[0], bytes) > 0 &&
          CPU_EQUAL(&bytes[0], (cpu_set_t *)expected));
    CHECK(sched_getaffinity((pid_t)syscall(SYS_gettid), sizeof set, &set) == 0 &&
          CPU_EQUAL(&set, (cpu_set_t *)expected));
    CHECK(CPU_ISSET((size_t)sched_getcpu(), (cpu_set_t *)expected));
    return expected;
}

static void cpus(void)
{
    cpu_set_t last = only(CPU_COUNT(&machine) - 1), first = only(0), none;
    pthread_attr_t attr;
    pthread_t t;

    in_thread(has_cpus, &machine);
    has_cpus(&machine);
    CPU_ZERO(&none);
    FAILS(EINVAL, sched_setaffinity(0, sizeof none, &none));
    ANSWERS(EINVAL, pthread_setaffinity_np(pthread_self(), sizeof none, &none));
    has_cpus(&machine);
    CHECK(sched_setaffinity(0, sizeof last, &last) == 0);
    has_cpus(&last);
    in_thread(has_cpus, &last);
    ANSWERS(0, pthread_setaffinity_np(pthread_self(), sizeof first, &first));
    has_cpus(&first);
    CHECK(sched_setaffinity(getpid(), sizeof machine, &machine) == 0);
    has_cpus(&machine);

    ANSWERS(0, pthread_attr_init(&attr));
    ANSWERS(0, pthread_attr_setaffinity_np(&attr, sizeof last, &last));
    ANSWERS(0, pthread_create(&t, &attr, has_cpus, &last));
    ANSWERS(0, pthread_join(t, NULL));
    ANSWERS(0, pthread_attr_destroy(&attr));
    has_cpus(&machine);
}

/* ---- policies and priorities ---- */

struct wanted {
    int policy, priority;
};

static void *has_policy(void *expected)
{
    const struct wanted *w = expected;
    struct sched_param p = {-1};
    pthread_attr_t attr;
    int policy = -1;

    CHECK(sched_getscheduler(0) == w->policy);
    CHECK(sched_getparam(0, &p) == 0 && p.sched_priority == w->priority);
    p.sched_priority = -1;
    ANSWERS(0, pthread_getschedparam(pthread_self(), &policy, &p));
    CHECK(policy == w->policy && p.sched_priority == w->priority);
    ANSWERS(0, pthread_getattr_np(pthread_self(), &attr));
    ANSWERS(0, pthread_attr_destroy(&attr));
    return expected;
}

/* pthread_getschedparam may not know: glibc keeps what pthread_setschedparam was asked for. */
static void *is_plain(void *unused)
{
    CHECK(sched_getscheduler(0) == SCHED_OTHER);
    return unused;
}

static void real_time(void)
{
    struct wanted fifo = {SCHED_FIFO, 7}, rr = {SCHED_RR, 3}, plain = {SCHED_OTHER, 0};
    struct sched_param p = {.sched_priority = 7};
    struct timespec slice;
    pthread_attr_t attr;
    pthread_t t;
    int error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);

    if (error) {
        ANSWERS(EPERM, error); /* nothing but that: this user may not */
        has_policy(&plain);
        return;
    }
    has_policy(&fifo);
    in_thread(has_policy, &fifo);
    p.sched_priority = 3;
    ANSWERS(0, pthread_setschedparam(pthread_self(), SCHED_RR, &p));
    has_policy(&rr);
    CHECK(sched_rr_get_interval(0, &slice) == 0 && (slice.tv_sec || slice.tv_nsec));
    ANSWERS(0, pthread_setschedprio(pthread_self(), 9));
    CHECK(sched_getparam(0, &p) == 0 && p.sched_priority == 9);
    CHECK(sched_setscheduler(getpid(), SCHED_RR | SCHED_RESET_ON_FORK, &p) == 0);
    in_thread(is_plain, NULL);
    p.sched_priority = 0;
    ANSWERS(0, pthread_setschedparam(pthread_self(), SCHED_OTHER, &p));
    has_policy(&plain);

    p.sched_priority = 7;
    ANSWERS(0, pthread_attr_init(&attr));
    ANSWERS(0, pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED));
    ANSWERS(0, pthread_attr_setschedpolicy(&attr, SCHED_FIFO));
    ANSWERS(0, pthread_attr_setschedparam(&attr, &p));
    ANSWERS(0, pthread_create(&t, &attr, has_policy, &fifo));
    ANSWERS(0, pthread_join(t, NULL));
    ANSWERS(0, pthread_attr_destroy(&attr));
    has_policy(&plain);
}

static void refusals(void)
{
    struct sched_param p = {.sched_priority = 0};

    FAILS(EINVAL, sched_setscheduler(0, SCHED_FIFO, &p));
    ANSWERS(EINVAL, pthread_setschedparam(pthread_self(), SCHED_RR, &p));
    FAILS(EINVAL, sched_setscheduler(0, 12345, &p));
    p.sched_priority = 1;
    FAILS(EINVAL, sched_setscheduler(0, SCHED_OTHER, &p));
    FAILS(EINVAL, sched_setparam(0, &p));
    ANSWERS(EINVAL, pthread_setschedprio(pthread_self(), 1));
    p.sched_priority = 100;
    FAILS(EINVAL, sched_setscheduler(0, SCHED_FIFO, &p));
    FAILS(EINVAL, sched_setscheduler(-1, SCHED_OTHER, &p));
    FAILS(EINVAL, sched_setscheduler(0, SCHED_OTHER, NULL));
    FAILS(EINVAL, sched_getscheduler(-1));
}

/* Linux keeps a nice value for each thread. */
static void *is_nicer(void *before)
{
    int was = *(int *)before;

    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, 0) == was && errno == 0);
    CHECK(nice(2) == was + 2);
    CHECK(getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid)) == was + 2);
    CHECK(setpriority(PRIO_PROCESS, 0, was + 3) == 0 && nice(0) == was + 3);
    CHECK(syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20 - (was + 3));
    CHECK(nice(100) == 19);
    return before;
}

static void niceness(void)
{
    int now = getpriority(PRIO_PROCESS, 0);

    in_thread(is_nicer, &now);
    CHECK(getpriority(PRIO_PROCESS, 0) == now && getpriority(PRIO_PROCESS, (id_t)getpid()) == now);
}

/* ---- numbers ---- */

static void *sees_main(void *main_tid)
{
    CHECK(getpid() == *(pid_t *)main_tid && syscall(SYS_getpid) == getpid());
    CHECK(gettid() != getpid() && syscall(SYS_gettid) == gettid());
    CHECK(getppid() == parent_before && syscall(SYS_getppid) == parent_before);
    CHECK(tgkill(getpid(), gettid(), 0) == 0 && tgkill(getpid(), *(pid_t *)main_tid, 0) == 0);
    CHECK(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0 && syscall(SYS_tkill, gettid(), 0) == 0);
    CHECK(kill(getpid(), 0) == 0 && syscall(SYS_kill, getpid(), 0) == 0);
    FAILS(EINVAL, tgkill(getpid(), gettid(), 65));
    FAILS(ESRCH, tgkill(getpid(), 0x3fffffff, 0));
    return main_tid;
}

static volatile sig_atomic_t caught_by;

static void note(int number)
{
    (void)number;
    caught_by = (sig_atomic_t)gettid();
}

static void *sends(void *to)
{
    CHECK(syscall(SYS_tgkill, getpid(), *(pid_t *)to, SIGUSR1) == 0);
    return to;
}

static void numbers(void)
{
    struct sigaction action = {.sa_handler = note};
    pid_t tid = gettid();

    CHECK(tid == getpid() && syscall(SYS_gettid) == tid && getppid() == parent_before);
    in_thread(sees_main, &tid);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    in_thread(sends, &tid);
    CHECK(caught_by == tid);
}

/* A child has the CPUs that its parent had, and sees its parent. */
static void children(void)
{
    cpu_set_t last = only(CPU_COUNT(&machine) - 1);
    pid_t self = getpid(), pid;
    int status = -1;

    CHECK(sched_setaffinity(0, sizeof last, &last) == 0);
    pid = fork();
    if (pid == 0) {
        cpu_set_t set;
        failures = 0;
        CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_EQUAL(&set, &last));
        CHECK(sched_setaffinity(0, sizeof machine, &machine) == 0);
        CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_EQUAL(&set, &machine));
        CHECK(getpid() != self && gettid() == getpid());
        _exit(failures != 0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(sched_setaffinity(0, sizeof machine, &machine) == 0);
}

int main(int argc, char **argv)
{
    parent_before = getppid();
    CHECK(sched_getaffinity(0, sizeof machine, &machine) == 0);
    RUN(cpus);
    RUN(real_time);
    RUN(refusals);
    RUN(niceness);
    RUN(numbers);
    RUN(children);
    return conclude();
}
