/* rt.h - internal to the runtime library: the scheduler's state and its parts.
 *
 * One thread of the program has the turn (rt.current); everything else waits on its own futex.
 * rt.lock guards every field below and the fields of struct hdi_thread marked S. It is a leaf lock:
 * while it is held only system calls that cannot block are made. Threads that are outside (in a
 * system call, or lost to a loop that we do not know) run beside the one that has the turn, so the
 * lock matters to them and to the watchdog.
 */
#ifndef HEDDLE_RT_H
#define HEDDLE_RT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/control.h"
#include "core/thread.h"
#include "thread_set.h"
#include "wire/hash.h"
#include "wire/protocol.h"

#define RT_CLOCK_START_NS (1000LL * 1000000000LL)

#define RT_LINKER_LOCKS 3

struct rt {
    bool active;     /* this process runs the program under control */
    bool started;    /* the first thread was created: a schedule runs */
    bool in_process; /* of the in-process explorer: threads share a kernel thread */
    bool filtered;   /* the program restricts its system calls, and with them ours */
    bool ending;     /* the program was about to end, or is */
    bool exploring;  /* exhaustively, and its end is not reached: explore.c */
    bool draining;   /* the program has ended, others run on to see who stays blocked */

    uint32_t lock;
    struct hdi_thread *current; /* has the turn; NULL when nobody can run */
    struct hdi_thread *main;
    struct hdi_thread **all;          /* by index, also the ended ones */
    uint32_t all_count, all_capacity; /* capacity: of every table of threads */
    struct hdi_thread **by_name;      /* hash table, twice as large */
    struct hdi_thread **live;         /* in order of creation, NULL: ended; see hdi_live() */
    uint32_t live_count, live_slots;
    struct rt_set runnable; /* whose operation can complete, or that have a signal to handle */
    struct rt_set outside;  /* whose operation's readiness may come from outside */
    struct hdi_thread **deadline; /* of those that wait for a time: deadlines.c */
    uint32_t deadlines;
    struct hdi_thread **candidate, **due; /* of the choice that is being made */
    const struct rt_strategy *strategy;
    struct { /* room for a search in the waits-for graph: verdict.c */
        uint8_t *stuck, *colour;
        uint32_t *path, *next;
        struct hdi_thread **cycle;
        uint32_t capacity;
    } search;
    uint32_t outside_count; /* pending operations whose readiness comes beside the models */
    uint32_t own_count;     /* of these, those that nobody but this process can make ready */
    uint32_t signal_waits;  /* of these, for signals */
    uint32_t external_count;
    struct hdi_thread *drainer;
    uint32_t drained_step; /* step at which half of the jumps of the clock were made */
    int leaving;           /* kernel tid of the thread that gave its last turn away */
    int pid;               /* of the process that runs the program: a child of its own is not it */
    int parent;            /* of the server */

    int64_t now_ns; /* virtual CLOCK_MONOTONIC */
    int64_t real_start_ns;
    uint64_t rng[4];
    uint32_t replay_at; /* next entry of region->replay */
    bool replaying;
    bool trap_due;       /* stop.c: who has the turn stops for a debugger */
    bool replay_waits;   /* for what had come from outside by now when the schedule was recorded */
    bool recheck;        /* a signal handler may have changed an object beside the models */
    uint32_t got_on;     /* step of the last operation that made progress */
    uint32_t idle_ops;   /* operations in a row, of all threads, that made no progress */
    bool fair;           /* too many of them: the strategy has had its chance */
    uint32_t fair_until; /* the same up to this step: a thread was passed over for too long */
    uint32_t cycle_step; /* step at which to look at cycles again; 0: none is known */
    bool cycle_told;     /* some wait for ever, and the others go on to their end: exploring */
    uint32_t moves;      /* of the clock */
    uint32_t still_move; /* the last one after which a thread went on that is not periodic */
    uint32_t clock_step; /* step at which the clock last moved, or nobody waited for a time */
    uint32_t retries, retries_half;     /* failed tries: in all, and up to half the step bound */
    uint32_t sleeps, sleeps_half;       /* of them sleeps */
    uint32_t reach_at;                  /* step of the next look for unreachable threads */
    uint32_t reach_last;                /* step of the last one */
    uint32_t lively_step;               /* step at which a thread was last made or ended */
    uint32_t watched_step;              /* of the watchdog: step that it saw last, */
    int64_t watched_ns, watched_cpu_ns; /* when, and the CPU time of the running thread then */
    uint32_t computed_step;             /* up to where computing has taken virtual time, */
    int64_t computed_ns;                /* in CPU time */
    int preempting;                     /* kernel tid of who is sent the signal for it */
    bool watched_over;                  /* by a thread of its own */
    int64_t idle_real_ns; /* real time since which nobody could run; 0 = somebody can */

