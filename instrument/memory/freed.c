/* freed.c - see freed.h */
#include "freed.h"

#include "core/observers.h"
#include "core/thread.h"
#include "reach/reach.h"

#define REMEMBERED 1024u

static struct freed {
    uintptr_t low, high;
    struct hdi_thread *by; /* whose stack it was, when there is no site */
    uint64_t site;
    uint32_t stack;
} freed[REMEMBERED];  /* a ring */
static uint32_t next; /* entries made so far */

static bool has_turn(const struct hdi_thread *t)
{
    return t && t->state == HDP_T_RUNNING && !t->inside && !t->in_real;
}

/* What a program must not use in memory that is none any more. */
static bool is_lock(const struct hdi_object *o)
{
    switch (o->kind) {
    case HD_OB_MUTEX:
    case HD_OB_COND:
    case HD_OB_RWLOCK:
    case HD_OB_SPIN:
    case HD_OB_BARRIER:
    case HD_OB_SEM:
        return true;
    default:
        return false;
    }
}

static void report(struct hdi_thread *user, struct hdi_object *o, uint64_t site, uint32_t stack,
                   const struct freed *gone)
{
    struct hdp_finding *f = hdi_finding_begin(
        HD_FK_USE_AFTER_FREE, gone->site ? NULL : "on the stack of a thread that has ended");

    hdi_note(f, HD_ROLE_HERE, user, HD_EV_NONE, o, site, stack);
    if (gone->site)
        hdi_note(f, HD_ROLE_FREED, gone->by, HD_EV_FREE, NULL, gone->site, gone->stack);
    else
        hdi_note(f, HD_ROLE_EARLIER, gone->by, HD_EV_THREAD_EXIT, NULL, gone->by->start, 0);
    hdi_finding_end(f, true);
}

static void look_at(struct hdi_object *o, void *memory)
{
    struct freed *m = memory;

    o->freed = true;
    hdi_touched(o);
    if (!is_lock(o))
        return;
    if (m->site && !m->stack)
        m->stack = hdi_stack();
    o->destroyer = m->by;
    o->destroyed_site = m->site;
    o->destroyed_stack = m->stack;
    /* Who was let pass a barrier has done with it. */
    for (struct hdi_thread *t = o->pending; t; t = t->pending_next)
        if (!(t->op->kind == HD_EV_BARRIER_WAIT && t->wait.granted))
            report(t, o, t->op->site, t->end_stack, m);
}

static void remember(struct freed m)
{
    hdi_objects_within(m.low, m.high, look_at, &m);
    freed[next++ % REMEMBERED] = m;
}

void hdi_freed(const void *p, size_t bytes, uint64_t site)
{
    struct hdi_thread *self = hdi_self();

    if (!has_turn(self))
        return;
    hdi_touched_block((uintptr_t)p, bytes);
    remember((struct freed){(uintptr_t)p, (uintptr_t)p + bytes, self, site, 0});
}

void hdi_freed_forget(const void *p, size_t bytes)
{
    uintptr_t low = (uintptr_t)p, high = low + bytes;

    for (uint32_t i = 0; i < REMEMBERED && i < next; i++)
        if (freed[i].low < high && freed[i].high > low)
            freed[i].high = freed[i].low;
}

bool hdi_stayed(const struct hdi_object *o)
{
    return !o->freed && (hdi_object_is_static(o) || (hdi_reach_on && hdi_block_is_live(o->addr)));
}

/* Could what lies there have been initialised without a call? */
static bool looks_new(const struct hdi_object *o)
{
    const unsigned char *p = (const unsigned char *)o->addr;
    size_t bytes = o->kind == HD_OB_MUTEX    ? offsetof(pthread_mutex_t, __data.__kind)
                   : o->kind == HD_OB_RWLOCK ? offsetof(pthread_rwlock_t, __data.__shared)
                   : o->kind == HD_OB_COND   ? sizeof(pthread_cond_t)
                                             : 0;

    for (size_t i = 0; i < bytes; i++)
        if (p[i])
            return false;
    return bytes > 0;
}

static void used(struct hdi_object *o, uint64_t site)
{
    uintptr_t a = o->addr;

    if (!hdi_reach_on || hdi_object_is_static(o))
        return;
    if (!hdi_block_is_live(a))
        for (uint32_t i = next; i-- > 0 && next - i <= REMEMBERED;) {
            const struct freed *m = &freed[i % REMEMBERED];
            if (a >= m->low && a < m->high)
                report(hdi_self(), o, site, hdi_stack(), m);
        }
    if (o->freed && looks_new(o))
        o->freed = false;
    if (o->freed) { /* the memory is somebody else's by now */
        const struct freed m = {a, a, o->destroyer, o->destroyed_site, o->destroyed_stack};
        report(hdi_self(), o, site, hdi_stack(), &m);
    }
}

/* The stack that the C library made for t. */
static struct freed stack_of(struct hdi_thread *t)
{
    uintptr_t high = (uintptr_t)t->handle, low = high - t->reach.stack_bytes;

    return t->reach.stack_bytes ? (struct freed){low, high, t, 0, 0} : (struct freed){0};
}

void hdi_freed_observes(enum hdi_what what, const struct hdi_happened *e)
{
    struct freed stack;

    if (what == HDI_USED) {
        used(e->object, e->site);
        return;
    }
    if (what == HDI_BEGINS && e->event != HD_EV_THREAD_EXIT)
        return;
    stack = stack_of(hdi_self());
    if (!stack.high)
        return;
    if (what == HDI_BEGINS) /* its function has returned: no frame of the program's is left */
        remember(stack);
    else
        hdi_freed_forget((const void *)stack.low, stack.high - stack.low);
}
