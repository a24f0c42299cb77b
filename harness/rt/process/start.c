/* start.c - the runtime wakes up in the program under test, and sees it end. */
#include "turn/rt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "core/observers.h"
#include "reach/reach.h"
#include "models/scheduling.h"
#include "core/real.h"
#include "beside/other_tool.h"
#include "world.h"

/* Take the entry of LD_PRELOAD that names us out of it, in place: children run without us. */
static void leave_preload(void)
{
    char *value = getenv("LD_PRELOAD"), *at, *end;

    if (!value)
        return;
    for (at = value; *at; at = end) {
        end = at + strcspn(at, ": ");
        if (memmem(at, (size_t)(end - at), "libheddle-rt", 12)) {
            end += *end != 0;
            memmove(at, end, strlen(end) + 1);
            end = at;
        } else if (*end) {
            end++;
        }
    }
    if (!*value)
        unsetenv("LD_PRELOAD");
}

static bool number(const char **p, long *out)
{
    if (**p < '0' || **p > '9')
        return false;
    for (*out = 0; **p >= '0' && **p <= '9'; ++*p)
        *out = *out * 10 + (**p - '0');
    return true;
}

void hdi_program_stops(int code)
{
    rt.region->result.exit_code_set = 1;
    rt.region->result.exit_code = code;
    rt_export();
    if (!rt.started)
        rt_state(HDP_ENDED);
}

/* The last of all exit handlers, as it was registered first. */
void hdi_program_ends(int code)
{
    if (!rt.active || (!rt_vehicle->ended && (int)hdi_real.syscall(SYS_getpid) != rt.pid))
        return;
    hdi_ending(0);
    rt.region->result.exit_code_set = 1;
    rt.region->result.exit_code = code;
    if (rt.started)
        hdi_tell(ENDS, .thread = rt.main);
    if (rt.started && code == 0 && !(rt.config.flags & HDP_NO_LEAKS))
        hdi_look_for_leaks(true);
    hdi_program_stops(code);
    rt.active = false; /* what is left are the exit handlers of sanitizers */
}

void hdi_refuse(const char *who, const char *text)
{
    const char *part[] = {"heddle: ", who, text, "\n"};

    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (hdi_real.syscall(SYS_write, 2, part[i], strlen(part[i])) < 0)
            break;
    hdi_real.syscall(SYS_exit_group, 3);
    __builtin_unreachable();
}

static void on_program_exit(int code, void *arg)
{
    (void)arg;
    hdi_program_ends(code);
}

__attribute__((constructor(101))) static void start(void)
{
    hdi_start();
    if (rt.active && rt.config.flags & HDP_FRESH)
        hdi_first_thread();
}

/* False: there is no driver. */
static bool attach(void)
{
    const char *p = getenv(HDP_ENV);
    long fd, worker;
    size_t page = 4096;

    if (!p || !number(&p, &fd) || *p++ != ',' || !number(&p, &worker))
        return false;
    rt.bell = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
    if (rt.bell == MAP_FAILED || rt.bell->magic != HDP_MAGIC)
        return false; /* not from a driver: run as if we were not here */
    if (rt.bell->version != HDP_VERSION)
        hdi_refuse("libheddle-rt.so", " and the heddle command are of different versions: install "
                                      "them together");
    if ((uint32_t)worker >= rt.bell->workers || rt.bell->region_bytes < sizeof(struct hdp_region))
        return false;
    rt.region =
        mmap(NULL, sizeof(struct hdp_region), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
             (int)fd, (off_t)(page + (uint64_t)worker * rt.bell->region_bytes));
    if (rt.region == MAP_FAILED)
        return false;
    hdi_real.syscall(SYS_close, fd);
    unsetenv(HDP_ENV);
    leave_preload();
    hdi_tool_start();
    hdi_tool_hide(rt.bell, page);
    hdi_tool_hide(rt.region, sizeof(struct hdp_region));
    rt.pid = (int)hdi_real.syscall(SYS_getpid);
    rt.region->server = rt.pid;
    rt.now_ns = RT_CLOCK_START_NS;
    rt.config = rt.region->config;
    rt.region->stack_used = 0;
    hdi_thread_new(NULL, NULL, 0);
    rt.main->tid = rt.pid;
    rt.parent = (int)hdi_real.syscall(SYS_getppid);
    hdi_scheduling_start((const cpu_set_t *)rt.bell->cpus);
    if (rt.config.flags & HDP_RICH)
        rt_crash_handlers();
    if (hdi_tool() == HDI_TOOL_NONE)
        rt_handler_stacks_start();
    rt_world_inherit();
    hdi_process_start();
    on_exit(on_program_exit, NULL);
    rt.active = true;
    return true;
}

void hdi_start(void)
{
    static bool tried;

    if (tried || !environ) /* so early that libc has not begun */
        return;
    tried = true;
    hdi_real_start();
    if (!attach() || !(rt.config.flags & HDP_REACH))
        hdi_reach_off();
}

bool hdi_present(void)
{
    hdi_start();
    return rt.region != NULL;
}
