/* protocol.h - the memory that the driver and the program under test share.
 *
 * The driver makes one memfd: a page with the bell, then one region per worker. It starts the
 * program once per worker with LD_PRELOAD=libheddle-rt.so and HEDDLE_RT="fd,worker" in the
 * environment; the runtime maps bell and region before main, closes the descriptor, takes both
 * variables (and its own entry of LD_PRELOAD) out of the environment, and from then on needs no
 * descriptor: the program may close all of them.
 *
 * Life of a worker (state is a futex word, written by the program, the bell rung after each
 * change):
 *
 *   HDP_STARTING -> HDP_READY    the program is about to create its first thread: it is now the
 *                                fork server and waits for a command
 *   HDP_READY    -> HDP_RUNNING  command HDP_CMD_RUN seen: a child runs the schedule in `config`
 *   HDP_RUNNING  -> HDP_DONE     the child is gone; `result`, findings and trace are valid
 *   HDP_DONE     -> HDP_RUNNING  next HDP_CMD_RUN
 *   HDP_STARTING -> HDP_ENDED    the program ended without creating a thread; `result` is valid
 *                                (its exit status is the driver's child status)
 *   any          -> HDP_REFUSED  the runtime cannot work here; `refusal` says why
 *
 * The driver sets config, stores command, and wakes the `command` futex. HDP_CMD_QUIT ends
 * the server. The process that the driver started is the server; schedules are its children. While
 * a schedule runs `child` holds its pid, so that the driver can kill it when its time is up (then
 * result.timed_out is set by the driver). The child makes itself leader of a process group, so that
 * kill(-child) takes its own children along.
 *
 * Replay (HDP_REPLAY): entry i of `replay` is decision i: thread is the one to choose; kind, object
 * and site are what it must be about to do, and 0 in any of them matches anything (the driver
 * expands a run of n steps in a schedule file to n - 1 such entries and one that names its event).
 * When the thread is not at the event that an entry names, it is run on until it gets there: so a
 * schedule follows its events through a changed program. `choice` and the flags are exact. After
 * the last entry the thread that has the turn goes on while it can. With HDP_STRETCHES an entry has in
 * `choice` how many decisions the thread has made when it is over, in `kind` whether it stops behind
 * a release, and gets in `object` whether it could have gone on there. Behind the steps lie
 * `replay_points` more entries: the sites of all memory accesses at which a thread of the recorded
 * schedule stood, so that they are points again. Faults that happened are no entries: `fault` has
 * them.
 *
 * With a batch (batch.h) HDP_CMD_RUN has many schedules run in one child, in place.
 *
 * With HDP_NO_FORK set in `config.flags` before start-up the program runs one schedule in place
 * (gdb).
 *
 * Everything here is plain data without pointers, native byte order, one version. Addresses are
 * those of the program under test; /proc/PID/maps as of the failure is in `maps` when rich.
 */
#ifndef HEDDLE_PROTOCOL_H
#define HEDDLE_PROTOCOL_H

#include <stdint.h>
#include <stddef.h>

#include "explore.h"
#include "faults.h"
#include "covered.h"
#include "finding_record.h"
#include "known.h"
#include "lock_edges.h"
#include "points.h"
#include "registers.h"
#include "story.h"
#include "tape.h"
#include "order_pairs.h"
#include "tuples.h"

#define HDP_ENV "HEDDLE_RT"
#define HDP_MAGIC 0x31454c4444454548ull
#define HDP_VERSION 3u

enum hdp_state { HDP_STARTING, HDP_READY, HDP_RUNNING, HDP_DONE, HDP_ENDED, HDP_REFUSED };
enum hdp_command { HDP_CMD_NONE, HDP_CMD_RUN, HDP_CMD_QUIT };

enum hdp_strategy {
#define STRATEGY(NAME, word, table, depth) HDP_##NAME,
#include "strategies.inc"
    HDP_STRATEGIES
};

/* What hdp_config.depth is to a strategy. */
enum hdp_depth {
    HDP_DEPTH_UNUSED,
    HDP_DEPTH_OF_BUG,    /* ordered events that a bug needs, >= 1 */
    HDP_DEPTH_BEGINNING, /* enum hdp_rr_beginning */
    HDP_DEPTH_SERIAL,    /* which of this strategy's schedules it is, from 1 */
};

