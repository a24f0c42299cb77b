/* fault_words.h - the words for faults (wire/faults.h), in options, files and reports. */
#ifndef HEDDLE_DRIVER_FAULT_WORDS_H
#define HEDDLE_DRIVER_FAULT_WORDS_H

#include <stdbool.h>

#include "wire/faults.h"

/* What a fault is called in a file, what asks for it (--faults), and what is said of it. */
struct fault_words {
    const char *word, *option, *text, *none;
};
extern const struct fault_words fault_words[HDP_FAULT_KINDS];
/* The kind of a word; HDP_FAULT_KINDS: there is none. */
enum hdp_fault_kind fault_parse(const char *word);
/* Is it the first kind of its option? And the sum of what is counted by kind, over all of them. */
bool fault_begins_option(unsigned kind);
uint64_t fault_sum(const uint64_t by_kind[HDP_FAULT_KINDS], const char *option);
/* "malloc,short" or "all": a bit for each kind. NULL, or a sentence that the caller frees. */
char *faults_parse(const char *list, uint32_t *kinds);

#endif /* HEDDLE_DRIVER_FAULT_WORDS_H */
