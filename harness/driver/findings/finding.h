/* finding.h - a finding as the driver holds it: the same struct for every detector and back end.
 *
 * Detectors of the runtime, TSan's text and Valgrind's XML are all turned into struct finding; the
 * printers (report_text.h, report_json.h) decide nothing. Equal places are one finding, seen
 * by one or more tools.
 *
 * What holds for every function below
 *   ownership  a finding owns all that it points to; strings are copied in. finding_free() releases
 *              it. findings_add() takes it over.
 *   errors     memory is the only one, and ends the program with a sentence.
 *   threads    one at a time.
 */
#ifndef HEDDLE_DRIVER_FINDING_H
#define HEDDLE_DRIVER_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heddle/event.h>
#include "symbols/stack.h"
#include "wire/finding_record.h"

/* Who saw it; a set of bits. */
enum tool {
    TOOL_HEDDLE = 1 << 0,
    TOOL_TSAN = 1 << 1,
    TOOL_HELGRIND = 1 << 2,
    TOOL_DRD = 1 << 3,
    TOOL_OTHER = 1 << 4, /* another sanitizer in the program: ASan, UBSan */
};

/* One side of a finding: who, what, where. */
struct note {
    enum hd_role role;
    enum hd_event kind;
    char *thread;               /* "T1.2", "main"; NULL = none */
    char *object;               /* "mutex M1 (accounts[3])"; NULL = none */
    enum hd_object object_kind; /* NONE: not known */
    size_t name_at;             /* where in object its name begins, as in "variable count" */
    uint32_t thread_id;         /* equal ids: the same thread; 0 = none */
    uint32_t object_id;         /* equal ids: the same object; 0 = none */
    char *text;                 /* more of this side, one line: "write of 4 bytes"; NULL = none */
    char *history;              /* waits: what the schedule did to its object, one line; or NULL */
    struct stack stack;         /* may be empty */
    uint32_t link;              /* index of the note that this one belongs to, or its own */
    uint64_t variable;          /* accesses: equal numbers: the same variable; 0 = unknown */
    uint64_t addr;              /* accesses: the memory address; 0 = none */
    uint32_t extra;             /* accesses: HD_ACCESS_* */
    uint32_t step;              /* accesses: decisions made before it; 0 = unknown */
    bool with_lock;             /* accesses: it is known that the thread held one */
    bool in_vain; /* who could have woken, or would: nobody waited when he signalled */
};

/* Why not every replay of a schedule shows its finding, as running it anew from its seed tells. */
enum why_not {
    WHY_NOT_KNOWN,
    WHY_OUTSIDE, /* that went another way, too, or came to something else */
    WHY_REPLAY,  /* that shows it each time: what differs is that it is replayed */
};

/* One row of the interleaving: what a thread did, in the order of the schedule. */
struct moment {
    uint32_t step; /* decision number, from 1; 0 = where it stands still at the end */
    char *thread;
    char *what;  /* "locking M1" */
    char *place; /* "transfer() bank.c:12"; NULL = unknown */
};

