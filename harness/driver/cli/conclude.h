/* conclude.h - the end of heddle run: what is printed, written and returned. */
#ifndef HEDDLE_DRIVER_CONCLUDE_H
#define HEDDLE_DRIVER_CONCLUDE_H

#include <stdbool.h>

#include "campaign/campaign_state.h"
#include "reports/formats.h"

struct outcome_options {
    bool json;        /* one document on stdout instead of text */
    const char *name; /* of the test; NULL: the command */
    struct formats formats;
};

/* A list of kinds of findings, "deadlock,data-race", as a set of bits. NULL, or a sentence (free()
 * it). */
char *kinds_parse(const char *list, uint64_t *kinds);
/* A finished campaign: report it. Returns the exit code. */
int run_conclude(struct campaign *c, const struct outcome_options *o, bool bold);

#endif /* HEDDLE_DRIVER_CONCLUDE_H */
