/* openmp.c - the order that OpenMP's own runtime makes, which no hook sees.
 *
 * Barriers, critical sections and tasks live in a library that was built without hooks: what they
 * order would be told as races. LLVM's runtime tells a tool of them (the OpenMP specification 5.1,
 * chapter 4, "OMPT Interface"; the idea of Archer, Atzeni et al. 2016). GCC's tells nobody.
 *
 * Each edge has a clock of its own, whose name is made of what it belongs to: a task's begin is
 * after its creation and after the tasks that it depends on, a taskwait's end after the end of the
 * children, a barrier's after that of all tasks of the region. Two tasks are ordered by nothing
 * else; those that one thread runs after one another are, to it.
 *   threads  the one that has the turn
 */
#include <string.h>

#include "core/observers.h"
#include "core/real.h"
#include "memory/access.h"
#include "memory/race/tape_writer.h"
#include "wire/hash.h"

/* Of the specification's tool interface, what is used. */
union ompt_data {
    uint64_t value;
    void *ptr;
};

enum ompt_callback {
    OMPT_PARALLEL_BEGIN = 3,
    OMPT_PARALLEL_END = 4,
    OMPT_TASK_CREATE = 5,
    OMPT_TASK_SCHEDULE = 6,
    OMPT_IMPLICIT_TASK = 7,
    OMPT_MUTEX_RELEASED = 17,
    OMPT_DEPENDENCES = 18,
    OMPT_SYNC_REGION = 23,
    OMPT_MUTEX_ACQUIRE = 26,
    OMPT_MUTEX_ACQUIRED = 27,
    OMPT_FLUSH = 29,
    OMPT_REDUCTION = 31,
};

enum ompt_endpoint { OMPT_BEGIN = 1, OMPT_END = 2 };
enum ompt_sync_region { OMPT_TASKWAIT = 5, OMPT_TASKGROUP = 6 }; /* all others are barriers */
enum ompt_task_status {
    OMPT_COMPLETE = 1,
    OMPT_CANCEL = 3,
    OMPT_DETACH = 4,
    OMPT_LATE_FULFILL = 6,
    OMPT_TASKWAIT_COMPLETE = 8,
};
enum ompt_dependence_type {
    OMPT_IN = 1,
    OMPT_OUT = 2,
    OMPT_INOUT = 3,
    OMPT_MUTEXINOUTSET = 4,
    OMPT_SOURCE = 5,
    OMPT_SINK = 6,
    OMPT_INOUTSET = 7,
};
struct ompt_dependence {
    union ompt_data variable;
    enum ompt_dependence_type type;
};

typedef void (*ompt_function)(void);
typedef int (*ompt_set_callback)(enum ompt_callback, ompt_function);

struct ompt_start_tool_result {
    int (*initialize)(ompt_function (*lookup)(const char *name), int device, union ompt_data *tool);
    void (*finalize)(union ompt_data *tool);
    union ompt_data tool;
};

/* ---- clocks ---- */

enum clock {
    REGION,
    BARRIER,
    TASK,
    CHILDREN,
    GROUP,
    READERS,
    WRITERS,
    TOGETHER,
    IN_SET,
    ITERATION
};

/* A clock's address: no real one has this bit. */
static const void *clock_of(enum clock kind, uint64_t of, uint64_t part)
{
    uint64_t h = hash_spread(hash_mix(hash_mix(kind, of), part));

    return (const void *)(uintptr_t)(h >> 3 | 1ull << 61);
}

static void sent(enum clock kind, uint64_t of, uint64_t part)
{
    hdi_tell(SENT, .clock = clock_of(kind, of, part));
}

static void received(enum clock kind, uint64_t of, uint64_t part)
{
    hdi_tell(RECEIVED, .clock = clock_of(kind, of, part));
}

/* ---- tasks ---- */

struct group {
    uint64_t id;
    struct group *outer;
};

struct task {
    uint64_t id, parent, region;
    struct task *implicit; /* whose region's barrier waits for it; itself: it is one */
    struct group *group;   /* innermost */
    uint64_t first_group;  /* that it was made in; 0: none */
    uint64_t barriers;     /* of an implicit one: that it went through */
    struct ompt_dependence *depends;
    int dependences, room;
    bool begun;
    struct task *next; /* free ones */
};

