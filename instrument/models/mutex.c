/* mutex.c - pthread mutexes: normal, recursive, error-checking, robust; try, timed and clock locks.
 *
 * The real mutex is taken as well, at a moment when the model says that it is free, so that it
 * never blocks and other tools see it. A mutex shared with other processes may be held by one of
 * them: then the real one is looked at as well.
 */
#include "mutex.h"

#include <errno.h>
#include <linux/futex.h>

#include "clock.h"
#include "kernel_order.h"
#include "core/observers.h"
#include "core/real.h"
#include "memory/freed.h"
#include "refused.h"

#define KIND(m) ((m)->__data.__kind)
#define TYPE(m) (KIND(m) & 3)
#define ROBUST(m) ((KIND(m) & 16) != 0)
#define SHARED(m) ((KIND(m) & 128) != 0)
#define BYTES sizeof(pthread_mutex_t)

bool hdi_mutex_checks(const pthread_mutex_t *m)
{
    return TYPE(m) == PTHREAD_MUTEX_ERRORCHECK || TYPE(m) == PTHREAD_MUTEX_RECURSIVE || ROBUST(m);
}

static struct hdi_mutex *model(pthread_mutex_t *m, uint64_t site)
{
    return (struct hdi_mutex *)hdi_object_get(m, HD_OB_MUTEX, sizeof(struct hdi_mutex), site);
}

struct hdi_mutex *hdi_mutex_of(pthread_mutex_t *m, uint64_t site)
{
    struct hdi_mutex *x = model(m, site);

    hdi_tell(USED, .object = &x->object, .site = site);
    hdi_object_use(&x->object, sizeof *x, BYTES, site);
    /* Held by the model, free in memory: the memory was used anew without a destroy. */
    if (x->owner && !SHARED(m) && !ROBUST(m) && m->__data.__lock == 0) {
        hdi_tell(LOST, .object = &x->object, .thread = x->owner);
        hdi_object_reborn(&x->object, sizeof *x, site);
    }
    return x;
}

/* glibc marks every robust mutex as shared. */
static bool is_shared(const struct hdi_mutex *x, const pthread_mutex_t *m)
{
    return x->known ? x->shared : SHARED(m);
}

bool hdi_mutex_free(const struct hdi_op *op)
{
    const struct hdi_mutex *x = (const struct hdi_mutex *)op->object;
    const pthread_mutex_t *m = (const pthread_mutex_t *)x->object.addr;

    if (x->owner)
        return false;
    return x->dead_owner || !hdi_has_forked() || !is_shared(x, m) ||
           ((unsigned)m->__data.__lock & FUTEX_TID_MASK) == 0;
}

static void own(struct hdi_mutex *x, enum hd_event kind, uint64_t site)
{
    x->owner = hdi_self();
    x->count = 1;
    x->dead_owner = false;
    hdi_tell(ACQUIRED, .object = &x->object, .event = kind, .site = site);
    hdi_from_others(is_shared(x, (const pthread_mutex_t *)x->object.addr));
    hdi_changed(&x->object);
}

int hdi_mutex_take(struct hdi_mutex *x, pthread_mutex_t *m, enum hd_event kind, uint64_t site)
{
    int rc;

    /* Of an owner that died it is free as soon as the kernel has cleared up, which is waited for
     * with the turn held: it must not be seen in the schedule. */
    if (is_shared(x, m) && !x->dead_owner) {
        rc = hdi_real.pthread_mutex_trylock(m);
        while (rc == EBUSY) { /* held by another process */
            struct hdi_op op = {.kind = kind == HD_EV_MUTEX_TRYLOCK ? HD_EV_MUTEX_LOCK : kind,
                                .object = &x->object,
                                .site = site,
                                .ready = hdi_mutex_free,
                                .outside = true};
            hdi_perform(&op);
            rc = hdi_real.pthread_mutex_trylock(m);
        }
    } else {
        rc = hdi_real.pthread_mutex_lock(m);
    }
    if (rc == 0 || rc == EOWNERDEAD)
        own(x, kind, site);
    return rc;
}

void hdi_mutex_release(struct hdi_mutex *x, pthread_mutex_t *m)
{
    hdi_tell(RELEASED, .object = &x->object, .thread = x->owner);
    hdi_to_others(is_shared(x, m));
    x->owner = NULL;
    x->count = 0;
    hdi_real.pthread_mutex_unlock(m);
    hdi_changed(&x->object);
}

int hdi_mutex_level(struct hdi_mutex *x, pthread_mutex_t *m, bool up)
{
    int rc = up ? hdi_real.pthread_mutex_lock(m) : hdi_real.pthread_mutex_unlock(m);

    if (rc == 0) {
        x->count += up ? 1u : -1u;
        hdi_tell(LEVEL, .object = &x->object, .thread = x->owner, .n = up ? 1 : -1);
    }
    return rc;
}

