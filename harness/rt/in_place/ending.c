/* ending.c - how a schedule in place, or a whole batch, comes to its end. */
#include <sys/syscall.h>

#include "engine.h"

struct rt_engine *rt_engine;

void rt_in_place_say(const char *what)
{
    char *to = rt.region->batch.what;
    size_t i = 0;

    for (; what[i] && i + 1 < sizeof rt.region->batch.what; i++)
        to[i] = what[i];
    to[i] = 0;
}

void rt_in_place_leave(enum hdp_batch_end end)
{
    rt.region->batch.end = end;
    rt.region->covered.changes = 0; /* what was not taken back counts */
    for (;;)
        hdi_passed_call(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}

void rt_in_place_refuse(const char *what)
{
    rt.region->batch.done = 0;
    rt_in_place_say(what);
    rt_in_place_leave(HDP_BATCH_REFUSED);
}

static _Noreturn void back_to_engine(void)
{
    struct hdi_context abandoned;

    hdi_switch_context(&abandoned, &rt_engine->own);
    __builtin_unreachable();
}

void rt_in_place_ended(int status)
{
    rt_engine->how = RT_ENDED;
    rt_engine->status = status & 0xff;
    back_to_engine();
}

void rt_in_place_cannot(const char *what)
{
    rt_engine->how = RT_CANNOT;
    rt_in_place_say(what);
    back_to_engine();
}
