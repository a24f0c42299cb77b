/* world.c - see world.h. Interval timers, which a fork does not inherit, are here as well. */
#include "world.h"

#include <sys/syscall.h>
#include <sys/time.h>

#include "core/real.h"
#include "noting.h"
#include "turn/rt.h"

static struct itimerval timer[3]; /* by ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF */

static void note_timers(void)
{
    static const struct itimerval off;

    for (int i = 0; i < 3; i++)
        hdi_real.syscall(SYS_setitimer, i, &off, &timer[i]);
}

void rt_world_start_timers(void)
{
    for (int i = 0; i < 3; i++)
        if (timer[i].it_value.tv_sec || timer[i].it_value.tv_usec)
            hdi_real.syscall(SYS_setitimer, i, &timer[i], NULL);
}

bool rt_world_has_timers(void)
{
    for (int i = 0; i < 3; i++)
        if (timer[i].it_value.tv_sec || timer[i].it_value.tv_usec)
            return true;
    return false;
}

void rt_world_inherit(void)
{
    rt_descriptors_inherit();
}

void rt_world_note(void)
{
    note_timers();
    if (!rt_scratch_begin()) {
        rt_shared(-1, "all descriptors, for want of memory");
        return;
    }
    rt_descriptors_note();
    rt_files_note();
    rt_shared_memory_note();
    rt_scratch_end();
}

void rt_world_set_back(void)
{
    rt_descriptors_set_back();
    rt_files_set_back();
    rt_shared_memory_set_back();
}

void rt_world_make(void)
{
    rt_files_make();
    rt_descriptors_make();
}
