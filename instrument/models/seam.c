/* seam.c - the table through which lib/ waits when the runtime is loaded
 * (lib/include/heddle/seam.h). */
#include <heddle/seam.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "core/leak_check.h"
#include "core/observers.h"
#include "core/real.h"
#include "reach/reach.h"
#include "core/thread.h"
#include "wire/label.h"

static enum hd_object kind_of(enum hd_event kind)
{
    switch (kind) {
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_RECV:
    case HD_EV_CHAN_CLOSE:
        return HD_OB_CHAN;
    case HD_EV_HD_MUTEX_LOCK:
    case HD_EV_HD_MUTEX_TRYLOCK:
    case HD_EV_HD_MUTEX_UNLOCK:
        return HD_OB_HD_MUTEX;
    case HD_EV_HD_RWMUTEX_RLOCK:
    case HD_EV_HD_RWMUTEX_LOCK:
    case HD_EV_HD_RWMUTEX_TRYLOCK:
    case HD_EV_HD_RWMUTEX_UNLOCK:
        return HD_OB_HD_RWMUTEX;
    case HD_EV_HD_WAITGROUP_WAIT:
    case HD_EV_HD_WAITGROUP_ADD:
        return HD_OB_WAITGROUP;
    case HD_EV_HD_COND_WAIT:
    case HD_EV_HD_COND_SIGNAL:
        return HD_OB_HD_COND;
    case HD_EV_HD_ONCE:
        return HD_OB_HD_ONCE;
    case HD_EV_HD_SEMAPHORE:
        return HD_OB_WEIGHTED;
    case HD_EV_HD_CONTEXT:
        return HD_OB_CONTEXT;
    case HD_EV_HD_TIMER:
        return HD_OB_TIMER;
    default:
        return HD_OB_NONE;
    }
}

/* One model struct per address, whatever the kinds of the events that name it. */
static struct hdi_object *object_of(const void *addr, enum hd_event kind, uint64_t site)
{
    struct hdi_object *o;

    if (!addr)
        return NULL;
    o = hdi_object_get(addr, HD_OB_NONE, sizeof *o, site);
    if (!o->announced && o->users == 0 && kind_of(kind) != HD_OB_NONE)
        o->label_kind = (uint8_t)kind_of(kind);
    return o;
}

static uint64_t number(const void *site)
{
    return (uint64_t)(uintptr_t)site;
}

/* What an operation does depends on those before it on its object; of mutexes, locks tell that. A
 * select is about several channels, so that all channels are one. */
static void take_turn(enum hd_event kind, const void *object)
{
    static const char channels;

    if (kind == HD_EV_HD_MUTEX_TRYLOCK)
        hdi_tell(MISSED, .clock = object);
    else if (kind == HD_EV_SELECT || kind_of(kind) == HD_OB_CHAN)
        hdi_tell(IN_TURN, .clock = &channels);
    else if (object && kind_of(kind) != HD_OB_HD_MUTEX)
        hdi_tell(IN_TURN, .clock = object);
}

static void point(enum hd_event kind, const void *object, const void *site)
{
    struct hdi_object *o;

    if (!hdi_enter())
        return;
    if (kind == HD_EV_RELEASED) {
        hdi_released(NULL, number(site));
        return;
    }
    o = object_of(object, kind, number(site));
    hdi_tell(BEGINS, .object = o, .event = kind);
    hdi_point(kind, o, number(site));
    take_turn(kind, object);
}

/* What was done last stays the operation that this is a part of. */
static int inner(const void *object, const void *site)
{
    struct hdi_thread *self = hdi_self();
    struct hdi_op last;

    if (!hdi_inner_points() || !hdi_enter())
        return 0;
    last = self->last;
    hdi_point(HD_EV_HD_INNER, object_of(object, HD_EV_NONE, number(site)), number(site));
    self->last = last;
    return 1;
}

