/* table.c - every strategy by its number. */
#include "turn/rt.h"

const struct rt_strategy *const rt_strategy_table[HDP_STRATEGIES] = {
#define STRATEGY(NAME, word, table, depth) [HDP_##NAME] = &table,
#include "wire/strategies.inc"
};
