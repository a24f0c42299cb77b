/* report_text.h - findings and the summary as people read them. */
#ifndef HEDDLE_DRIVER_REPORT_TEXT_H
#define HEDDLE_DRIVER_REPORT_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/finding.h"
#include "headline.h"
#include "stats.h"

/* One finding, whole. `bold`: the terminal understands escape sequences. `final`: the campaign is
 * over and its counts are complete. */
void report_finding(FILE *to, const struct finding *f, bool bold, bool final);
/* Of it, who waits for whom: the cycle drawn, each thread with its stack, what usually helps. */
void report_waits(FILE *to, const struct finding *f);
void report_stack(FILE *to, const struct stack *s, int indent);
/* "reproduced 3 of 3"; free() it. */
char *report_reproduced(const struct finding *f);
#define REPORT_SEEN_ALSO "\n  Seen also as:\n\n"
/* A finding that has the same cause as the one whose report this ends; of f are needed its kind and its replays. */
void report_seen_also(FILE *to, bool first, const char *name, const char *headline,
                      const struct finding *f);
/* All that have the same cause as f; nothing without one. */
void report_same_cause(FILE *to, const struct findings *all, const struct finding *f);
/* All that is to say when a campaign is over, the findings themselves excepted. */
void report_summary(FILE *to, const struct findings *all, const struct stats *s, bool bold);

#endif /* HEDDLE_DRIVER_REPORT_TEXT_H */
