/* replaying.h - a schedule file and the program that it is replayed with.
 *
 *   ownership  replaying_close() releases what replaying_open() took, also when that failed
 */
#ifndef HEDDLE_DRIVER_REPLAYING_H
#define HEDDLE_DRIVER_REPLAYING_H

#include <argp.h>

#include "campaign/campaign_state.h"
#include "campaign/toolbox.h"
#include "program/target.h"
#include "schedules/schedule.h"
#include "tools/tool.h"

/* All borrowed, but for the last two. */
struct replay_options {
    const char *file;
    char *const *command; /* program and arguments instead of the recorded ones; NULL: those */
    const char *program;  /* instead of the recorded one, with the recorded arguments; or NULL */
    int64_t timeout_ns;   /* 0: as recorded */
    bool trust;           /* the file may name a program, and a standard input */
    bool quiet;           /* no notes on stderr */
    uint64_t fine_exit[EXIT_CODES];    /* besides the recorded ones */
    const char *oracle;                /* shell command that judges the output; NULL: none */
    struct suppressions *suppressions; /* or NULL; owned: replay_options_free() */
    char *found;                       /* of program: its path, wherever we go; likewise */
};
/* The options that replay and verify-fix share; its input is a struct replay_options. */
extern const struct argp replay_argp;
void replay_options_free(struct replay_options *o);

struct replaying {
    const struct replay_options *options;
    char *file; /* path, wherever the program runs */
    struct schedule schedule;
    bool ours;    /* this user wrote the file on this machine */
    bool is_file; /* it could be read */
    bool is_open; /* the campaign is */
    bool changed; /* the program is not the one that the schedule was recorded with */
    int here;     /* the folder that we were in; -1: that is where we are */
    int input;
    char **argv;
    char *runtime;
    struct target target;
    struct toolbox box;
    struct tool_run tool;
    struct campaign c;
    struct worker *w;          /* NULL: the program does not come to its first thread */
    enum hd_finding_kind kind; /* the recorded one; HD_FK_COUNT: none is known */
    char *printed; /* what the program printed then, where that is the finding, or NULL */
    size_t printed_bytes;
    char *blind; /* why no replay can tell whether the finding is gone; NULL: one can */
};

/* Read the file and start the program. NULL, or why not: a sentence that the caller frees, *code with
 * it. What the program did that has no thread is among the campaign's findings. */
char *replaying_open(struct replaying *r, const struct replay_options *o, int *code);
void replaying_close(struct replaying *r);

/* What one replay showed. */
struct replayed {
    struct finding *finding; /* the recorded one, or another; NULL = none */
    bool same;               /* it is the recorded one */
    bool ran, is_edited;
    char *divergence;    /* a sentence, or NULL */
    const char *unknown; /* why nothing is known although nothing is wrong, or NULL */
    uint64_t decisions;
    bool ahead; /* a child process was late: decisions in another order than recorded */
    uint32_t attempt, followed, left_out; /* of another build's schedule */
    uint32_t suppressed;                  /* what it showed that nobody wants to hear of */
    uint32_t around;                      /* schedules tried near it that did not show it */
};

void replayed_free(struct replayed *o);
/* Do symptoms of this kind decide? Predictions are of other schedules: only the recorded one does. */
bool replaying_decides(const struct replaying *r, enum hd_finding_kind kind);
/* Did the program print what makes the recorded finding? */
bool replaying_printed(const struct replaying *r);
/* Why the schedule that the worker ran says nothing of what was still to come; NULL: it ended. */
const char *replaying_cut(const struct replaying *r);
/* Into the worker's region, to be run; of another build's, one attempt to follow it. */
void replaying_prepare(struct replaying *r, uint32_t attempt);
struct replayed replaying_once(struct replaying *r, uint32_t attempt);
/* The first attempt to follow another build's schedule that shows its finding; else the first that
 * shows any, else attempt 0. `around` of them are near it; *tried: how many of these were made. */
uint32_t replaying_way(struct replaying *r, uint64_t around, uint32_t *tried);
/* Nothing of what the schedule names is in the program, or it went another way. */
bool replayed_is_stale(const struct replayed *o);

#endif /* HEDDLE_DRIVER_REPLAYING_H */
