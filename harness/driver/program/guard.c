/* guard.c - see guard.h
 *
 * A slot changes state only here:
 *   any -> WANTED            [guard_start, driver]
 *   WANTED -> RUNS           [start, guard]
 *   RUNS -> ENDED            [reap, guard]
 *   WANTED, RUNS -> ENDED    [mourn, driver, when the guard was killed]
 */
#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/folder.h"
#include "util/real_time.h"

#define TICK_NS 50000000
#define CLOSE_NS 5000000000ll /* longest wait for what was killed */

enum slot_state { FREE, WANTED, RUNS, ENDED };

struct guard_slot {
    uint32_t state; /* futex word */
    int32_t pid;    /* of its latest process, */
    int32_t living; /* which is 0 here once it was reaped, */
    int32_t status, error;
    uint64_t number;
};

struct request {
    uint32_t slot;
    uint32_t kill; /* or else: start */
};

static uint32_t load(const uint32_t *word)
{
    return atomic_load_explicit((const _Atomic uint32_t *)word, memory_order_acquire);
}

static void store(uint32_t *word, uint32_t value)
{
    atomic_store_explicit((_Atomic uint32_t *)word, value, memory_order_release);
}

/* ---- processes ---- */

struct process {
    pid_t pid, parent, group;
    bool ours;
};

static bool read_process(const char *number, struct process *p)
{
    char path[300], text[512];
    int fd, parent, group;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%s/stat", number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *name_end = strrchr(text, ')');
    if (!name_end || sscanf(name_end + 1, " %*c %d %d", &parent, &group) != 2)
        return false;
    *p = (struct process){(pid_t)strtol(number, NULL, 10), parent, group, false};
    return true;
}

static int by_pid(const void *a, const void *b)
{
    const struct process *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Call visit() for all that descends from us. Returns how many there are. */
static unsigned each_descendant(void (*visit)(const struct process *))
{
    struct process *all = NULL;
    size_t count = 0;
    unsigned ours = 0;
    bool more = true;
    pid_t self = getpid();
    DIR *dir = opendir("/proc");

    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct process p;
        if (e->d_name[0] < '1' || e->d_name[0] > '9' || !read_process(e->d_name, &p))
            continue;
        all = mem_grow(all, count, sizeof *all);
        all[count++] = p;
    }
    if (dir)
        closedir(dir);
    if (count)
        qsort(all, count, sizeof *all, by_pid);
    while (more) { /* most parents have smaller numbers: twice through, usually */
        more = false;
        for (size_t i = 0; i < count; i++) {
            struct process key = {.pid = all[i].parent}, *parent;
            if (all[i].ours)
                continue;
            parent = bsearch(&key, all, count, sizeof *all, by_pid);
            all[i].ours = all[i].parent == self || (parent && parent->ours);
            more |= all[i].ours;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (all[i].ours) {
            ours++;
            if (visit)
                visit(&all[i]);
        }
    free(all);
    return ours;
}

/* A whole group dies at once, so that nobody in it can fork in between. */
static void kill_process(const struct process *p)
{
    if (p->group > 1 && p->group != getpgrp())
        kill(-p->group, SIGKILL);
    kill(p->pid, SIGKILL);
}

/* Number of processes and threads on the machine; 0 = unknown. */
static unsigned count_all(void)
{
    char text[128];
    unsigned total = 0;
    int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return sscanf(text, "%*s %*s %*s %*u/%u", &total) == 1 ? total : 0;
}

/* ---- in both ---- */

static void ring(struct guard *g, unsigned slot, enum slot_state state)
{
    uint32_t *bell = &g->orders.bell->bell;

    store(&g->slot[slot].state, state);
    syscall(SYS_futex, &g->slot[slot].state, FUTEX_WAKE, 1, NULL, NULL, 0);
    atomic_fetch_add_explicit((_Atomic uint32_t *)bell, 1, memory_order_release);
    syscall(SYS_futex, bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* False: there are no children. */
static bool reap(struct guard *g)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
        for (unsigned i = 0; i < g->orders.slots; i++)
            if (g->slot[i].living == pid) {
                g->slot[i].living = 0;
                g->slot[i].status = status;
                if (load(&g->slot[i].state) == RUNS)
                    ring(g, i, ENDED);
            }
    return pid == 0;
}

/* Kill all that descends from us. What is killed sends its children to us; give up on the
 * unkillable. */
static void kill_descendants(struct guard *g)
{
    struct timespec pause = {.tv_nsec = 500000};

    for (int64_t until = real_now() + CLOSE_NS; reap(g) && real_now() < until;) {
        each_descendant(kill_process);
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 20000000)
            pause.tv_nsec *= 2;
    }
}

/* ---- in the guard ---- */

static void kill_slot(const struct guard_slot *s)
{
    if (s->living <= 1)
        return;
    kill(-s->living, SIGKILL);
    kill(s->living, SIGKILL);
}

/* The kernel's own bound, for whom it holds (not root): so many more than the machine has now. */
static void bound_processes(unsigned bound)
{
    struct rlimit limit;
    unsigned now = count_all();

    if (!now || getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur <= now + bound)
        return;
    limit.rlim_cur = now + bound;
    setrlimit(RLIMIT_NPROC, &limit);
}

static _Noreturn void run_program(struct guard *g, unsigned slot, pid_t guard, int nice)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guard) /* it died before that was said */
        _exit(127);
    setsid();
    setpriority(PRIO_PROCESS, 0, nice);
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    bound_processes(g->orders.bell->max_processes);
    g->slot[slot].error = g->orders.become(g->orders.arg, slot, g->slot[slot].number);
    _exit(127);
}

