/* campaign_state.h - what all parts of a campaign share: what the user asked for, what is known by
 * now, and the few things that each of them does with a worker.
 */
#ifndef HEDDLE_DRIVER_CAMPAIGN_STATE_H
#define HEDDLE_DRIVER_CAMPAIGN_STATE_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "aim.h"
#include "exhaustive/exploration.h"
#include "feedback.h"
#include "findings/baseline.h"
#include "findings/collect.h"
#include "findings/finding.h"
#include "findings/suppress.h"
#include "fault_plan.h"
#include "plan.h"
#include "predict/predicted_deadlocks.h"
#include "predict/predicted_races.h"
#include "program/target.h"
#include "program/worker.h"
#include "progress.h"
#include "reports/campaign_lockgraph.h"
#include "reports/outdir.h"
#include "reports/stats.h"
#include "schedules/stamp.h"
#include "schedules/config_words.h"
#include "symbols/numbering.h"
#include "symbols/symbol.h"
#include "tools/false_alarms.h"
#include "tools/tool.h"

/* What is learned between schedules is learned from the first ones. */
#define LEARN_UNTIL 4096u
/* Does this schedule know all that those before it have learned? Early ones teach most: each of the first 16
 * does, then every fourth, later fewer. */
bool campaign_begins_phase(uint64_t number);

/* How long is waited for news before what is over time is looked after. */
enum { TICK_MS = 20 };

/* What a schedule runs in. */
enum engine {
    ENGINE_FORK,     /* a process of its own, each */
    ENGINE_IN_PLACE, /* one process for many, where that is possible */
    ENGINE_AUTO,     /* the same, where it also pays */
    ENGINE_COMPARE,  /* both, each schedule: a difference is trouble */
};

/* What the user asked for; all borrowed. */
struct campaign_options {
    struct suppressions *suppressions; /* findings nobody wants, or NULL */
    struct baseline *baseline;         /* findings that do not fail the run, or NULL */
    uint64_t spared;                   /* kinds that do not, a bit each */
    const struct target *target;
    struct launch launch;
    char *const *argv;    /* of the program; launch.argv may be those of a tool around it */
    bool native, perturb; /* leave the schedule to the operating system; push threads around */
    bool timeout_given;
    struct tool_run *tool; /* another tool in the program's process, or NULL */
    unsigned jobs;
    unsigned max_processes; /* 0 = GUARD_PROCESSES */
    uint64_t schedules;     /* 0 = until time_ns is up */
    uint64_t at_least;      /* so many are run first; then the time is one for schedules alone */
    unsigned shard, shards; /* this machine's part of them, from 1; 0: it is not split */
    uint64_t begin;     /* the first schedule that counts: an earlier campaign ended there; 0 = 1 */
    int64_t time_ns;    /* 0 = no limit */
    double until_share; /* of further schedules that would be new: no more then; 0: go on */
    int64_t timeout_ns; /* of one schedule, real time */
    bool allow_no_threads; /* a program that creates none and exits well is fine */
    uint64_t fine_exit[EXIT_CODES];
    bool stop_at_first, strict, check_output, check_determinism, quiet;
    enum engine engine;
    bool check_restore;    /* in place: compare all memory after each schedule */
    unsigned replays;      /* of each new finding */
    unsigned shrink_tries; /* to make the schedule of each plainer */
    unsigned steers;       /* tries to bring a predicted deadlock about */
    bool exhaustive;       /* every schedule: as `explore` says */
    struct exploration_options explore;
    const char *resume;     /* file that keeps how far the exploration is, or NULL */
    const json_t *explored; /* what it says, or NULL: there was none */
    bool predict;           /* predict races, and bring them about */
    const char *oracle;     /* shell command, or NULL; also in launch */
    const char *out;        /* folder, or NULL: nothing is written */
    const char
        *earlier;       /* folder of an earlier campaign, whose findings are tried first; or NULL */
    const char *corpus; /* folder for what was learned, or NULL; */
    const json_t *learned;  /* ... what it has, or NULL */
    const char *lock_graph; /* file for the lock-order graph, or NULL */
    struct aim aim;         /* the deadlock that every schedule is steered at; no names: none */
    struct plan plan;
    struct hdp_config config; /* flags, bounds and times of every schedule */
};

/* A schedule that came to nothing because its server died. */
struct lost {
    uint64_t number; /* 0 = none */
    unsigned deaths;
    bool waits; /* until a worker is free to run it again */
};
/* So often a server may die of one schedule, or be started in vain. */
enum { SERVER_DEATHS = 3 };

/* A deadlock that was predicted: whether it was brought about, in how many tries, those of earlier campaigns with
 * them. */
struct open_prediction {
    uint64_t place; /* of the finding */
    struct steering steering;
    unsigned tried;
    bool done, shown;              /* it was tried in this campaign; it happened */
    const struct finding *finding; /* this campaign's prediction, or NULL */
    const struct finding *real;    /* what it turned out to be, or NULL */
};

struct campaign {
    struct campaign_options options;
    struct crew crew;
    char **maps;             /* memory map of each worker's server */
    struct hdp_config aimed; /* of it, what options.aim comes to; zeroed until it was looked up */

