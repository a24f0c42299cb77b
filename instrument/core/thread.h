/* thread.h - a thread of the program under test, as the models, the detectors and the scheduler see
 * it.
 *
 * One struct per thread that was created under control, from hdi_alloc(), never freed. Each owner's
 * fields are in a struct of its own, which says whose it is; they belong to whoever has the turn.
 */
#ifndef HEDDLE_THREAD_H
#define HEDDLE_THREAD_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "control.h"
#include "wire/registers.h"

/* models/thread.c: what it runs, its end, and who joined it. */
struct hdi_thread_life {
    void *(*routine)(void *);
    void *arg, *result;
    bool ended, detached, joined, joining;
    bool leaves_more; /* its end has more to do than it does itself */
    bool known;       /* its handle refers to it: neither joined nor detached and ended */
    struct hdi_thread *joiner;
    uint64_t joined_site;
    uint32_t joined_stack;
};

/* models/thread.c */
struct hdi_thread_cancel {
    bool pending, disabled, async;
};

/* core/handler_calls.c: into which function a handler came that runs; none, or one that it may come into:
 * NULL. */
struct hdi_interrupted {
    const char *function;
    enum hd_event kind;
    struct hdi_object *object;
    uint64_t site;
    uintptr_t frame; /* of the runtime, above the handler's */
    int number;
};

/* models/signal.c */
struct hdi_thread_signals {
    struct hdi_due *due;   /* sent to it while it waited for its turn, oldest first */
    uint64_t postponed;    /* arrived then, and blocked until it has the turn: kernel's bits */
    siginfo_t kept;        /* came into the middle of a model, and waits for its next operation */
    uint64_t pending_hint; /* may be pending for it */
    uint32_t handled;      /* handlers that ran in it */
    bool stops;            /* one of them without SA_RESTART */
    uint64_t
        waits_with; /* kernel's bits: blocked as it began to wait; of programs that have forked */
    uint64_t first_mask;       /* kernel's bits, from its beginning on */
    bool unmask_at_first;      /* until then it blocks all */
    bool let_in;               /* it sends to itself, or unblocks: handlers run at once */
    bool errno_unseen;         /* nobody looks at errno as a handler leaves it now */
    const struct hdi_op *into; /* handlers that run now come into that; NULL: not known */
    struct hdi_interrupted interrupted;
    const char *library_call; /* core/handler_calls.c: the C library's, that it stands before */
};

/* Who did something where. */
struct hdi_side {
    struct hdi_thread *thread;
    uint64_t site;
    uint32_t stack;
};

/* memory/descriptor_race.c */
struct hdi_thread_closes {
    uint64_t site; /* where it closed one last, and which */
    int fd;
    bool whatever; /* one number after the other, open or not */
    int twice_fd;  /* it closed that again, unless it goes on with the next numbers like that */
    struct hdi_side twice;
};

/* One of the things that a select waits for. */
struct hdi_case {
    struct hdi_object *object;
    enum hd_event kind;
};

/* The models in which a thread waits in a queue: condition variable, barrier, futex, seam. */
struct hdi_thread_wait {
    struct hdi_thread *next;
    struct hdi_object *queue;  /* queue it is in, NULL when taken out */
    bool granted;              /* the wait is over: signalled, woken, barrier passed */
    struct hdi_object *relock; /* mutex to take again after a condition wait */
    bool token;                /* of the seam's block() and wake() */
    struct hdi_case *cases;    /* what it may end by, when it is one for several things */
    uint32_t count, capacity;  /* of cases */
};

/* A lock that a thread holds. */
struct hdi_held {
    struct hdi_object *object;
    uint64_t site;
    uint32_t stack;
    uint16_t kind;  /* enum hd_event by which it was taken */
    bool shared;    /* read mode */
    bool tried;     /* the last time by one that would have given up: it cannot deadlock */
    bool told;      /* a finding names it: it is not said again at exit */
    uint32_t count; /* recursive locks and repeated read locks */
};

