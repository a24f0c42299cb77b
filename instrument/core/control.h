/* control.h - what the models in instrument/ ask of the scheduler (implemented in harness/rt/).
 *
 * A modelled call publishes the operation that it is about to do and waits for its turn:
 *
 *     struct hdi_op op = {.kind = HD_EV_MUTEX_LOCK, .object = &m->object, .site = site,
 *                         .ready = mutex_is_free, .data = m};
 *     hdi_perform(&op);              // others may run here; returns with the turn, m free
 *     m->owner = hdi_self();         // atomic until the next hdi_perform
 *     hdi_changed(&m->object);       // others' readiness may have changed
 *
 * so that an operation is chosen only when it can complete, and no real call ever blocks.
 * Everything runs in the thread that has the turn; nothing here allocates from the program's heap.
 */
#ifndef HEDDLE_CONTROL_H
#define HEDDLE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heddle/event.h>
#include "wire/faults.h"
#include "wire/finding_record.h"

#define HDI_FOREVER INT64_MAX
#define HDI_SITE() ((uint64_t)(uintptr_t)__builtin_return_address(0))

struct hdi_thread;
struct hdi_check;
struct hdi_units;

/* Head of every modelled object; zero-initialised by hdi_object_*(). */
struct hdi_object {
    uintptr_t addr;
    uint32_t id;           /* stable from run to run; never 0 */
    uint8_t kind;          /* enum hd_object: part of the key */
    uint8_t label_kind;    /* what it is called, when the key does not say (objects of lib/) */
    bool dead;             /* destroyed: kept to recognise later use */
    bool writer_first;     /* readers wait behind a waiting writer: the lock graph was told */
    bool one_unit;         /* a semaphore that began with one: perhaps a lock */
    bool announced;        /* label_kind is what the program's library said */
    bool owed;             /* to be cancelled, stopped or closed yet */
    bool leak_told;        /* that nobody did was said */
    bool freed;            /* its memory was given back since it was made */
    uint16_t users;        /* how many notes of recent users are valid */
    uint32_t ordinal;      /* as which of its kind its creator made it; 0: a static one */
    uint32_t version;      /* operations on it so far, for the interleaving hash */
    uint32_t in_graph;     /* its entry in the lock graph that the driver gets, + 1 */
    uint16_t dropped_kind; /* of a lock: enum hd_event by which it was last given back; 0 = never */
    uint64_t created_site, destroyed_site, dropped_site;
    struct hdi_thread *creator, *destroyer, *dropper;
    struct hdi_check *check; /* the leak check that it counts for; NULL: none */
    uint32_t created_stack, destroyed_stack, dropped_stack;
    struct hdi_thread *pending; /* threads whose pending operation names this object */
    struct hdi_object *next;    /* hash chain */
    struct hdi_object *later;   /* made after it */
    struct hdi_units *units;    /* of semaphores and channels: units.h; NULL when not told */
    struct {
        uint32_t thread;
        uint16_t kind;
        uint64_t site;
    } user[4]; /* recent distinct users */
    /* Who was last at it where, in this schedule: core/coverage.c */
    struct {
        uint16_t place, thread, made;
        bool commutes;
    } passed[8];
    uint16_t passes;
    uint8_t last_passed;
    char label[32];
};

enum hdi_wake { HDI_READY, HDI_TIMED_OUT, HDI_SPURIOUS, HDI_CANCELLED, HDI_INTERRUPTED };

/* What a signal handler that runs meanwhile does to a wait: nothing; ends it unless the handler was
 * installed with SA_RESTART; ends it always. Ended waits return HDI_INTERRUPTED. */
enum hdi_interrupt { HDI_GOES_ON, HDI_RESTARTS, HDI_STOPS };

struct hdi_op {
    enum hd_event kind;
    struct hdi_object *object; /* may be NULL */
    uint64_t site;
    bool (*ready)(const struct hdi_op *op); /* NULL: always ready */
    void *data;                             /* for ready() */
    int64_t until_ns;                       /* virtual deadline; 0 or HDI_FOREVER: none */
    bool elastic;                           /* may time out while others could run (see patience) */
    bool may_wake_spuriously;               /* condition variables */
    bool cancellable;                       /* a cancellation point */
    uint8_t interrupt;                      /* enum hdi_interrupt */
    bool progress;                          /* a yield by a thread that got on since its last */
    bool outside;     /* ready() may turn true beside the models: it is asked again */
    bool own;         /* and yet nobody but this process can make it so, ... */
    bool timed;       /* ... as a timer will that is armed: it waits for a time */
    uint32_t patient; /* until this step it lets all others go first that can; 0: it does not */
    /* Is it about that descriptor, beside its object? NULL: not. */
    bool (*uses)(const struct hdi_op *op, int fd);
    bool granted; /* that it is ready is its own affair: to go on changes nothing for others */
    struct hdi_thread *self; /* set by hdi_perform */
};

