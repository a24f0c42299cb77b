/* explored.h - what an exhaustive exploration came to, in words: how far it got, and why that is no proof. */
#ifndef HEDDLE_DRIVER_EXPLORED_H
#define HEDDLE_DRIVER_EXPLORED_H

#include <jansson.h>
#include <stdio.h>

#include "stats.h"

/* `bugs`: findings that are no mere doubts. */
void explored_print(FILE *to, const struct stats *s, size_t bugs);
/* "about 3,000": how many schedules there are; free(). NULL: it cannot be told yet. */
char *explored_estimate(const struct stats *s);
/* Why what was found of all schedules is no proof; free(). NULL: it is one. */
char *explored_doubt(const struct stats *s);
/* All of them but that not all was explored, as data. */
json_t *explored_doubts(const struct stats *s);
json_t *explored_json(const struct stats *s);

#endif /* HEDDLE_DRIVER_EXPLORED_H */
