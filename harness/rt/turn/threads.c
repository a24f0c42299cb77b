/* threads.c - the threads of a schedule: the table of all, their names, birth and end. */
#include "vehicles/carrier.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/digits.h"
#include "core/real.h"
#include "models/signals.h"

extern void *__libc_stack_end; /* of ld.so: where the stack was when the program began */

/* Threads that ended leave gaps in rt.live, which are closed when somebody wants to see it. */
static void close_gaps(void)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rt.live_slots; i++)
        if (rt.live[i]) {
            rt.live[i]->turn.live_at = n;
            rt.live[n++] = rt.live[i];
        }
    rt.live_slots = n;
}

static void remove_live(struct hdi_thread *t)
{
    rt.live[t->turn.live_at] = NULL;
    rt.live_count--;
}

struct hdi_thread **hdi_live(uint32_t *count)
{
    if (rt.live_slots != rt.live_count)
        close_gaps();
    *count = rt.live_count;
    return rt.live;
}

struct hdi_thread *hdi_thread_known(uint32_t i)
{
    return i < rt.all_count ? rt.all[i] : NULL;
}

struct hdi_thread *hdi_thread_of(pthread_t handle)
{
    for (uint32_t i = rt.all_count; i-- > 0;)
        if (rt.all[i]->life.known && pthread_equal(rt.all[i]->handle, handle))
            return rt.all[i];
    return NULL;
}

static void append_number(char *out, size_t size, uint32_t n)
{
    char digits[24];

    hdi_put_decimal(digits, n);
    strncat(out, digits, size - strlen(out) - 1);
}

/* Creation path: the n-th thread of main is "Tn", the m-th of that one "Tn.m". A path that does not
 * fit is cut to its hash. */
static void name_thread(struct hdi_thread *t)
{
    struct hdi_thread *by = t->creator;

    if (!by) {
        strcpy(t->name, "T0");
    } else {
        size_t length = strlen(by->name);
        if (!by->creator)
            strcpy(t->name, "T");
        else if (length + 6 < sizeof t->name) {
            memcpy(t->name, by->name, length);
            strcpy(t->name + length, ".");
        } else {
            strcpy(t->name, "T~");
            append_number(t->name, sizeof t->name, by->hash);
            strcat(t->name, ".");
        }
        append_number(t->name, sizeof t->name,
                      rt.config.flags & HDP_EDITED ? rt_edited_child(t, &by->children)
                                                   : ++by->children);
    }
    t->hash = hash32_bytes(HASH32_BASIS, t->name, strlen(t->name));
}

/* The table of names has room for twice as many threads as there are. */
static void remember_name(struct hdi_thread *t)
{
    uint32_t mask = 2 * rt.all_capacity - 1, at = t->hash & mask;

    while (rt.by_name[at])
        at = (at + 1) & mask;
    rt.by_name[at] = t;
}

struct hdi_thread *rt_live_by_name(uint32_t hash)
{
    uint32_t mask = 2 * rt.all_capacity - 1, at = hash & mask;

    for (; rt.by_name[at]; at = (at + 1) & mask)
        if (rt.by_name[at]->hash == hash && !rt.by_name[at]->life.ended)
            return rt.by_name[at];
    return NULL;
}

/* Everything that has a place for each thread; lock held. */
static void grow_tables(void)
{
    uint32_t capacity = rt.all_capacity ? 2 * rt.all_capacity : 64;
    struct hdi_thread **all = hdi_alloc(capacity * sizeof *all);
    struct hdi_thread **live = hdi_alloc(capacity * sizeof *live);
    struct hdi_thread **deadline = hdi_alloc(capacity * sizeof *deadline);

    close_gaps();
    if (rt.all_count) {
        memcpy(all, rt.all, rt.all_count * sizeof *all);
        memcpy(live, rt.live, rt.live_count * sizeof *live);
        memcpy(deadline, rt.deadline, rt.deadlines * sizeof *deadline);
    }
    rt.all = all;
    rt.live = live;
    rt.deadline = deadline;
    rt.candidate = hdi_alloc(capacity * sizeof *rt.candidate);
    rt.due = hdi_alloc(capacity * sizeof *rt.due);
    rt_set_grow(&rt.runnable, capacity);
    rt_set_grow(&rt.outside, capacity);
    rt.all_capacity = capacity;
    rt.by_name = hdi_alloc(2 * capacity * sizeof *rt.by_name);
    for (uint32_t i = 0; i < rt.all_count; i++)
        remember_name(rt.all[i]);
}

void rt_threads_forget(void)
{
    rt.all = rt.live = rt.deadline = rt.candidate = rt.due = rt.by_name = NULL;
    rt.live_count = rt.live_slots = rt.all_count = rt.all_capacity = rt.deadlines = 0;
    rt.runnable = rt.outside = (struct rt_set){0};
    memset(&rt.search, 0, sizeof rt.search);
}

struct hdi_thread *hdi_thread_new(struct hdi_thread *creator, const void *start, uint64_t site)
{
    static struct hdi_op birth = {.kind = HD_EV_THREAD_START};
    struct hdi_thread *t = hdi_alloc(sizeof *t);
    struct hdi_op *op = hdi_alloc(sizeof *op);