/* Relock by its owner, which needs no waiting. True when *rc is the answer. */
static bool relock(struct hdi_mutex *x, pthread_mutex_t *m, bool try, int *rc)
{
    if (x->owner != hdi_self())
        return false;
    if (TYPE(m) == PTHREAD_MUTEX_RECURSIVE) {
        *rc = hdi_mutex_level(x, m, true);
        return true;
    }
    if (try) {
        *rc = EBUSY;
        return true;
    }
    if (TYPE(m) == PTHREAD_MUTEX_ERRORCHECK) {
        *rc = EDEADLK;
        return true;
    }
    return false;
}

static int locked_again(struct hdi_mutex *x, uint64_t site)
{
    return hdi_refused(EDEADLK, HD_FK_SYNC_MISUSE, "EDEADLK ignored: locked again by its owner",
                       &x->object, HD_EV_MUTEX_LOCK, site);
}

int hdi_mutex_lock(pthread_mutex_t *m, int64_t until, uint64_t site)
{
    struct hdi_mutex *x = hdi_mutex_of(m, site);
    struct hdi_op op = {.kind = HD_EV_MUTEX_LOCK,
                        .object = &x->object,
                        .site = site,
                        .ready = hdi_mutex_free,
                        .until_ns = until,
                        .elastic = true,
                        .outside = hdi_has_forked() && is_shared(x, m)};
    int rc;

    if (x->owner == hdi_self() && TYPE(m) != PTHREAD_MUTEX_NORMAL &&
        TYPE(m) != PTHREAD_MUTEX_ADAPTIVE_NP) {
        hdi_point(HD_EV_MUTEX_LOCK, &x->object, site);
        if (relock(x, m, false, &rc))
            return rc == EDEADLK ? locked_again(x, site) : rc;
    }
    if (hdi_perform(&op) == HDI_TIMED_OUT) {
        hdi_tell(MISSED, .clock = m);
        return ETIMEDOUT;
    }
    rc = hdi_mutex_take(x, m, HD_EV_MUTEX_LOCK, site);
    return rc == 0 || rc == EOWNERDEAD
               ? rc
               : hdi_refused(rc, HD_FK_SYNC_MISUSE,
                             rc == ENOTRECOVERABLE
                                 ? "ENOTRECOVERABLE ignored: not made consistent, and not locked"
                                 : "error ignored: not locked",
                             &x->object, HD_EV_MUTEX_LOCK, site);
}

bool hdi_initialised_while_held(struct hdi_object *o, const struct hdi_thread *owner,
                                enum hd_event event, uint64_t site)
{
    bool mine = owner == hdi_self();

    /* Of a lock in a frame that was left, the memory may look like this when it is used anew. */
    if (o->freed || (mine && !hdi_stayed(o)))
        return false;
    hdi_lock_misuse(HD_FK_SYNC_MISUSE,
                    mine ? "initialised by the thread that holds it"
                         : "initialised while another thread holds it",
                    o, event, site);
    return !mine;
}

HDI_EXPORT int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
    uint64_t site = HDI_SITE();
    int shared = PTHREAD_PROCESS_PRIVATE, rc;
    struct hdi_mutex *x;

    if (!hdi_enter())
        return hdi_real.pthread_mutex_init(m, attr);
    x = model(m, site);
    hdi_point(HD_EV_MUTEX_INIT, &x->object, site);
    /* The memory shows the owner: it was not freed and used anew. */
    if (x->owner && !x->owner->life.ended && m->__data.__lock &&
        m->__data.__owner == x->owner->tid &&
        hdi_initialised_while_held(&x->object, x->owner, HD_EV_MUTEX_INIT, site))
        return 0; /* stays locked: the owner's unlock is no finding */
    if (x->owner)
        hdi_tell(LOST, .object = &x->object, .thread = x->owner);
    hdi_object_reborn(&x->object, sizeof *x, site);
    if (attr)
        pthread_mutexattr_getpshared(attr, &shared);
    x->known = true;
    x->shared = shared == PTHREAD_PROCESS_SHARED;
    rc = hdi_real.pthread_mutex_init(m, attr);
    return rc ? hdi_refused(rc, HD_FK_SYNC_MISUSE, HDI_NOT_MADE, &x->object, HD_EV_MUTEX_INIT, site)
              : 0;
}

