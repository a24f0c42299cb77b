/* server.c - the fork server: the program up to its first thread, then one process a schedule.
 *
 * Until it creates a thread the program runs alone, so all schedules share that prefix; each starts
 * as a fork of it. What fork does not copy is set back or made anew (world.h), what has a name in
 * the system gets another (ipc_names.c), and the program's own pid keeps its meaning.
 */
#include "turn/rt.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/observers.h"
#include "core/coverage.h"
#include "core/story.h"
#include "locks/lockorder.h"
#include "reach/reach.h"
#include "core/real.h"
#include "models/signals.h"
#include "beside/other_tool.h"
#include "held_locks.h"
#include "in_place/in_place.h"
#include "world.h"

void rt_state(enum hdp_state s)
{
    __atomic_store_n(&rt.region->state, (uint32_t)s, __ATOMIC_RELEASE);
    rt_futex_wake(&rt.region->state, 1, true);
    __atomic_add_fetch(&rt.bell->bell, 1, __ATOMIC_RELEASE);
    rt_futex_wake(&rt.bell->bell, 1, true);
}

int hdi_process(int pid)
{
    return rt.started && !rt.in_process && pid > 0 && pid == rt.region->server ? rt.pid : pid;
}

int hdi_known_parent(int pid)
{
    return rt.started && !rt.in_process && pid == rt.region->server ? rt.parent
                                                                    : hdi_known_process(pid);
}

int hdi_known_process(int pid)
{
    return rt.started && !rt.in_process && pid == rt.pid ? rt.region->server : pid;
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

static void start_process(void)
{
    rt.started = true;
    rt.region->flooded = 0;
    rt.pid = (int)hdi_real.syscall(SYS_getpid);
    rt.main->tid = (int)hdi_real.syscall(SYS_gettid);
    rt_watchdog_start();
    rt_crash_handlers();
    rt_expect_end();
}

static void start_schedule(void)
{
    rt.region->maps_bytes = 0;
    rt.region->stack_used = rt.prefix_stacks;
    rt_schedule_begin();
    hdi_covered = &rt.region->covered;
    hdi_story = rt.config.flags & HDP_RICH ? &rt.region->story : NULL;
    rt.region->story.events = rt.region->story.full = 0;
    hdi_tell(STARTS, .thread = rt.main, .mode = rt.config.flags);
    if (hdi_timer_next())
        hdi_watch_over();
    rt.region->lock_graph.valid = 0;
    if (rt.config.flags & HDP_LOCK_GRAPH)
        hdi_lockorder_keep(&rt.region->lock_graph);
}

/* Each schedule of the batch begins by returning from here. */
static void start_batch(void)
{
    if (hdi_tool() != HDI_TOOL_NONE)
        rt_in_place_refuse("another tool is in its process");
    if (rt_shared_memory_any())
        rt_in_place_refuse("it has memory that is shared with other processes");
    if (rt_world_has_timers())
        rt_in_place_refuse("it has a timer that was set before its first thread");
    start_process();
    rt_in_place_run(start_schedule);
}

/* Its threads may have asked to be traced: what they are sent stops them first. */
static int wait_for(long pid)
{
    int status = 0;
    long changed;

    while ((changed = hdi_real.syscall(SYS_wait4, -1, &status, __WALL, NULL)) != pid ||
           WIFSTOPPED(status)) {
        if (changed > 0 && WIFSTOPPED(status))
            hdi_real.syscall(SYS_ptrace, PTRACE_CONT, changed, 0L, (long)WSTOPSIG(status));
        if (changed < 0 && errno != EINTR)
            break;
    }
    return status;
}

void hdi_first_thread(void)
{
    pid_t (*fork_plain)(void);

    if (rt.started)
        return;
    hdi_reach_start();
    hdi_modules_note();
    hdi_outside_note();
    if (rt.region->config.flags & HDP_NO_FORK) {
        rt_state(HDP_RUNNING);
        start_process();
        start_schedule();
        return;
    }
    fork_plain = (pid_t(*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "_Fork");
    if (!fork_plain)
        fork_plain = hdi_real.fork;
    rt.ipc_names = hdi_ipc_names_start(rt.pid);
    rt.file_names = hdi_file_names_start();
    rt_world_note();
    rt.prefix_stacks = rt.region->stack_used;
    rt_held_locks_note();
    hdi_tool_slim();
    rt_state(HDP_READY);
    for (;;) {
        uint32_t command;
        int status;
        pid_t pid;

        while ((command = __atomic_exchange_n(&rt.region->command, HDP_CMD_NONE,
                                              __ATOMIC_ACQUIRE)) == HDP_CMD_NONE)
            rt_futex_wait(&rt.region->command, HDP_CMD_NONE, -1, true);
        if (command == HDP_CMD_QUIT)
            hdi_real.syscall(SYS_exit_group, 0);
        hdi_file_names_remove();
        rt_world_set_back();
        __atomic_store_n(&rt.region->state, HDP_RUNNING, __ATOMIC_RELEASE);
        /* A batch that died left what had not been looked after. */
        hdp_covered_take_back(&rt.region->covered, 0);
        rt.region->covered.noted = 0;
        pid = fork_plain();
        if (pid == 0) {
            hdi_real.syscall(SYS_setpgid, 0, 0);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if ((int)hdi_real.syscall(SYS_getppid) != rt.pid)
                hdi_real.syscall(SYS_exit_group, 125); /* it was killed before that was said */
            rt_held_locks_adopt();
            rt_world_make();
            if (rt.region->batch.count) {
                start_batch();
                return;
            }
            start_process();
            start_schedule();
            rt_world_start_timers();
            return;
        }
        if (pid < 0)
            refuse("fork failed in the program under test: too many processes, or out of memory");
        __atomic_store_n(&rt.region->child, pid, __ATOMIC_RELEASE);
        status = wait_for(pid);
        hdi_ipc_names_remove();
        rt.region->ended = pid;
        __atomic_store_n(&rt.region->child, 0, __ATOMIC_RELEASE);
        rt.region->result.wait_status = status;
        rt_state(HDP_DONE);
    }
}
