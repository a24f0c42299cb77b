/* config_words.c - see config_words.h */
#include "config_words.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/quantity.h"

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
    {"spurious", HDP_SPURIOUS},     {"real-clock", HDP_REAL_CLOCK},
    {"no-leaks", HDP_NO_LEAKS},     {"elastic-sleep", HDP_ELASTIC_SLEEP},
    {"lock-order", HDP_LOCK_ORDER}, {"races", HDP_RACES},
    {"reach", HDP_REACH},           {"released", HDP_RELEASED},
    {"inner-points", HDP_INNER},    {"fresh", HDP_FRESH},
    {"hints", HDP_HINTS},           {NULL, 0},
};

const char *const points_words[POINTS_WORDS] = {"shared", "all", "sync"};
const char *const model_words[MODEL_WORDS] = {"sc", "tso", "c11"};

bool exit_codes_parse(const char *list, uint64_t set[EXIT_CODES])
{
    char *copy = mem_copy(list), *rest = copy, *word;
    bool good = true;
    uint64_t code;

    while (good && (word = strsep(&rest, ",")))
        if (strcmp(word, "any") == 0)
            memset(set, 0xff, EXIT_CODES * sizeof *set);
        else if ((good = parse_count(word, 0, 255, &code)))
            set[code / 64] |= 1ull << (code & 63);
    free(copy);
    return good;
}

char *exit_codes_words(const uint64_t set[EXIT_CODES])
{
    char *words = NULL;
    unsigned codes = 0;

    for (unsigned code = 0; code < 256; code++) {
        if (!(set[code / 64] >> (code & 63) & 1))
            continue;
        char *more = words ? mem_format("%s,%u", words, code) : mem_format("%u", code);
        free(words);
        words = more;
        codes++;
    }
    if (codes < 256)
        return words;
    free(words);
    return mem_copy("any");
}
