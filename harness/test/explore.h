/* explore.h - what hd_explore() and hd_linear() share: schedules of a function, one after the other, in
 * children. */
#ifndef HEDDLE_TEST_EXPLORE_H
#define HEDDLE_TEST_EXPLORE_H

#include <stdbool.h>

#include <heddle/test.h>

#include "wire/finding_record.h"

/* How a schedule failed. */
struct explore_failure {
    uint32_t kind;       /* of its first finding; UINT32_MAX: there is none, it ended wrongly */
    int status;          /* and so; else 0 */
    uint64_t site;       /* of a crash, a panic, an assertion; else 0 */
    char text[HDP_TEXT]; /* of those; else "" */
};

struct explore {
    void (*attach)(const struct hd_seam *seam); /* hd_seam_attach of the library that fn uses */
    void (*fn)(void *arg);
    void *arg;
    struct hd_explore_options options; /* without zeros: explore_settle() */
    const char *again;                 /* what runs a schedule again, up to its number */
    bool
        all_accesses; /* each access that is watched is a point, not only those that threads share */
    bool
        while_small; /* exhaustive: given up once there are more schedules than options.schedules */
    bool only_kind;  /* of a failure; no report of it is written */
    bool fewest;     /* report, of the schedules that fail, the one with the fewest preemptions */
    /* Does a schedule that has just failed so count? NULL: each does. */
    bool (*counts)(void *arg, const struct explore_failure *how);
    bool *again_so; /* NULL, or set: what is reported came again when it was run once more */
};

/* Zeros become what they stand for; HEDDLE_SCHEDULES. False: text says what cannot be. */
bool explore_settle(struct hd_explore_options *options, char *text, size_t bytes);
/* Was the number of schedules taken from there? */
bool explore_schedules_asked(void);
/* Does `heddle run` explore this program already? */
bool explored_from_outside(void);
/* Schedules first to last, as hd_explore(). */
int explore(const struct explore *e, uint64_t first, uint64_t last, struct hd_explore_result *r);
/* In this process, which ends with it. */
void explore_in_place(const struct explore *e, uint64_t number) __attribute__((noreturn));

#endif /* HEDDLE_TEST_EXPLORE_H */