    struct hdp_bell *bell;
    struct hdp_region *region;
    int *linker_owner
        [RT_LINKER_LOCKS]; /* kernel tids of who has the dynamic linker's locks, or NULL */
    void *ipc_names;       /* memory of ipc_names.c, shared between schedules */
    void *file_names;      /* the same of file_names.c */
    struct hdp_config config;
    uint32_t prefix_findings, prefix_unmodelled, prefix_stacks;
};

extern struct rt rt;

/* invariants.c, not in every build; lock held, a thread has been chosen */
void rt_check(void);

/* turn_lock.c: raw futexes */
void rt_lock(void);
void rt_unlock(void);
void rt_futex_wait(uint32_t *word, uint32_t value, int64_t timeout_ns, bool shared);
void rt_futex_wake(uint32_t *word, int count, bool shared);

/* random numbers of the schedule (xoshiro256**, Blackman and Vigna) */
void rt_random_seed(uint64_t seed);
uint64_t rt_random(void);
uint32_t rt_random_below(uint32_t n);

/* vehicle: how a thread is made to wait for its turn */
struct rt_vehicle {
    void (*give)(struct hdi_thread *t);    /* t may run; called without the lock */
    void (*wait)(struct hdi_thread *self); /* until given */
    /* t begins on a thread of the kernel that is its own; NULL where it has none. */
    void (*begin)(const struct hdi_thread *t);
    /* The rest is NULL where each thread of the program is one of the kernel. */
    int (*make)(pthread_t *out, const pthread_attr_t *attr, void *(*routine)(void *),
                struct hdi_thread *t);
    void (*collect)(struct hdi_thread *t); /* it has ended: its handle may be used again */
    bool (*stack)(const struct hdi_thread *t, uintptr_t *low, uintptr_t *high);
    /* What the kernel would have pending for t and for the process, and what t blocks. */
    bool (*signals)(const struct hdi_thread *t, uint64_t *pending, uint64_t *shared,
                    uint64_t *blocked);
    void (*leave)(void); /* ... without libc's farewell; does not return */
    /* It needs a thread of the kernel ("waits ..."); the schedule is over. Neither returns. */
    void (*cannot)(const char *what);
    void (*ended)(int status);
};
extern const struct rt_vehicle rt_baton; /* and rt_carrier, in carrier.h; rt_in_place_vehicle */
extern const struct rt_vehicle *rt_vehicle;

/* strategies: who runs next. `e` holds the n >= 1 threads that may run, in order of creation. */
struct rt_strategy {
    void (*begin)(const struct hdp_config *c);
    void (*created)(struct hdi_thread *t);
    uint32_t (*pick)(struct hdi_thread *const *e, uint32_t n);
    /* t made one more try of a loop that waits: it must not keep the others from running */
    void (*yielded)(struct hdi_thread *t);
    /* It wants a decision behind the release that was made there. */
    bool (*stops_behind)(uint64_t site);
    bool no_early_time_outs; /* no timed wait runs out while others can run */
};
#define STRATEGY(NAME, word, table, depth) extern const struct rt_strategy table;
#include "wire/strategies.inc"
extern const struct rt_strategy *const rt_strategy_table[HDP_STRATEGIES];

/* predicted_deadlock.c: keep those out of e that stand where a predicted deadlock wants them; how
 * many are left.
 */
uint32_t rt_predicted_deadlock(struct hdi_thread **e, uint32_t n);

/* predicted_race.c: two threads are to meet, each at an access of a predicted race. Keeps
 * those out of e that wait for it, or for whom it is not yet time; how many are left. */
void rt_predicted_race_begin(void);
uint32_t rt_predicted_race(struct hdi_thread **e, uint32_t n);
/* The running thread stands where the recorded schedule had no point, and nobody waits there: it
 * goes on before the replay does. */
bool rt_predicted_race_passes(const struct hdi_thread *t);