struct hdi_thread_locks {
    struct hdi_held *held; /* core/held.c: oldest first */
    uint32_t count, capacity;
    struct hdi_lock_thread *graph; /* locks/lockorder.c; NULL: not watched */
    struct hdi_waits *waits;       /* locks/wait_under_lock.c; NULL: not watched */
};

/* core/leak.c, core/leak_check.c */
struct hdi_thread_leak {
    bool expected;           /* the program said so */
    bool told;               /* that it is left was said */
    bool left;               /* blocked for ever when the program ended */
    bool excused;            /* only kept from going on by the one that ends the program */
    struct hdi_check *check; /* the leak check that it works for, inherited; or NULL */
};

/* reach/: the look for threads that nobody can wake. */
struct hdi_thread_reach {
    struct hdp_registers registers; /* where it gave the turn away */
    size_t stack_bytes;             /* of its stack, if the C library made it */
    uint32_t since;                 /* step at which it began to wait */
    bool waits;                     /* of a look: not yet known to be reachable */
    struct hdp_finding *finding;    /* it was reported */
};

/* harness/rt/ alone: scheduling, under its lock. */
struct hdi_thread_turn {
    struct hdi_op published;  /* what op points to: others read it, and a stack is private */
    struct hdi_op *suspended; /* the wait that handlers run in, innermost; see hdi_perform */
    uint32_t word;            /* futex word of the vehicle */
    uint32_t live_at;         /* its place in rt.live */
    uintptr_t first_frame;    /* the program's frames lie below; 0: unknown */
    uint32_t deadline_at;     /* in rt.deadline, + 1; 0: it waits for no time */
    int64_t deadline_ns;      /* for which it is there */
    uint32_t passed_over;     /* how often it could run and another did, of those looked at */
    uint32_t published_move;  /* of the clock, when its operation was published */
    uint32_t rounds;          /* how often it went on after the clock had moved */
    uint32_t retry_step;      /* step + 1 at which it made one more try of a loop */
    uint8_t wake;             /* enum hdi_wake: how its operation was granted */
    bool waits_for_lock;      /* for the scheduler's own */
    uint64_t yielded[4];      /* hashes of its state at its last yields */
    uint32_t yields;
    const uint64_t *
        yields_from; /* while it yields: its registers, and above them its stack; NULL: not known */
    uint32_t idle_ops;          /* operations in a row that made no progress */
    uint32_t tries;             /* yields of such a row, up to a few */
    uint32_t patient_until;     /* up to this step others go first, while nobody gets on */
    uint32_t clock_reads;       /* since it last waited */
    uint64_t steps, steps_half; /* in all, and up to half the step bound */
    uint64_t priority;          /* of the strategy */
    int64_t enabled_since;      /* virtual time */
};

/* harness/rt/vehicles/carrier.c: threads that share one of the kernel. */
struct hdi_thread_carrier {
    void *sp;
    struct rt_stack *stack;
    void *local[8];
    struct rt_place *place; /* harness/rt/in_place/pool.c */
};

/* models/scheduling.c: what the program asked of the kernel's scheduler. */
struct hdi_thread_scheduling {
    int policy, priority, nice;
    bool reset_on_fork;
    bool own_cpus; /* its attributes named them */
    cpu_set_t cpus;
};

struct hdi_thread {
    /* What it is. */
    char name[32];  /* creation path */
    char label[32]; /* given by the program; may be empty */
    uint32_t hash;  /* of name */
    uint32_t index; /* in order of creation */
    struct hdi_thread *creator;
    uint32_t children;
    uint32_t objects[HD_OB_COUNT]; /* made by it so far, by kind: part of their ids */
    uint64_t created_site, start;
    uint32_t created_stack;
    struct hdi_object object; /* what joiners wait for */
    pthread_t handle;
    int tid;
    bool goroutine; /* made by lib/ */
    uintptr_t stack_low, stack_high;

