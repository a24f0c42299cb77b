/* rwlock.c - pthread read-write locks: read, write, try, timed and clock locks, writer preference.
 *
 * The real lock is taken as well, when the model says that it can be had. As in glibc readers pass
 * waiting writers unless the lock was made with PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP.
 */
#include <errno.h>

#include "clock.h"
#include "kernel_order.h"
#include "mutex.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "refused.h"

#define BYTES sizeof(pthread_rwlock_t)
#define PREFERS_WRITERS(l) ((l)->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP)

struct hdi_rwlock {
    struct hdi_object object;
    struct hdi_thread *writer;
    uint32_t readers; /* read locks held, counted with repetition */
    bool shared;      /* other processes may hold it */
};

static struct hdi_rwlock *model(pthread_rwlock_t *l, uint64_t site)
{
    return (struct hdi_rwlock *)hdi_object_get(l, HD_OB_RWLOCK, sizeof(struct hdi_rwlock), site);
}

static void forget_holders(struct hdi_rwlock *x)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);

    for (uint32_t i = 0; i < n; i++)
        hdi_tell(LOST, .object = &x->object, .thread = live[i]);
}

static struct hdi_rwlock *rwlock_of(pthread_rwlock_t *l, uint64_t site)
{
    struct hdi_rwlock *x = model(l, site);

    hdi_tell(USED, .object = &x->object, .site = site);
    hdi_object_use(&x->object, sizeof *x, BYTES, site);
    /* Held by the model, free in memory: the memory was used anew without a destroy. */
    if ((x->writer || x->readers) && l->__data.__readers == 0 && l->__data.__cur_writer == 0) {
        forget_holders(x);
        hdi_object_reborn(&x->object, sizeof *x, site);
    }
    return x;
}

static bool writer_waits(const struct hdi_rwlock *x)
{
    for (struct hdi_thread *t = x->object.pending; t; t = t->pending_next)
        if (t->op && t->op->kind == HD_EV_RWLOCK_WRLOCK)
            return true;
    return false;
}

static bool can_read(const struct hdi_rwlock *x)
{
    const pthread_rwlock_t *l = (const pthread_rwlock_t *)x->object.addr;

    if (x->writer)
        return false;
    return !PREFERS_WRITERS(l) || x->readers == 0 || !writer_waits(x);
}

/* glibc's word: a writer has it (bits 0 and 1), readers from bit 3 on. */
static unsigned real_word(const struct hdi_rwlock *x)
{
    return ((const pthread_rwlock_t *)x->object.addr)->__data.__readers;
}

static bool readable(const struct hdi_op *op)
{
    const struct hdi_rwlock *x = (const struct hdi_rwlock *)op->object;
    return can_read(x) && (!op->outside || (real_word(x) & 3) != 3);
}

static bool writable(const struct hdi_op *op)
{
    const struct hdi_rwlock *x = (const struct hdi_rwlock *)op->object;
    return !x->writer && x->readers == 0 &&
           (!op->outside || ((real_word(x) & 2) == 0 && real_word(x) >> 3 == 0));
}

static void took(struct hdi_rwlock *x, bool write, enum hd_event kind, uint64_t site)
{
    uint32_t mode = write ? 0 : HDI_SHARED;

    if (PREFERS_WRITERS((const pthread_rwlock_t *)x->object.addr))
        mode |= HDI_WRITER_FIRST;
    if (write)
        x->writer = hdi_self();
    else
        x->readers++;
    hdi_tell(ACQUIRED, .object = &x->object, .event = kind, .mode = mode, .site = site);
    hdi_from_others(x->shared);
    hdi_changed(&x->object);
}

static int lock(pthread_rwlock_t *l, bool write, int64_t until, uint64_t site)
{
    struct hdi_rwlock *x = rwlock_of(l, site);
    enum hd_event kind = write ? HD_EV_RWLOCK_WRLOCK : HD_EV_RWLOCK_RDLOCK;
    struct hdi_op op = {.kind = kind,
                        .object = &x->object,
                        .site = site,
                        .ready = write ? writable : readable,
                        .until_ns = until,
                        .elastic = true,
                        .outside = hdi_has_forked() && x->shared};
    int rc;

    if (x->writer == hdi_self()) {
        hdi_point(kind, &x->object, site);
        return hdi_refused(EDEADLK, HD_FK_SYNC_MISUSE,
                           "EDEADLK ignored: locked again by its writer", &x->object, kind, site);
    }
    if (PREFERS_WRITERS(l)) /* that a writer waits, readers see */
        hdi_touched(&x->object);
    do {
        if (hdi_perform(&op) == HDI_TIMED_OUT) {
            hdi_tell(MISSED, .clock = l);
            return ETIMEDOUT;
        }
        if (op.outside)
            rc =
                write ? hdi_real.pthread_rwlock_trywrlock(l) : hdi_real.pthread_rwlock_tryrdlock(l);
        else
            rc = write ? hdi_real.pthread_rwlock_wrlock(l) : hdi_real.pthread_rwlock_rdlock(l);
    } while (rc == EBUSY);
    if (rc == 0)
        took(x, write, kind, site);
    return rc;
}

