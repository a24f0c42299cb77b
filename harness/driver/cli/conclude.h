/* conclude.h - the end of heddle run: what is printed, written and returned. */
#ifndef HEDDLE_DRIVER_CONCLUDE_H
#define HEDDLE_DRIVER_CONCLUDE_H

#include <stdbool.h>

#include "campaign/campaign_state.h"
#include "reports/formats.h"

struct outcome_options {
    bool json;            /* one document on stdout instead of text */
    const char *name;     /* of the test; NULL: the command */
    const char *suite;    /* folder of the suite that it is one of, or NULL */
    const char *progress; /* file that says how far the campaign came, or NULL */
    struct formats formats;
};

/* A list of kinds of findings, "deadlock,data-race", as a set of bits. NULL, or a sentence (free()
 * it). */
char *kinds_parse(const char *list, uint64_t *kinds);
/* The name of the test; free() it. */
char *outcome_name(const struct outcome_options *o, char *const *argv);
/* A program of a suite that cannot be controlled, for the reason `why`, which is taken over: run it as it is,
 * and report that. Returns the exit code. */
int run_uncontrolled(char *const *argv, const struct outcome_options *o,
                     const struct campaign_options *options, char *why);
/* A finished campaign: report it. Returns the exit code. */
int run_conclude(struct campaign *c, const struct outcome_options *o, bool bold);

#endif /* HEDDLE_DRIVER_CONCLUDE_H */
