/* openmp.c - the order that OpenMP's own runtime makes, which no hook sees.
 *
 * Barriers, critical sections and tasks live in a library that was built without hooks: what they
 * order would be told as races. LLVM's runtime tells a tool of them (the OpenMP specification 5.0,
 * chapter 4, "OMPT Interface"; the idea of Archer, Atzeni et al. 2016). GCC's tells nobody. threads
 * the one that has the turn
 */
#include <link.h>
#include <string.h>

#include "openmp.h"
#include "core/observers.h"
#include "core/real.h"
#include "access.h"

/* Of the specification's tool interface, what is used. */
union ompt_data {
    uint64_t value;
    void *ptr;
};

enum ompt_callback {
    OMPT_PARALLEL_BEGIN = 3,
    OMPT_PARALLEL_END = 4,
    OMPT_TASK_CREATE = 5,
    OMPT_TASK_SCHEDULE = 6,
    OMPT_IMPLICIT_TASK = 7,
    OMPT_MUTEX_RELEASED = 17,
    OMPT_SYNC_REGION = 23,
    OMPT_MUTEX_ACQUIRED = 27,
};

enum ompt_endpoint { OMPT_BEGIN = 1, OMPT_END = 2 };

typedef void (*ompt_function)(void);
typedef int (*ompt_set_callback)(enum ompt_callback, ompt_function);

struct ompt_start_tool_result {
    int (*initialize)(ompt_function (*lookup)(const char *name), int device, union ompt_data *tool);
    void (*finalize)(union ompt_data *tool);
    union ompt_data tool;
};

/* Clocks: of regions and tasks, and of barriers in turn, two in each other region, so that who
 * leaves one late (a worker leaves the last of a region when the next begins) does not learn what
 * others did on their way to the next. A task's value says whose turn it is. */
static char regions, tasks, barrier[4];
static uint64_t region;

static void on_parallel_begin(union ompt_data *task, const void *frame, union ompt_data *parallel,
                              unsigned threads, int flags, const void *site)
{
    (void)task, (void)frame, (void)parallel, (void)threads, (void)flags, (void)site;
    region++;
    hdi_tell(SENT, .clock = &regions);
}

static void on_parallel_end(union ompt_data *parallel, union ompt_data *task, int flags,
                            const void *site)
{
    (void)parallel, (void)task, (void)flags, (void)site;
    hdi_tell(RECEIVED, .clock = &regions);
}

static void on_implicit_task(enum ompt_endpoint end, union ompt_data *parallel,
                             union ompt_data *task, unsigned threads, unsigned index, int flags)
{
    (void)parallel, (void)threads, (void)index, (void)flags;
    if (end == OMPT_BEGIN) {
        hdi_tell(RECEIVED, .clock = &regions);
        if (task)
            task->value = (region & 1) << 1;
    } else {
        hdi_tell(SENT, .clock = &regions);
    }
}

static void on_sync_region(int kind, enum ompt_endpoint end, union ompt_data *parallel,
                           union ompt_data *task, const void *site)
{
    (void)kind, (void)parallel, (void)site;
    char *clock = &barrier[task ? task->value & 3 : 0];
    if (end == OMPT_BEGIN) {
        hdi_tell(SENT, .clock = clock);
        return;
    }
    hdi_tell(RECEIVED, .clock = clock);
    hdi_tell(RECEIVED, .clock = &tasks); /* a barrier and a taskwait wait for tasks */
    if (task)
        task->value ^= 1;
}

static void on_mutex_acquired(int kind, uint64_t id, const void *site)
{
    (void)kind, (void)site;
    hdi_tell(RECEIVED, .clock = (const void *)(uintptr_t)id, .mode = HDI_OF_LOCK);
}

static void on_mutex_released(int kind, uint64_t id, const void *site)
{
    (void)kind, (void)site;
    hdi_tell(SENT, .clock = (const void *)(uintptr_t)id, .mode = HDI_OF_LOCK);
}

static void on_task_create(union ompt_data *task, const void *frame, union ompt_data *made,
                           int flags, int dependences, const void *site)
{
    (void)task, (void)frame, (void)made, (void)flags, (void)dependences, (void)site;
    hdi_tell(SENT, .clock = &tasks);
}

static void on_task_schedule(union ompt_data *prior, int status, union ompt_data *next)
{
    (void)prior, (void)status, (void)next;
    hdi_tell(SENT, .clock = &tasks);
    hdi_tell(RECEIVED, .clock = &tasks);
}

static int initialize(ompt_function (*lookup)(const char *name), int device, union ompt_data *tool)
{
    static const struct {
        enum ompt_callback event;
        ompt_function function;
    } callbacks[] = {
        {OMPT_PARALLEL_BEGIN, (ompt_function)on_parallel_begin},
        {OMPT_PARALLEL_END, (ompt_function)on_parallel_end},
        {OMPT_IMPLICIT_TASK, (ompt_function)on_implicit_task},
        {OMPT_SYNC_REGION, (ompt_function)on_sync_region},
        {OMPT_MUTEX_ACQUIRED, (ompt_function)on_mutex_acquired},
        {OMPT_MUTEX_RELEASED, (ompt_function)on_mutex_released},
        {OMPT_TASK_CREATE, (ompt_function)on_task_create},
        {OMPT_TASK_SCHEDULE, (ompt_function)on_task_schedule},
    };
    ompt_set_callback set = (ompt_set_callback)lookup("ompt_set_callback");

    (void)device, (void)tool;
    for (size_t i = 0; set && i < sizeof callbacks / sizeof *callbacks; i++)
        set(callbacks[i].event, callbacks[i].function);
    return set != NULL;
}

static void finalize(union ompt_data *tool)
{
    (void)tool;
}

/* Called by the OpenMP runtime when it starts, by this name. */
HDI_EXPORT struct ompt_start_tool_result *ompt_start_tool(unsigned version, const char *runtime)
{
    static struct ompt_start_tool_result tool = {.initialize = initialize, .finalize = finalize};

    (void)version, (void)runtime;
    return hdi_watch.instrumented ? &tool : NULL;
}

static int is_gcc_runtime(struct dl_phdr_info *info, size_t size, void *unused)
{
    const char *base = strrchr(info->dlpi_name, '/');

    (void)size, (void)unused;
    return base && strncmp(base, "/libgomp.so", 11) == 0;
}

bool hdi_openmp_hidden(void)
{
    return dl_iterate_phdr(is_gcc_runtime, NULL) != 0;
}