static int about_to(enum hd_event kind, const void *object)
{
    const struct hdi_object *o = hdi_enter() ? hdi_object_find(object, HD_OB_NONE) : NULL;
    const struct hdi_thread *t;

    if (o)
        hdi_touched_plans(o);
    for (uint32_t i = 0; o && (t = hdi_thread_known(i)); i++)
        if (t->op && t->op->object == o && t->op->kind == kind)
            return 1;
    return 0;
}

static bool has_token(const struct hdi_op *op)
{
    return op->self->wait.token;
}

static enum hd_seam_wake wait_for_token(enum hd_event kind, const void *object, uint64_t site,
                                        int64_t until_ns)
{
    struct hdi_thread *self = hdi_self();
    struct hdi_op op = {
        .kind = kind, .site = site, .ready = has_token, .until_ns = until_ns < 1 ? 1 : until_ns};

    hdi_touched_clock();
    if (until_ns <= hdi_now() && !self->wait.token)
        return HD_SEAM_TIMED_OUT;
    op.object = object_of(object, kind, site);
    if (!self->wait.token && hdi_perform(&op) == HDI_TIMED_OUT && !self->wait.token)
        return HD_SEAM_TIMED_OUT;
    self->wait.token = false;
    return HD_SEAM_WOKEN;
}

static enum hd_seam_wake block(enum hd_event kind, const void *object, const void *site,
                               int64_t until_ns)
{
    enum hd_seam_wake wake;

    if (!hdi_enter())
        return HD_SEAM_TIMED_OUT;
    wake = wait_for_token(kind, object, number(site), until_ns);
    hdi_self()->wait.count = 0;
    return wake;
}

static void cases(const struct hd_seam_case *list, uint32_t count)
{
    struct hdi_thread *t = hdi_self();

    if (!hdi_enter())
        return;
    if (count > t->wait.capacity) {
        t->wait.cases = hdi_alloc(count * sizeof *t->wait.cases);
        t->wait.capacity = count;
    }
    for (uint32_t i = 0; i < count; i++)
        t->wait.cases[i] =
            (struct hdi_case){object_of(list[i].object, list[i].kind, 0), list[i].kind};
    t->wait.count = count;
}

static void units(const void *object, int64_t total)
{
    struct hdi_object *o;

    if (hdi_enter() && (o = hdi_object_find(object, HD_OB_NONE)))
        hdi_tell(UNITS, .object = o, .n = total);
}

static void moved(enum hd_event kind, const void *object, int64_t n, int could_wait,
                  const void *site)
{
    struct hdi_object *o;

    if (hdi_enter() && (o = hdi_object_find(object, HD_OB_NONE)) && !o->dead)
        hdi_tell(DONE, .object = o, .event = kind, .n = n, .mode = could_wait ? HDI_COULD_WAIT : 0,
                 .site = number(site));
}

static void wake(void *thread)
{
    struct hdi_thread *t = thread;

    for (uint32_t i = 0; i < t->wait.count; i++) /* it waits for none of them any more */
        if (t->wait.cases[i].object)
            hdi_touched(t->wait.cases[i].object);
    t->wait.token = true;
    if (t->op)
        hdi_reconsider(t);
}

static void *self(void)
{
    return hdi_self();
}

static uint32_t choose(uint32_t n, const void *site)
{
    return hdi_enter() ? hdi_choose(n, number(site)) : 0;
}

static int64_t now(void)
{
    return hdi_enter() ? hdi_clock_read() : hdi_now();
}

static int spawn(void *(*start)(void *), void *arg, size_t stack_bytes, const void *shown,
                 const char *name, const void *site)
{
    pthread_attr_t attr;
    pthread_t handle;
    struct hdi_thread *t;
    int rc;

    if (!hdi_enter() || hdi_spawn_fails(number(site)))
        return EAGAIN;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (stack_bytes)
        pthread_attr_setstacksize(&attr, stack_bytes);
    rc = hdi_spawn(&handle, &attr, start, arg, shown, number(site));
    pthread_attr_destroy(&attr);
    t = rc == 0 ? hdi_thread_of(handle) : NULL;
    if (t)
        t->goroutine = true;
    if (t && name)
        label_copy(t->label, sizeof t->label, name);
    if (t)
        hdi_released(NULL, number(site));
    return rc;
}