/* True when this process is a program under control and the caller is one of its threads. */
bool hdi_controlled(void);
struct hdi_thread *hdi_self(void);
uint32_t hdi_thread_hash(const struct hdi_thread *t);

/* Wake up, if that has not happened: a library that the program needs is initialised before one
 * that is preloaded, and may ask for the seam before the runtime's own constructor. */
void hdi_start(void);

/* Publish op, let the scheduler decide, return with the turn. */
enum hdi_wake hdi_perform(struct hdi_op *op);
/* A point without condition. */
void hdi_point(enum hd_event kind, struct hdi_object *object, uint64_t site);
/* The calling thread yields. One that yields again and again with the same registers and the same
 * stack waits for others; one that changes them gets on. Call it first in the function that the
 * program called. */
#define HDI_YIELD(SITE)                                                                            \
    do {                                                                                           \
        __builtin_unwind_init(); /* the program's registers are in this frame */                   \
        hdi_yield(__builtin_frame_address(0), SITE);                                               \
    } while (0)
void hdi_yield(const void *frame, uint64_t site);
/* The calling thread has unlocked, posted, signalled, sent, made a thread …, and is about to go
 * back to the program: in some schedules others may run first, who see what it released and not yet
 * what it does next. No more than that once happens at a place (`site`). */
void hdi_released(struct hdi_object *object, uint64_t site);
/* Are there points inside the operations of lib/ (hd_seam.inner)? */
bool hdi_inner_points(void);
/* What the step that is being made touches beside the object of its operation, and what hdi_changed() tells. */
void hdi_touched(const struct hdi_object *o);
/* An operation about o (HD_EV_OPERATION) has ended: whether before or after others begin makes a difference. */
void hdi_touched_end(const struct hdi_object *o);
void hdi_touched_memory(uintptr_t addr, size_t bytes, bool write);
/* Memory that is given back: word by word, of a large block as a whole. */
void hdi_touched_block(uintptr_t addr, size_t bytes);
/* A wait until then, or a question how long it is, goes by the clock, which others move by reading it. */
void hdi_touched_clock(void);
/* When in the schedule this happens makes a difference, whatever the other steps are. */
void hdi_touched_moment(void);
/* It was looked at who is about to do something to that object. */
void hdi_touched_plans(const struct hdi_object *o);
/* A file, its name or the table of descriptors: what others see of that is not known. */
void hdi_touched_files(void);
/* The calling thread's update changed something, so that those who try again may succeed. */
void hdi_got_on(void);
/* Readiness of operations pending on `o` may have changed. */
void hdi_changed(struct hdi_object *o);
/* The readiness of t's pending operation may have changed. */
void hdi_reconsider(struct hdi_thread *t);
/* Turn t's pending operation into another one (a signalled waiter now waits for its mutex). */
void hdi_retarget(struct hdi_thread *t, enum hd_event kind, struct hdi_object *object,
                  bool (*ready)(const struct hdi_op *));

/* A choice in [0, n): explored, recorded, replayed. */
uint32_t hdi_choose(uint32_t n, uint64_t site);
/* What the caller's last choice was about (enum hdp_chose), for the report; detail: up to 255. */
void hdi_chose(uint32_t what, uint32_t detail);

/* What is allowed and seldom meant is a finding, too. */
extern bool hdi_hints;

/* Does the schedule want this to fail, here and now? Asked where that may happen to any correct program, once
 * each time. Not within the runtime, and not in a thread that is not the program's. */
extern uint32_t hdi_faults; /* what is asked about: a bit each */
bool hdi_fault_here(enum hdp_fault_kind kind, uint64_t site);
static inline bool hdi_fault(enum hdp_fault_kind kind, uint64_t site)
{
    return __builtin_expect(hdi_faults >> kind & 1, 0) && hdi_fault_here(kind, site);
}

/* Virtual clock, ns. */
int64_t hdi_now(void);
/* Reading the clock moves it a little, so that a loop that polls it ends. */
int64_t hdi_clock_read(void);
int64_t hdi_realtime_offset(void); /* CLOCK_REALTIME - CLOCK_MONOTONIC, virtual */
bool hdi_real_clock(void);         /* --clock=real: clocks are passed through, sleeps sleep */

