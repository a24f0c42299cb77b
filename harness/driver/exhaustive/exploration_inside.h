/* exploration_inside.h - what exploration.c and races.c share. */
#ifndef HEDDLE_DRIVER_EXPLORATION_INSIDE_H
#define HEDDLE_DRIVER_EXPLORATION_INSIDE_H

#include "exploration.h"
#include "util/distinct.h"

/* What a step touched. */
struct footprint {
    struct hdp_touch *touch;
    uint32_t count;
};

struct sleeper {
    uint32_t thread;
    struct footprint would; /* what its step touched when it was explored */
};

enum branch {
    BRANCH_NONE, /* nobody needs it */
    BRANCH_OPEN,
    BRANCH_TAKEN, /* explored, or being explored */
};

/* A decision on the path to the schedule that runs. */
struct node {
    bool is_choice;
    uint32_t choice, options; /* of a choice */
    uint32_t thread;          /* who goes on; else: */
    uint32_t *runnable;       /* who could, and what becomes of that */
    uint8_t *branch;          /* enum branch */
    uint32_t runnables;
    uint32_t preemptions;  /* up to its own */
    struct footprint step; /* in this schedule, and ... */
    struct footprint seen; /* ... in all that took this branch */
    struct sleeper *sleeper;
    uint32_t sleepers;
};

/* A part of the tree that one worker explores. */
struct search {
    struct node *path;
    uint32_t depth, room;
    uint32_t
        root; /* the first decision whose branches are its own; of those before all others are others' */
    bool over;      /* nothing is left of it */
    bool running;   /* its next schedule is */
    uint32_t tries; /* of the next schedule that came to nothing */
    double weight;  /* what part of the whole tree it is, as far as can be told */
};

struct exploration {
    struct exploration_options options;
    struct search *search; /* of each worker */
    unsigned workers;
    struct exploration_counts counts;
    struct distinct traces,
        failed; /* of schedules that came to their end, and of those that did not */
};

void footprint_clear(struct footprint *f);
void footprint_add(struct footprint *f, const struct hdp_touch *touch, uint32_t count);

void node_clear(struct node *n);
void node_sleep(struct node *n, uint32_t thread, const struct footprint *would);
bool node_sleeps(const struct node *n, uint32_t thread);
/* What its step touched when it was explored; NULL: it does not sleep. */
const struct footprint *node_would(const struct node *n, uint32_t thread);
/* Does it go on with that thread, or will it? */
bool node_takes(const struct node *n, uint32_t thread);
/* False: the thread could not go on there. */
bool node_add(struct node *n, uint32_t thread);
void node_add_all(struct node *n);
/* Is it to go on in yet another way? */
bool node_has_more(const struct node *n);
/* Without what its step touched. */
struct node node_copy(const struct node *n);

/* Find what of the schedule that just ended could have happened the other way round, and have it explored.
 * Steps before node `from` were looked at with earlier schedules. A number, the same for all schedules that
 * differ in the order of independent steps alone. */
uint64_t races_look(const struct exploration *e, struct search *s, const struct hdp_explore *x,
                    uint32_t from);

/* Leave a part of what is to be done to another search, which is over. False: there is none to be left. */
bool search_share(const struct exploration *e, struct search *s, struct search *other);
void search_forget(struct search *s);
/* What part of it is done, as far as can be told. */
double search_done(const struct search *s);

#endif /* HEDDLE_DRIVER_EXPLORATION_INSIDE_H */
