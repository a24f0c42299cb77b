/* suppress.h - findings that the user does not want to hear of.
 *
 * One line each, `#` begins a comment:
 *     kind:pattern            data-race:counter_bump     lock-order:^vendor/   *:libfoo.so
 * kind is a finding's word, or * for all. The pattern is looked for in every function, file, object
 * and module that the sides of a finding name; fun:, src:, var: and obj: before it restrict it to
 * one of them. In a pattern * stands for anything, ? for one character, ^ and $ for begin and end.
 * ThreadSanitizer's lines (race:, deadlock:, thread:, mutex:) are the same format in other words
 * (deadlock: is lock-order, too); Valgrind's blocks in braces are read for Helgrind and DRD. What
 * means nothing here (signal:, Memcheck:...) is passed over and counted.
 *
 *   ownership  results are the caller's to free
 *   threads    one at a time
 * source: ThreadSanitizerSuppressions wiki page; Valgrind manual, 2.5 "Suppressing errors".
 */
#ifndef HEDDLE_DRIVER_SUPPRESS_H
#define HEDDLE_DRIVER_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "finding.h"

struct suppressions;

struct suppressions *suppress_new(void);
void suppress_free(struct suppressions *s);

/* Add those of a file, or of `bytes` of text that came from `name`. NULL, or a sentence without
 * full stop that begins with file, line and column; what stood before that place is kept. */
char *suppress_read(struct suppressions *s, const char *path);
char *suppress_parse(struct suppressions *s, const char *name, const char *text, size_t bytes);

/* Is f one of them? The suppression that says so counts as used. */
bool suppress_matches(struct suppressions *s, const struct finding *f);

/* The line that suppresses f and what its thread leaves in the same way; NULL: no place is
 * known. */
char *suppress_line(const struct finding *f);

/* Say which were never used, one line each. Returns how many. */
size_t suppress_unused(const struct suppressions *s, FILE *to);
/* How many there are, and how many lines meant nothing here. */
size_t suppress_count(const struct suppressions *s);
size_t suppress_passed_over(const struct suppressions *s);

#endif /* HEDDLE_DRIVER_SUPPRESS_H */
