/* server.c - the fork server: the program up to its first thread, then one process a schedule.
 *
 * Until it creates a thread the program runs alone, so all schedules share that prefix; each starts
 * as a fork of it. What fork does not copy is set back by hand: the offsets and sizes of regular
 * files that are open, interval timers, shared memory, what has a name in the system, and what the
 * program's own pid means.
 */
#include "turn/rt.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "core/observers.h"
#include "locks/lockorder.h"
#include "reach/reach.h"
#include "core/real.h"
#include "models/signals.h"
#include "beside/other_tool.h"

#define FILES 256

static struct {
    int fd;
    bool writable;
    off_t offset, size;
} file[FILES];
static int files;

void rt_state(enum hdp_state s)
{
    __atomic_store_n(&rt.region->state, (uint32_t)s, __ATOMIC_RELEASE);
    rt_futex_wake(&rt.region->state, 1, true);
    __atomic_add_fetch(&rt.bell->bell, 1, __ATOMIC_RELEASE);
    rt_futex_wake(&rt.bell->bell, 1, true);
}

static void note_file(int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);

    if (files == FILES || flags < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    file[files].fd = fd;
    file[files].writable = (flags & O_ACCMODE) != O_RDONLY;
    file[files].offset = lseek(fd, 0, SEEK_CUR);
    file[files].size = st.st_size;
    files++;
}

