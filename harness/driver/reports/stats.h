/* stats.h - what a campaign counted: for the live line, the summary and the JSON document. */
#ifndef HEDDLE_DRIVER_STATS_H
#define HEDDLE_DRIVER_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "exhaustive/exploration.h"
#include "coverage_document.h"
#include "earlier_runs.h"
#include "symbols/numbering.h"
#include "util/distinct.h"
#include "util/unseen.h"
#include "wire/protocol.h"

#define PCT_DEPTHS 4u

struct stats {
    uint64_t planned;   /* schedules asked for; 0 = until time is up */
    uint64_t schedules; /* done, replays not counted */
    uint64_t replays;
    struct {
        uint64_t races;   /* pairs of places that a schedule predicted, */
        uint64_t shown;   /* of those, how many were brought about, */
        uint64_t at_once; /* and how many by the first try */
        uint64_t guesses, guesses_shown;
        uint64_t tries; /* schedules run for that, and for predicted deadlocks */
        uint64_t cut;   /* searches that did not look at the whole of a schedule */
    } predicted;
    struct distinct interleavings;
    struct unseen unseen;        /* of the interleavings */
    uint64_t numbered;           /* schedules of campaigns before this one: numbers begin again */
    struct coverage *coverage;   /* NULL: not known */
    struct earlier_runs earlier; /* findings of earlier runs, tried again */
    struct {
        uint64_t predictions, shown, tries;
    } reopened;     /* predictions that an earlier campaign left open, steered at again */
    bool saturated; /* ended because hardly any more was unseen */
    struct pct_stats {
        uint64_t schedules; /* of pct that its promise holds for; 0: none with this depth */
        uint32_t depth, threads, steps;
    } pct[PCT_DEPTHS];
    int64_t started_ns, ended_ns; /* real time */
    uint64_t steps;               /* of all schedules together */
    uint32_t steps_max, threads_max;
    int64_t virtual_ns;       /* virtual time of all schedules together */
    uint64_t cut;             /* ended by the step bound */
    uint64_t timed_out;       /* killed after --timeout */
    uint64_t slow;            /* of those, how many still made decisions: not judged */
    uint64_t output_cut;      /* printed more than OUTPUT_BOUND */
    uint64_t control_lost;    /* times the watchdog stepped in */
    uint64_t external;        /* system calls that left control */
    uint64_t server_deaths;   /* the fork server was killed */
    uint64_t starts_failed;   /* starts that got to no thread, although others did */
    uint64_t not_understood;  /* reports of another tool that are shown as they were */
    uint64_t reports_dropped; /* too many in one log */
    uint64_t findings_dropped[HD_FK_COUNT]; /* did not fit into their schedule's table, by kind */
    uint64_t orders_forgotten;              /* of locks, and searches given up, for want of room */
    struct names lost_places;               /* where control was lost */
    struct names unmodelled;                /* calls that passed through without a model */
    struct names shared; /* what all schedules share although each ought to have its own */
    uint64_t endless;    /* stopped while its threads only slept and went on */
    uint64_t judged;     /* came to an end, and be it a finding; set when all is over */
    bool no_threads;     /* what ran created none: there was nothing to judge */
    bool hardly_judged;  /* they are less than a tenth */
    struct strategy_stats {
        const char *name; /* NULL: it was not used */
        uint64_t schedules, cut, slow;
        uint64_t found; /* findings that it was the first to show */
    } strategy[HDP_STRATEGIES];
    struct {
        uint64_t findings, tries; /* whose schedules were to be made plainer, and by how many */
        int64_t took_ns;
        bool time_up; /* before they were all made: how many there were is chance */
    } shrink;
    struct in_place_stats {
        bool wanted, off;    /* off: none since, or none at all */
        bool by_itself;      /* nobody asked for it: told of when it ran */
        char *why_not;       /* what the first that was not run in place does, or why none is */
        uint64_t schedules;  /* that passed there */
        uint64_t cannot;     /* left there, and run in a process of its own */
        uint64_t news, died; /* did not pass, and was run there, too */
        uint64_t compared;   /* run in both engines */
        uint64_t unconfirmed, first_unconfirmed; /* failed there alone; the first one's number */
        uint64_t batches, scans, rerun, calls;
        uint32_t pages; /* put back after each schedule, at most */
        uint64_t image_bytes;
        int64_t took_ns, run_ns, restore_ns, scan_ns;
    } in_place;
    struct explored_stats {
        bool wanted, plain, bounded;
        bool stops;           /* at the first that fails */
        uint32_t preemptions; /* at most, if bounded */
        uint32_t steps;       /* at most; 0: to the end */
        uint64_t failures;    /* found by what was interrupted */
        json_t *doubts;       /* that had come by then, or NULL */
        uint32_t points;      /* enum hdp_points */
        bool raced;           /* memory accesses did, and that was no finding */
        bool words_lost;      /* more of them than can be learned: some are no points */
        bool in_test;         /* hd_explore() was asked, which has options of its own */
        struct exploration_counts counts;
    } explored;
    struct fault_stats {
        uint32_t wanted;                  /* a bit of enum hdp_fault_kind each; 0: not asked for */
        uint64_t schedules;               /* in which some happened */
        uint64_t missed;                  /* of those in which some were to: none did */
        uint64_t points[HDP_FAULT_KINDS]; /* where something could have failed, */
        uint64_t tried[HDP_FAULT_KINDS];  /* and how many of them did, once at least */
        uint64_t forgotten;               /* points that there was no room for */
    } faults;
    bool interrupted;
    bool time_up, by_time; /* by_time: nobody said for how many schedules or how long */
    uint64_t seed;
    bool not_saved; /* a file could not be written */
    bool elastic;   /* sleeps may end early, or are real */
    bool races_wanted,
        accesses_watched; /* nothing that was loaded was built with heddle-cc: not watched */
    /* the user's files that were loaded, once accesses are watched: built with heddle-cc, and without */
    struct names hooked, unhooked;
    bool aslr_on; /* addresses could not be pinned */
};

#endif /* HEDDLE_DRIVER_STATS_H */