HDI_EXPORT int pthread_mutex_destroy(pthread_mutex_t *m)
{
    uint64_t site = HDI_SITE();
    struct hdi_mutex *x;
    pthread_mutex_t before;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_mutex_destroy(m);
    x = hdi_mutex_of(m, site);
    hdi_point(HD_EV_MUTEX_DESTROY, &x->object, site);
    if (x->owner || x->object.pending) {
        hdi_lock_misuse(HD_FK_DESTROY_IN_USE, NULL, &x->object, HD_EV_MUTEX_DESTROY, site);
        if (x->owner)
            hdi_held_find(x->owner, &x->object)->told = true;
        return x->owner ? EBUSY : 0; /* stays usable: its users' next calls are no findings */
    }
    before = *m;
    rc = hdi_real.pthread_mutex_destroy(m);
    if (rc == 0) {
        *m = before; /* what a later use gets back, after the finding */
        hdi_object_bury(&x->object, BYTES, site);
    }
    return rc;
}

HDI_EXPORT int pthread_mutex_lock(pthread_mutex_t *m)
{
    return hdi_enter() ? hdi_mutex_lock(m, 0, HDI_SITE()) : hdi_real.pthread_mutex_lock(m);
}

/* A time that is none is looked at only by who would have to wait. */
static int timed_lock(pthread_mutex_t *m, clockid_t clock, const struct timespec *abs,
                      uint64_t site)
{
    struct hdi_mutex *x;
    int rc;

    if (hdi_timespec_valid(abs))
        return hdi_mutex_lock(m, hdi_deadline(clock, abs), site);
    x = hdi_mutex_of(m, site);
    if (x->owner == hdi_self() && TYPE(m) == PTHREAD_MUTEX_ERRORCHECK)
        return locked_again(x, site);
    rc = hdi_mutex_trylock(m, site);
    return rc == EBUSY ? hdi_refused(EINVAL, HD_FK_SYNC_MISUSE, HDI_NO_TIME, &x->object,
                                     HD_EV_MUTEX_LOCK, site)
                       : rc;
}

HDI_EXPORT int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *abs)
{
    return hdi_enter() ? timed_lock(m, CLOCK_REALTIME, abs, HDI_SITE())
                       : hdi_real.pthread_mutex_timedlock(m, abs);
}

HDI_EXPORT int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
                                       const struct timespec *abs)
{
    if (!hdi_enter() || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return hdi_real.pthread_mutex_clocklock(m, clock, abs);
    return timed_lock(m, clock, abs, HDI_SITE());
}

int hdi_mutex_trylock(pthread_mutex_t *m, uint64_t site)
{
    struct hdi_mutex *x = hdi_mutex_of(m, site);
    int rc;

    hdi_point(HD_EV_MUTEX_TRYLOCK, &x->object, site);
    if (relock(x, m, true, &rc)) {
        if (rc)
            hdi_retry();
        return rc;
    }
    if (x->owner) {
        hdi_tell(MISSED, .clock = m);
        hdi_retry();
        return EBUSY;
    }
    rc = x->dead_owner ? hdi_real.pthread_mutex_lock(m) : hdi_real.pthread_mutex_trylock(m);
    if (rc == 0 || rc == EOWNERDEAD)
        own(x, HD_EV_MUTEX_TRYLOCK, site);
    else
        hdi_retry();
    return rc;
}

int hdi_mutex_unlock(pthread_mutex_t *m, uint64_t site)
{
    struct hdi_mutex *x = hdi_mutex_of(m, site);

    hdi_point(HD_EV_MUTEX_UNLOCK, &x->object, site);
    if (x->owner != hdi_self() && hdi_mutex_checks(m))
        return hdi_refused(EPERM, x->owner ? HD_FK_UNLOCK_NOT_OWNER : HD_FK_UNLOCK_NOT_HELD, NULL,
                           &x->object, HD_EV_MUTEX_UNLOCK, site);
    if (!x->owner) {
        hdi_lock_misuse(HD_FK_UNLOCK_NOT_HELD, NULL, &x->object, HD_EV_MUTEX_UNLOCK, site);
        return 0; /* a real unlock would leave it in a state that nobody defines */
    }
    if (x->owner != hdi_self())
        hdi_lock_misuse(HD_FK_UNLOCK_NOT_OWNER, NULL, &x->object, HD_EV_MUTEX_UNLOCK, site);
    if (x->count > 1)
        return hdi_mutex_level(x, m, false);
    hdi_mutex_release(x, m);
    return 0;
}

HDI_EXPORT int pthread_mutex_trylock(pthread_mutex_t *m)
{
    return hdi_enter() ? hdi_mutex_trylock(m, HDI_SITE()) : hdi_real.pthread_mutex_trylock(m);
}

HDI_EXPORT int pthread_mutex_unlock(pthread_mutex_t *m)
{
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_mutex_unlock(m);
    rc = hdi_mutex_unlock(m, HDI_SITE());
    hdi_released(NULL, HDI_SITE());
    return rc;
}
