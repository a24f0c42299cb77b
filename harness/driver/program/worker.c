/* worker.c - see worker.h
 *
 * A worker changes state only here:
 *   DOWN -> STARTING                 [worker_start]
 *   STARTING -> IDLE | ENDED | REFUSED | DIED, RUNNING -> DONE | DIED   [worker_poll]
 *   IDLE -> RUNNING                  [worker_run]
 *   DONE -> IDLE                     [worker_next]
 *   any -> DOWN                      [worker_stop]
 */
#include "worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/real_time.h"

#define PAGE 4096u
/* A program that makes more processes than this at once is taken for a fork bomb. */
#define PROCESS_BOUND 4000u
/* How long the end of a campaign waits for processes that it killed. */
#define CLOSE_NS 5000000000ll

static uint32_t load(const uint32_t *word)
{
    return atomic_load_explicit((const _Atomic uint32_t *)word, memory_order_acquire);
}

static void store(uint32_t *word, uint32_t value)
{
    atomic_store_explicit((_Atomic uint32_t *)word, value, memory_order_release);
}

char *runtime_find(void)
{
    const char *named = getenv("HEDDLE_RUNTIME");
    if (named && *named)
        return realpath(named, NULL);
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        *strrchr(self, '/') = '\0';
        static const char *const places[] = {"../rt", ".", "../lib", "../" HEDDLE_LIBDIR};
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            char *file = mem_format("%s/%s/libheddle-rt.so", self, places[i]);
            char *real = realpath(file, NULL);
            free(file);
            if (real)
                return real;
        }
    }
    return realpath(HEDDLE_FULL_LIBDIR "/libheddle-rt.so", NULL);
}

/* Number of processes and threads on the machine; 0 = unknown. */
static unsigned count_processes(void)
{
    char text[128];
    unsigned total = 0;
    int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (sscanf(text, "%*s %*s %*s %*u/%u", &total) != 1)
        return 0;
    return total;
}

/* Processes of the programs: of a server's session, or orphans that came to us. The machine's total
 * is cheap to look at, but others may be busy on it. */
static unsigned count_ours(const struct crew *c)
{
    unsigned ours = 0;
    DIR *all = opendir("/proc");
    for (struct dirent *e; all && (e = readdir(all));) {
        char path[300], text[512];
        int parent, session;
        if (e->d_name[0] < '1' || e->d_name[0] > '9')
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = '\0';
        const char *name_end = strrchr(text, ')');
        if (!name_end || sscanf(name_end + 1, " %*c %d %*d %d", &parent, &session) != 2)
            continue;
        bool is_ours = parent == getpid();
        for (unsigned i = 0; i < c->workers; i++)
            is_ours |= c->worker[i].pid == session;
        ours += is_ours;
    }
    if (all)
        closedir(all);
    return ours;
}

/* Asking the kernel for dead children at every look costs more than all else that the driver does.
 */
static volatile sig_atomic_t child_changed;

static void on_child(int signal)
{
    (void)signal; /* ends the wait for the bell, too */
    child_changed = 1;
}

static int output_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

