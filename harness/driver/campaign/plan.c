/* plan.c - see plan.h */
#include "plan.h"

#include "schedules/config_words.h"
#include "wire/hash.h"

#define DEPTH 3u /* of the bugs that are looked for when nothing else is said */

static const struct {
    uint32_t strategy, depth;
} portfolio[] = {
#define TURN(NAME, depth) {HDP_##NAME, depth},
#include "wire/strategies.inc"
};

/* Which of the strategy's schedules this one is, from 1. */
static uint32_t serial(const struct plan *plan, uint32_t strategy, uint64_t number)
{
    uint64_t length = sizeof portfolio / sizeof *portfolio, each = 0, rest = 0;
    if (plan->strategy != PLAN_AUTO)
        return (uint32_t)number;
    for (uint64_t i = 0; i < length; i++) {
        each += portfolio[i].strategy == strategy;
        rest += portfolio[i].strategy == strategy && i <= (number - 1) % length;
    }
    return (uint32_t)((number - 1) / length * each + rest);
}

void plan_schedule(const struct plan *plan, uint64_t number, struct hdp_config *config)
{
    uint64_t turn = (number - 1) % (sizeof portfolio / sizeof *portfolio);
    bool alone = plan->strategy != PLAN_AUTO;
    config->seed = hash_next(hash_next(plan->seed) + number);
    config->strategy = alone ? plan->strategy : portfolio[turn].strategy;
    enum hdp_depth depth = strategy_depth(config->strategy);
    config->depth = alone ? (depth == HDP_DEPTH_OF_BUG ? DEPTH : 1) : portfolio[turn].depth;
    if (plan->depth)
        config->depth = plan->depth;
    if (depth == HDP_DEPTH_SERIAL)
        config->depth = serial(plan, config->strategy, number);
    if (plan->reference && !alone && number == 1) {
        config->strategy = HDP_PCT;
        config->depth = 1;
    }
    if (number % 2 == 0)
        config->flags |= HDP_RELEASED;
    if (number == 1)
        config->flags |= HDP_SCOUT;
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
    steps <<= hash_next(planned->seed) % 4;
    return steps < MOST ? (uint32_t)steps : MOST;
}
