/* config_words.h - the words for what a schedule's configuration says, in options and in files. */
#ifndef HEDDLE_DRIVER_CONFIG_WORDS_H
#define HEDDLE_DRIVER_CONFIG_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/protocol.h"

/* "auto, random, pct …": all that --strategy takes. */
extern const char strategy_list[];
/* The word of a strategy ("pct"), and back: HDP_STRATEGIES when there is none. */
const char *strategy_word(unsigned strategy);
unsigned strategy_parse(const char *word);
enum hdp_depth strategy_depth(unsigned strategy);

/* The options of a schedule that its program can notice, and their bits of hdp_config.flags;
 * ends with a NULL word. */
struct schedule_flag {
    const char *word;
    uint32_t bit;
};
extern const struct schedule_flag schedule_flags[];

/* Words of enum hdp_points and enum hdp_memory_model. */
enum { POINTS_WORDS = 3, MODEL_WORDS = 3 };
extern const char *const points_words[POINTS_WORDS];
extern const char *const model_words[MODEL_WORDS];

/* Exit codes that are no failure besides 0, a bit each. "77,99" or "any" is added; false: it is neither. */
enum { EXIT_CODES = 4 };
#define EXIT_CODES_WANTED                                                                          \
    "--exit-code wants numbers up to 255 with commas between, or any, not \"%s\""
bool exit_codes_parse(const char *list, uint64_t set[EXIT_CODES]);
/* Back in words; NULL: there are none. free() it. */
char *exit_codes_words(const uint64_t set[EXIT_CODES]);

#endif /* HEDDLE_DRIVER_CONFIG_WORDS_H */
