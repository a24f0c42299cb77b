/* exploration.h - which schedule an exhaustive exploration runs next.
 *
 * Depth first along the tree of decisions, with dynamic partial-order reduction: source sets (Abdulla, Aronis,
 * Jonsson, Sagonas: "Source sets: a foundation for optimal dynamic partial order reduction", J. ACM 2017) and
 * sleep sets (Godefroid 1996). docs/internals/exhaustive.md.
 */
#ifndef HEDDLE_DRIVER_EXPLORATION_H
#define HEDDLE_DRIVER_EXPLORATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/protocol.h"

struct exploration_options {
    bool plain;   /* without reduction: every order of all steps, and ... */
    bool inner;   /* ... if so, of those that begin and end threads only where others see it */
    bool bounded; /* plain, and of those the ones with ... */
    uint32_t preemptions; /* ... at most so many */
    uint32_t steps;       /* that a schedule is followed, of a plain search; 0: to its end */
};

struct exploration;

/* `workers` run schedules side by side. */
struct exploration *exploration_new(const struct exploration_options *o, unsigned workers);
void exploration_free(struct exploration *e);
/* Is all explored? */
bool exploration_is_over(const struct exploration *e);
/* Is there something for that worker to run now? What others have before them is shared. */
bool exploration_has_work(struct exploration *e, unsigned worker);
/* Give its next schedule its orders. */
void exploration_order(struct exploration *e, unsigned worker, struct hdp_region *r);
/* That schedule came to nothing. */
void exploration_drop(struct exploration *e, unsigned worker);
/* That schedule is over. False: it says nothing new: it was redundant, or is run again. */
bool exploration_take(struct exploration *e, unsigned worker, const struct hdp_region *r);
/* All of it as data, for a later process; schedules that run now are run again by that. And back, into what is new:
 * false: it is none. */
json_t *exploration_json(const struct exploration *e);
bool exploration_read(struct exploration *e, const json_t *from);
/* Begin anew, while none runs: the program has more points than was known. */
void exploration_restart(struct exploration *e);

struct exploration_counts {
    uint64_t schedules, redundant, restarts;
    uint64_t traces;       /* schedules that differ in more than the order of independent steps */
    uint64_t cut_short;    /* of those that failed while others could go on, so many differ */
    uint64_t repeated;     /* schedules that differ from one before in nothing else */
    double estimate;       /* of all schedules, as far as can be told now */
    bool over;             /* nothing is left */
    bool left_out;         /* a bound left something out */
    uint32_t uncontrolled; /* enum hdp_uncontrolled */
    bool astray, full, died;
};
struct exploration_counts exploration_counts(const struct exploration *e);

#endif /* HEDDLE_DRIVER_EXPLORATION_H */