/* How round robin begins. */
enum hdp_rr_beginning { HDP_RR_IN_STEP = 1, HDP_RR_RANDOM_START, HDP_RR_MAIN_FIRST };

enum hdp_flags {
    HDP_RICH = 1 << 0,          /* take stacks, fill maps: for the replay that a person reads */
    HDP_REPLAY = 1 << 1,        /* follow `replay_steps` entries of the replay region */
    HDP_NO_FORK = 1 << 2,       /* no fork server: run in place (gdb) */
    HDP_SPURIOUS = 1 << 3,      /* inject spurious wake-ups of condition variables */
    HDP_REAL_CLOCK = 1 << 4,    /* clocks and sleeps are real */
    HDP_TRACE = 1 << 5,         /* fill the trace region (always on but for speed tests) */
    HDP_ELASTIC_SLEEP = 1 << 6, /* sleeps and timers, too, may end while others could run */
    HDP_TRAP = 1 << 7,          /* raise SIGTRAP at the finding (gdb) */
    HDP_NO_LEAKS = 1 << 8,      /* do not look for leaks when main ends */
    HDP_RACES = 1 << 9,         /* run the race detector (instrumented programs) */
    HDP_LOCK_ORDER = 1 << 10,   /* run the lock-order graph */
    HDP_PREDICT = 1 << 11,      /* keep a tape, for the driver to predict races from */
    HDP_LOCK_GRAPH = 1 << 12,   /* leave the lock-order graph in lock_graph when it ends */
    HDP_REACH = 1 << 13,        /* look for leaked threads while the program runs */
    HDP_RELEASED = 1 << 14,     /* a decision after some releases, too (HD_EV_RELEASED) */
    HDP_FRESH = 1 << 15,        /* schedules begin where the program does */
    HDP_SILENT =
        1 << 17, /* nothing came from outside in earlier schedules: do not wait long for it */
    HDP_INNER = 1 << 18,      /* points inside the operations of lib/ */
    HDP_EDITED = 1 << 19,     /* the replay is of another build: `known` says what is what */
    HDP_STRETCHES = 1 << 20,  /* the replay is an outline: how far threads run (stretches.c) */
    HDP_EXHAUSTIVE = 1 << 21, /* one schedule of an exhaustive exploration: `explore` */
    HDP_HINTS = 1 << 22,      /* say what is allowed as well, and seldom meant */
    HDP_SCOUT = 1 << 16, /* nothing was learned yet: the first accesses of a place are points */
};

/* One edge of a predicted deadlock: a thread that took a lock at `held` and is about to take
 * another at `took` waits until nobody else can run (predicted_deadlock.c). held 0: any that is
 * about to. */
#define HDP_DEADLOCK_EDGES 16u
struct hdp_deadlock_edge {
    uint64_t held, took;
};

/* A predicted race: where two threads are to meet (predicted_race.c). Behind the two come places
 * where third threads are to stand still until that has happened. */
#define HDP_RACE_PLACES 16u
struct hdp_race_place {
    uint32_t thread; /* name hash; 0: whichever */
    uint32_t from;   /* entries of the replay that come before: it may pass until then */
    uint64_t site;   /* the access */
    uint64_t addr;   /* its address; 0: any */
    uint32_t extra;  /* 1: the recorded schedule had no point there */
    uint32_t pad;
};

/* A thread cannot come to its event because it waits for another: that one goes on, or the event is
 * left out. From HDP_NEAR on some events are left out by chance, or all from one on, and chance goes on at the end.
 * From HDP_BETWEEN on other threads come between the events, too. */
enum hdp_attempt { HDP_HELP, HDP_LEAVE_OUT, HDP_NEAR, HDP_BETWEEN = HDP_NEAR + 100 };

