/* cond.c - pthread condition variables: waits, timed waits, signal, broadcast.
 *
 * Waiters queue in the model; the real condition variable is never waited on. A wait releases the
 * mutex and queues in one step, so nothing is lost between; which waiter a signal wakes is a choice
 * of the schedule. A signalled waiter waits for its mutex like any other locker
 * (HD_EV_COND_RELOCK).
 */
#include <errno.h>

#include "clock.h"
#include "mutex.h"
#include "core/observers.h"
#include "core/real.h"
#include "refused.h"

#define BYTES sizeof(pthread_cond_t)

struct hdi_cond {
    struct hdi_object object;
    struct hdi_thread *first; /* waiters, oldest first, by wait.next */
    struct hdi_mutex *mutex;  /* of the waiters */
    clockid_t clock;
    bool hinted; /* a signal without the mutex was told */
    bool shared; /* other processes may wait and signal */
};

static struct hdi_cond *model(pthread_cond_t *c, uint64_t site)
{
    return (struct hdi_cond *)hdi_object_get(c, HD_OB_COND, sizeof(struct hdi_cond), site);
}

static struct hdi_cond *cond_of(pthread_cond_t *c, uint64_t site)
{
    struct hdi_cond *x = model(c, site);
    hdi_tell(USED, .object = &x->object, .site = site);
    hdi_object_use(&x->object, sizeof *x, BYTES, site);
    return x;
}

static bool granted(const struct hdi_op *op)
{
    return op->self->wait.granted;
}

#define LOOK_AFTER_NS 500000

/* A signal from another process cannot be seen: a wait beside one ends by itself, which it may, and
 * its thread looks at what it waits for. */
static bool granted_or_late(const struct hdi_op *op)
{
    struct timespec now;

    if (op->self->wait.granted)
        return true;
    hdi_real.clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec >= *(const int64_t *)op->data;
}

/* A recursive mutex that was taken twice is still the waiter's own: a wait gives one level back. */
static bool can_relock(const struct hdi_op *op)
{
    const struct hdi_thread *owner = ((const struct hdi_mutex *)op->object)->owner;

    return !owner || owner == op->self;
}

static void enqueue(struct hdi_cond *x, struct hdi_thread *t)
{
    struct hdi_thread **p = &x->first;
    while (*p)
        p = &(*p)->wait.next;
    *p = t;
    t->wait.next = NULL;
    t->wait.queue = &x->object;
    t->wait.granted = false;
}

static void dequeue(struct hdi_cond *x, struct hdi_thread *t)
{
    for (struct hdi_thread **p = &x->first; *p; p = &(*p)->wait.next)
        if (*p == t) {
            *p = t->wait.next;
            break;
        }
    t->wait.queue = NULL;
}

static void misuse(enum hd_finding_kind kind, const char *text, struct hdi_cond *x,
                   struct hdi_mutex *m, enum hd_event event, uint64_t site)
{
    struct hdp_finding *f = hdi_finding_begin(kind, text);

    hdi_note(f, HD_ROLE_HERE, hdi_self(), event, &x->object, site, hdi_stack());
    if (m)
        hdi_note(f, HD_ROLE_WITH, hdi_self(), HD_EV_MUTEX_LOCK, &m->object, 0, 0)->link = 0;
    for (struct hdi_thread *t = x->first; t; t = t->wait.next)
        hdi_note(f, HD_ROLE_WAITS, t, HD_EV_COND_WAIT, &x->object, t->op ? t->op->site : 0,
                 t->end_stack);
    for (struct hdi_thread *t = x->object.pending; t && event == HD_EV_COND_DESTROY;
         t = t->pending_next)
        if (t->op->kind != HD_EV_COND_WAIT)
            hdi_note(f, HD_ROLE_WAITS, t, t->op->kind, &x->object, t->op->site, t->end_stack);
    if (m && x->first && x->mutex != m)
        hdi_note(f, HD_ROLE_WITH, x->first, HD_EV_MUTEX_LOCK, &x->mutex->object, 0, 0)->link = 0;
    hdi_finding_end(f, false);
}