/* replay.c */
enum rt_replay { RT_FOLLOW, RT_RUN_ON, RT_WAIT, RT_OVER };
/* Next thread by the schedule that is replayed, or NULL with RT_WAIT (it is still outside) or
 * RT_OVER (the schedule is used up, or could not be followed). */
struct hdi_thread *rt_replay_next(enum rt_replay *how, uint16_t *flags);
/* It waits for a child: another thread's decision is the next one. False: there is none. */
bool rt_replay_ahead(void);
/* What t does next by the record: enum hd_event, HD_EV_NONE when it does not say. */
uint32_t rt_replay_next_kind(const struct hdi_thread *t);
uint32_t rt_replay_choice(uint32_t n, uint64_t site, bool *followed);

/* edited.c: the same of a schedule that another build was recorded with. `enabled`: the n threads that
 * may run. */
void rt_edited_begin(void);
struct hdi_thread *rt_edited_next(struct hdi_thread *const *enabled, uint32_t n,
                                  enum rt_replay *how, uint16_t *flags);
bool rt_edited_choice(const struct hdi_thread *t, uint32_t n, uint64_t site, uint32_t *value);
bool rt_edited_at(uint32_t place, uint64_t site); /* is `site` there now? */
/* t goes on with its operation. */
void rt_edited_done(const struct hdi_thread *t);
/* The last number of a new thread's name; `others` counts those of its maker that are not known. */
uint32_t rt_edited_child(const struct hdi_thread *t, uint32_t *others);

/* stretches.c: the same of an outline of a schedule. */
void rt_stretches_begin(void);
struct hdi_thread *rt_stretches_next(enum rt_replay *how, uint16_t *flags);
/* Does t stop behind the release that it makes? */
bool rt_stretches_stops(const struct hdi_thread *t);
uint32_t rt_stretches_choice(const struct hdi_thread *t, uint32_t n, uint64_t site);

/* stop.c; lock held: next is about to go on with the decision before which the replay stops. */
void rt_stop_before(struct hdi_thread *next);
/* trap.c: for a debugger; the calling thread has the turn, or makes a finding. */
void rt_trap(void);

/* schedule_begin.c */
void rt_schedule_begin(void); /* a schedule starts in this process: strategy, seed, clock */

/* operations.c; lock held */
void rt_publish(struct hdi_thread *t, struct hdi_op *op); /* t is about to do it */
bool rt_only_tries(const struct hdi_op *op);
void rt_withdraw(struct hdi_thread *t); /* it is chosen, or given up */
void rt_evaluate(struct hdi_thread *t);
bool rt_due(const struct hdi_thread *t); /* its deadline has passed */
bool rt_cancel_due(const struct hdi_thread *t);
/* Than the one that has the turn. */
bool rt_others_can_run(void);
static inline bool rt_has_deadline(const struct hdi_op *op)
{
    return op->until_ns > 0 && op->until_ns != HDI_FOREVER;
}
/* How many wait for what may come from outside. What is open here, a child may have left open with
 * others. */
static inline uint32_t rt_awaited_outside(void)
{
    return rt.outside_count - (hdi_has_forked() ? 0 : rt.own_count);
}

/* choose.c */
bool rt_choose_next(void); /* lock held: sets rt.current; false when nobody can run now */
void rt_record(struct hdi_thread *t, uint16_t flags);

/* deadlines.c; lock held */
void rt_deadline_set(struct hdi_thread *t); /* new, or changed */
void rt_deadline_remove(struct hdi_thread *t);
struct hdi_thread *rt_earliest(void);
int64_t rt_first_deadline(void);                       /* 0: nobody waits for a time */
uint32_t rt_deadlines_passed(struct hdi_thread **out); /* how many; in no order */

/* faults.c */
void rt_faults_begin(void);
/* self is about to begin this wait: a request to cancel may come; true: a signal interrupts it. */
bool rt_fault_of_wait(struct hdi_thread *self, struct hdi_op *op);

/* virtual_clock.c */
int64_t rt_real_ns(void);
/* Decisions while which a deadline stays ahead, at most. */
uint32_t rt_work_steps(void);
/* Before each decision: what threads have done may have taken until the next deadline. */
void rt_work_takes_time(void);
void rt_expire_timers(void);
/* Nobody can run: let time pass. True when it is worth choosing again. Lock held; dropped while
 * waiting for the outside. False: nobody ever will. */
bool rt_let_time_pass(bool may_wait);