/* What the driver asks of one schedule. */
struct hdp_config {
    uint32_t flags;
    uint32_t strategy; /* enum hdp_strategy */
    uint64_t seed;
    uint32_t depth;          /* see enum hdp_depth */
    uint32_t expected_steps; /* pct, surw: estimate of the number of steps k */
    uint32_t max_steps;      /* step bound, 0 = none */
    uint32_t replay_steps;   /* entries used in the replay region */
    int64_t clock_base_ns;   /* CLOCK_REALTIME at start; MONOTONIC starts at 1000 s */
    int64_t patience_ns;     /* timed waits shorter than this may time out while others could run */
    uint32_t watchdog_ms;    /* no step for so long: control is lost (50) */
    uint32_t expected_threads;
    uint32_t deadlock_edges;    /* used entries of deadlock_edge[] */
    uint32_t deadlock_patience; /* decisions for which threads are kept in front of them; 0: many */
    uint32_t aimed_locks;       /* used entries of aimed_lock[] */
    uint32_t points;            /* enum hdp_points: which memory accesses are scheduling points */
    uint32_t memory_model;      /* enum hdp_memory_model */
    /* real time after which the schedule reports a hang; 0 = the driver's affair */
    uint32_t timeout_ms;
    uint32_t replay_points; /* entries of the replay region behind replay_steps: sites of points */
    uint32_t race_places;   /* used entries of race_place[] */
    uint32_t work_steps;    /* decisions after which the next deadline is due although threads run;
                               0: WORK_STEPS of the runtime */
    uint32_t stop_at;       /* replay: stop before this decision, from 1; 0: at its end */
    uint32_t attempt;       /* HDP_EDITED: which way to follow it, from 0 (enum hdp_attempt) */
    struct hdp_deadlock_edge deadlock_edge[HDP_DEADLOCK_EDGES];
    uint64_t aimed_lock[HDP_DEADLOCK_EDGES]; /* their addresses: a thread that holds one of them and
                                                is about to take another waits likewise */
    struct hdp_race_place race_place[HDP_RACE_PLACES];
    uint32_t faults; /* whose points are counted: a bit of enum hdp_fault_kind each */
    struct hdp_fault fault[HDP_FAULTS]; /* to happen, in any order; nth 0: none */
};

enum hdp_outcome {
    HDP_RAN,      /* the program ended by itself */
    HDP_STOPPED,  /* ended by a fatal finding (deadlock …) */
    HDP_CUT,      /* step bound reached, no livelock seen */
    HDP_DIVERGED, /* replay: could not follow; `diverged_at` */
    HDP_KILLED,   /* the driver killed it: time-out */
};

#define HDP_EXPECTED_PAIRS 96u
struct hdp_result {
    uint32_t outcome;      /* enum hdp_outcome */
    int32_t wait_status;   /* as waitpid gives it */
    uint32_t steps;        /* decisions made (may exceed the trace's capacity) */
    uint32_t switches;     /* decisions that changed the thread */
    uint32_t preemptions;  /* of those, while the old thread could have gone on */
    uint32_t departures;   /* replay: decisions for another thread than the one that would have run
                              on, or the first that could */
    uint32_t threads;      /* threads created, main included */
    uint64_t interleaving; /* hash: equal for schedules that are equal up to swapping independent
                              steps */
    int64_t virtual_ns;    /* virtual time spent */
    uint32_t findings;     /* used entries of finding[] */
    uint32_t findings_dropped[HD_FK_COUNT]; /* no room for them, by kind */
    uint32_t excluded;                      /* used entries of excluded[] */
    uint32_t orders_forgotten;              /* of locks, for want of room: at most UINT32_MAX */
    uint32_t diverged_at; /* replay: first step that could not be followed + 1; 0 = followed to the
                              end */
    uint32_t ahead; /* replay: decisions made before their turn, for a child process was late */
    uint32_t followed,
        left_out;          /* HDP_EDITED: events of the replay that happened, and that did not */
    uint32_t control_lost; /* times that the watchdog had to step in */
    uint64_t control_lost_site; /* last known place of the thread that it happened to */
    uint32_t unmodelled;        /* used entries of unmodelled[] */
    uint32_t exit_code_set;     /* the program called exit / returned from main with exit_code */
    int32_t exit_code;
    uint32_t external;     /* system calls that left control */
    uint32_t waited_steps; /* most decisions between two movements of the clock that nobody could
                              run without */
    uint32_t work_jumps;   /* movements of the clock while threads could run: work_steps */
    uint32_t
        from_outside; /* times that a thread was set free from outside while nobody could run */
    uint32_t behind_release; /* a thread stood behind a release when the schedule ended */
    uint32_t faults;         /* how many of config.fault[] happened */
    uint32_t expected_pairs; /* used entries of expected_pair[] */
    uint16_t expected_pair[HDP_EXPECTED_PAIRS]; /* new ones that it was chosen for: order_pairs.h */
};

