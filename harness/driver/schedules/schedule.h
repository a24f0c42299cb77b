/* schedule.h - a schedule as a text file: what was run, and who ran when.
 *
 *     heddle schedule 2
 *     program /home/me/bank
 *     build-id 5f2c...
 *     folder /home/me
 *     argument ./bank
 *     finding deadlock-1 deadlock 8f3a... T1 and T2 wait for each other
 *     strategy pct
 *     seed 7
 *     object M1 1f3a90c2
 *     point bank!transfer+0x44 from 12
 *     steps 41
 *     run T0 4 thread_create T2 bank!main+0x5d
 *     run T1 3 mutex_lock M1 bank!transfer+0x2a
 *     run T1 1 cond_wait C1 bank!take+0x40 timeout
 *     choose T2 1 bank!give+0x31
 *     fault T2 malloc 1 bank!give+0x3a
 *     end 9b1c20d4
 *
 * A "point" line names a memory access that was a scheduling point, "from" a step if not from the
 * beginning, "until" a step if not to the end. A "run" line says that a thread
 * made so many decisions in a row, and what the last one was: event, object, site ("-" = none). A
 * "choose" line is a choice between values. A "fault" line says what failed, and that it was the
 * thread's n-th such call there. Blanks in a value of the header are kept, in other
 * fields they are written %20; lines that start with # and empty lines are skipped. The number
 * behind "end" is a checksum of all before it, without the comments; "end" alone says that the file
 * was edited on purpose. A second number is the stamp of the user who wrote it (stamp.h).
 *
 *   ownership  schedule_free() releases what parse, record and the setters put in
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_SCHEDULE_H
#define HEDDLE_DRIVER_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "symbols/numbering.h"
#include "symbols/symbol.h"
#include "config_words.h"
#include "lasting.h"
#include "stamp.h"
#include "wire/protocol.h"

#define SCHEDULE_FORMAT 2

struct schedule_run {
    uint32_t thread; /* name hash */
    uint32_t count;  /* decisions, >= 1; choices: 1 */
    uint16_t kind;   /* enum hd_event of the last one */
    uint16_t flags;  /* HDP_STEP_* of the last one */
    uint32_t choice;
    uint32_t object; /* id, or 0 */
    uint32_t site;   /* index in sites, or UINT32_MAX */
    uint32_t nth;    /* so many times the thread had done the last one then, itself included */
};

struct schedule_point {
    uint32_t site;  /* index in sites */
    uint32_t from;  /* it became a point when so many steps had been made */
    uint32_t until; /* and ceased to be one; 0: it did not */
};

struct schedule {
    char *program, *build_id, *folder, *input, *heddle, *tool; /* NULL = not given */
    char **argument;
    size_t arguments;
    char *finding, *kind, *text; /* its name, its word, its detail */
    uint64_t fingerprint;
    struct hdp_config config;
    int64_t timeout_ns; /* 0 = not given */
    uint64_t fine_exit[EXIT_CODES];
    struct names threads, objects, sites;
    struct schedule_point *point;
    size_t points;
    struct schedule_run *run;
    size_t runs;
    struct identity identity;
    uint32_t steps; /* decisions of all runs together */
    /* The program is another build than the recorded one: offsets in functions have moved, so that
     * a replay knows decisions by thread, event and object alone. */
    bool other_build;
    uint64_t stamp; /* as the file has it; 0 = none */
};

/* Parse a whole file. Pure: reads nothing but `text`. `file` is for messages. Returns NULL, or a
 * sentence "file:line: ..." that the caller frees; on both, schedule_free(s). */
char *schedule_parse(const char *file, const char *text, size_t bytes, struct schedule *s);
/* Read and parse. At most 64 MiB. *ours: it bears the stamp of `key`. */
char *schedule_read(const char *file, const struct stamp_key *key, struct schedule *s, bool *ours);
/* Write, stamped if `key` is known (NULL: none is); errors are those of the stream. */
void schedule_write(FILE *out, const struct schedule *s, const struct stamp_key *key);
void schedule_free(struct schedule *s);

/* The threads of a region get their names as objects, for joins. */
void schedule_name_threads(const struct hdp_region *r, struct names *objects);
/* Set the runs from a trace of `steps` decisions. `objects` names the objects of the campaign and
 * gets new ones. */
void schedule_record(struct schedule *s, const struct hdp_region *r, struct symbols *symbols,
                     struct names *objects);
/* Prepare a replay: the decisions, then the points, into r->replay, and both counts and the flag
 * into r->config. Sites that the program does not have any more are left open. */
void schedule_expand(const struct schedule *s, struct symbols *symbols, struct hdp_region *r);
/* Is it no decision that a replay follows, but a fault that it has happen? */
static inline bool schedule_run_is_fault(const struct schedule_run *run)
{
    return hdp_step_is_fault(&(struct hdp_step){.flags = run->flags});
}
/* "T1 mutex_lock M1 at bank.c:12": one decision in words; free() it. */
char *schedule_describe(const struct hdp_step *step, const struct names *threads,
                        struct names *objects, struct symbols *symbols);

#endif /* HEDDLE_DRIVER_SCHEDULE_H */
