/* sem.c - POSIX semaphores. The real semaphore's value is the model's: a wait is enabled while it
 * is positive, and the real one is then taken without blocking. Semaphores that other processes may
 * post (named, or shared) do not count towards a deadlock. */
#include <errno.h>
#include <fcntl.h>

#include "clock.h"
#include "kernel_order.h"
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "beside/other_tool.h"
#include "refused.h"

#define BYTES sizeof(sem_t)

struct hdi_sem {
    struct hdi_object object;
    bool known;  /* sem_init was seen */
    bool shared; /* other processes may post it: so the program says */
};

static struct hdi_sem *sem_of(sem_t *s, uint64_t site)
{
    struct hdi_sem *x = (struct hdi_sem *)hdi_object_get(s, HD_OB_SEM, sizeof *x, site);
    hdi_tell(USED, .object = &x->object, .site = site);
    hdi_object_use(&x->object, sizeof *x, BYTES, site);
    return x;
}

static bool positive(const struct hdi_op *op)
{
    int value = 0;
    hdi_real.sem_getvalue((sem_t *)op->object->addr, &value);
    return value > 0;
}

static int take(struct hdi_sem *x, sem_t *s, enum hd_event kind, bool could_wait, uint64_t site)
{
    int value = 0, rc;
    /* Helgrind knows sem_wait only, so it gets to see one where that cannot wait. */
    if (hdi_tool() == HDI_TOOL_VALGRIND && !x->shared && hdi_real.sem_getvalue(s, &value) == 0 &&
        value > 0)
        rc = hdi_real.sem_wait(s);
    else
        rc = hdi_real.sem_trywait(s);
    if (rc == 0) {
        hdi_changed(&x->object);
        hdi_tell(DONE, .object = &x->object, .event = kind, .n = 1,
                 .mode = could_wait ? HDI_COULD_WAIT : 0, .site = site);
        hdi_tell(RECEIVED, .object = &x->object, .clock = s);
        hdi_from_others(!x->known || x->shared);
    }
    return rc;
}

static int wait_on(sem_t *s, int64_t until, uint64_t site)
{
    struct hdi_sem *x = sem_of(s, site);
    struct hdi_op op = {.kind = HD_EV_SEM_WAIT,
                        .object = &x->object,
                        .site = site,
                        .ready = positive,
                        .until_ns = until,
                        .elastic = true,
                        .interrupt = HDI_RESTARTS,
                        .cancellable = true,
                        .outside = (!x->known || x->shared) && hdi_may_be_shared(s)};

    hdi_tell(BEGINS, .object = &x->object, .event = HD_EV_SEM_WAIT);
    for (;;) {
        switch (hdi_perform(&op)) {
        case HDI_TIMED_OUT:
            hdi_tell(MISSED, .clock = s);
            errno = ETIMEDOUT;
            return -1;
        case HDI_INTERRUPTED:
            errno = EINTR;
            return -1;
        case HDI_CANCELLED:
            hdi_cancel_self();
            break;
        default:
            break;
        }
        if (take(x, s, HD_EV_SEM_WAIT, until == 0, site) == 0)
            return 0;
    }
}

HDI_EXPORT int sem_init(sem_t *s, int shared, unsigned value)
{
    struct hdi_sem *x;
    int rc = hdi_enter() ? 0 : -1;

    if (rc)
        return hdi_real.sem_init(s, shared, value);
    x = (struct hdi_sem *)hdi_object_find(s, HD_OB_SEM);
    if (x && x->object.pending && !x->object.freed) /* they wait on */
        hdi_lock_misuse(HD_FK_SYNC_MISUSE, "initialised while threads wait for it", &x->object,
                        HD_EV_NONE, HDI_SITE());
    rc = hdi_real.sem_init(s, shared, value);
    x = (struct hdi_sem *)hdi_object_get(s, HD_OB_SEM, sizeof *x, HDI_SITE());
    if (rc)
        hdi_refused(rc, HD_FK_SYNC_MISUSE, HDI_NOT_MADE, &x->object, HD_EV_NONE, HDI_SITE());
    if (rc == 0) {
        hdi_object_reborn(&x->object, sizeof *x, HDI_SITE());
        x->known = true;
        x->shared = shared != 0;
        if (!shared)
            hdi_tell(UNITS, .object = &x->object, .n = value);
    }
    return rc;
}

