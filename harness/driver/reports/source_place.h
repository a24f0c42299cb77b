/* source_place.h - where a frame of a JSON document lies for tools that show sources: a path from the
 * root of the repository on.
 *
 * Debug information names files as the compiler was called. A relative one is looked for below the
 * current folder, and below the program's and those that this lies in.
 */
#ifndef HEDDLE_DRIVER_SOURCE_PLACE_H
#define HEDDLE_DRIVER_SOURCE_PLACE_H

#include <jansson.h>
#include <stdbool.h>

struct source_place {
    char *path;  /* below the root without "./", else absolute, or as the compiler had it; owned */
    bool inside; /* below the root */
    int line, column; /* 0 = unknown */
};

/* The folder above the current one, or itself, that has a ".git"; else the current one. Absolute, and
 * valid until the program ends. */
const char *source_root(void);
/* Where a file that a program was compiled from lies; NULL: it was not found. `program` is its path. free() it. */
char *source_find(const char *file, const char *program);
/* The place of such a file. */
struct source_place source_place(const char *file, const char *program);
/* The innermost frame of a stack that has a file; false: none has. */
bool source_place_of(const json_t *stack, const char *program, struct source_place *place);
/* Where a finding is best shown. */
bool source_place_finding(const json_t *finding, const char *program, struct source_place *place);

#endif /* HEDDLE_DRIVER_SOURCE_PLACE_H */