static uint64_t last_id;
static struct task *free_tasks;
static struct group *free_groups;

static struct task *task_new(void)
{
    struct task *t = free_tasks;

    if (t)
        free_tasks = t->next;
    else
        t = hdi_alloc_lasting(sizeof *t);
    *t = (struct task){.id = ++last_id, .depends = t->depends, .room = t->room};
    return t;
}

static void task_free(struct task *t)
{
    hdi_race_forget((uintptr_t)clock_of(TASK, t->id, 0));
    hdi_race_forget((uintptr_t)clock_of(CHILDREN, t->id, 0));
    t->next = free_tasks;
    free_tasks = t;
}

static void group_begins(struct task *t)
{
    struct group *g = free_groups;

    if (g)
        free_groups = g->outer;
    else
        g = hdi_alloc_lasting(sizeof *g);
    *g = (struct group){++last_id, t->group};
    t->group = g;
}

static void group_ends(struct task *t)
{
    struct group *g = t->group;

    received(GROUP, g->id, 0);
    hdi_race_forget((uintptr_t)clock_of(GROUP, g->id, 0));
    t->group = g->outer;
    g->outer = free_groups;
    free_groups = g;
}

/* What must have ended before a task with this dependence begins. */
static void depend_begin(const struct task *t, const struct ompt_dependence *d)
{
    received(WRITERS, t->parent, d->variable.value);
    if (d->type != OMPT_IN)
        received(READERS, t->parent, d->variable.value);
    if (d->type != OMPT_INOUTSET)
        received(IN_SET, t->parent, d->variable.value);
    received(TOGETHER, t->parent, d->variable.value); /* in any order, and yet one by one */
}

static void depend_end(const struct task *t, const struct ompt_dependence *d)
{
    sent(d->type == OMPT_IN              ? READERS
         : d->type == OMPT_MUTEXINOUTSET ? TOGETHER
         : d->type == OMPT_INOUTSET      ? IN_SET
                                         : WRITERS,
         t->parent, d->variable.value);
}

static void task_begins(struct task *t)
{
    received(TASK, t->id, 0);
    for (int i = 0; i < t->dependences && !t->begun; i++)
        depend_begin(t, &t->depends[i]);
    t->begun = true;
}

static void task_ends(const struct task *t)
{
    sent(CHILDREN, t->parent, 0);
    if (t->first_group)
        sent(GROUP, t->first_group, 0);
    if (t->implicit) {
        sent(BARRIER, t->region, t->implicit->barriers);
        sent(REGION, t->region, 1);
    }
    for (int i = 0; i < t->dependences; i++)
        depend_end(t, &t->depends[i]);
}

static void on_task_create(union ompt_data *data, const void *frame, union ompt_data *made,
                           int flags, int dependences, const void *site)
{
    const struct task *maker = data ? data->ptr : NULL;
    struct task *t = task_new();

    (void)frame, (void)flags, (void)dependences, (void)site;
    if (maker) {
        t->parent = maker->id;
        t->region = maker->region;
        t->implicit = maker->implicit;
        t->first_group = maker->group ? maker->group->id : maker->first_group;
    }
    made->ptr = t;
    sent(TASK, t->id, 0);
}

static void on_dependences(union ompt_data *data, const struct ompt_dependence *d, int n)
{
    struct task *t = data->ptr;
    uint64_t iteration = 0;

    if (!t || n <= 0)
        return;
    if (d->type == OMPT_SOURCE || d->type == OMPT_SINK) {
        for (int i = 0; i < n; i++)
            iteration = hash_mix(iteration, d[i].variable.value);
        if (d->type == OMPT_SOURCE)
            sent(ITERATION, t->region, iteration);
        else
            received(ITERATION, t->region, iteration);
        return;
    }
    if (n > t->room)
        t->depends = hdi_alloc_lasting((size_t)(t->room = n) * sizeof *d);
    memcpy(t->depends, d, (size_t)n * sizeof *d);
    t->dependences = n;
}