char *crew_open(struct crew *c, const struct launch *launch, unsigned workers)
{
    *c = (struct crew){.launch = *launch, .workers = workers, .memory = -1};
    if (strpbrk(launch->runtime, " :"))
        return mem_format(
            "%s: the dynamic linker takes no library from a path with a space or colon",
            launch->runtime);
    uint64_t region = (sizeof(struct hdp_region) + PAGE - 1) / PAGE * PAGE;
    c->memory = memfd_create("heddle", MFD_CLOEXEC);
    if (c->memory < 0 || ftruncate(c->memory, (off_t)(PAGE + region * workers)) != 0)
        return mem_format("no shared memory of %llu MiB: %s",
                          (unsigned long long)((PAGE + region * workers) >> 20), strerror(errno));
    c->bell = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c->memory, 0);
    if (c->bell == MAP_FAILED) {
        c->bell = NULL;
        return mem_format("no shared memory: %s", strerror(errno));
    }
    *c->bell = (struct hdp_bell){
        .magic = HDP_MAGIC, .version = HDP_VERSION, .workers = workers, .region_bytes = region};
    c->worker = mem_zeroed(workers, sizeof *c->worker);
    for (unsigned i = 0; i < workers; i++) {
        struct worker *w = &c->worker[i];
        w->index = i;
        w->out = w->err = -1;
        void *at = mmap(NULL, region, PROT_READ | PROT_WRITE, MAP_SHARED, c->memory,
                        (off_t)(PAGE + region * i));
        if (at == MAP_FAILED)
            return mem_format("no shared memory: %s", strerror(errno));
        w->region = at;
        if (launch->show_output)
            continue;
        w->out = output_file("heddle-stdout");
        w->err = output_file("heddle-stderr");
        if (w->out < 0 || w->err < 0)
            return mem_format("no memory file for the program's output: %s", strerror(errno));
    }
    /* Orphans of the program come to us, so that none outlives the campaign. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_child}, NULL);
    c->processes = count_processes();
    return NULL;
}

static void set_environment(const struct launch *l)
{
    for (char *const *e = l->environment; e && *e; e++)
        putenv(*e);
    if (l->asan) { /* a look for leaked memory at the end of each schedule would cost more than it
                    */
        const char *options = getenv("ASAN_OPTIONS");
        char *all = mem_format("detect_leaks=0:%s", options ? options : "");
        setenv("ASAN_OPTIONS", all, 1);
        free(all);
    }
    const char *others = getenv("LD_PRELOAD");
    char *list = mem_format("%s%s%s%s%s", l->preload_before ? l->preload_before : "",
                            l->preload_before ? ":" : "", l->runtime, others && *others ? ":" : "",
                            others ? others : "");
    setenv("LD_PRELOAD", list, 1);
    free(list);
}

/* In the new process: never returns. The reason of a failure goes through `tell`. */
static _Noreturn void become_program(struct crew *c, struct worker *w, int tell)
{
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int now = personality(0xffffffff);
    char without = now == -1 || personality((unsigned)now | ADDR_NO_RANDOMIZE) == -1;
    cpu_set_t old, one;
    if (sched_getaffinity(0, sizeof old, &old) == 0 && CPU_COUNT(&old) > 0) {
        int nth = (int)(w->index % (unsigned)CPU_COUNT(&old));
        for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &old) && nth-- == 0) {
                CPU_ZERO(&one);
                CPU_SET(cpu, &one);
                sched_setaffinity(0, sizeof one, &one);
                break;
            }
    }
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    char path[64];
    int in = -1;
    if (c->launch.input >= 0) {
        /* A file description of its own: two workers must not share an offset. */
        snprintf(path, sizeof path, "/proc/self/fd/%d", c->launch.input);
        in = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (in < 0)
        in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(in, 0);
    if (!c->launch.show_output) {
        dup2(w->out, 1);
        dup2(w->err, 2);
    }
    int memory = fcntl(c->memory, F_DUPFD, 100); /* away from numbers that the program may expect */
    char text[64];
    snprintf(text, sizeof text, "%d,%u", memory, w->index);
    setenv(HDP_ENV, text, 1);
    set_environment(&c->launch);
    ssize_t sent = write(tell, &without, 1);
    execv(c->launch.program, c->launch.argv);
    int error = errno;
    sent = write(tell, &error, sizeof error);
    (void)sent;
    _exit(127);
}

char *worker_start(struct crew *c, struct worker *w, const struct hdp_config *config)
{
    int tell[2];
    struct hdp_region *r = w->region;
    r->server = r->child = 0;
    r->refusal[0] = '\0';
    r->config = *config;
    r->result = (struct hdp_result){0};
    r->thread_count = r->object_count = r->stack_used = r->maps_bytes = 0;
    store(&r->command, HDP_CMD_NONE);
    store(&r->state, HDP_STARTING);
    if (!c->launch.show_output && (ftruncate(w->out, 0) != 0 || ftruncate(w->err, 0) != 0))
        return mem_format("the program's output cannot be kept: %s", strerror(errno));
    if (pipe2(tell, O_CLOEXEC) != 0)
        return mem_format("no pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(tell[0]);
        close(tell[1]);
        return mem_format("no new process: %s", strerror(error));
    }
    if (pid == 0)
        become_program(c, w, tell[1]);
    close(tell[1]);
    char without = 0;
    int error = 0;
    ssize_t n;
    do
        n = read(tell[0], &without, 1);
    while (n < 0 && errno == EINTR);
    do
        n = read(tell[0], &error, sizeof error);
    while (n < 0 && errno == EINTR);
    close(tell[0]);
    if (n == (ssize_t)sizeof error) {
        waitpid(pid, NULL, 0);
        return mem_format("%s cannot be started: %s", c->launch.program, strerror(error));
    }
    c->no_personality |= without != 0;
    w->pid = pid;
    w->exited = w->timed_out = w->flooded = w->out_cut = w->err_cut = false;
    w->out_prefix = w->err_prefix = 0;
    w->started_ns = real_now();
    w->state = WORKER_STARTING;
    return NULL;
}

