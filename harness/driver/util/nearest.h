/* nearest.h - "did you mean": the known word that a mistyped one is nearest to. */
#ifndef HEDDLE_DRIVER_NEAREST_H
#define HEDDLE_DRIVER_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *typed;
    const char *word; /* the nearest so far; NULL: none is near */
    size_t distance;
};

/* Letters to be changed, added, left out or swapped with the next, at most a third of what was typed, and
 * at least one. */
void nearest_try(struct nearest *n, const char *word);

#endif /* HEDDLE_DRIVER_NEAREST_H */