#define HDP_THREADS 1024
#define HDP_OBJECTS 2048
/* The last entries are kept for what matters more: races leave room for other findings, and those for
 * what ends a schedule. */
#define HDP_FINDINGS 512
#define HDP_OTHER_FINDINGS 496
#define HDP_RACE_FINDINGS 448
#define HDP_EXCLUDED 16
#define HDP_UNMODELLED 32
#define HDP_SHARED 32
#define HDP_STEPS (1u << 20)
#define HDP_PROFILE (1u << 14)
#define HDP_STACK_BYTES (64u << 20)
#define HDP_MAPS_BYTES (256u << 10)

/* One decision. */
struct hdp_step {
    uint32_t thread; /* name hash of the thread that was chosen */
    uint16_t kind; /* enum hd_event: what it is about to do (CHOOSE for a data choice: kind NONE) */
    uint16_t flags;  /* HDP_STEP_* */
    uint32_t choice; /* the value chosen, for data choices (which waiter, which select case) */
    uint32_t object; /* id of the object of the event; 0 = none */
    uint64_t site;   /* return address */
};

/* Earlier schedules in which threads did different things. */
#define HDP_PATHS 4u
#define HDP_PATH_STEPS 4096u
struct hdp_path {
    uint32_t steps;
    struct hdp_step step[HDP_PATH_STEPS];
};
#define HDP_STEP_TIMEOUT 1u  /* the wait ended by its time-out */
#define HDP_STEP_CHOICE 2u   /* a data choice, not a thread choice */
#define HDP_STEP_SPURIOUS 4u /* the wait ended by an injected spurious wake-up */
#define HDP_STEP_CANCEL 8u   /* the wait ended by cancellation */
#define HDP_STEP_STANDS 16u  /* HDP_EDITED: the thread stood before it when the schedule ended */
#define HDP_STEP_CHOSE(what, detail) ((uint16_t)((what) << 5 | (detail) << 8)) /* enum hdp_chose */
#define HDP_STEP_WHAT(flags) ((flags) >> 5 & 7u)
#define HDP_STEP_DETAIL(flags) ((flags) >> 8)
/* A fault that happened: of kind HDP_STEP_DETAIL(flags), the choice-th of its thread there. The program may
 * have written over a trace: a fault of no kind is none. */
static inline int hdp_step_is_fault(const struct hdp_step *s)
{
    return s->flags & HDP_STEP_CHOICE && HDP_STEP_WHAT(s->flags) == HDP_CHOSE_FAULT &&
           HDP_STEP_DETAIL(s->flags) < HDP_FAULT_KINDS;
}

/* A thread of the schedule, in order of creation; entry 0 is main. */
struct hdp_thread {
    uint32_t hash;    /* FNV-1a 32 of name */
    uint32_t creator; /* index in the table; own index for main */
    char name[32]; /* creation path: "T0" main, "T2" second made by main, "T2.1" first made by T2 */
    char label[32]; /* pthread_setname_np / goroutine name; may be empty */
    uint64_t created_site;
    uint64_t start;         /* address of its start routine */
    uint32_t created_stack; /* stack index + 1; 0 = none */
    uint32_t state;         /* enum hdp_thread_state at the end of the schedule */
    uint32_t kind;          /* enum hd_event it was in at the end */
    uint32_t object;
    uint64_t site;
    uint32_t stack;                 /* at the end, when rich */
    int32_t tid;                    /* kernel tid */
    uint64_t stack_low, stack_high; /* its stack's bounds, if known */
};

/* An object that a finding or a blocked thread refers to. */
struct hdp_object {
    uint32_t id;       /* stable from run to run; of a thread: its hash | 1 */
    uint16_t kind;     /* enum hd_object */
    uint16_t key_kind; /* the same as the runtime finds it by */
    uint32_t ordinal;  /* as which of that kind its creator made it; 0: a static one */
    uint64_t addr;
    uint64_t created_site; /* init call or first use */
    uint32_t creator;      /* thread name hash */
    uint32_t created_stack;
    char label[32]; /* given name; may be empty */
};

/* A call that passes through without being modelled, named once. */
#define HDP_FILTER "a seccomp filter" /* its name there */
struct hdp_unmodelled {
    char name[32];
    uint64_t site;
};

