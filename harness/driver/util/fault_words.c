/* fault_words.c - see fault_words.h */
#include "fault_words.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

const struct fault_words fault_words[HDP_FAULT_KINDS] = {
#define FAULT(NAME, word, option, text, none) [HDP_FAULT_##NAME] = {word, option, text, none},
#include "wire/faults.inc"
};

enum hdp_fault_kind fault_parse(const char *word)
{
    unsigned i = 0;
    while (i < HDP_FAULT_KINDS && strcmp(fault_words[i].word, word) != 0)
        i++;
    return (enum hdp_fault_kind)i;
}

bool fault_begins_option(unsigned kind)
{
    return !kind || strcmp(fault_words[kind].option, fault_words[kind - 1].option) != 0;
}

uint64_t fault_sum(const uint64_t by_kind[HDP_FAULT_KINDS], const char *option)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < HDP_FAULT_KINDS; i++)
        sum += strcmp(fault_words[i].option, option) == 0 ? by_kind[i] : 0;
    return sum;
}

char *faults_parse(const char *list, uint32_t *kinds)
{
    char *copy = mem_copy(list), *rest = copy, *word, *why = NULL;

    *kinds = 0;
    while (!why && (word = strsep(&rest, ","))) {
        uint32_t these = 0;
        for (unsigned i = 0; i < HDP_FAULT_KINDS; i++)
            if (strcmp(word, fault_words[i].option) == 0 || strcmp(word, "all") == 0)
                these |= 1u << i;
        if (!these)
            why = mem_format("--faults takes malloc, pthread_create, short, eintr, cas and cancel, "
                             "with commas between, or all, not \"%s\"",
                             word);
        *kinds |= these;
    }
    free(copy);
    return why;
}