static void on_task_schedule(union ompt_data *prior, int status, union ompt_data *next)
{
    struct task *from = prior ? prior->ptr : NULL, *to = next ? next->ptr : NULL;

    if (from && status == OMPT_TASKWAIT_COMPLETE) { /* of a taskwait with dependences */
        task_begins(from);
        task_free(from);
    } else if (from && from->implicit != from) {
        if (status == OMPT_COMPLETE || status == OMPT_CANCEL || status == OMPT_DETACH ||
            status == OMPT_LATE_FULFILL)
            task_ends(from);
        else
            sent(TASK, from->id, 0); /* another thread may go on with it */
        if (status == OMPT_COMPLETE || status == OMPT_CANCEL || status == OMPT_LATE_FULFILL)
            task_free(from);
    }
    if (to && to->implicit != to)
        task_begins(to);
}

/* ---- regions ---- */

static void on_parallel_begin(union ompt_data *task, const void *frame, union ompt_data *parallel,
                              unsigned threads, int flags, const void *site)
{
    (void)task, (void)frame, (void)threads, (void)flags, (void)site;
    parallel->value = ++last_id;
    sent(REGION, parallel->value, 0);
}

/* Its last barrier may be an even or an odd one. */
static void on_parallel_end(union ompt_data *parallel, union ompt_data *task, int flags,
                            const void *site)
{
    (void)task, (void)flags, (void)site;
    received(REGION, parallel->value, 1);
}

static void on_implicit_task(enum ompt_endpoint end, union ompt_data *parallel,
                             union ompt_data *task, unsigned threads, unsigned index, int flags)
{
    struct task *t;

    (void)threads, (void)index, (void)flags;
    if (end == OMPT_BEGIN) {
        t = task_new();
        t->implicit = t;
        t->region = parallel && parallel->value ? parallel->value : ++last_id;
        task->ptr = t;
        received(REGION, t->region, 0);
    } else if (task && task->ptr) {
        task_free(task->ptr);
        task->ptr = NULL;
    }
}

static void on_barrier(enum ompt_endpoint end, struct task *t)
{
    if (end == OMPT_BEGIN) {
        sent(BARRIER, t->region, t->barriers);
        sent(REGION, t->region, 1); /* which may end with it */
        return;
    }
    received(BARRIER, t->region, t->barriers);
    if (t->barriers) /* who has come to this one has left the one before */
        hdi_race_forget((uintptr_t)clock_of(BARRIER, t->region, t->barriers - 1));
    t->barriers++;
}

static void on_sync_region(int kind, enum ompt_endpoint end, union ompt_data *parallel,
                           union ompt_data *task, const void *site)
{
    struct task *t = task ? task->ptr : NULL;

    (void)parallel, (void)site;
    if (!t)
        return;
    if (kind == OMPT_TASKWAIT) {
        if (end == OMPT_END)
            received(CHILDREN, t->id, 0);
    } else if (kind != OMPT_TASKGROUP) {
        on_barrier(end, t);
    } else if (end == OMPT_BEGIN) {
        group_begins(t);
    } else if (t->group) {
        group_ends(t);
    }
}

/* Within a barrier the values of one thread are combined with those of others, which have come. */
static void on_reduction(int kind, enum ompt_endpoint end, union ompt_data *parallel,
                         union ompt_data *task, const void *site)
{
    struct task *t = task ? task->ptr : NULL;

    (void)kind, (void)parallel, (void)site;
    if (!t)
        return;
    if (end == OMPT_BEGIN) {
        received(BARRIER, t->region, t->barriers);
    } else {
        sent(BARRIER, t->region, t->barriers);
        sent(REGION, t->region, 1);
    }
}

static void on_flush(union ompt_data *thread, const void *site)
{
    (void)thread, (void)site;
    if (hdi_watched)
        hdi_race_fence(hdi_watched->racer, HDI_SEQ_CST);
}

/* ---- locks ---- */

/* An OpenMP lock or critical section: who finds it taken waits here, where it is known for whom. */
struct omp_lock {
    struct hdi_object object;
    struct hdi_thread *owner; /* NULL: free */
    struct hdi_memory_thread *memory;
};

