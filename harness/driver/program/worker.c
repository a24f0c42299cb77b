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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/real_time.h"

#define PAGE 4096u
#define BATCH_PATIENCE_NS 500000000ll /* without a decision */

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
        static const char *const places[] = {"../rt", ".", "../lib", ("../" HEDDLE_LIBDIR)};
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

static int output_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) != 0) {
        close(fd);
        return -1;
    }
    return fd;
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

/* A CPU for each worker: what one of them does keeps none of the others from theirs. */
static void take_cpu(unsigned worker)
{
    cpu_set_t old, one;

    if (sched_getaffinity(0, sizeof old, &old) != 0 || CPU_COUNT(&old) == 0)
        return;
    int nth = (int)(worker % (unsigned)CPU_COUNT(&old));
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &old) && nth-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
}

/* In the guard's new process: the oracle. */
static int become_oracle(const struct crew *c)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", c->oracle_in);
    dup2(open(path, O_RDONLY | O_CLOEXEC), 0);
    dup2(c->oracle_out, 1);
    dup2(c->oracle_out, 2);
    execl("/bin/sh", "sh", "-c", c->launch.oracle, (char *)NULL);
    return errno;
}

/* In the guard's new process. */
static int become_program(void *arg, unsigned worker, uint64_t number)
{
    const struct crew *c = arg;
    if (worker == c->workers)
        return become_oracle(c);
    const struct worker *w = &c->worker[worker];
    char path[64];
    int in = -1, now = personality(0xffffffff);

    (void)number;
    if (now == -1 || personality((unsigned)now | ADDR_NO_RANDOMIZE) == -1)
        c->bell->randomised = 1;
    take_cpu(worker);
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
    int memory = -1; /* away from numbers that the program may expect, if as many are allowed */
    for (int from = 100; memory < 0 && from > 2; from /= 2)
        memory = fcntl(c->memory, F_DUPFD, from);
    char text[64];
    snprintf(text, sizeof text, "%d,%u", memory, worker);
    setenv(HDP_ENV, text, 1);
    set_environment(&c->launch);
    execv(c->launch.program, c->launch.argv);
    return errno;
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
    *c->bell = (struct hdp_bell){.magic = HDP_MAGIC,
                                 .version = HDP_VERSION,
                                 .workers = workers,
                                 .region_bytes = region,
                                 .max_processes = launch->max_processes};
    /* More CPUs than there is room for: the programs see the one that they are given. */
    _Static_assert(sizeof c->bell->cpus == sizeof(cpu_set_t), "a cpu_set_t");
    if (sched_getaffinity(0, sizeof c->bell->cpus, (cpu_set_t *)c->bell->cpus) != 0)
        memset(c->bell->cpus, 0, sizeof c->bell->cpus);
    c->worker = mem_zeroed(workers, sizeof *c->worker);
    for (unsigned i = 0; i < workers; i++) {
        struct worker *w = &c->worker[i];
        w->index = i;
        w->guard = &c->guard;
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
    if (launch->oracle) {
        c->oracle_in = memfd_create("heddle-oracle", MFD_CLOEXEC);
        c->oracle_out = output_file("heddle-oracle");
        if (c->oracle_in < 0 || c->oracle_out < 0)
            return mem_format("no memory file for the oracle: %s", strerror(errno));
    }
    /* The last slot is the oracle's. */
    return guard_open(&c->guard, &(struct guard_orders){.slots = workers + 1,
                                                        .become = become_program,
                                                        .arg = c,
                                                        .bell = c->bell,
                                                        .folder = launch->folder});
}

char *worker_start(struct crew *c, struct worker *w, const struct hdp_config *config)
{
    struct hdp_region *r = w->region;
    r->server = r->child = 0;
    r->refusal[0] = '\0';
    r->shared_count = 0;
    r->config = *config;
    r->result = (struct hdp_result){0};
    r->thread_count = r->object_count = r->stack_used = r->maps_bytes = r->flooded = 0;
    store(&r->command, HDP_CMD_NONE);
    store(&r->state, HDP_STARTING);
    if (!c->launch.show_output && (ftruncate(w->out, 0) != 0 || ftruncate(w->err, 0) != 0))
        return mem_format("the program's output cannot be kept: %s", strerror(errno));
    w->pid = 0;
    w->timed_out = w->flooded = w->out_cut = w->err_cut = false;
    w->out_prefix = w->err_prefix = 0;
    w->batch = 0;
    w->started_ns = w->at_ns = real_now();
    w->state = WORKER_STARTING;
    guard_start(&c->guard, w->index, 0);
    return NULL;
}

static off_t size_of(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
}

static void run(struct worker *w, uint32_t batch)
{
    struct hdp_region *r = w->region;
    w->batch = r->batch.count = batch;
    w->at = r->batch.at = r->batch.done = 0;
    r->batch.end = HDP_BATCH_DIED;
    w->timed_out = w->slow = w->flooded = w->killed = w->out_cut = w->err_cut = false;
    w->started_ns = w->progress_ns = w->at_ns = real_now();
    w->progress = r->progress = 0;
    w->state = WORKER_RUNNING;
    store(&r->state, HDP_RUNNING);
    store(&r->command, HDP_CMD_RUN);
    syscall(SYS_futex, &r->command, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void worker_run(struct worker *w)
{
    run(w, 0);
}

void worker_run_batch(struct worker *w, uint32_t count)
{
    run(w, count);
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
    kill_child(w);
    guard_stop(&c->guard, w->index);
    w->pid = 0;
    w->state = WORKER_DOWN;
}

void crew_close(struct crew *c)
{
    for (unsigned i = 0; c->worker && i < c->workers; i++)
        if (c->worker[i].region && c->worker[i].state != WORKER_DOWN)
            worker_stop(c, &c->worker[i]);
    guard_close(&c->guard);
    for (unsigned i = 0; c->worker && i < c->workers; i++) {
        if (c->worker[i].region)
            munmap(c->worker[i].region, c->bell->region_bytes);
        if (c->worker[i].out >= 0)
            close(c->worker[i].out);
        if (c->worker[i].err >= 0)
            close(c->worker[i].err);
    }
    if (c->launch.oracle) {
        close(c->oracle_in);
        close(c->oracle_out);
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
        w->pid = w->region->server;
        w->out_prefix = size_of(w->out);
        w->err_prefix = size_of(w->err);
        return w->state = WORKER_IDLE;
    }
    if (w->state == WORKER_RUNNING && state == HDP_DONE) {
        w->child = w->region->ended;
        if (w->child > 1)
            kill(-w->child, SIGKILL); /* whatever of its process group is left */
        if (w->timed_out || w->flooded)
            w->region->result.outcome = HDP_KILLED;
        return w->state = WORKER_DONE;
    }
    if (state == HDP_REFUSED)
        return w->state = WORKER_REFUSED;
    if (!guard_ended(w->guard, w->index, &w->status))
        return w->state;
    int error = guard_error(w->guard, w->index);
    if (!error)
        return w->state = w->state == WORKER_STARTING ? WORKER_ENDED : WORKER_DIED;
    snprintf(w->region->refusal, sizeof w->region->refusal, "the program cannot be started: %s",
             strerror(error));
    return w->state = WORKER_REFUSED;
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

/* A schedule of a batch that stands still, or goes on for too long, is killed, and run again in a
 * process of its own: what it does is judged there. */
static void check_batch(struct worker *w, int64_t now, int64_t limit_ns)
{
    uint32_t at = load(&w->region->batch.at);
    if (at != w->at)
        w->at_ns = w->progress_ns = now;
    w->at = at;
    if (now - w->progress_ns <= BATCH_PATIENCE_NS && now - w->at_ns <= limit_ns)
        return;
    w->killed = true;
    kill_child(w);
}

void crew_check(struct crew *c, int64_t limit_ns)
{
    bool flood = load(&c->bell->flooded);
    int64_t now = real_now();
    guard_check(&c->guard);
    for (unsigned i = 0; i < c->workers; i++) {
        struct worker *w = &c->worker[i];
        if (worker_poll(w) != WORKER_RUNNING && w->state != WORKER_STARTING)
            continue;
        cut(w->out, w->out_prefix, &w->out_cut);
        cut(w->err, w->err_prefix, &w->err_cut);
        uint32_t progress = load(&w->region->progress);
        if (progress != w->progress) {
            w->progress = progress;
            w->progress_ns = now;
        }
        if (w->batch && w->state == WORKER_RUNNING)
            check_batch(w, now, limit_ns);
        bool late = !w->batch && now - w->started_ns > limit_ns;
        bool floods = flood || load(&w->region->flooded);
        bool stuck = w->batch && now - w->at_ns > 2 * limit_ns + 1000000000;
        if (!late && !floods && !stuck)
            continue;
        if (late && !w->timed_out && c->last_look && w->state == WORKER_RUNNING)
            c->last_look(c->last_look_arg, w);
        if (late && !w->timed_out)
            w->slow = w->state == WORKER_RUNNING && now - w->progress_ns < limit_ns / 4;
        w->timed_out |= late;
        w->flooded |= floods;
        if (w->state == WORKER_RUNNING)
            kill_child(w);
        /* A server that does not even see its child's end is killed too. */
        if (w->state == WORKER_STARTING || now - w->at_ns > 2 * limit_ns + 1000000000)
            guard_kill(&c->guard, w->index);
    }
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

bool crew_ask_oracle(struct crew *c, const char *text, size_t bytes, int64_t limit_ns, int *status,
                     char said[ORACLE_SAYS])
{
    unsigned slot = c->workers;
    int64_t started = real_now(), checked = started;
    bool ended;

    said[0] = '\0';
    *status = 127 << 8;
    if (ftruncate(c->oracle_in, 0) != 0 || ftruncate(c->oracle_out, 0) != 0 ||
        pwrite(c->oracle_in, text, bytes, 0) != (ssize_t)bytes)
        return true;
    guard_start(&c->guard, slot, 0);
    while (!(ended = guard_ended(&c->guard, slot, status)) && real_now() - started < limit_ns) {
        crew_wait(c, 20);
        if (real_now() - checked > 20000000) {
            guard_check(&c->guard);
            checked = real_now();
        }
    }
    if (!ended)
        guard_stop(&c->guard, slot);
    ssize_t n = pread(c->oracle_out, said, ORACLE_SAYS - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    return ended;
}

char *worker_output(const struct worker *w, bool err, size_t *bytes)
{
    off_t prefix = err ? w->err_prefix : w->out_prefix;
    *bytes = worker_output_bytes(w, err) + (size_t)prefix;
    char *text = mem_zeroed(*bytes + 1, 1);
    *bytes = worker_output_read(w, err, -prefix, text, *bytes);
    return text;
}