/* 0, ETIMEDOUT, EPERM, or what the robust mutex says. */
int hdi_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, int64_t until, uint64_t site)
{
    struct hdi_thread *self = hdi_self();
    struct hdi_cond *x = cond_of(c, site);
    struct hdi_mutex *mx = hdi_mutex_of(m, site);
    struct hdi_op op = {.kind = HD_EV_COND_WAIT,
                        .object = &x->object,
                        .site = site,
                        .ready = granted,
                        .granted = true,
                        .until_ns = until,
                        .elastic = true,
                        .may_wake_spuriously = true,
                        .cancellable = true};
    enum hdi_wake wake;
    struct timespec now;
    int64_t look;
    bool kept;
    int rc;

    hdi_tell(BEGINS, .object = &x->object, .event = HD_EV_COND_WAIT);
    hdi_point(HD_EV_COND_WAIT, &x->object, site);
    if (self->cancel.pending && !self->cancel.disabled)
        hdi_cancel_self();
    if (mx->owner != self && hdi_mutex_checks(m))
        return hdi_refused(EPERM, HD_FK_COND_NOT_LOCKED, NULL, &x->object, HD_EV_COND_WAIT, site);
    if (mx->owner != self) {
        misuse(HD_FK_COND_NOT_LOCKED, NULL, x, mx, HD_EV_COND_WAIT, site);
        return EPERM;
    }
    if (x->first && x->mutex != mx)
        misuse(HD_FK_COND_TWO_MUTEXES, NULL, x, mx, HD_EV_COND_WAIT, site);
    x->mutex = mx;
    enqueue(x, self);
    self->wait.relock = &mx->object;
    if (x->shared && hdi_children_live()) {
        hdi_real.clock_gettime(CLOCK_MONOTONIC, &now);
        look = now.tv_sec * 1000000000LL + now.tv_nsec + LOOK_AFTER_NS;
        op.ready = granted_or_late;
        op.data = &look;
        op.outside = true;
    }
    kept = mx->count > 1;
    if (kept)
        hdi_mutex_level(mx, m, false);
    else
        hdi_mutex_release(mx, m);
    wake = hdi_perform(&op);
    if (self->wait.queue)
        dequeue(x, self);
    if (wake == HDI_READY && !self->wait.granted)
        wake = HDI_SPURIOUS;
    if (wake == HDI_READY)
        hdi_tell(DONE, .object = &x->object, .event = HD_EV_COND_WAIT, .n = 1,
                 .mode = until == 0 ? HDI_COULD_WAIT : 0, .site = site);
    if (wake != HDI_READY) {
        struct hdi_op again = {
            .kind = HD_EV_COND_RELOCK, .object = &mx->object, .site = site, .ready = can_relock};
        hdi_perform(&again);
    }
    hdi_tell(RECEIVED, .object = &x->object, .clock = c, .mode = HDI_STANDS_IN);
    hdi_from_others(x->shared);
    hdi_tell(TAKEN, .clock = &self->wait.granted);
    rc = kept ? hdi_mutex_level(mx, m, true) : hdi_mutex_take(mx, m, HD_EV_COND_RELOCK, site);
    if (wake == HDI_CANCELLED)
        hdi_cancel_self();
    return wake == HDI_TIMED_OUT && rc == 0 ? ETIMEDOUT : rc;
}

static void wake_one(struct hdi_cond *x, struct hdi_thread *t)
{
    dequeue(x, t);
    t->wait.granted = true;
    hdi_tell(HANDED, .clock = &t->wait.granted);
    hdi_retarget(t, HD_EV_COND_RELOCK, t->wait.relock, can_relock);
}

HDI_EXPORT int pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
    struct hdi_cond *x;
    int shared = PTHREAD_PROCESS_PRIVATE;

    if (!hdi_enter())
        return hdi_real.pthread_cond_init(c, attr);
    x = model(c, HDI_SITE());
    if (x->first) {
        misuse(HD_FK_SYNC_MISUSE, "initialised while threads wait on it", x, NULL, HD_EV_NONE,
               HDI_SITE());
        return 0; /* they wait on */
    }
    hdi_object_reborn(&x->object, sizeof *x, HDI_SITE());
    if (attr) {
        pthread_condattr_getclock(attr, &x->clock);
        pthread_condattr_getpshared(attr, &shared);
    }
    x->shared = shared == PTHREAD_PROCESS_SHARED;
    return hdi_real.pthread_cond_init(c, attr);
}