static struct omp_lock *lock_of(uint64_t id, uint64_t site)
{
    struct omp_lock *x =
        (struct omp_lock *)hdi_object_get((const void *)(uintptr_t)id, HD_OB_SPIN, sizeof *x, site);
    x->object.label_kind = HD_OB_MUTEX;
    return x;
}

static bool is_free(const struct hdi_op *op)
{
    const struct omp_lock *x = (const struct omp_lock *)op->object;

    return !x->owner || x->owner == op->self; /* one that nests */
}

/* The caller has changed what the runtime's threads share, and they may get there first. */
static void taken(uint64_t site)
{
    if (!hdi_controlled())
        return;
    hdi_point(HD_EV_ATOMIC_RMW, NULL, site);
    hdi_got_on();
}

/* The calling thread only tries: not every runtime says so. */
static _Thread_local bool tests __attribute__((tls_model("initial-exec")));

static void given_back(struct omp_lock *x)
{
    hdi_tell(RELEASED, .object = &x->object, .thread = x->owner);
    x->owner = NULL;
    hdi_changed(&x->object);
}

static void on_mutex_acquire(int kind, unsigned hint, unsigned implementation, uint64_t id,
                             const void *at)
{
    uint64_t site = (uint64_t)(uintptr_t)at;
    struct hdi_op op = {.kind = HD_EV_MUTEX_LOCK, .site = site, .ready = is_free};

    (void)kind, (void)hint, (void)implementation;
    if (!hdi_controlled())
        return;
    op.object = &lock_of(id, site)->object;
    if (tests)
        hdi_point(HD_EV_MUTEX_TRYLOCK, op.object, site);
    else
        hdi_perform(&op);
}

static void on_mutex_acquired(int kind, uint64_t id, const void *at)
{
    uint64_t site = (uint64_t)(uintptr_t)at;
    struct omp_lock *x;

    (void)kind;
    if (!hdi_controlled())
        return;
    x = lock_of(id, site);
    if (x->owner && x->memory) { /* it let go, but has not said so yet: what it did is over */
        if (hdi_tape)
            hdi_tape_release(x->memory, (const void *)(uintptr_t)id);
        hdi_race_release(x->memory->racer, (uintptr_t)id);
    }
    if (x->owner)
        hdi_tell(LOST, .object = &x->object, .thread = x->owner);
    x->owner = hdi_self();
    x->memory = hdi_watched;
    hdi_tell(ACQUIRED, .object = &x->object, .event = HD_EV_MUTEX_LOCK, .site = site);
    hdi_changed(&x->object);
    if (tests) /* of its release it is told too late: others may try now */
        taken(site);
}

static void on_mutex_released(int kind, uint64_t id, const void *at)
{
    uint64_t site = (uint64_t)(uintptr_t)at;
    struct omp_lock *x;

    (void)kind;
    if (!hdi_controlled())
        return;
    x = lock_of(id, site);
    if (x->owner != hdi_self())
        return;
    given_back(x);
    hdi_released(&x->object, site);
}

#define REAL(type, name, args) HDI_REAL_OF(type, #name, args, HDI_SITE())

#define TEST_LOCK(name)                                                                            \
    HDI_EXPORT int name(void *lock)                                                                \
    {                                                                                              \
        int got;                                                                                   \
        REAL(int, name, (void *))                                                                  \
        tests = true;                                                                              \
        got = real(lock);                                                                          \
        tests = false;                                                                             \
        return got;                                                                                \
    }
TEST_LOCK(omp_test_lock)
TEST_LOCK(omp_test_nest_lock)

/* Of the sections in which values are combined one by one the runtime tells too late. */
#define REDUCE(name, all)                                                                          \
    HDI_EXPORT int name(void *at, int thread, int n, size_t bytes, void *data,                     \
                        void (*combine)(void *, void *), void *lock)                               \
    {                                                                                              \
        int mine;                                                                                  \
        REAL(int, name, (void *, int, int, size_t, void *, void (*)(void *, void *), void *))      \
        mine = real(at, thread, n, bytes, data, combine, lock);                                    \
        if (mine == 1 || (all))                                                                    \
            hdi_tell(RECEIVED, .clock = lock, .mode = HDI_OF_LOCK);                                \
        return mine;                                                                               \
    }
