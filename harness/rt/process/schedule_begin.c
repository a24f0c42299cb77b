/* schedule_begin.c - a schedule starts in this process: what the driver asks for, strategy,
 * seed. */
#include <string.h>

#include "turn/rt.h"

void rt_schedule_begin(void)
{
    struct hdp_result *r = &rt.region->result;

    rt.config = rt.region->config;
    if (rt.config.strategy >= HDP_STRATEGIES)
        rt.config.strategy = HDP_RANDOM;
    rt.strategy = rt_strategy_table[rt.config.strategy];
    rt.replaying = (rt.config.flags & HDP_REPLAY) != 0;
    rt.replay_at = 0;
    rt.real_start_ns = rt.config.timeout_ms ? rt_real_ns() : 0;
    memset(r, 0, sizeof *r);
    /* What main did before is not counted: these are numbers of decisions. */
    rt.clock_step = rt.fair_until = rt.cycle_step = 0;
    rt.cycle_told = false;
    rt.main->turn.retry_step = 0;
    r->threads = rt.all_count;
    r->findings = rt.prefix_findings;
    r->unmodelled = rt.prefix_unmodelled;
    rt_reach_begin();
    rt_random_seed(rt.config.seed);
    rt_predicted_race_begin();
    rt_edited_begin();
    rt_stretches_begin();
    rt_explore_begin();
    rt_faults_begin();
    if (rt.strategy->begin)
        rt.strategy->begin(&rt.config);
    if (rt.strategy->created)
        rt.strategy->created(rt.main);
}