static void note_files(void)
{
    struct entry {
        uint64_t ino;
        int64_t off;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    char buffer[4096] __attribute__((aligned(8)));
    long n, dir = hdi_real.syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY);

    if (dir < 0) {
        for (int fd = 0; fd < 64; fd++)
            note_file(fd);
        return;
    }
    while ((n = hdi_real.syscall(SYS_getdents64, dir, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < n;) {
            const struct entry *e = (const void *)(buffer + at);
            int fd = 0;
            at += e->length;
            if (e->name[0] < '0' || e->name[0] > '9')
                continue;
            for (const char *p = e->name; *p; p++)
                fd = fd * 10 + (*p - '0');
            if (fd != dir)
                note_file(fd);
        }
    hdi_real.syscall(SYS_close, dir);
}

static void restore_files(void)
{
    for (int i = 0; i < files; i++) {
        struct stat st;
        if (file[i].writable && fstat(file[i].fd, &st) == 0 && st.st_size != file[i].size &&
            ftruncate(file[i].fd, file[i].size) != 0)
            continue;
        lseek(file[i].fd, file[i].offset, SEEK_SET);
    }
}

/* A mutex that main holds names its owner by kernel tid, which the fork changes: it is dropped
 * before and taken again after. */
static void for_held_mutexes(int (*f)(pthread_mutex_t *))
{
    struct hdi_thread *t = rt.main;

    for (uint32_t i = 0; i < t->held_count; i++)
        if (t->held[i].object->kind == HD_OB_MUTEX)
            for (uint32_t k = 0; k < t->held[i].count; k++)
                f((pthread_mutex_t *)t->held[i].object->addr);
}

/* Memory that the program shares with its children to come is each schedule's own: found before the
 * first, replaced by a copy in each. */
#define SHARED_MAPPINGS 64
#define SHARED_BYTES ((size_t)64 << 20) /* larger ones stay shared */
static struct {
    char *low;
    size_t bytes;
} shared[SHARED_MAPPINGS];
static int shared_mappings;
static const char *named; /* the models' own */

static bool is_ours(const char *low)
{
    return low == (const char *)rt.bell || low == (const char *)rt.region || low == named;
}

static void note_shared(char *line)
{
    char *end = strchr(line, '-'), *mode, *name = strchr(line, '/');
    char *low, *high;

    if (!end || !name || !(mode = strchr(line, ' ')) || strncmp(mode, " rw-s", 5) != 0 ||
        strncmp(name, "/dev/zero", 9) != 0 || shared_mappings == SHARED_MAPPINGS)
        return;
    low = (char *)(uintptr_t)strtoul(line, NULL, 16);
    high = (char *)(uintptr_t)strtoul(end + 1, NULL, 16);
    if (is_ours(low) || (size_t)(high - low) > SHARED_BYTES)
        return;
    shared[shared_mappings].low = low;
    shared[shared_mappings++].bytes = (size_t)(high - low);
}

static void note_shared_memory(void)
{
    static char text[65536];
    size_t have = 0;
    long got, fd = hdi_real.syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    while ((got = hdi_real.syscall(SYS_read, fd, text + have, sizeof text - 1 - have)) > 0) {
        char *line = text, *end;
        text[have += (size_t)got] = 0;
        for (; (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            note_shared(line);
        }
        have = strlen(line);
        memmove(text, line, have + 1);
    }
    hdi_real.syscall(SYS_close, fd);
}

static void copy_shared_memory(void)
{
    for (int i = 0; i < shared_mappings; i++) {
        char *copy = mmap(NULL, shared[i].bytes, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (copy == MAP_FAILED)
            continue;
        memcpy(copy, shared[i].low, shared[i].bytes);
        mremap(copy, shared[i].bytes, shared[i].bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
               shared[i].low);
    }
}

/* Interval timers, which a fork does not inherit. */
static struct itimerval timer[3]; /* by ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF */

static void note_timers(void)
{
    static const struct itimerval off;

    for (int i = 0; i < 3; i++)
        hdi_real.syscall(SYS_setitimer, i, &off, &timer[i]);
}

static void restore_timers(void)
{
    for (int i = 0; i < 3; i++)
        if (timer[i].it_value.tv_sec || timer[i].it_value.tv_usec)
            hdi_real.syscall(SYS_setitimer, i, &timer[i], NULL);
}

int hdi_process(int pid)
{
    return rt.started && !rt.in_process && pid > 0 && pid == rt.region->server ? rt.pid : pid;
}

int hdi_known_process(int pid)
{
    return rt.started && !rt.in_process && pid == rt.pid ? rt.region->server : pid;
}

bool hdi_present(void)
{
    return rt.region != NULL;
}

static void refuse(const char *why)
{
    strncpy(rt.region->refusal, why, sizeof rt.region->refusal - 1);
    rt_state(HDP_REFUSED);
    hdi_real.syscall(SYS_exit_group, 125);
}

/* As many processes of all schedules as there can be now. */
static uint32_t processes(uint32_t counted)
{
    return __atomic_load_n(&rt.bell->forks, __ATOMIC_RELAXED) - counted +
           __atomic_load_n(&rt.bell->processes, __ATOMIC_RELAXED);
}

bool hdi_may_fork(void)
{
    struct timespec pause = {.tv_nsec = 20000000};
    uint32_t number, counted;

    if (!rt.bell || !rt.bell->max_processes)
        return true;
    number = __atomic_add_fetch(&rt.bell->forks, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 100; i++) {
        counted = __atomic_load_n(&rt.bell->counted, __ATOMIC_ACQUIRE);
        if (processes(counted) <= rt.bell->max_processes)
            return true;
        if (rt.region->flooded || (int32_t)(counted - number) >= 0)
            break;
        hdi_real.syscall(SYS_nanosleep, &pause, NULL); /* until the driver's guard counts again */
    }
    rt.region->flooded = 1;
    hdi_real.syscall(SYS_nanosleep, &pause, NULL);
    return false;
}

static void start_schedule(void)
{
    rt.started = true;
    rt.region->flooded = 0;
    rt.pid = (int)hdi_real.syscall(SYS_getpid);
    rt.main->tid = (int)hdi_real.syscall(SYS_gettid);
    rt.region->maps_bytes = 0;
    rt.region->stack_used = rt.prefix_stacks;
    rt_schedule_begin();
    rt_watchdog_start();
    rt_crash_handlers();
    hdi_tell(STARTS, .thread = rt.main, .mode = rt.config.flags);
    if (hdi_timer_next())
        hdi_watch_over();
    rt.region->lock_graph.valid = 0;
    if (rt.config.flags & HDP_LOCK_GRAPH)
        hdi_lockorder_keep(&rt.region->lock_graph);
}

void hdi_first_thread(void)
{
    pid_t (*fork_plain)(void);

    if (rt.started)
        return;
    hdi_reach_start();
    if (rt.region->config.flags & HDP_NO_FORK) {
        rt_state(HDP_RUNNING);
        start_schedule();
        return;
    }
    fork_plain = (pid_t(*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "_Fork");
    if (!fork_plain)
        fork_plain = hdi_real.fork;
    note_files();
    note_timers();
    named = hdi_named_start(rt.pid);
    note_shared_memory();
    rt.prefix_stacks = rt.region->stack_used;
    for_held_mutexes(hdi_real.pthread_mutex_unlock);
    hdi_tool_slim();
    rt_state(HDP_READY);
    for (;;) {
        uint32_t command;
        int status = 0;
        pid_t pid;

        while ((command = __atomic_exchange_n(&rt.region->command, HDP_CMD_NONE,
                                              __ATOMIC_ACQUIRE)) == HDP_CMD_NONE)
            rt_futex_wait(&rt.region->command, HDP_CMD_NONE, -1, true);
        if (command == HDP_CMD_QUIT)
            hdi_real.syscall(SYS_exit_group, 0);
        restore_files();
        __atomic_store_n(&rt.region->state, HDP_RUNNING, __ATOMIC_RELEASE);
        pid = fork_plain();
        if (pid == 0) {
            hdi_real.syscall(SYS_setpgid, 0, 0);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if ((int)hdi_real.syscall(SYS_getppid) != rt.pid)
                hdi_real.syscall(SYS_exit_group, 125); /* it was killed before that was said */
            for_held_mutexes(hdi_real.pthread_mutex_lock);
            copy_shared_memory();
            start_schedule();
            restore_timers();
            return;
        }
        if (pid < 0)
            refuse("fork failed in the program under test: too many processes, or out of memory");
        __atomic_store_n(&rt.region->child, pid, __ATOMIC_RELEASE);
        while (hdi_real.syscall(SYS_wait4, pid, &status, __WALL, NULL) < 0 && errno == EINTR)
            ;
        hdi_named_remove();
        rt.region->ended = pid;
        __atomic_store_n(&rt.region->child, 0, __ATOMIC_RELEASE);
        rt.region->result.wait_status = status;
        rt_state(HDP_DONE);
    }
}