static void start(struct guard *g, unsigned slot, pid_t guard, int nice)
{
    struct guard_slot *s = &g->slot[slot];
    pid_t pid;

    if (load(&s->state) != WANTED)
        return;
    kill_slot(s); /* what it had before */
    pid = fork();
    if (pid == 0)
        run_program(g, slot, guard, nice);
    s->pid = s->living = pid > 0 ? pid : 0;
    if (pid < 0)
        s->error = errno;
    ring(g, slot, pid < 0 ? ENDED : RUNS);
}

/* Are they too many? Those that fork() made have counted themselves, up to the bound; others are
 * noticed by what the machine has more than it had. */
static void look_at_processes(struct guard *g, unsigned *quiet)
{
    struct hdp_bell *b = g->orders.bell;
    unsigned total = count_all(), ours;
    uint32_t forks = load(&b->forks), bound = b->max_processes;

    if (total < *quiet)
        *quiet = total;
    if (forks - b->counted + b->processes <= bound && total - *quiet <= bound / 2)
        return;
    ours = each_descendant(NULL);
    store(&b->processes, ours);
    store(&b->counted, forks);
    if (ours <= bound / 4)
        *quiet = total;
    if (ours <= bound)
        return;
    store(&b->flooded, 1);
    kill_descendants(g);
    *quiet = count_all();
}

static void on_child(int signal)
{
    (void)signal; /* ends ppoll() */
}

/* Not to be kept from its work by what it guards: real-time priority where the system gives it. */
static void take_precedence(void)
{
    struct sched_param p = {.sched_priority = sched_get_priority_max(SCHED_RR)};

    sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p);
}

static _Noreturn void keep_guard(struct guard *g, int requests)
{
    struct timespec tick = {.tv_nsec = TICK_NS};
    struct pollfd from = {.fd = requests, .events = POLLIN};
    unsigned quiet = count_all();
    int nice = getpriority(PRIO_PROCESS, 0);
    int64_t looked = real_now();
    sigset_t child, none;
    struct request r;
    pid_t self = getpid();

    setsid();
    prctl(PR_SET_NAME, "heddle-guard");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    take_precedence();
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP && s != SIGCHLD)
            signal(s, SIG_IGN);
    signal(SIGCHLD, on_child);
    sigemptyset(&none);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, NULL);
    for (;;) {
        int n = ppoll(&from, 1, &tick, &none);
        reap(g);
        if (real_now() - looked > TICK_NS) {
            look_at_processes(g, &quiet);
            looked = real_now();
        }
        if (n <= 0)
            continue;
        ssize_t got = recv(requests, &r, sizeof r, 0);
        if (got == 0 || (got < 0 && errno != EINTR))
            break; /* the driver is gone */
        if (got != sizeof r || r.slot >= g->orders.slots)
            continue;
        if (r.kill)
            kill_slot(&g->slot[r.slot]);
        else
            start(g, r.slot, self, nice);
    }
    kill_descendants(g);
    if (g->orders.folder)
        folder_remove(g->orders.folder);
    _exit(0);
}