static off_t size_of(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
}

void worker_run(struct worker *w)
{
    struct hdp_region *r = w->region;
    w->timed_out = w->slow = w->flooded = w->out_cut = w->err_cut = false;
    w->started_ns = w->progress_ns = real_now();
    w->progress = r->progress = 0;
    w->state = WORKER_RUNNING;
    store(&r->state, HDP_RUNNING);
    store(&r->command, HDP_CMD_RUN);
    syscall(SYS_futex, &r->command, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void worker_next(struct worker *w)
{
    /* A failure to shorten would only show old output again; it cannot fail on a memory file. */
    if (w->out >= 0 && size_of(w->out) > w->out_prefix && ftruncate(w->out, w->out_prefix) != 0)
        w->out_prefix = size_of(w->out);
    if (w->err >= 0 && size_of(w->err) > w->err_prefix && ftruncate(w->err, w->err_prefix) != 0)
        w->err_prefix = size_of(w->err);
    w->state = WORKER_IDLE;
}

/* Has the server ended? Reaps it. */
static bool has_exited(struct worker *w)
{
    if (!w->exited && w->pid && waitpid(w->pid, &w->status, WNOHANG) == w->pid)
        w->exited = true;
    return w->exited;
}

static void kill_child(struct worker *w)
{
    pid_t child = w->region->child;
    if (child > 1) {
        kill(-child, SIGKILL);
        kill(child, SIGKILL);
    }
}

void worker_stop(struct crew *c, struct worker *w)
{
    (void)c;
    if (w->pid) {
        kill_child(w);
        kill(-w->pid, SIGKILL);
        kill(w->pid, SIGKILL);
        while (!w->exited) {
            pid_t got = waitpid(w->pid, &w->status, 0);
            if (got == w->pid || (got < 0 && errno != EINTR))
                w->exited = true;
        }
    }
    w->pid = 0;
    w->state = WORKER_DOWN;
}

/* Kill whatever came to us as an orphan; servers excepted. */
static void kill_strays(struct crew *c)
{
    char path[64], *text = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *in = fopen(path, "re");
    if (!in)
        return;
    if (getline(&text, &room, in) < 0) {
        free(text);
        text = NULL;
    }
    fclose(in);
    for (char *at = text, *end; at && *at; at = end) {
        pid_t pid = (pid_t)strtol(at, &end, 10);
        if (end == at)
            break;
        bool ours = false;
        for (unsigned i = 0; i < c->workers; i++)
            ours |= c->worker[i].pid == pid;
        if (!ours && pid > 1)
            kill(pid, SIGKILL);
    }
    free(text);
}

static void reap_strays(struct crew *c)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || !info.si_pid)
            return;
        for (unsigned i = 0; i < c->workers; i++)
            if (c->worker[i].pid == info.si_pid) {
                has_exited(&c->worker[i]);
                info.si_pid = 0;
                break;
            }
        if (info.si_pid)
            waitpid(info.si_pid, NULL, 0);
    }
}