static void external_enter(const void *site)
{
    if (hdi_enter())
        hdi_external_enter(number(site));
}

static void external_leave(void)
{
    if (hdi_self())
        hdi_external_leave();
}

static void born(enum hd_object kind, const void *object, const char *name, const void *site)
{
    struct hdi_object *o;

    if (!hdi_enter())
        return;
    /* One birth either way: whether the address was used before is the allocator's affair, and ids
     * count births. */
    o = hdi_object_find(object, HD_OB_NONE);
    if (o)
        hdi_object_reborn(o, sizeof *o, number(site));
    else
        o = hdi_object_get(object, HD_OB_NONE, sizeof *o, number(site));
    o->label_kind = (uint8_t)kind;
    o->announced = true;
    if (name)
        label_copy(o->label, sizeof o->label, name);
}

static void owes(const void *object, int owed)
{
    struct hdi_object *o = hdi_enter() ? hdi_object_find(object, HD_OB_NONE) : NULL;

    if (o && o->announced)
        hdi_tell(OWED, .object = o, .n = owed != 0);
}

static void gone(const void *object, const void *site)
{
    struct hdi_object *o;

    if (!hdi_enter() || !(o = hdi_object_find(object, HD_OB_NONE)))
        return;
    hdi_tell(DESTROYED, .object = o);
    o->dead = true;
    o->owed = o->announced = false;
    o->destroyed_site = number(site);
    o->destroyer = hdi_self();
    o->destroyed_stack = hdi_stack();
}

static void acquired(const void *object, int shared, const void *site)
{
    if (hdi_enter())
        hdi_tell(ACQUIRED, .object = object_of(object, HD_EV_NONE, number(site)),
                 .event = hdi_self()->last.kind, .mode = shared ? HDI_SHARED : 0,
                 .site = number(site));
}

static void released(const void *object, const void *site)
{
    struct hdi_object *o;
    struct hdi_thread *holder = hdi_self();

    if (!hdi_enter() || !(o = hdi_object_find(object, HD_OB_NONE)))
        return;
    /* Go lets another goroutine unlock, also behind its end. */
    for (uint32_t i = 0; holder && !hdi_held_find(holder, o); i++)
        holder = hdi_thread_known(i);
    if (holder)
        hdi_tell(RELEASED, .object = o, .thread = holder, .site = number(site));
}

static void release(const void *clock)
{
    hdi_tell(SENT, .clock = clock, .mode = HDI_OF_LIB);
}

static void acquire(const void *clock)
{
    hdi_tell(RECEIVED, .clock = clock, .mode = HDI_OF_LIB);
}

static void panic(const char *message, const void *object, const void *site)
{
    if (hdi_enter())
        hdi_panicking(message, object_of(object, HD_EV_NONE, number(site)), number(site));
}

HDI_EXPORT const struct hd_seam *heddle_rt_seam(uint32_t version)
{
    static const struct hd_seam table = {.version = HD_SEAM_VERSION,
                                         .size = sizeof table,
                                         .point = point,
                                         .block = block,
                                         .wake = wake,
                                         .self = self,
                                         .choose = choose,
                                         .now = now,
                                         .spawn = spawn,
                                         .external_enter = external_enter,
                                         .external_leave = external_leave,
                                         .born = born,
                                         .gone = gone,
                                         .acquired = acquired,
                                         .released = released,
                                         .release = release,
                                         .acquire = acquire,
                                         .panic = panic,
                                         .local = hdi_local,
                                         .units = units,
                                         .moved = moved,
                                         .cases = cases,
                                         .owes = owes,
                                         .check_swap = hdi_check_swap,
                                         .check_begin = hdi_check_begin,
                                         .check_end = hdi_check_end,
                                         .weak = hdi_reach_weak,
                                         .inner = inner,
                                         .about_to = about_to};
    return version == HD_SEAM_VERSION && (hdi_in_process() || hdi_enter()) ? &table : NULL;
}
