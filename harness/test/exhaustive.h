/* exhaustive.h - every schedule of a function: which one is next, and what all of them came to. */
#ifndef HEDDLE_TEST_EXHAUSTIVE_H
#define HEDDLE_TEST_EXHAUSTIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/protocol.h"

struct exhaustive;

struct exhaustive *exhaustive_new(void);
void exhaustive_free(struct exhaustive *x);
bool exhaustive_is_over(const struct exhaustive *x);
/* Are there more than that, as far as can be told by now? */
bool exhaustive_is_beyond(const struct exhaustive *x, uint64_t schedules);
/* Give the next schedule its orders. */
void exhaustive_order(const struct exhaustive *x, struct hdp_region *r);
/* That schedule is over. False: it says nothing new. */
bool exhaustive_take(struct exhaustive *x, const struct hdp_region *r);

/* A data race is for `heddle run` to report: it is taken out of what the schedule found. But nothing is proved then, as a
 * compiler may have moved or merged what races. */
void exhaustive_forgive_races(struct exhaustive *x, struct hdp_region *r);

/* A schedule that was run, to be run again. */
struct exhaustive_path;
struct exhaustive_path *exhaustive_path_of(const struct hdp_region *r);
void exhaustive_follow(const struct exhaustive_path *p, struct hdp_region *r);
void exhaustive_path_free(struct exhaustive_path *p);

/* Were all explored, and was nothing out of control? That memory was not watched is said, and nothing else. */
bool exhaustive_covers_all(const struct exhaustive *x);
/* In words, behind what text has. */
void exhaustive_print(const struct exhaustive *x, bool fails, char *text, size_t bytes);

#endif /* HEDDLE_TEST_EXHAUSTIVE_H */