    /* What it does, said by the scheduler to all others. */
    struct hdi_op *op;               /* pending operation; NULL while running or external */
    struct hdi_op last;              /* copy of the operation done last, for reports */
    struct hdi_thread *pending_next; /* next in op->object->pending */
    uint8_t state;                   /* enum hdp_thread_state */
    bool enabled;
    bool outside;       /* its readiness may come from outside the process */
    bool inside;        /* in the runtime's own code: a signal handler passes through */
    uint32_t in_real;   /* inside a real call that may call us back */
    bool lent;          /* to a child that runs on its stack: in_real, and the program's code */
    uint32_t end_stack; /* stack at the end, when rich */

    struct hdi_thread_life life;
    struct hdi_thread_cancel cancel;
    struct hdi_thread_signals signals;
    struct hdi_thread_closes closes;
    struct hdi_thread_wait wait;
    struct hdi_thread_locks locks;
    struct hdi_thread_scheduling scheduling;
    struct hdi_thread_leak leak;
    struct hdi_thread_reach reach;
    struct hdi_thread_turn turn;
    struct hdi_thread_carrier carrier;
};

/* How t holds a lock; NULL: not. */
struct hdi_held *hdi_held_find(struct hdi_thread *t, const struct hdi_object *object);
/* Nobody is left who could give back what ended threads hold: that is a finding. */
void hdi_held_for_good(void);
/* The finding that a thread ended with lock o; NULL: none did. */
struct hdp_finding *hdi_left_locked(const struct hdi_object *o);
/* A lock is misused by `event` at `site`: the finding says who holds it, who waits for it, who gave
 * it back last and where it was made. `text` may be NULL. */
void hdi_lock_misuse(enum hd_finding_kind kind, const char *text, struct hdi_object *object,
                     enum hd_event event, uint64_t site);

/* Every thread that has not ended, in order of creation. */
struct hdi_thread **hdi_live(uint32_t *count);
/* By handle: NULL when no controlled thread has it. */
struct hdi_thread *hdi_thread_of(pthread_t handle);
/* Every thread whose handle is known (neither joined, nor detached and ended). */
struct hdi_thread *hdi_thread_known(uint32_t i);

/* Create a controlled thread: pthread_create's model; reports call it after `named_start`, a code
 * address. 0 or an errno value. */
int hdi_spawn(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *), void *arg,
              const void *named_start, uint64_t site);
/* For want of what a thread needs, as the schedule has chosen: EAGAIN. */
bool hdi_spawn_fails(uint64_t site);
/* Many threads on one kernel thread (the in-process explorer): start t there. False: no memory. */
bool hdi_in_process(void);
bool hdi_start_in_process(struct hdi_thread *t);
void hdi_local(void **word);
/* pthread_join's model; until: virtual deadline, 0 = for ever, -1 = try. 0 or an errno value. */
int hdi_join(pthread_t handle, void **result, int64_t until, uint64_t site);
/* The handle is of no thread any more: it was joined, or has ended detached. */
bool hdi_thread_is_gone(pthread_t handle);
/* ESRCH, of a call at `site` that is about such a one: a finding where nobody looks at that. */
#define HDI_ASKED_OF_GONE                                                                          \
    "error ignored: question about a thread that was joined, or has ended detached"
int hdi_thread_missing(pthread_t handle, const char *text, enum hd_event kind, uint64_t site);
/* Make a thread that will wait for its first turn; `discard` when the real creation failed. */
struct hdi_thread *hdi_thread_new(struct hdi_thread *creator, const void *start, uint64_t site);
void hdi_thread_discard(struct hdi_thread *t);
/* pthread_create() itself, of a thread that will call hdi_thread_begin(t) in `routine`. */
int hdi_thread_make(pthread_t *out, const pthread_attr_t *attr, void *(*routine)(void *),
                    struct hdi_thread *t);