HDI_EXPORT int sem_destroy(sem_t *s)
{
    uint64_t site = HDI_SITE();
    struct hdi_sem *x;
    int rc;

    if (!hdi_enter())
        return hdi_real.sem_destroy(s);
    x = sem_of(s, site);
    hdi_point(HD_EV_SEM_DESTROY, &x->object, site);
    if (x->object.pending) {
        struct hdp_finding *f = hdi_finding_begin(HD_FK_DESTROY_IN_USE, NULL);
        hdi_note(f, HD_ROLE_HERE, hdi_self(), HD_EV_SEM_DESTROY, &x->object, site, hdi_stack());
        for (struct hdi_thread *t = x->object.pending; t; t = t->pending_next)
            hdi_note(f, HD_ROLE_WAITS, t, HD_EV_SEM_WAIT, &x->object, t->op->site, t->end_stack);
        hdi_finding_end(f, false);
        return 0;
    }
    rc = hdi_real.sem_destroy(s);
    if (rc == 0)
        hdi_object_bury(&x->object, BYTES, site);
    return rc;
}

HDI_EXPORT int sem_wait(sem_t *s)
{
    return hdi_enter() ? wait_on(s, 0, HDI_SITE()) : hdi_real.sem_wait(s);
}

HDI_EXPORT int sem_timedwait(sem_t *s, const struct timespec *abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs)) {
        int rc = hdi_real.sem_timedwait(s, abs);
        return rc && errno == EINVAL && hdi_enter()
                   ? hdi_refused(rc, HD_FK_SYNC_MISUSE, HDI_NO_TIME, &sem_of(s, HDI_SITE())->object,
                                 HD_EV_SEM_WAIT, HDI_SITE())
                   : rc;
    }
    return wait_on(s, hdi_deadline(CLOCK_REALTIME, abs), HDI_SITE());
}

HDI_EXPORT int sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs) ||
        (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return hdi_real.sem_clockwait(s, clock, abs);
    return wait_on(s, hdi_deadline(clock, abs), HDI_SITE());
}

HDI_EXPORT int sem_trywait(sem_t *s)
{
    struct hdi_sem *x;
    int rc;

    if (!hdi_enter())
        return hdi_real.sem_trywait(s);
    x = sem_of(s, HDI_SITE());
    hdi_tell(BEGINS, .object = &x->object, .event = HD_EV_SEM_TRYWAIT);
    hdi_point(HD_EV_SEM_TRYWAIT, &x->object, HDI_SITE());
    rc = take(x, s, HD_EV_SEM_TRYWAIT, false, HDI_SITE());
    if (rc) {
        hdi_tell(MISSED, .clock = s);
        hdi_retry();
    }
    return rc;
}

HDI_EXPORT int sem_post(sem_t *s)
{
    struct hdi_sem *x;
    int rc;

    if (!hdi_enter())
        return hdi_real.sem_post(s);
    x = sem_of(s, HDI_SITE());
    hdi_tell(BEGINS, .object = &x->object, .event = HD_EV_SEM_POST);
    hdi_point(HD_EV_SEM_POST, &x->object, HDI_SITE());
    hdi_tell(DONE, .object = &x->object, .event = HD_EV_SEM_POST, .n = 1, .site = HDI_SITE());
    hdi_tell(SENT, .object = &x->object, .clock = s);
    hdi_to_others(!x->known || x->shared);
    rc = hdi_real.sem_post(s);
    if (rc && errno == EOVERFLOW)
        hdi_refused(rc, HD_FK_SYNC_MISUSE, "EOVERFLOW ignored: posted more often than it can count",
                    &x->object, HD_EV_SEM_POST, HDI_SITE());
    hdi_changed(&x->object);
    hdi_released(NULL, HDI_SITE());
    return rc;
}

HDI_EXPORT int sem_getvalue(sem_t *s, int *value)
{
    struct hdi_sem *x;

    if (!hdi_enter())
        return hdi_real.sem_getvalue(s, value);
    x = sem_of(s, HDI_SITE());
    hdi_point(HD_EV_SEM_TRYWAIT, &x->object, HDI_SITE());
    hdi_tell(MISSED, .clock = s);
    return hdi_real.sem_getvalue(s, value);
}
