/* batch.h - many schedules run in one process, one after another (harness/rt/in_place).
 *
 * Plain data in the memory that driver and program share. The driver writes what is ordered and sets
 * `count`; the process runs them in this order and tells of each that passed: ended by itself, with
 * exit code 0 and nothing found. It stops at the first that did not, of which it says no more than
 * that: the driver runs that one in a process of its own.
 */
#ifndef HEDDLE_BATCH_H
#define HEDDLE_BATCH_H

#include <stdint.h>

#define HDP_BATCH 16384u
#define HDP_BATCH_STEPS (1u << 20)
#define HDP_BATCH_PAGES 16384u

/* Why a batch ended before its last schedule. */
enum hdp_batch_end {
    HDP_BATCH_DIED,     /* the process did not say: it crashed, or was killed in schedule `at` */
    HDP_BATCH_RAN,      /* all were run, or the time of a batch was up */
    HDP_BATCH_NEWS,     /* schedule `done` did not pass */
    HDP_BATCH_CANNOT,   /* schedule `done` does what cannot be undone: `what` */
    HDP_BATCH_REFUSED,  /* no schedule of this program can run here: `what` */
    HDP_BATCH_UNHEALED, /* check: memory was not as before after schedule `at`: `what` */
};

/* What is the schedule's own of struct hdp_config. */
struct hdp_ordered {
    uint64_t seed;
    uint32_t flags, strategy, depth, work_steps;
};

/* What became of it. Its decisions are those of trace[] behind the ones of the schedules before. */
struct hdp_ran {
    struct hdp_result result;
    uint64_t output[2]; /* hashes of what it wrote to stdout and stderr */
};

struct hdp_batch {
    uint32_t count;   /* schedules ordered; 0: an ordinary schedule is to be run */
    uint32_t threads; /* that a schedule makes, as far as is known */
    uint32_t check;   /* compare all memory after each schedule */
    int64_t time_ns;  /* start none after so much real time */
    uint32_t at;      /* the one that runs now */
    uint32_t done;    /* those before passed */
    uint32_t end;     /* enum hdp_batch_end */
    char what[80];
    uint32_t scans, rerun; /* looks for pages written, and schedules run again after one */
    /* That are put back after each schedule; the next batch with as many threads begins with them. */
    uint32_t pages, pages_threads;
    uint64_t page[HDP_BATCH_PAGES];
    uint64_t calls;       /* system calls that were caught */
    uint64_t image_bytes; /* of memory before the first */
    /* Of the processor's counter: in all, in the program, putting back, looking. */
    uint64_t cycles, run_cycles, restore_cycles, scan_cycles;
    int64_t took_ns; /* real time of these cycles */
    struct hdp_ordered ordered[HDP_BATCH];
    struct hdp_ran ran[HDP_BATCH];
    struct hdp_step trace[HDP_BATCH_STEPS];
};

#endif /* HEDDLE_BATCH_H */
