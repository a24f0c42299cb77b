/* watch_report.h - what the library of `heddle watch` writes, put into words.
 *
 * The lines come through a socket while the program runs. {c...} is a code address and {o...} one of
 * data; lines that begin with \1 are the program's memory map, \2 a row of the lock-order graph,
 * and \3 ends a report. A report of a finding is held until it is whole, and dropped if a
 * suppression names it; a dump passes through line by line.
 *
 *   threads  one at a time
 */
#ifndef HEDDLE_DRIVER_WATCH_REPORT_H
#define HEDDLE_DRIVER_WATCH_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "findings/suppress.h"

struct watch_report;

/* Frames in `library` are never shown. `log` gets what stderr gets, NULL: nothing does. All
 * borrowed; suppressions may be NULL. `graph`: keep the lock-order graph. */
struct watch_report *watch_report_new(const char *library, FILE *log,
                                      struct suppressions *suppressions, bool graph);
/* One line without its newline. */
void watch_report_line(struct watch_report *r, const char *line);
/* Keep the text of the next dump, and give it once it is whole: NULL until then; free() it. */
void watch_report_copy(struct watch_report *r);
char *watch_report_copied(struct watch_report *r);
/* No line will follow: what is not whole is shown as far as it came. Returns how many findings were
 * shown; *suppressed how many were not. */
uint64_t watch_report_end(struct watch_report *r, uint64_t *suppressed);
/* After the end: the lock-order graph into a file, with complaints. False: it was not written. */
bool watch_report_save_graph(struct watch_report *r, const char *path, const char *program,
                             char **argv);
void watch_report_free(struct watch_report *r);

#endif /* HEDDLE_DRIVER_WATCH_REPORT_H */