/* Leave control for a system call that may block, and queue to take the turn back. */
void hdi_external_enter(uint64_t site);
void hdi_external_leave(void);

/* Model objects. find: by address and kind, NULL if unknown. get: finds, or makes with `size` bytes
 * of zeroed model state (>= sizeof(struct hdi_object), of which the object is the first member). An
 * object that was destroyed is returned with dead set. */
struct hdi_object *hdi_object_find(const void *addr, enum hd_object kind);
struct hdi_object *hdi_object_get(const void *addr, enum hd_object kind, size_t size,
                                  uint64_t site);
/* The modules that are loaded now, whose objects are named by their place in them. Not in a thread
 * beside main: that may have the dynamic linker's lock. */
void hdi_modules_note(void);
/* f for each object that begins in [low, high), perhaps more than once. */
void hdi_objects_within(uintptr_t low, uintptr_t high, void (*f)(struct hdi_object *o, void *arg),
                        void *arg);
/* In a loaded module's own data. */
bool hdi_object_is_static(const struct hdi_object *o);
/* Forget what was known (init called again): zeroes the state behind the head, clears dead. */
void hdi_object_reborn(struct hdi_object *o, size_t size, uint64_t site);
/* The real object of `bytes` at addr was destroyed: its memory is filled with a pattern, so that a
 * use of it is told from a new object at the same address. */
void hdi_object_bury(struct hdi_object *o, size_t bytes, uint64_t site);
/* An operation on `o` begins. Reports a use after destruction, and then makes the real object
 * usable again as far as it was; forgets the old state when the memory holds a new object. `size`
 * of the model, `bytes` of the real object. */
void hdi_object_use(struct hdi_object *o, size_t size, size_t bytes, uint64_t site);

/* Findings. begin returns a struct to fill with notes (never NULL; when the table is full a scratch
 * one); end publishes it; a fatal one ends the schedule and does not return. */
struct hdp_finding *hdi_finding_begin(enum hd_finding_kind kind, const char *text);
struct hdp_note *hdi_note(struct hdp_finding *f, enum hd_role role, struct hdi_thread *t,
                          enum hd_event kind, struct hdi_object *object, uint64_t site,
                          uint32_t stack);
void hdi_finding_end(struct hdp_finding *f, bool fatal);

/* What was begun is none: it cannot happen, as this schedule shows. */
void hdi_finding_excluded(const struct hdp_finding *f);
/* The finding of that kind which says so of t and o; NULL: there is none. */
struct hdp_finding *hdi_finding_of(enum hd_finding_kind kind, const struct hdi_thread *t,
                                   const struct hdi_object *o);
/* Take a finding back: it turned out to be none. Those after it move up by one. */
void hdi_finding_withdraw(struct hdp_finding *f);

/* Ends the process with exit code 3: "heddle: WHO TEXT" on standard error. For what makes a run
 * impossible before its first thread. */
_Noreturn void hdi_refuse(const char *who, const char *text);

/* The abort that follows has been reported already. */
void hdi_crash_expected(void);
/* The program has a handler for alternate stacks: none of ours is there for it. */
void hdi_handler_stacks_off(void);
/* A panic is under way: when it ends in an abort, that is reported as this panic. */
void hdi_panicking(const char *text, struct hdi_object *object, uint64_t site);

/* Each schedule is a fork, and the program knows itself by the pid of the process that it was
 * forked from, in all schedules alike. hdi_process: the process that the program means by `pid`.
 * hdi_known_process: what the program calls the process `pid`. */
int hdi_process(int pid);
int hdi_known_process(int pid);
/* The same for the parent of a process: the program's is that of the process which schedules are
 * forked from. */
int hdi_known_parent(int pid);
/* Named objects of the system (ipc_names.c): from here on schedules are forked, by process
 * `server`; the memory returned is shared with them (NULL: there was none). remove: what a schedule
 * left. */
void *hdi_ipc_names_start(int server);
void hdi_ipc_names_remove(void);
/* The same for names in the file system (file_names.c). */
void *hdi_file_names_start(void);
void hdi_file_names_remove(void);
/* socketpair() made these two: the kernel does not tell which sockets belong together. */
void hdi_pair_made(const int fd[2]);
/* Name what is loaded and goes round the models. */
void hdi_outside_note(void);
/* A child process of the program has not ended yet, or its end has not been told. */
bool hdi_children_live(void);
/* The program has forked: what is shared with other processes may be held and released there. */
bool hdi_has_forked(void);
/* What the caller gives is, if `shared`, there for child processes, too; what it takes may be from one, which
 * may have followed from what it saw elsewhere (kernel_order.c). */