void crew_close(struct crew *c)
{
    for (unsigned i = 0; c->worker && i < c->workers; i++) {
        worker_stop(c, &c->worker[i]);
        if (c->worker[i].region)
            munmap(c->worker[i].region, c->bell->region_bytes);
        if (c->worker[i].out >= 0)
            close(c->worker[i].out);
        if (c->worker[i].err >= 0)
            close(c->worker[i].err);
    }
    /* Killing one orphan may bring its children to us; give up on the unkillable. */
    for (int64_t until = real_now() + CLOSE_NS; real_now() < until;) {
        siginfo_t info = {0};
        kill_strays(c);
        reap_strays(c);
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
    free(c->worker);
    if (c->bell)
        munmap(c->bell, PAGE);
    if (c->memory >= 0)
        close(c->memory);
    *c = (struct crew){.memory = -1};
}

enum worker_state worker_poll(struct worker *w)
{
    if (w->state != WORKER_STARTING && w->state != WORKER_RUNNING)
        return w->state;
    uint32_t state = load(&w->region->state);
    if (w->state == WORKER_STARTING && state == HDP_READY) {
        w->out_prefix = size_of(w->out);
        w->err_prefix = size_of(w->err);
        return w->state = WORKER_IDLE;
    }
    if (w->state == WORKER_RUNNING && state == HDP_DONE) {
        w->child = w->region->ended;
        kill_child(w); /* whatever of its process group is left */
        w->region->child = 0;
        if (w->timed_out || w->flooded)
            w->region->result.outcome = HDP_KILLED;
        return w->state = WORKER_DONE;
    }
    if (state == HDP_REFUSED)
        return w->state = WORKER_REFUSED;
    if (child_changed)
        has_exited(w);
    if (w->exited)
        return w->state = w->state == WORKER_STARTING ? WORKER_ENDED : WORKER_DIED;
    return w->state;
}

void crew_wait(struct crew *c, int timeout_ms)
{
    struct timespec t = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
    if (load(&c->bell->bell) == c->heard)
        syscall(SYS_futex, &c->bell->bell, FUTEX_WAIT, c->heard, &t, NULL, 0);
    c->heard = load(&c->bell->bell);
}

static void cut(int fd, off_t prefix, bool *was_cut)
{
    if (fd >= 0 && size_of(fd) > prefix + OUTPUT_BOUND && ftruncate(fd, prefix + OUTPUT_BOUND) == 0)
        *was_cut = true;
}

void crew_check(struct crew *c, int64_t limit_ns)
{
    unsigned processes = count_processes();
    bool flood = processes > c->processes + PROCESS_BOUND && count_ours(c) > PROCESS_BOUND / 2;
    int64_t now = real_now();
    child_changed = 0;
    for (unsigned i = 0; i < c->workers; i++) {
        struct worker *w = &c->worker[i];
        has_exited(w);
        if (worker_poll(w) != WORKER_RUNNING && w->state != WORKER_STARTING)
            continue;
        cut(w->out, w->out_prefix, &w->out_cut);
        cut(w->err, w->err_prefix, &w->err_cut);
        uint32_t progress = load(&w->region->progress);
        if (progress != w->progress) {
            w->progress = progress;
            w->progress_ns = now;
        }
        bool late = now - w->started_ns > limit_ns;
        bool floods = flood || load(&w->region->flooded);
        if (!late && !floods)
            continue;
        if (late && !w->timed_out && c->last_look && w->state == WORKER_RUNNING)
            c->last_look(c->last_look_arg, w);
        if (late && !w->timed_out)
            w->slow = w->state == WORKER_RUNNING && now - w->progress_ns < limit_ns / 4;
        w->timed_out |= late;
        w->flooded |= floods;
        if (w->state == WORKER_RUNNING)
            kill_child(w);
        else
            kill(-w->pid, SIGKILL);
        /* A server that does not even see its child's end is killed too. */
        if (now - w->started_ns > 2 * limit_ns + 1000000000)
            kill(w->pid, SIGKILL);
    }
    if (flood)
        kill_strays(c);
    reap_strays(c);
}

size_t worker_output_bytes(const struct worker *w, bool err)
{
    off_t size = size_of(err ? w->err : w->out), prefix = err ? w->err_prefix : w->out_prefix;
    if (size > prefix + OUTPUT_BOUND)
        size = prefix + OUTPUT_BOUND;
    return size > prefix ? (size_t)(size - prefix) : 0;
}

size_t worker_output_read(const struct worker *w, bool err, off_t from, char *to, size_t bytes)
{
    off_t at = (err ? w->err_prefix : w->out_prefix) + from;
    size_t got = 0;
    while (at >= 0 && got < bytes) {
        ssize_t n = pread(err ? w->err : w->out, to + got, bytes - got, at + (off_t)got);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

char *worker_maps(const struct worker *w)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)w->pid);
    FILE *in = fopen(path, "re");
    if (!in)
        return NULL;
    char *text = NULL;
    size_t bytes = 0;
    if (getdelim(&text, &bytes, '\0', in) < 0) {
        free(text);
        text = NULL;
    }
    fclose(in);
    return text;
}
