/* headline.h - a finding in one line: whose fault it is. */
#ifndef HEDDLE_DRIVER_HEADLINE_H
#define HEDDLE_DRIVER_HEADLINE_H

#include "findings/finding.h"

/* "deadlock: T1 and T2 wait for each other, for mutex a and mutex b". free() it. */
char *report_headline(const struct finding *f);
/* A cycle of waits as an array of notes; returns its length, 0 = there is none. */
size_t report_cycle(const struct finding *f, const struct note **cycle, size_t room);
/* Who is left to end the wait of a cycle that nobody holds anything of; NULL: it has a holder. */
const struct note *report_partner(const struct finding *f, const struct note *wait);
/* Length of the first word of "T1 (worker)". */
int report_short_name(const char *thread);

#endif /* HEDDLE_DRIVER_HEADLINE_H */
