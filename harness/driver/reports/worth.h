/* worth.h - what it means that a campaign found nothing: how much of what its strategies come to was not
 * seen yet, and what pct promises.
 *
 * Neither is a proof. The estimate is of interleavings as likely as the strategies make them, and a bug
 * may need one that they hardly ever come to.
 */
#ifndef HEDDLE_DRIVER_WORTH_H
#define HEDDLE_DRIVER_WORTH_H

#include <jansson.h>
#include <stdio.h>

#include "findings/finding.h"
#include "stats.h"

/* A schedule ran with pct: does its promise hold for it? Then it counts. */
void worth_count_pct(struct stats *s, const struct hdp_config *config,
                     const struct hdp_result *result);
/* The probability that the schedules of pct with this depth come to any one bug of it, at least: an
 * entry of stats.pct. */
double worth_pct(const struct pct_stats *p);

/* Lines of the summary: none if something was found, or there is nothing to say. */
void worth_print(FILE *to, const struct findings *all, const struct stats *s);
/* "unseen" and "pct" of the statistics: null without interleavings, and []. */
json_t *worth_unseen_json(const struct stats *s);
json_t *worth_pct_json(const struct stats *s);

#endif /* HEDDLE_DRIVER_WORTH_H */
