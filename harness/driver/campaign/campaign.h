/* campaign.h - many schedules of one program: planned, run, judged, confirmed, saved. */
#ifndef HEDDLE_DRIVER_CAMPAIGN_H
#define HEDDLE_DRIVER_CAMPAIGN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/false_alarms.h"
#include "findings/collect.h"
#include "findings/finding.h"
#include "feedback.h"
#include "progress.h"
#include "reports/campaign_lockgraph.h"
#include "symbols/numbering.h"
#include "outdir.h"
#include "plan.h"
#include "schedules/schedule.h"
#include "stats.h"
#include "symbols/symbol.h"
#include "target.h"
#include "tools/tool.h"
#include "worker.h"

/* What the user asked for; all borrowed. */
struct campaign_options {
    struct suppressions *suppressions; /* findings nobody wants, or NULL */
    const struct target *target;
    struct launch launch;
    char *const *argv;    /* of the program; launch.argv may be those of a tool around it */
    bool native, perturb; /* leave the schedule to the operating system; push threads around */
    bool timeout_given;
    struct tool_run *tool; /* another tool in the program's process, or NULL */
    unsigned jobs;
    uint64_t schedules; /* 0 = until time_ns is up */
    int64_t time_ns;    /* 0 = no limit */
    int64_t timeout_ns; /* of one schedule, real time */
    bool stop_at_first, check_output, check_determinism, quiet;
    unsigned replays;       /* of each new finding */
    unsigned steers;        /* tries to bring a predicted deadlock about */
    bool predict;           /* predict races, and bring them about */
    const char *oracle;     /* shell command, or NULL */
    const char *out;        /* folder */
    const char *lock_graph; /* file for the lock-order graph, or NULL */
    struct plan plan;
    struct hdp_config config; /* flags, bounds and times of every schedule */
};

/* What is known of an exit code, or of an output. */
struct variant {
    int code;
    uint64_t hash, count, number; /* of the first schedule that gave it */
    struct hdp_config config;     /* of that schedule, to run it again */
    bool told;                    /* a finding was made of it, or need not be */
};
enum { VARIANTS = 16 };

struct campaign {
    struct campaign_options options;
    struct crew crew;
    char **maps; /* memory map of each worker's server */

    struct symbols *symbols;
    struct names objects;
    struct doubts *doubts;
    struct learn *learn;
    struct lockgraph *lockgraph; /* of all schedules; NULL: not asked for */
    struct findings findings;
    struct findings suppressed;
    struct symptom_entry *known; /* symptoms met so far, with the finding that each belongs to */
    struct places *predicted;    /* pairs of places that are done with (predicted_races.c) */
    unsigned guesses;            /* of those, how many were guessed */
    struct stats stats;
    struct live live;
    struct outdir outdir;
    char *input_file; /* of stdin, once it was saved */
    struct variant exits[VARIANTS], outputs[VARIANTS];
    unsigned exit_kinds, output_kinds;
    char *usual_output; /* of the first schedule, cut to 1 MiB */
    size_t usual_output_bytes;
    uint64_t next;            /* number of the next schedule to start */
    int64_t phase_started_ns; /* since when the options are these */
    unsigned in_flight;       /* schedules that run */
    uint32_t expected_steps, expected_threads, steps_seen, threads_seen;
    struct live_thread *stuck; /* threads of the last replay that ran out of time */
    size_t stuck_count;
    char *trouble;    /* why the campaign cannot go on, or NULL */
    bool ended_early; /* the program created no thread */
    bool tool_failed; /* one of several tools could not work */
};

/* A campaign with nothing done yet; c->trouble when it cannot be. Pair with campaign_close(). */
void campaign_open(struct campaign *c, const struct campaign_options *options);
/* Go on with other options (another tool), keeping what was found. */
void campaign_reopen(struct campaign *c, const struct campaign_options *options);
/* Run the schedules asked for. Reports nothing but the live line. Afterwards c->trouble says
 * whether it ended for a bad reason. */
void campaign_explore(struct campaign *c);
/* Take f over, as findings_add() does. A suppressed one goes aside: then *hidden, and no more is to
 * be said of it. */
struct finding *campaign_keep(struct campaign *c, struct finding *f, bool *hidden, bool *is_new);
/* Take findings that belong to no schedule; log is emptied. */
void campaign_take_log(struct campaign *c, struct tool_log *log);
/* No schedule will follow: c->findings and c->stats become complete, the lock-order graph is
 * written. */
void campaign_finish(struct campaign *c);
void campaign_close(struct campaign *c);

/* For a replay, after campaign_open(): the first worker, idle. NULL when there is none; c->trouble
 * or c->findings says why. */
struct worker *campaign_first_worker(struct campaign *c);

/* Set by SIGINT and SIGTERM. */
extern volatile sig_atomic_t campaign_stop;
void campaign_catch_signals(void);

/* ---- parts of the campaign, each in a file of its own ---- */

/* Why a schedule failed, as cheap as possible to tell. */
struct symptom {
    uint64_t key; /* equal: the same finding */
    enum hd_finding_kind kind;
    int index;             /* in region->finding, or -1: the driver's own verdict */
    char *text;            /* of the driver's own */
    struct finding *found; /* of another tool; owned */
};
enum { SYMPTOMS = HDP_FINDINGS + 32 };

/* judge.c: all symptoms of a schedule that has ended. Returns how many; symptoms_free() them. */
size_t judge(struct campaign *c, struct worker *w, uint64_t number, struct symptom list[SYMPTOMS]);
void symptoms_free(struct symptom *list, size_t count);
/* Exit codes and outputs that became remarkable only when more schedules were known: the configs of
 * schedules to look at again. Returns how many. `over`: no schedule will follow. */
size_t judge_again(struct campaign *c, bool over, struct variant *again[VARIANTS]);
/* Hash of the decisions of the schedule that ended in r. */
uint64_t judge_decisions(const struct hdp_region *r);
/* The first difference of two traces in words, or NULL; free() it. */
char *judge_difference(struct campaign *c, const struct hdp_step *old, uint32_t old_steps,
                       const struct hdp_region *r);

/* judge_tool.c: the tool's findings behind the `count` in list. Returns how many there are now. */
size_t judge_tool(struct campaign *c, struct worker *w, struct symptom *list, size_t count);
/* Did the tool itself give up in the schedule that ended? Then c->trouble says so. */
bool judge_tool_died(struct campaign *c, struct worker *w);
/* The finding of a symptom, in words; w still holds the schedule. Owned by the caller. */
struct finding *campaign_collect(struct campaign *c, struct worker *w, struct symptom *s);

/* confirm.c: the schedule that ended in w showed `list`: new ones are replayed, collected, saved.
 */
void confirm(struct campaign *c, struct worker *w, uint64_t number, struct symptom *list,
             size_t count);

/* The finding that a symptom's key belongs to, or NULL. Borrowed. */
const struct finding *confirm_known(struct campaign *c, uint64_t key);
/* Release what confirm() remembers. */
void confirm_forget(struct campaign *c);

/* Run what region->config says on an idle or done worker, and wait for its end. False: the server
 * died or the user wants to stop. */
bool campaign_run_now(struct campaign *c, struct worker *w);
/* Symbols for the addresses of w. */
void campaign_look_at(struct campaign *c, const struct worker *w);
struct scene campaign_scene(struct campaign *c, const struct worker *w);

#endif /* HEDDLE_DRIVER_CAMPAIGN_H */