struct finding {
    enum hd_finding_kind kind;
    char *text; /* one line of detail: assertion text, panic message, signal; never NULL */
    struct note *note;
    size_t notes;
    size_t causes; /* so many of them are the cause, the others follow from it; 0: not told apart */
    struct moment *moment; /* may be empty */
    size_t moments;
    uint64_t fingerprint; /* 0 until finding_fingerprint(), as is */
    uint64_t place;       /* where its sides are in the sources of now */
    unsigned tools;       /* enum tool bits */
    uint64_t first;       /* number of the first schedule that showed it, from 1; 0 = none */
    uint64_t count;       /* schedules that showed it */
    uint64_t last;        /* the last one that was counted */
    bool earlier;         /* the schedule of an earlier campaign showed it first */
    unsigned replays;     /* how often it was replayed, ... */
    unsigned reproduced;  /* ... and how often that gave the same finding */
    enum why_not why_not; /* if those are not all */
    bool text_is_all;     /* of a standstill: text says who waits for whom */
    bool fatal;           /* the schedule ended with it */
    bool only_sleeps;     /* as of struct hdp_finding */
    bool weak;            /* a memory model chose what interleaving alone cannot show */
    char *fault;          /* those that --faults had happen before, in a sentence; or NULL */
    uint64_t faultless;   /* schedules that showed it without any */
    size_t charged_at;    /* leaks: where in text it says whose test it was; 0 = no test's */
    char *doubtful;       /* why it may be wrong (a known weakness of the tool), or NULL */
    char *raw;            /* the tool's own text, where it could not be broken up, or NULL */
    bool known;           /* it stands in the baseline */
    bool fails;           /* the run, once all is over */
    bool unstamped;       /* no key could be kept: heddle replay takes the file for a stranger's */
    char *schedule_file;  /* path, or NULL */
    char *schedule_text;  /* what could not be written there, or NULL */
    char *report_file;    /* path of the text report, or NULL */
    struct {              /* another one that shows it, as plain as could be found (shrink.c) */
        char *file;       /* path; NULL: there is none, or it could not be written */
        unsigned tries;   /* to find it; 0: none was made */
        uint32_t preemptions, preemptions_found; /* of it, and of the one above; the same: */
        uint32_t steps, steps_found;             /* that one is plain already */
    } shrunk;
    char *output_file; /* what the program printed in that schedule, or NULL */
    char *error_file;  /* its stderr, or NULL */
    char *story;       /* its schedule, event by event, until it is written */
    size_t story_bytes;
    char *story_file; /* path of it, or NULL */
    char *strategy;   /* what found it: "pct depth 3, seed 7", or NULL */
    char *same_as;    /* name of the finding that this prediction turned out to be, or NULL */
    char *same_cause; /* name of the finding whose mistake makes this one, too, or NULL */
    char *name;       /* "deadlock-1": unique in a campaign; set by findings_add() */
};

/* The word of a kind ("data-race"), its title, and what usually fixes it (one paragraph). */
const char *finding_word(enum hd_finding_kind kind);
const char *finding_title(enum hd_finding_kind kind);
const char *finding_advice(const struct finding *f);
/* The kind of a word; HD_FK_COUNT when there is none. */
enum hd_finding_kind finding_kind(const char *word);
/* "heddle", "tsan, helgrind": in a buffer of the caller. */
const char *finding_tools(unsigned tools, char *buffer, size_t bytes);

/* A finding without notes, seen by `tool`. text may be NULL. */
struct finding *finding_new(enum hd_finding_kind kind, enum tool tool, const char *text);
void finding_free(struct finding *f);

/* Append an empty note. The pointer is valid until the next call. */
struct note *finding_note(struct finding *f, enum hd_role role);
/* Append a row of the interleaving; place may be NULL. */
void finding_moment(struct finding *f, uint32_t step, const char *thread, const char *what,
                    const char *place);
/* Drop all rows of the interleaving. */
void finding_forget_moments(struct finding *f);

/* Does a note of this role make the finding what it is? The others explain it, and may differ from
 * one schedule to the next. */
bool finding_decides(enum hd_finding_kind kind, enum hd_role role);
/* What did not happen, but could in another order. */
bool finding_is_prediction(enum hd_finding_kind kind);
/* Something that is still there: a thread or an object. */
bool finding_is_leak(enum hd_finding_kind kind);

/* Compute and store both: the place tells findings of one campaign apart, line by line; the
 * fingerprint is what lasts through edits, compilers and seeds (kind, functions, variables and what
 * is told of them, but no lines, addresses or generated names). Returns the fingerprint. */
uint64_t finding_fingerprint(struct finding *f);
/* Is it that of a finding such as f? Where several have one, those after the first differ. */
bool finding_is_print(const struct finding *f, uint64_t fingerprint);

/* All findings of a campaign, in the order in which they were found. */
struct findings {
    struct finding **list;
    size_t count;
    unsigned named[HD_FK_COUNT];
};

/* Are two races about one variable, whichever part of it? Unknown where one has no name. */
enum variables { VARIABLES_UNKNOWN, VARIABLES_SAME, VARIABLES_DIFFER };
enum variables finding_variables(const struct finding *f, const struct finding *g);

/* Take f over. If its place is known already, merge (counts, tools; a side that had no stack
 * gets one), release f and return the one that was there; else return f. *is_new tells. */
struct finding *findings_add(struct findings *all, struct finding *f, bool *is_new);
/* Once all are there: those that one mistake makes belong to the first of them (same_cause); cause.c. */
void findings_group(struct findings *all);
/* How many bugs they are: a prediction that came true is one with what it predicted, and races that
 * were grouped are one. */
size_t findings_bugs(const struct findings *all);
void findings_free(struct findings *all);

#endif /* HEDDLE_DRIVER_FINDING_H */
