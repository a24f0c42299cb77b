/* outline.h - a schedule as the runtime's stretches.c follows it: who runs how far, one after
 * another, and what was chosen where.
 *
 *   ownership  outline_free() releases what the other functions put in
 */
#ifndef HEDDLE_DRIVER_OUTLINE_H
#define HEDDLE_DRIVER_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/protocol.h"

struct stretch {
    uint32_t thread;  /* name hash */
    uint32_t upto;    /* decisions of the thread, in all, when it is over */
    uint16_t flags;   /* HDP_STEP_* of the last one */
    bool behind;      /* it stops behind a release */
    bool could_go_on; /* its thread could have, when it ended in the last run */
};

struct outline_choice {
    uint32_t thread, value;
    uint64_t site;
};

struct outline {
    struct stretch *stretch;
    size_t stretches;
    struct outline_choice *choice;
    size_t choices;
};

/* Of the schedule that ended in r; empty where its trace is not whole. */
struct outline outline_of(const struct hdp_region *r);
struct outline outline_copy(const struct outline *o);
void outline_free(struct outline *o);
/* Equal for equal ones. */
uint64_t outline_hash(const struct outline *o);

/* Take out the stretches from `first` on, `count` of them; what then is one is joined. */
void outline_cut(struct outline *o, size_t first, size_t count);
/* Move a stretch to before an earlier one, or one to its own place. */
void outline_move(struct outline *o, size_t from, size_t to);
/* The first stretch from `from` on of this thread; o->stretches: none. */
size_t outline_next(const struct outline *o, size_t from, uint32_t thread);
/* How many choices are not the first of what there was to choose from. */
size_t outline_chosen(const struct outline *o);

/* Into r->replay, and what it needs of r->config. */
void outline_write(const struct outline *o, struct hdp_region *r);
/* Take over where threads could have gone on, of the run of o that ended in r. */
void outline_read(struct outline *o, const struct hdp_region *r);

#endif /* HEDDLE_DRIVER_OUTLINE_H */
