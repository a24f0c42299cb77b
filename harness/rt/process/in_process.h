/* in_process.h - the in-process explorer's half in the runtime library; heddle/test.h is for
 * users. */
#ifndef HEDDLE_RT_IN_PROCESS_H
#define HEDDLE_RT_IN_PROCESS_H

#include <stdbool.h>

#include "wire/protocol.h"

/* What the exploring child tells its parent; in memory that both share. */
struct rt_explored {
    uint64_t schedules, steps, cut;
    int64_t virtual_ns;
    uint64_t running; /* number of the schedule that runs now; 0 = none: the child is between two */
};

/* Memory for a schedule's record, shared with children; NULL: none to be had. */
struct hdp_region *heddle_rt_explore_memory(void);

/* In the child that was forked for it, first: this process explores from now on, and
 * heddle_rt_seam() offers its table. */
void heddle_rt_explore_start(struct hdp_region *region);

/* Run schedules first, first + 1, ... last (numbers from 1) of fn(arg) in this process, which has
 * one thread and was forked for it. `configure` sets region->config for a number. Returns when all
 * are run, or behind the first whose record is of interest (findings, or goroutines left behind):
 * then `region` holds it. False when the process cannot run another one. */
bool heddle_rt_explore(struct rt_explored *told, uint64_t first, uint64_t last,
                       void (*configure)(struct hdp_config *c, uint64_t number),
                       void (*fn)(void *arg), void *arg);

#endif /* HEDDLE_RT_IN_PROCESS_H */
