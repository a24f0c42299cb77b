/* table.c - every strategy by its number. */
#include "turn/rt.h"

const struct rt_strategy *const rt_strategy_table[HDP_STRATEGIES] = {
    [HDP_RANDOM] = &rt_random_walk, [HDP_PCT] = &rt_pct,        [HDP_POS] = &rt_pos,
    [HDP_BURST] = &rt_burst,        [HDP_RR] = &rt_round_robin, [HDP_SURW] = &rt_surw,
    [HDP_HOLD] = &rt_hold,
};