HDI_EXPORT int pthread_cond_destroy(pthread_cond_t *c)
{
    uint64_t site = HDI_SITE();
    struct hdi_cond *x;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_cond_destroy(c);
    x = cond_of(c, site);
    hdi_point(HD_EV_COND_DESTROY, &x->object, site);
    if (x->first || x->object.pending) {
        misuse(HD_FK_DESTROY_IN_USE, NULL, x, NULL, HD_EV_COND_DESTROY, site);
        return 0; /* stays usable: its users' next calls are no findings */
    }
    rc = hdi_real.pthread_cond_destroy(c);
    if (rc == 0)
        hdi_object_bury(&x->object, BYTES, site);
    return rc;
}

HDI_EXPORT int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    return hdi_enter() ? hdi_cond_wait(c, m, 0, HDI_SITE()) : hdi_real.pthread_cond_wait(c, m);
}

static int no_time(pthread_cond_t *c, uint64_t site)
{
    return hdi_refused(EINVAL, HD_FK_SYNC_MISUSE, HDI_NO_TIME, &cond_of(c, site)->object,
                       HD_EV_COND_WAIT, site);
}

HDI_EXPORT int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
                                      const struct timespec *abs)
{
    clockid_t clock;

    if (!hdi_enter())
        return hdi_real.pthread_cond_timedwait(c, m, abs);
    if (!hdi_timespec_valid(abs))
        return no_time(c, HDI_SITE());
    clock = cond_of(c, HDI_SITE())->clock;
    return hdi_cond_wait(c, m, hdi_deadline(clock, abs), HDI_SITE());
}

HDI_EXPORT int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                                      const struct timespec *abs)
{
    if (!hdi_enter() || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return hdi_real.pthread_cond_clockwait(c, m, clock, abs);
    if (!hdi_timespec_valid(abs))
        return no_time(c, HDI_SITE());
    return hdi_cond_wait(c, m, hdi_deadline(clock, abs), HDI_SITE());
}

/* Allowed, as long as what is waited for is changed with the mutex held. */
static void hint(struct hdi_cond *x, enum hd_event kind, uint64_t site)
{
    struct hdi_mutex *m = x->mutex;

    if (!m || m->object.dead || x->hinted || hdi_held_find(hdi_self(), &m->object))
        return;
    x->hinted = true;
    misuse(HD_FK_SIGNAL_UNLOCKED, NULL, x, m, kind, site);
}

static void signals(struct hdi_cond *x, enum hd_event kind, uint64_t site)
{
    hdi_tell(BEGINS, .object = &x->object, .event = kind);
    hdi_point(kind, &x->object, site);
    if (hdi_hints)
        hint(x, kind, site);
    hdi_tell(DONE, .object = &x->object, .event = kind, .n = 1, .site = site);
    hdi_tell(SENT, .object = &x->object, .clock = (const void *)x->object.addr,
             .mode = HDI_STANDS_IN);
    hdi_to_others(x->shared);
}

void hdi_cond_signal(pthread_cond_t *c, uint64_t site)
{
    struct hdi_cond *x = cond_of(c, site);
    struct hdi_thread *t;
    uint32_t n = 0;

    signals(x, HD_EV_COND_SIGNAL, site);
    for (t = x->first; t; t = t->wait.next)
        n++;
    if (n == 0) {
        if (x->shared)
            hdi_real.pthread_cond_signal(c);
        return;
    }
    n = hdi_choose(n, site);
    for (t = x->first; n; t = t->wait.next)
        n--;
    wake_one(x, t);
}

void hdi_cond_broadcast(pthread_cond_t *c, uint64_t site)
{
    struct hdi_cond *x = cond_of(c, site);

    signals(x, HD_EV_COND_BROADCAST, site);
    while (x->first)
        wake_one(x, x->first);
    if (x->shared)
        hdi_real.pthread_cond_broadcast(c);
}

HDI_EXPORT int pthread_cond_signal(pthread_cond_t *c)
{
    if (!hdi_enter())
        return hdi_real.pthread_cond_signal(c);
    hdi_cond_signal(c, HDI_SITE());
    hdi_released(NULL, HDI_SITE());
    return 0;
}

HDI_EXPORT int pthread_cond_broadcast(pthread_cond_t *c)
{
    if (!hdi_enter())
        return hdi_real.pthread_cond_broadcast(c);
    hdi_cond_broadcast(c, HDI_SITE());
    hdi_released(NULL, HDI_SITE());
    return 0;
}