    t->creator = creator;
    t->leak.check = creator ? creator->leak.check : NULL;
    t->start = (uint64_t)(uintptr_t)start;
    t->created_site = site;
    t->created_stack = creator ? hdi_stack() : 0;
    name_thread(t);
    t->object.kind = HD_OB_THREAD;
    t->object.id = t->hash | 1;
    t->object.created_site = site;
    t->object.creator = creator;
    t->state = HDP_T_RUNNING;
    rt_lock();
    if (rt.all_count == rt.all_capacity)
        grow_tables();
    t->index = rt.all_count;
    rt.all[rt.all_count++] = t;
    t->turn.live_at = rt.live_slots;
    rt.live[rt.live_slots++] = t;
    rt.live_count++;
    remember_name(t);
    rt.region->result.threads = rt.all_count;
    if (creator) {
        *op = birth;
        op->site = t->start;
        /* Each expiry of a timer that calls a function has a thread, which makes the next one. */
        if (creator->start == t->start)
            t->turn.rounds = creator->turn.rounds + 1;
        rt_publish(t, op);
        rt.lively_step = rt.region->result.steps;
        if (t->turn.rounds <= RT_PERIODIC_ROUNDS)
            rt.still_move = rt.moves;
    } else {
        rt_become(t);
        t->turn.first_frame = (uintptr_t)__libc_stack_end;
        rt.main = rt.current = t;
        t->life.known = true;
        t->handle = pthread_self();
    }
    if (rt.strategy->created && rt.started)
        rt.strategy->created(t);
    rt_export_thread(t);
    rt_unlock();
    return t;
}

void hdi_thread_discard(struct hdi_thread *t)
{
    rt_lock();
    rt_withdraw(t);
    t->op = NULL;
    t->state = HDP_T_ENDED;
    t->life.ended = t->life.joined = true;
    remove_live(t);
    rt_unlock();
}

static bool has_mask(const pthread_attr_t *attr)
{
#if __GLIBC_PREREQ(2, 32)
    sigset_t mask;

    return attr && pthread_attr_getsigmask_np(attr, &mask) == 0;
#else
    (void)attr;
    return false;
#endif
}

/* No handler runs in the new thread before its beginning is known: in one that nobody knows, what it does
 * is not seen. None runs in its maker before it is there, for it may be given the turn. */
int hdi_thread_make(pthread_t *out, const pthread_attr_t *attr, void *(*routine)(void *),
                    struct hdi_thread *t)
{
    bool carried = rt_vehicle->make != NULL;
    int rc;

    if (!carried) {
        t->signals.first_mask = hdi_mask_all(true);
        t->signals.unmask_at_first = !has_mask(attr);
    }
    hdi_self()->in_real++;
    rc = carried ? rt_vehicle->make(out, attr, routine, t)
                 : hdi_real.pthread_create(out, attr, routine, t);
    hdi_self()->in_real--;
    if (!carried)
        hdi_mask_back(t->signals.first_mask);
    return rc;
}

int hdi_thread_collect(struct hdi_thread *t, void **result)
{
    if (!rt.in_process && !rt_vehicle->collect)
        return hdi_real.pthread_join(t->handle, result);
    if (rt_vehicle->collect)
        rt_vehicle->collect(t);
    if (result)
        *result = t->life.result;
    return 0;
}

int hdi_thread_let_go(struct hdi_thread *t)
{
    if (!rt.in_process && !rt_vehicle->collect)
        return hdi_real.pthread_detach(t->handle);
    if (rt_vehicle->collect && t->life.ended)
        rt_vehicle->collect(t);
    return 0;
}

bool hdi_thread_stack(const struct hdi_thread *t, uintptr_t *low, uintptr_t *high)
{
    return rt_vehicle->stack && rt_vehicle->stack(t, low, high);
}

bool hdi_thread_signals(const struct hdi_thread *t, uint64_t *pending, uint64_t *shared,
                        uint64_t *blocked)
{
    return rt_vehicle->signals && rt_vehicle->signals(t, pending, shared, blocked);
}

bool hdi_thread_may_leave(void)
{
    return rt_vehicle->leave != NULL;
}

void hdi_thread_leave(void)
{
    rt_vehicle->leave();
}

void hdi_thread_begin(struct hdi_thread *t)
{
    t->inside = true;
    rt_become(t);
    t->turn.first_frame = (uintptr_t)__builtin_frame_address(0);
    if (t->signals.unmask_at_first)
        hdi_mask_back(t->signals.first_mask);
    if (!rt_vehicle->make)
        t->tid = (int)hdi_real.syscall(SYS_gettid);
    if (rt_vehicle->begin)
        rt_vehicle->begin(t);
    rt_vehicle->wait(t);
    if (rt.trap_due)
        rt_trap();
}

void hdi_thread_runs(struct hdi_thread *t)
{
    t->inside = false;
    if (hdi_signalled(t))
        hdi_deliver(t, NULL);
}

void hdi_thread_end(void)
{
    struct hdi_thread *self = hdi_self(), *next;

    self->inside = true;
    if (!rt_vehicle->make) {
        hdi_mask_all(true); /* what is for the process is another thread's from here on */
        hdi_signals_leave(self);
    }
    rt_lock();
    self->state = HDP_T_ENDED;
    self->life.ended = true;
    if (self->life.detached)
        self->life.known = false;
    remove_live(self);
    rt.lively_step = rt.region->result.steps;
    if (self->turn.rounds <= RT_PERIODIC_ROUNDS)
        rt.still_move = rt.moves;
    hdi_changed(&self->object);
    next = rt.live_count ? rt_pass_on(false) : NULL;
    if (!rt.live_count)
        rt.current = NULL;
    rt.leaving = self == rt.main ? 0 : self->tid; /* main stays as a zombie */
    rt_unlock();
    rt_become(NULL);
    if (next)
        rt_vehicle->give(next);
}