    struct symbols *symbols;
    struct names objects;
    struct doubts *doubts;
    struct feedback *feedback;
    struct fault_plan *faults;
    struct lockgraph *lockgraph; /* of all schedules; NULL: not asked for */
    struct findings findings;
    struct findings suppressed;
    struct outcome *outcomes; /* of the decisions that were made */
    bool outcomes_failed;     /* some of them */
    struct findings excluded; /* predictions that cannot come true, as other schedules showed */
    uint64_t *excluded_key;   /* of the symptoms that schedules showed to be none */
    size_t excluded_keys;
    bool
        following; /* what runs is the schedule of an earlier campaign: it counts as none of this one */
    struct symptom_entry *known; /* symptoms met so far, with the finding that each belongs to */
    struct kept_schedule *kept;  /* of new findings, to be made plainer */
    size_t kept_count;
    int64_t shrink_until_ns;
    struct open_prediction **open;
    size_t opens;
    struct known_races races; /* done with: met, or tried */
    struct stats stats;
    struct live live;
    struct outdir outdir;
    char *about;                /* the campaign, for its folder */
    struct stamp_key stamp_key; /* of the user; known once there was something to save */
    char *input_file;           /* of stdin, once it was saved */
    uint64_t exits[256];        /* schedules that ended by themselves, by exit code */
    uint64_t usual_hash;        /* of the output of the first schedule, */
    char *usual_output;         /* which is cut to 1 MiB here */
    size_t usual_output_bytes;
    uint64_t next;                   /* number of the next schedule to start */
    int64_t phase_started_ns;        /* since when the options are these */
    struct exploration *exploration; /* NULL: schedules are planned, not explored */
    bool points_came;                /* it begins anew with them */
    bool resumed;                    /* it goes on from options.explored */
    bool resume_failed;              /* how far it is could not be written */
    int64_t resume_next_ns;          /* when that is written again */
    bool explored_beyond;            /* there are more schedules than were asked for */
    struct batches *batches;         /* NULL: the fork engine alone */
    struct lost *lost; /* schedules whose server died: one entry a worker, to be run again */
    uint32_t expected_steps, expected_threads, steps_seen, threads_seen;
    /* Of the clock (struct hdp_result): what schedules start with, and what was seen so far. */
    uint32_t waited_steps, work_jumps, waited_steps_seen, work_jumps_seen;
    uint64_t from_outside;        /* over all schedules so far */
    bool silent;                  /* nothing came from outside in those of the earlier phases */
    struct running_thread *stuck; /* threads of the last replay that ran out of time */
    size_t stuck_count;
    bool started;     /* a server got to the program's first thread */
    char *trouble;    /* why the campaign cannot go on, or NULL */
    bool ended_early; /* the program created no thread */
    bool no_threads;  /* and that is fine */
    bool tool_failed; /* one of several tools could not work */
    bool no_oracle;   /* the shell could not run it */
};

/* The signal that wants us to stop, SIGINT or SIGTERM; 0: none did. */
extern volatile sig_atomic_t campaign_stop;
void campaign_catch_signals(void);
/* Is this exit code no failure? */
bool campaign_exit_is_fine(const struct campaign *c, int code);
/* Is no more to be started, however many schedules are left: trouble, the user, the time, or a
 * finding that was to be the last? */
bool campaign_has_enough(const struct campaign *c);
/* Does a finding fail the run, and how many do? */
bool campaign_fails(const struct campaign *c, const struct finding *f);
size_t campaign_failures(const struct campaign *c);

/* Is schedule `number` to be run here, and is it counted here? The first ones, from which later ones learn, and
 * those that predict run in every shard, and are counted in one. */
bool campaign_runs(const struct campaign *c, uint64_t number);
bool campaign_counts(const struct campaign *c, uint64_t number);
/* Do all schedules before it come to their end before it starts? */
bool campaign_waits_before(const struct campaign *c, uint64_t number);
/* The campaign cannot go on; the first reason is kept. Takes `why` over. */
void campaign_trouble(struct campaign *c, char *why);
/* The process that starts the schedules was stopped because there were too many processes. */
bool campaign_is_flooded(const struct campaign *c, const struct worker *w);

/* Symbols for the addresses of w. */
void campaign_look_at(struct campaign *c, const struct worker *w);
struct scene campaign_scene(struct campaign *c, const struct worker *w);
/* Start the server of w with `config`, whatever it did before, and wait until it is ready, has
 * ended or refuses to work. False: it could not be started, or the user wants to stop. */
bool campaign_start_now(struct campaign *c, struct worker *w, const struct hdp_config *config);
/* Run what region->config says on an idle or done worker, and wait for its end; on another server
 * when this one dies. False: that did not help, or the user wants to stop. */
bool campaign_run_now(struct campaign *c, struct worker *w);
/* That was a try to bring a prediction about: it counts as a schedule. */
void campaign_count_try(struct campaign *c, const struct worker *w);
/* Take f over, as findings_add() does. A suppressed one goes aside: then *hidden, and no more is to
 * be said of it. */
struct finding *campaign_keep(struct campaign *c, struct finding *f, bool *hidden, bool *is_new);
/* A schedule showed that the prediction with this key cannot come true as it was made. */
void campaign_exclude(struct campaign *c, uint64_t key);
bool campaign_excludes(const struct campaign *c, uint64_t key);
/* Write a file of the campaign's folder; *written gets its path. When that fails it is said,
 * once. */
bool campaign_write(struct campaign *c, const char *name, const char *ending, const void *data,
                    size_t bytes, char **written);

#endif /* HEDDLE_DRIVER_CAMPAIGN_STATE_H */