static int try_lock(pthread_rwlock_t *l, bool write, uint64_t site)
{
    struct hdi_rwlock *x = rwlock_of(l, site);
    int rc = EBUSY;

    hdi_point(HD_EV_RWLOCK_TRYLOCK, &x->object, site);
    if (write ? !x->writer && !x->readers : can_read(x))
        rc = write ? hdi_real.pthread_rwlock_trywrlock(l) : hdi_real.pthread_rwlock_tryrdlock(l);
    if (rc == 0) {
        took(x, write, HD_EV_RWLOCK_TRYLOCK, site);
    } else {
        hdi_tell(MISSED, .clock = l);
        hdi_retry();
    }
    return rc;
}

HDI_EXPORT int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
    struct hdi_rwlock *x;
    int shared = PTHREAD_PROCESS_PRIVATE;

    if (!hdi_enter())
        return hdi_real.pthread_rwlock_init(l, attr);
    x = model(l, HDI_SITE());
    /* The memory shows the owner: it was not freed and used anew. */
    if (x->writer && !x->writer->life.ended && l->__data.__cur_writer == x->writer->tid &&
        hdi_initialised_while_held(&x->object, x->writer, HD_EV_NONE, HDI_SITE()))
        return 0; /* stays locked: the owner's unlock is no finding */
    forget_holders(x);
    hdi_object_reborn(&x->object, sizeof *x, HDI_SITE());
    if (attr)
        pthread_rwlockattr_getpshared(attr, &shared);
    x->shared = shared == PTHREAD_PROCESS_SHARED;
    return hdi_real.pthread_rwlock_init(l, attr);
}

HDI_EXPORT int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
    uint64_t site = HDI_SITE();
    struct hdi_rwlock *x;
    bool busy;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_rwlock_destroy(l);
    x = rwlock_of(l, site);
    hdi_point(HD_EV_RWLOCK_DESTROY, &x->object, site);
    busy = x->writer || x->readers || x->object.pending;
    if (busy) {
        hdi_lock_misuse(HD_FK_DESTROY_IN_USE, NULL, &x->object, HD_EV_RWLOCK_DESTROY, site);
        return 0; /* stays usable: its users' next calls are no findings */
    }
    rc = hdi_real.pthread_rwlock_destroy(l);
    if (rc == 0)
        hdi_object_bury(&x->object, BYTES, site);
    return rc;
}

HDI_EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    return hdi_enter() ? lock(l, false, 0, HDI_SITE()) : hdi_real.pthread_rwlock_rdlock(l);
}

HDI_EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    return hdi_enter() ? lock(l, true, 0, HDI_SITE()) : hdi_real.pthread_rwlock_wrlock(l);
}

HDI_EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
    return hdi_enter() ? try_lock(l, false, HDI_SITE()) : hdi_real.pthread_rwlock_tryrdlock(l);
}

HDI_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    return hdi_enter() ? try_lock(l, true, HDI_SITE()) : hdi_real.pthread_rwlock_trywrlock(l);
}

HDI_EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs))
        return hdi_real.pthread_rwlock_timedrdlock(l, abs);
    return lock(l, false, hdi_deadline(CLOCK_REALTIME, abs), HDI_SITE());
}

HDI_EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs))
        return hdi_real.pthread_rwlock_timedwrlock(l, abs);
    return lock(l, true, hdi_deadline(CLOCK_REALTIME, abs), HDI_SITE());
}

HDI_EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock,
                                          const struct timespec *abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs) ||
        (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return hdi_real.pthread_rwlock_clockrdlock(l, clock, abs);
    return lock(l, false, hdi_deadline(clock, abs), HDI_SITE());
}

HDI_EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock,
                                          const struct timespec *abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs) ||
        (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return hdi_real.pthread_rwlock_clockwrlock(l, clock, abs);
    return lock(l, true, hdi_deadline(clock, abs), HDI_SITE());
}

HDI_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    uint64_t site = HDI_SITE();
    struct hdi_rwlock *x;
    bool held;

    if (!hdi_enter())
        return hdi_real.pthread_rwlock_unlock(l);
    x = rwlock_of(l, site);
    hdi_point(HD_EV_RWLOCK_UNLOCK, &x->object, site);
    if (!x->writer && !x->readers) {
        hdi_lock_misuse(HD_FK_UNLOCK_NOT_HELD, NULL, &x->object, HD_EV_RWLOCK_UNLOCK, site);
        return 0; /* a real unlock would corrupt the lock */
    }
    held = hdi_held_find(hdi_self(), &x->object) != NULL;
    hdi_tell(RELEASED, .object = &x->object, .thread = hdi_self());
    hdi_to_others(x->shared);
    if (!held) {
        hdi_lock_misuse(HD_FK_UNLOCK_NOT_OWNER, NULL, &x->object, HD_EV_RWLOCK_UNLOCK, site);
        if (x->writer)
            hdi_tell(LOST, .object = &x->object, .thread = x->writer);
    }
    if (x->writer)
        x->writer = NULL;
    else
        x->readers--;
    hdi_changed(&x->object);
    hdi_real.pthread_rwlock_unlock(l);
    hdi_released(NULL, site);
    return 0;
}
