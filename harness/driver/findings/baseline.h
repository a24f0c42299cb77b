/* baseline.h - findings that are known: they fail no run, new ones do, and those that are gone are
 * named.
 *
 * A line each, tabs between fingerprint, kind, test and headline; # begins a comment. A finding is
 * known by its fingerprint; the rest of the line is for people, and to say what is gone.
 *
 *   ownership  results are the caller's to free
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_BASELINE_H
#define HEDDLE_DRIVER_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct baseline;

/* NULL: it cannot be read, *why says it, with file and line. */
struct baseline *baseline_read(const char *path, char **why);
void baseline_free(struct baseline *b);
/* Is the finding known? Then it counts as met. */
bool baseline_knows(struct baseline *b, uint64_t fingerprint);
/* Name those of `test` that were not met, a line each. Returns how many. */
size_t baseline_gone(const struct baseline *b, const char *test, FILE *to);

/* The lines of a new one. */
void baseline_write_head(FILE *to);
void baseline_write(FILE *to, const char *fingerprint, const char *kind, const char *test,
                    const char *headline);

#endif /* HEDDLE_DRIVER_BASELINE_H */
