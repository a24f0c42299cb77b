/* worker.h - processes of the program under test: started, commanded, watched, killed.
 *
 * A worker is one fork server (instrument/wire/protocol.h) with a memory region, a CPU, and files
 * that stand for its stdin, stdout and stderr. The crew owns them all and the bell that they ring.
 *
 *   threads  one: the driver's
 *   blocks   crew_wait() only, up to its time-out
 */
#ifndef HEDDLE_DRIVER_WORKER_H
#define HEDDLE_DRIVER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard.h"
#include "wire/protocol.h"

/* So much of what the oracle prints is kept. */
#define ORACLE_SAYS 512

/* More than this on stdout or stderr of one schedule is cut off. */
#define OUTPUT_BOUND (16 << 20)

enum worker_state {
    WORKER_DOWN,     /* not started, or buried */
    WORKER_STARTING, /* until the program is about to create its first thread */
    WORKER_IDLE,     /* ready for worker_run() */
    WORKER_RUNNING,
    WORKER_DONE,    /* region->result is valid; worker_next() makes it idle */
    WORKER_ENDED,   /* the program ended without creating a thread; status is valid */
    WORKER_REFUSED, /* region->refusal says why the runtime cannot work */
    WORKER_DIED,    /* the server died while it should not have; status is valid */
};

struct worker {
    unsigned index;
    enum worker_state state;
    struct guard *guard; /* whose slot `index` is the server; borrowed */
    pid_t pid;           /* of the server; 0 = none */
    int status;          /* as waitpid gives it, for ENDED and DIED */
    struct hdp_region *region;
    int out, err;                 /* memory files; -1 = none */
    off_t out_prefix, err_prefix; /* bytes printed before the first schedule */
    bool out_cut, err_cut;        /* more than OUTPUT_BOUND came */
    bool timed_out;               /* killed by crew_check() */
    bool slow;                    /* ... although it still made decisions: no hang */
    uint32_t progress;            /* decisions at the last look, */
    int64_t progress_ns;          /* and when they were last seen to change */
    bool flooded;                 /* killed because it made too many processes */
    pid_t child;                  /* of the schedule that ended last */
    int64_t started_ns;           /* of the server, or of the schedule that runs */
    uint32_t batch, at;     /* schedules of the batch that runs, 0: one alone; and which it is */
    bool killed;            /* the batch was: it stood still, or went on for too long */
    int64_t at_ns;          /* since when */
    uint64_t schedule;      /* number of the one that runs; 0 = none: the campaign's */
    unsigned starts_failed; /* in a row: the campaign's, too */
};

/* How the program is started; all borrowed while the crew lives. */
struct launch {
    const char *program; /* absolute path */
    char *const *argv;   /* NULL-terminated; argv[0] is what the program sees */
    const char *runtime; /* absolute path of libheddle-rt.so */
    bool asan; /* the program contains AddressSanitizer: its leak check is left out unless asked for
                */
    char *const *environment; /* "NAME=value" to set, NULL-terminated; or NULL */
    /* a library that stands before the runtime in LD_PRELOAD; or NULL */
    const char *preload_before;
    int input;              /* descriptor of a seekable stdin, or -1: /dev/null */
    bool show_output;       /* the program writes to our own stdout and stderr */
    const char *oracle;     /* shell command that looks at outputs; or NULL */
    const char *folder;     /* of temporary files, removed should we be killed; or NULL */
    unsigned max_processes; /* that the program may have at once; 0 = GUARD_PROCESSES */
};

struct crew {
    struct launch launch;
    struct guard guard;
    struct worker *worker;
    unsigned workers;
    int memory; /* memfd: the bell's page, then one region a worker */
    struct hdp_bell *bell;
    uint32_t heard;            /* value of the bell at the last look */
    int oracle_in, oracle_out; /* memory files; valid when there is an oracle */
    /* Called before a schedule that is over time is killed; or NULL. */
    void (*last_look)(void *arg, struct worker *w);
    void *last_look_arg;
};

/* Where libheddle-rt.so is: beside the heddle command, or where it was installed. NULL = nowhere;
 * free() it. $HEDDLE_RUNTIME wins. */
char *runtime_find(void);

/* Make a crew of `workers` (>= 1) workers that are down. NULL, or a sentence to complain with that
 * the caller frees. Pair with crew_close(), which kills and reaps every process of theirs. */
char *crew_open(struct crew *c, const struct launch *launch, unsigned workers);
void crew_close(struct crew *c);

/* Start the server of w with `config` in its region. NULL, or a sentence that the caller frees. */
char *worker_start(struct crew *c, struct worker *w, const struct hdp_config *config);
/* Let an idle worker run one schedule as region->config (and replay) say. */
void worker_run(struct worker *w);
/* The same for region->batch.ordered[], `count` of them, in one process. */
void worker_run_batch(struct worker *w, uint32_t count);
/* A done worker gets idle: its output is cut back to what was printed before the first schedule. */
void worker_next(struct worker *w);
/* Kill the server and what it made, and reap it: down. */
void worker_stop(struct crew *c, struct worker *w);

/* Wait until the bell rings, a child changes, a signal comes, or timeout_ms pass. */
void crew_wait(struct crew *c, int timeout_ms);
/* Bring w->state up to date. Cheap. */
enum worker_state worker_poll(struct worker *w);
/* From time to time (every 20 ms or so): kill what is over time (limit_ns of real time), cut what
 * prints too much, stop what forks without end, notice a guard that was killed. */
void crew_check(struct crew *c, int64_t limit_ns);

/* Bytes that the schedule printed to stdout (err: stderr), behind the prefix. */
size_t worker_output_bytes(const struct worker *w, bool err);
/* Read them, at most `bytes`, from `from` on. Returns how many. With `from` negative the read
 * starts in the prefix: the whole output of the program is prefix plus schedule. */
size_t worker_output_read(const struct worker *w, bool err, off_t from, char *to, size_t bytes);

/* All that the program printed, prefix and schedule, with a NUL that *bytes does not count; free()
 * it. */
char *worker_output(const struct worker *w, bool err, size_t *bytes);
/* Give `text` to the oracle, which may take limit_ns. False: it did not end. *status is as waitpid
 * gives it; `said` gets the beginning of what it printed. */
bool crew_ask_oracle(struct crew *c, const char *text, size_t bytes, int64_t limit_ns, int *status,
                     char said[ORACLE_SAYS]);

#endif /* HEDDLE_DRIVER_WORKER_H */