#define END_REDUCE(name)                                                                           \
    HDI_EXPORT void name(void *at, int thread, void *lock)                                         \
    {                                                                                              \
        REAL(void, name, (void *, int, void *))                                                    \
        hdi_tell(SENT, .clock = lock, .mode = HDI_OF_LOCK);                                        \
        real(at, thread, lock);                                                                    \
    }
REDUCE(__kmpc_reduce, true) /* ends with a barrier: they all see what one of them made of it */
REDUCE(__kmpc_reduce_nowait, false)
END_REDUCE(__kmpc_end_reduce)
END_REDUCE(__kmpc_end_reduce_nowait)

/* Who takes what is shared out decides what meets: a thread may be overtaken between two shares of a
 * loop, and before it goes on from a task that it made. The runtime waits nowhere there. */
#define NEXT_SHARE(name)                                                                           \
    HDI_EXPORT int name(void *at, int thread, int *last, void *low, void *high, void *step)        \
    {                                                                                              \
        REAL(int, name, (void *, int, int *, void *, void *, void *))                              \
        taken(HDI_SITE());                                                                         \
        return real(at, thread, last, low, high, step);                                            \
    }
NEXT_SHARE(__kmpc_dispatch_next_4)
NEXT_SHARE(__kmpc_dispatch_next_4u)
NEXT_SHARE(__kmpc_dispatch_next_8)
NEXT_SHARE(__kmpc_dispatch_next_8u)

HDI_EXPORT int __kmpc_omp_task(void *at, int thread, void *task)
{
    int answer;
    REAL(int, __kmpc_omp_task, (void *, int, void *))
    answer = real(at, thread, task);
    taken(HDI_SITE());
    return answer;
}

HDI_EXPORT int __kmpc_omp_task_with_deps(void *at, int thread, void *task, int n, void *depends,
                                         int weak_n, void *weak)
{
    int answer;
    REAL(int, __kmpc_omp_task_with_deps, (void *, int, void *, int, void *, int, void *))
    answer = real(at, thread, task, n, depends, weak_n, weak);
    taken(HDI_SITE());
    return answer;
}

/* ---- the tool ---- */

static int initialize(ompt_function (*lookup)(const char *name), int device, union ompt_data *tool)
{
    static const struct {
        enum ompt_callback event;
        ompt_function function;
    } callbacks[] = {
        {OMPT_PARALLEL_BEGIN, (ompt_function)on_parallel_begin},
        {OMPT_PARALLEL_END, (ompt_function)on_parallel_end},
        {OMPT_IMPLICIT_TASK, (ompt_function)on_implicit_task},
        {OMPT_SYNC_REGION, (ompt_function)on_sync_region},
        {OMPT_REDUCTION, (ompt_function)on_reduction},
        {OMPT_FLUSH, (ompt_function)on_flush},
        {OMPT_MUTEX_ACQUIRE, (ompt_function)on_mutex_acquire},
        {OMPT_MUTEX_ACQUIRED, (ompt_function)on_mutex_acquired},
        {OMPT_MUTEX_RELEASED, (ompt_function)on_mutex_released},
        {OMPT_TASK_CREATE, (ompt_function)on_task_create},
        {OMPT_DEPENDENCES, (ompt_function)on_dependences},
        {OMPT_TASK_SCHEDULE, (ompt_function)on_task_schedule},
    };
    ompt_set_callback set = (ompt_set_callback)lookup("ompt_set_callback");

    (void)device, (void)tool;
    for (size_t i = 0; set && i < sizeof callbacks / sizeof *callbacks; i++)
        set(callbacks[i].event, callbacks[i].function);
    return set != NULL;
}

static void finalize(union ompt_data *tool)
{
    (void)tool;
}

/* Called by the OpenMP runtime when it starts, by this name. */
HDI_EXPORT struct ompt_start_tool_result *ompt_start_tool(unsigned version, const char *runtime)
{
    static struct ompt_start_tool_result tool = {.initialize = initialize, .finalize = finalize};

    (void)version, (void)runtime;
    return hdi_watch.instrumented ? &tool : NULL;
}