/* turn.c */
void rt_become(struct hdi_thread *t); /* the calling kernel thread runs t from here on */
void rt_rejoin(struct hdi_thread *self, enum hd_event kind, uint64_t site);
/* Find somebody to run when nobody has the turn; lock held. NULL: nobody yet. */
struct hdi_thread *rt_pass_on(bool may_wait);

/* explore.c: a schedule of an exhaustive exploration */
void rt_explore_begin(void);
/* Among the n threads that can run, the next one; *early: its timed wait runs out. False: nobody can run. Next
 * stays NULL when the exploration is over. */
bool rt_explore_next(struct hdi_thread **e, uint32_t n, struct hdi_thread **next, bool *early);
void rt_explore_step(const struct hdi_thread *t, enum hdi_wake wake); /* it was chosen */
uint32_t rt_explore_choice(uint32_t n);
void rt_explore_end(enum hdp_explored_end end); /* what follows is not explored */
/* t is about to publish a yield: does it only wait? */
void rt_explore_yields(struct hdi_thread *t, struct hdi_op *op);
void rt_explore_handled(void); /* handlers are about to run */
void rt_explore_got_on(void);  /* the update of this step changed its word */
/* What t does next was changed by the step that is being made; enables: it could not do anything before. */
void rt_explore_changed(const struct hdi_object *o);
void rt_explore_published(const struct hdi_op *op);
void rt_explore_affects(const struct hdi_thread *t, bool enables);
void rt_explore_clock(bool by_itself); /* it moved; by itself: since nobody could run */
void rt_explore_deadlines(
    const struct hdi_thread *before); /* they changed; before: the next one was its */

/* threads.c; lock held */
struct hdi_thread *rt_live_by_name(uint32_t hash); /* NULL: it has ended, or is not there yet */
void rt_threads_forget(void);                      /* a new schedule begins in this process */

/* unreachable.c */
void rt_reach_begin(void);
void rt_look_for_unreachable(void);
void rt_last_look(void); /* before a schedule ends */

/* watchdog.c: called by waiting threads every few milliseconds, without the lock */
void rt_watch(struct hdi_thread *self);
void rt_watchdog_start(void);

/* verdict.c: nobody can run any more */
void rt_all_asleep(void) __attribute__((noreturn));
/* t has just begun to wait: does that close a cycle of owners? Then it is a deadlock, whoever else
 * runs. Lock held. */
void rt_look_for_cycle(struct hdi_thread *t);
/* Periodic threads alone have gone on for long: those who wait for anything else wait for ever. */
void rt_look_for_still(void);
/* A thread that waited across a movement of the clock has gone on again and again. */
#define RT_PERIODIC_ROUNDS 100u
#define RT_STILL_MOVES 2000u
/* One thread alone goes on, and does the same for ever: those who wait are not woken by it. */
void rt_look_for_repetition(void);
bool rt_repeats_itself(void); /* recurrence.c */
/* Once it does: the schedule ends where that was first looked for. Bytes that no frame uses any more may differ
 * from one round to the next, and after how many rounds two states are the same from one replay to the next. */
void rt_forget_repetition(void);
/* Cycles of locks that anybody could have unlocked, and nobody did. */
void rt_look_for_old_cycles(void);
/* The program has ended, and nobody goes on: those that are left may wait for each other. */
void rt_look_at_the_left(void);
bool rt_circle(void); /* threads wait for each other in a circle */
void rt_step_bound(void);
void rt_hang(void);

/* record.c */
void rt_finish(enum hdp_outcome outcome)
    __attribute__((noreturn)); /* end this schedule's process */
void rt_export(void);          /* threads, objects, result */
/* One thread, when it is made: a process that dies without a word leaves at least the names. */
void rt_export_thread(const struct hdi_thread *t);
void rt_note_place(struct hdi_thread *self); /* rich: refresh self->end_stack */
void rt_crash_handlers(void);
void rt_crash_forgotten(void); /* a new schedule begins in this process */

/* handler_stack.c */
void rt_handler_stacks_start(void);                /* before the first schedule; main's, too */
void rt_handler_stack(const struct hdi_thread *t); /* this kernel thread's is the one of t */

/* server.c */
void rt_state(enum hdp_state s);

/* drain.c: a schedule begins, and main is to return some time */
void rt_expect_end(void);

#endif /* HEDDLE_RT_H */