/* pthread_join() and pthread_detach() themselves, the first of a thread that has ended. */
int hdi_thread_collect(struct hdi_thread *t, void **result);
int hdi_thread_let_go(struct hdi_thread *t);
/* The stack of t, as pthread_getattr_np() has it; false: that is to be asked. */
bool hdi_thread_stack(const struct hdi_thread *t, uintptr_t *low, uintptr_t *high);
/* Signals that are pending for t, for the process, and that t blocks; false: the kernel is to be asked. */
bool hdi_thread_signals(const struct hdi_thread *t, uint64_t *pending, uint64_t *shared,
                        uint64_t *blocked);
/* Behind hdi_thread_end(), where libc has nothing to do for its end: does not return where that can
 * be left out. */
bool hdi_thread_may_leave(void);
void hdi_thread_leave(void);
/* First thing in a new thread: returns with its first turn. */
void hdi_thread_begin(struct hdi_thread *t);
/* Behind THREAD_BEGINS: from here on handlers of signals may run in it. */
void hdi_thread_runs(struct hdi_thread *t);
/* Last thing: gives the turn away for good. */
void hdi_thread_end(void);
/* About to create the program's first thread: becomes the fork server; returns in each schedule. */
void hdi_first_thread(void);
/* Threads whose readiness does not count as life: see leak.c. The caller waits until no other
 * thread can run, the clock moved at most `jumps` times. */
void hdi_drain(uint32_t jumps);
/* After it: t went on with the late ones of those jumps, and would with the next. */
bool hdi_goes_on_with_time(const struct hdi_thread *t);
/* Let the others run until none can or go_on(arg) is false; the clock is moved at most `jumps`
 * times meanwhile. The program goes on after. */
void hdi_let_others_run(bool (*go_on)(void *arg), void *arg, uint32_t jumps, uint64_t site);

/* May one that did that end a wait for the same object of that kind? */
bool hdi_could_wake(enum hd_event waits, enum hd_event did);
/* Note what t waits for, a select with all its cases; the first note's index is their link. */
void hdi_note_wait(struct hdp_finding *f, struct hdi_thread *t, const struct hdi_op *op);
/* Note who used what t waits for, and may be the one that was to wake it. */
void hdi_note_wakers(struct hdp_finding *f, const struct hdi_thread *t, const struct hdi_op *op,
                     uint32_t link);

/* The operation just done was one more try that failed (trylock, poll of a flag): a loop around it
 * must not keep other threads from running. */
void hdi_retry(void);
/* A cancellation request that is due in the calling thread: does not return when it acts. */
void hdi_cancel_self(void);
/* The program is about to end, or to run its exit handlers: others may go first. */
void hdi_ending(uint64_t site);
/* The program ends with this code: leaks are looked for, the result is written. */
void hdi_program_ends(int code);
/* It ends at once: no exit handlers, no look for leaks. */
void hdi_program_stops(int code);
void hdi_look_for_unreachable(void);   /* threads, now */
void hdi_look_for_leaks(bool silence); /* silence: what others print meanwhile goes nowhere */
/* The program calls exit(): objects that its callers hold are no leaks. */
void hdi_leaves_in_the_middle(void);
/* One leak, as a finding. text: what to call it; NULL: as its kind is called. What came after so
 * many decisions had nothing to do with it. */
struct hdp_finding *hdi_leaked_thread(struct hdi_thread *t, const char *text);
struct hdp_finding *hdi_leaked_object(struct hdi_object *o, const char *text, uint32_t step);
const char *hdi_owed_text(const struct hdi_object *o);
/* The id of an object that was just made, for who knows better; NULL: nobody does. */
extern uint32_t (*hdi_object_identify)(struct hdi_object *o);
/* f for each object that is known. */
void hdi_objects_each(void (*f)(struct hdi_object *o));
/* Forget every object, and all memory from hdi_alloc(): a new schedule begins in this process. */
void hdi_models_reset(void);
void hdi_timers_forget(void);
void hdi_queues_forget(void);
void hdi_aio_forget(void);
/* This process is a child that the program forked: it runs without us. */
void hdi_forked(void);
/* True while the program has ended and others run on: what goes wrong then is nobody's bug. */
bool hdi_draining(void);

#endif /* HEDDLE_THREAD_H */
