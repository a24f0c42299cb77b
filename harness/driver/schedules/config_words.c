/* config_words.c - see config_words.h */
#include "config_words.h"

#include <string.h>

const char strategy_list[] = "auto"
#define STRATEGY(NAME, word, table, depth) ", " word
#include "wire/strategies.inc"
    ;

static const struct {
    const char *word;
    enum hdp_depth depth;
} strategies[HDP_STRATEGIES] = {
#define STRATEGY(NAME, word, table, depth) [HDP_##NAME] = {word, depth},
#include "wire/strategies.inc"
};

const char *strategy_word(unsigned strategy)
{
    return strategy < HDP_STRATEGIES ? strategies[strategy].word : "unknown";
}

unsigned strategy_parse(const char *word)
{
    unsigned i = 0;
    while (i < HDP_STRATEGIES && strcmp(strategies[i].word, word) != 0)
        i++;
    return i;
}

enum hdp_depth strategy_depth(unsigned strategy)
{
    return strategy < HDP_STRATEGIES ? strategies[strategy].depth : HDP_DEPTH_UNUSED;
}

const struct schedule_flag schedule_flags[] = {
    {"spurious", HDP_SPURIOUS},
    {"real-clock", HDP_REAL_CLOCK},
    {"no-leaks", HDP_NO_LEAKS},
    {"elastic-sleep", HDP_ELASTIC_SLEEP},
    {"lock-order", HDP_LOCK_ORDER},
    {"races", HDP_RACES},
    {"reach", HDP_REACH},
    {"released", HDP_RELEASED},
    {"inner-points", HDP_INNER},
    {"fresh", HDP_FRESH},
    {NULL, 0},
};

const char *const points_words[POINTS_WORDS] = {"shared", "all", "sync"};
const char *const model_words[MODEL_WORDS] = {"sc", "tso", "c11"};
