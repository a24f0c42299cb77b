/* selftest_main.c - heddle-selftest WORD: one planted bug, by the word of its kind. */
#include <stdio.h>
#include <string.h>

#include "plants.h"

static const struct {
    const char *word;
    void (*run)(void);
} plants[] = {
#define FINDING(NAME, word, title, advice, plant) {word, plant_##NAME},
#include "wire/finding_kinds.inc"
    {"correct", plant_correct},
    {"dump", plant_dump},
};

int selftest_code;

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof plants / sizeof *plants; i++)
        if (strcmp(argv[1], plants[i].word) == 0) {
            plants[i].run();
            return selftest_code;
        }
    fputs("heddle-selftest holds planted bugs for heddle doctor --self-test\n", stderr);
    return 2;
}
