/* again.h - places and variables of the program in words that hold in its next build, too, and back.
 *
 * A place is a line of a function: lines move, and so does code. It is found again by the text of
 * the line, nearest to where it was in its function, or where the source is not there by its distance
 * from the function's first line. A static variable is found by its name, its file and function.
 *
 *   ownership  what is filled in is released by place_free() and static_free()
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_AGAIN_H
#define HEDDLE_DRIVER_AGAIN_H

#include "symbol.h"

struct code_place {
    char *function;       /* innermost, inlined ones too */
    char *file;           /* without folder; NULL: no debug information */
    char *text;           /* of the line; NULL: the source was not there */
    unsigned line, first; /* first: of the function; 0 = unknown */
};

/* Return addresses above low, up to high. */
struct code_range {
    uint64_t low, high;
};

struct static_variable {
    char *module;   /* as sites name it */
    char *name;     /* of the variable */
    char *member;   /* "[2].lock", or "" for the whole; NULL: only its offset is known */
    char *file;     /* NULL: no debug information */
    char *function; /* it is local to; NULL = to none */
    uint64_t offset;
};

/* Of a return address, or of a function's beginning. False: the address is in no function. */
bool symbols_place(struct symbols *s, uint64_t addr, bool is_return, struct code_place *place);
void place_free(struct code_place *place);
/* Where its code is now, in the module of `site`: an array to free(), or NULL and 0. `about`: where
 * the line is gone, what is about there. */
size_t symbols_find_place(struct symbols *s, const char *site, const struct code_place *place,
                          bool about, struct code_range **found);
/* Where its function begins now; 0 = there is none, or more than one. */
uint64_t symbols_find_function(struct symbols *s, const char *site, const struct code_place *place);

/* Of an address in it. False: there is none. */
bool symbols_static(struct symbols *s, uint64_t addr, struct static_variable *variable);
void static_free(struct static_variable *variable);
/* Its address now; 0 = it is gone. */
uint64_t symbols_find_static(struct symbols *s, const struct static_variable *variable);

#endif /* HEDDLE_DRIVER_AGAIN_H */