void hdi_to_others(bool shared);
void hdi_from_others(bool shared);
/* Can another process change what lies there? Once a page reads the kernel's list of mappings, until the
 * program changes them. */
bool hdi_may_be_shared(const void *addr);
void hdi_mappings_changed(void);
/* Can nobody but this process make fd ready: a pipe, a pair of sockets or a counter of its own, or
 * an epoll set of such? Some system calls. */
bool hdi_descriptor_is_own(int fd);
/* Does it listen since before the first thread, so that all schedules share the socket? */
bool hdi_listens_for_all(int fd);
/* Is it a timer that is armed, or an epoll set with one? */
bool hdi_descriptor_is_timed(int fd);
/* Once, before any other handler of fork() is registered. */
void hdi_process_start(void);
/* The runtime was started by the driver: in a schedule, before it, or in a child of the program. */
bool hdi_present(void);
/* A handler that comes while its thread waits for the turn is put off; hdi_signal_arrived tells the
 * scheduler, from the handler. */
bool hdi_postpones(void);
void hdi_signal_arrived(void);
/* The calling thread has the turn, and was interrupted (`context`, of a handler) in what the runtime does; not in
 * a system call, by which it may hear of the signal before its next operation. */
bool hdi_in_the_middle(const void *context);

/* May the program, or a child of it, fork once more? False: it forks without end, and the driver
 * has been told. */
bool hdi_may_fork(void);

/* Decisions of this schedule so far. */
uint32_t hdi_step(void);

/* Stack of the caller, when rich (else 0): index + 1 in the stack store. */
uint32_t hdi_stack(void);

/* Stack given as return addresses, innermost first: index + 1 in the stack store, 0 when full. */
uint32_t hdi_stack_pcs(const uint64_t *pcs, uint32_t count);

/* A call that passes through without a model: named once in the report. */
void hdi_unmodelled(const char *name, uint64_t site);

/* Memory for models: zeroed, never from the program's heap, never freed before the process ends. */
void *hdi_alloc(size_t bytes);
/* Pages, zeroed, of which few may ever be touched; kept. NULL: there are none. */
void *hdi_map(size_t bytes);
/* So much more can be had without a system call: of both kinds of the above and below, and pages. */
void hdi_alloc_ahead(size_t bytes, size_t map_bytes);
/* The same for what outlives a schedule of the in-process explorer: what thread-local and static
 * variables point to. */
void *hdi_alloc_lasting(size_t bytes);

/* What the memory hooks need to know of the schedule. `learned` and `news` lie in memory shared
 * with the driver; `replayed_site` enumerates the sites of the memory steps of a replay. */
struct hdp_learned;
struct hdp_reached;
struct hdp_tape;
struct hdi_memory_config {
    bool races, rich, replay;
    bool exhaustive; /* a load that brings nothing new is one more try of a loop at once */
    bool scout;      /* nothing was learned yet: the first accesses of each place are points */
    uint32_t points; /* enum hdp_points */
    uint32_t model;  /* enum hdp_memory_model */
    const struct hdp_learned *learned;
    struct hdp_learned *news;
    struct hdp_reached *reached;
    struct hdp_tape *tape; /* keep it; NULL: do not */
    const uint32_t *steps; /* decisions made so far */
};
void hdi_memory_config(struct hdi_memory_config *out);
/* The i-th site of a replay, after how many steps it became a point, and ceased to be one (0: it did not):
 * first what the file lists as points, then those of its steps; site 0 if that step is no memory access;
 * false past the end. */
bool hdi_replayed_site(uint32_t i, uint64_t *site, uint32_t *from, uint32_t *until);
/* One more step of the schedule is about to be made; `steps` counts it. */
void hdi_points_step(uint32_t steps);
/* What the calling thread does until this is called with false is no part of the program. */
void hdi_memory_aside(bool begins);
/* The i-th place where threads are to meet; false past the end. */
bool hdi_meeting_site(uint32_t i, uint64_t *site);

/* In the schedule's process, before its first thread is created: from here on memory accesses are
 * watched. Before, one thread ran alone and nothing can race with it. */
void hdi_memory_start(void);
/* Something of the program was built with heddle-cc, and its accesses are watched.   any */
bool hdi_memory_is_watched(void);
/* How often the calling thread wrote to memory beside its stack, in an exhaustive exploration.   any */
uint64_t hdi_memory_writes(void);

#endif /* HEDDLE_CONTROL_H */
