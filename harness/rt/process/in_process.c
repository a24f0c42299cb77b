/* in_process.c - schedule after schedule in one process: see in_process.h. */
#include "in_process.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/real.h"
#include "beside/other_tool.h"
#include "models/always.h"
#include "vehicles/carrier.h"

static struct {
    void (*fn)(void *arg);
    void *arg;
    bool leaks;
} body;

static void *run_body(void *unused)
{
    uint32_t n;

    (void)unused;
    hdi_memory_start(); /* in the thread that is to be watched */
    body.fn(body.arg);
    hdi_always_look((uint64_t)(uintptr_t)body.fn);
    hdi_always_reset();
    if (rt.exploring && hdi_live(&n) && n > 1) /* the others may go first */
        hdi_point(HD_EV_EXIT, NULL, (uint64_t)(uintptr_t)body.fn);
    if (body.leaks)
        hdi_look_for_leaks(false);
    hdi_live(&n);
    if (n > 1) /* they stay behind: this process cannot run another schedule */
        rt_finish(HDP_RAN);
    return NULL;
}

HDI_EXPORT struct hdp_region *heddle_rt_explore_memory(void)
{
    void *m = mmap(NULL, sizeof(struct hdp_region), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return m == MAP_FAILED ? NULL : m;
}

static void begin(void)
{
    hdi_models_reset();
    hdi_timers_forget();
    hdi_queues_forget();
    hdi_aio_forget();
    hdi_always_reset();
    rt_crash_forgotten();
    rt.lock = 0;
    rt_threads_forget();
    rt.outside_count = rt.own_count = rt.external_count = rt.signal_waits = 0;
    rt.draining = rt.started = rt.recheck = false;
    rt.drainer = NULL;
    rt.fair = false;
    rt.fair_until = rt.clock_step = rt.cycle_step = 0;
    rt.cycle_told = false;
    rt.moves = rt.still_move = 0;
    rt.got_on = rt.idle_ops = rt.retries = rt.retries_half = rt.sleeps = rt.lively_step = 0;
    rt.idle_real_ns = 0;
    rt.now_ns = RT_CLOCK_START_NS;
    rt.region->result = (struct hdp_result){0};
    rt.region->stack_used = 0;
    rt.region->object_count = rt.region->thread_count = 0;
    rt.config = rt.region->config;
    hdi_thread_new(NULL, (const void *)(uintptr_t)body.fn, 0);
    rt.main->life.routine = run_body;
    rt.main->tid = (int)getpid();
    rt_schedule_begin();
    rt.started = true;
}

HDI_EXPORT void heddle_rt_explore_start(struct hdp_region *region)
{
    static unsigned char alternate[64 << 10];
    stack_t ss = {.ss_sp = alternate, .ss_size = sizeof alternate};

    rt.region = region;
    rt.pid = (int)getpid();
    rt.in_process = rt.active = true;
    rt_vehicle = &rt_carrier;
    sigaltstack(&ss, NULL); /* a goroutine that overflows its stack leaves none for the handler */
    rt_crash_handlers();
}

HDI_EXPORT bool heddle_rt_explore(struct rt_explored *told, uint64_t first, uint64_t last,
                                  void (*configure)(struct hdp_config *c, uint64_t number),
                                  void (*fn)(void *arg), void *arg)
{
    struct hdp_region *region = rt.region;

    body.fn = fn;
    body.arg = arg;
    for (uint64_t number = first; number <= last; number++) {
        configure(&region->config, number);
        body.leaks = !(region->config.flags & HDP_NO_LEAKS);
        told->running = number;
        begin();
        if (!rt_carrier_start(rt.main))
            return false;
        rt_carrier_enter(rt.main);
        rt_explore_end(HDP_EXPLORED_ALL);
        if (region->result.findings && !rt.live_count)
            rt_export(); /* none ended the schedule, and so nobody has */
        region->result.virtual_ns = rt.now_ns - RT_CLOCK_START_NS;
        told->schedules++;
        told->steps += region->result.steps;
        told->cut += region->result.outcome == HDP_CUT;
        told->virtual_ns += region->result.virtual_ns;
        told->running = 0;
        if (region->result.findings || rt.live_count || hdi_memory_is_watched())
            return false;
    }
    return true;
}

bool hdi_in_process(void)
{
    return rt.in_process;
}

bool hdi_start_in_process(struct hdi_thread *t)
{
    return rt_carrier_start(t);
}

void hdi_local(void **word)
{
    if (rt.in_process)
        rt_carrier_local(word);
}