/* An entry of the stack store: header, then `bytes` of data; entries are 16-byte aligned, a stack
 * index is the entry's byte offset / 16. */
enum hdp_stack_form {
    HDP_STACK_SLICE = 1, /* registers, then raw stack memory from sp upwards: unwind it with CFI */
    HDP_STACK_PCS = 2,   /* an array of uint64_t return addresses, innermost first */
};
struct hdp_stack {
    uint32_t form;
    uint32_t bytes;
    struct hdp_registers registers; /* of a slice */
};

struct hdp_bell {
    uint64_t magic;
    uint32_t version;
    uint32_t workers;
    uint64_t region_bytes; /* sizeof(struct hdp_region), rounded up to pages */
    uint64_t cpus[16]; /* cpu_set_t of those that the driver may use: each worker uses one of them,
                              and programs are told of all */
    uint32_t bell;     /* futex word: changes with each change of any worker's state */
    uint32_t randomised; /* the driver could not turn address randomisation off */
    /* A program that forks without end would leave nobody a CPU to stop it with. The driver's guard
     * counts the processes of all schedules when many were made, and fork() waits for its count. */
    uint32_t max_processes; /* at once; 0 = no bound */
    uint32_t forks;         /* by programs and their children */
    uint32_t counted;       /* of those, how many there were when the guard last counted, */
    uint32_t processes;     /* and how many lived then; written before `counted` */
    uint32_t flooded;       /* there were more: the guard killed all */
};

#include "batch.h"

struct hdp_region {
    uint32_t state;    /* enum hdp_state, futex word */
    uint32_t command;  /* enum hdp_command, futex word */
    int32_t server;    /* pid */
    int32_t child;     /* pid of the running schedule, or 0 */
    int32_t ended;     /* pid of the schedule that ended last: logs of other tools bear it */
    uint32_t progress; /* steps so far of the running schedule, for the live line */
    uint32_t flooded;  /* fork() was refused: there are max_processes */
    char refusal[256];
    struct hdp_config config;
    struct hdp_result result;
    uint32_t thread_count;
    uint32_t object_count;
    uint32_t stack_used; /* bytes of the stack store in use */
    uint32_t maps_bytes;
    struct hdp_thread thread[HDP_THREADS];
    struct hdp_object object[HDP_OBJECTS];
    struct hdp_finding finding[HDP_FINDINGS];
    struct hdp_finding excluded[HDP_EXCLUDED]; /* predictions that cannot come true */
    struct hdp_unmodelled unmodelled[HDP_UNMODELLED];
    uint32_t shared_count;       /* used entries of shared[] */
    char shared[HDP_SHARED][64]; /* of before the first thread, and all schedules share it */
    struct hdp_learned learned;  /* what schedules before this one learned: by the driver */
    uint16_t tuple[HDP_TUPLES];  /* how often schedules had each (tuples.h): by the driver */
    uint8_t order_pair[HDP_ORDER_PAIRS]; /* the same of order_pairs.h */
    uint32_t paths; /* used entries of path[], the newest first: by the driver */
    struct hdp_path path[HDP_PATHS];
    struct hdp_learned news;    /* what this worker's schedules add to it; the driver empties it */
    struct hdp_covered covered; /* by all schedules of this worker */
    struct hdp_reached reached; /* points that threads of the schedule came to */
    struct hdp_lock_graph lock_graph; /* of the schedule, when it was asked for */
    uint32_t profile_steps;           /* used entries of profile[] */
    /* the first steps of an earlier schedule: by the driver */
    struct hdp_step profile[HDP_PROFILE];
    struct hdp_tape tape;   /* of a schedule with HDP_PREDICT */
    struct hdp_story story; /* of one with HDP_RICH */
    struct hdp_batch batch;
    struct hdp_explore explore;           /* HDP_EXHAUSTIVE */
    struct hdp_fault_points fault_points; /* of a schedule with config.faults */
    struct hdp_step trace[HDP_STEPS];
    struct hdp_step replay[HDP_STEPS];
    struct hdp_known known; /* HDP_EDITED */
    char maps[HDP_MAPS_BYTES];
    _Alignas(16) unsigned char stacks[HDP_STACK_BYTES];
};

#endif /* HEDDLE_PROTOCOL_H */
