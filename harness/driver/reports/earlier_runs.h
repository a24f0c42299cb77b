/* earlier_runs.h - what became of the findings of earlier runs, in words. */
#ifndef HEDDLE_DRIVER_EARLIER_RUNS_H
#define HEDDLE_DRIVER_EARLIER_RUNS_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

enum earlier_how {
    EARLIER_GONE, /* its schedule, and those tried near it, show nothing */
    EARLIER_REMAINS,
    EARLIER_ANOTHER, /* its schedule shows another finding now */
    EARLIER_UNKNOWN, /* for a reason */
};

struct earlier_runs {
    char *folder; /* NULL: none was looked at */
    struct earlier_entry {
        char *name, *headline; /* headline NULL: not known */
        enum earlier_how how;
        char *now;     /* the finding of this run that it is, or NULL */
        char *why;     /* nothing is known, or NULL */
        uint32_t near; /* schedules near its own that were tried */
    } * entry;
    size_t count;
};

/* Valid until the next is added. */
struct earlier_entry *earlier_add(struct earlier_runs *runs, const char *name,
                                  const char *headline);
void earlier_print(FILE *to, const struct earlier_runs *runs);
/* null: none was looked at. */
json_t *earlier_json(const struct earlier_runs *runs);
void earlier_free(struct earlier_runs *runs);

#endif /* HEDDLE_DRIVER_EARLIER_RUNS_H */