/* ---- in the driver ---- */

/* 0, or errno. */
static int make_guard(struct guard *g)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(ends[1]);
        keep_guard(g, ends[0]);
    }
    close(ends[0]);
    if (pid < 0) {
        int error = errno;
        close(ends[1]);
        return error;
    }
    g->pid = pid;
    g->requests = ends[1];
    return 0;
}

char *guard_open(struct guard *g, const struct guard_orders *orders)
{
    *g = (struct guard){.orders = *orders};
    size_t bytes = orders->slots * sizeof *g->slot;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return mem_format("no shared memory: %s", strerror(errno));
    g->slot = at;
    if (!orders->bell->max_processes)
        orders->bell->max_processes = GUARD_PROCESSES;
    /* When the guard is killed, what it guarded comes to us. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int error = make_guard(g);
    return error ? mem_format("no new process: %s", strerror(error)) : NULL;
}

void guard_close(struct guard *g)
{
    if (g->pid) {
        close(g->requests);
        int64_t until = real_now() + 2 * CLOSE_NS;
        int status = 0;
        while (waitpid(g->pid, &status, WNOHANG) == 0 && real_now() < until) {
            kill(g->pid, SIGCONT);
            nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        }
        if (status)
            kill_descendants(g);
    }
    if (g->slot)
        munmap(g->slot, g->orders.slots * sizeof *g->slot);
    *g = (struct guard){0};
}

static void ask(const struct guard *g, unsigned slot, bool kills)
{
    struct request r = {slot, kills};
    ssize_t n;

    if (!g->pid)
        return;
    do
        n = send(g->requests, &r, sizeof r, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR); /* with no guard to read it, guard_check() will see to it */
}

void guard_start(struct guard *g, unsigned slot, uint64_t number)
{
    struct guard_slot *s = &g->slot[slot];

    s->number = number;
    s->status = 127 << 8;
    s->pid = 0;
    s->error = g->pid ? 0 : make_guard(g);
    store(&s->state, s->error ? ENDED : WANTED);
    ask(g, slot, false);
}

void guard_kill(struct guard *g, unsigned slot)
{
    ask(g, slot, true);
}

void guard_stop(struct guard *g, unsigned slot)
{
    struct guard_slot *s = &g->slot[slot];
    struct timespec tick = {.tv_nsec = TICK_NS};
    int64_t started = real_now();

    if (!s)
        return;
    for (;;) {
        uint32_t state = load(&s->state);
        if (state == FREE || state == ENDED || real_now() - started > CLOSE_NS)
            break;
        guard_kill(g, slot);
        syscall(SYS_futex, &s->state, FUTEX_WAIT, state, &tick, NULL, 0);
        guard_check(g);
    }
    store(&s->state, FREE);
}

pid_t guard_pid(const struct guard *g, unsigned slot)
{
    uint32_t state = load(&g->slot[slot].state);
    return state == RUNS || state == ENDED ? g->slot[slot].pid : 0;
}

bool guard_ended(const struct guard *g, unsigned slot, int *status)
{
    if (load(&g->slot[slot].state) != ENDED)
        return false;
    *status = g->slot[slot].status;
    return true;
}

int guard_error(const struct guard *g, unsigned slot)
{
    return load(&g->slot[slot].state) == ENDED ? g->slot[slot].error : 0;
}

/* The next guard_start() makes another. */
static void mourn(struct guard *g)
{
    close(g->requests);
    g->pid = 0;
    kill_descendants(g);
    for (unsigned i = 0; i < g->orders.slots; i++) {
        struct guard_slot *s = &g->slot[i];
        uint32_t state = load(&s->state);
        if (state != WANTED && state != RUNS)
            continue;
        s->living = 0;
        s->status = SIGKILL;
        store(&s->state, ENDED);
    }
}

void guard_check(struct guard *g)
{
    if (!g->pid)
        return;
    kill(g->pid, SIGCONT); /* somebody may have stopped it */
    if (waitpid(g->pid, NULL, WNOHANG) == g->pid)
        mourn(g);
}
