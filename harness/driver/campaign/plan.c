/* plan.c - see plan.h */
#include "plan.h"

/* No strategy wins everywhere: random, pos and surw spread evenly, pct reaches bugs that need few
 * but rare switches, burst those that need one thread to run far ahead, hold those that need a
 * piece of code to be late, whichever thread runs it. Threads that stay in step for ever (a
 * livelock) are what no random choice shows: some go round robin after a random beginning. */
static const struct {
    uint32_t strategy, depth;
} portfolio[] = {
    {HDP_RANDOM, 0}, {HDP_HOLD, 0},  {HDP_PCT, 2},    {HDP_HOLD, 0},  {HDP_HOLD, 0}, {HDP_POS, 0},
    {HDP_HOLD, 0},   {HDP_SURW, 0},  {HDP_HOLD, 0},   {HDP_BURST, 0}, {HDP_HOLD, 0}, {HDP_PCT, 3},
    {HDP_POS, 0},    {HDP_HOLD, 0},  {HDP_RANDOM, 0}, {HDP_PCT, 1},   {HDP_SURW, 0}, {HDP_HOLD, 0},
    {HDP_PCT, 4},    {HDP_BURST, 0}, {HDP_RR, 2},
};

static uint64_t splitmix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

/* How many of the schedules up to this one hold: each tries the next place. */
static uint32_t hold_turn(const struct plan *plan, uint64_t number)
{
    uint64_t length = sizeof portfolio / sizeof *portfolio, each = 0, rest = 0;
    if (plan->strategy != PLAN_AUTO)
        return (uint32_t)number;
    for (uint64_t i = 0; i < length; i++) {
        each += portfolio[i].strategy == HDP_HOLD;
        rest += portfolio[i].strategy == HDP_HOLD && i <= (number - 1) % length;
    }
    return (uint32_t)((number - 1) / length * each + rest);
}

void plan_schedule(const struct plan *plan, uint64_t number, struct hdp_config *config)
{
    config->seed = splitmix(splitmix(plan->seed) + number);
    config->strategy = plan->strategy;
    config->depth = plan->depth ? plan->depth : plan->strategy == HDP_RR ? 1 : 3;
    if (plan->strategy == PLAN_AUTO) {
        uint64_t turn = (number - 1) % (sizeof portfolio / sizeof *portfolio);
        config->strategy = portfolio[turn].strategy;
        config->depth = plan->depth ? plan->depth : portfolio[turn].depth;
    }
    if (config->strategy == HDP_HOLD)
        config->depth = hold_turn(plan, number);
    if (!config->depth)
        config->depth = 1;
}

uint32_t plan_work_steps(const struct hdp_config *planned, uint32_t waited_steps,
                         uint32_t work_jumps)
{
    enum { LEAST = 1024, MOST = 50000 };
    uint64_t steps = waited_steps > LEAST / 2 ? 2ull * waited_steps : LEAST;
    if (!work_jumps)
        return 0;
    steps <<= splitmix(planned->seed) % 4;
    return steps < MOST ? (uint32_t)steps : MOST;
}
