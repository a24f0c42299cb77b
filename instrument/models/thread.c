/* thread.c - pthread_create, join, detach, exit, cancel and what a thread is called. */
#include "arch/arch.h"
#include "core/thread.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <threads.h>

#include "clock.h"
#include "mutex.h"
#include "process_state.h"
#include "scheduling.h"
#include "core/observers.h"
#include "core/real.h"
#include "beside/other_tool.h"
#include "wire/label.h"

/* Its destructor runs in each round of thread-specific destructors; in the last one the thread is
 * over, C++ thread_local objects included. */
static pthread_key_t end_key;
static bool have_end_key;
#define ROUNDS 4 /* PTHREAD_DESTRUCTOR_ITERATIONS of glibc */

/* A robust mutex of an ended thread can be had: the real call then says EOWNERDEAD. */
static void abandon_robust(struct hdi_thread *self)
{
    for (uint32_t i = self->locks.count; i-- > 0;) {
        struct hdi_object *o = self->locks.held[i].object;
        if (o->kind == HD_OB_MUTEX && (((pthread_mutex_t *)o->addr)->__data.__kind & 16)) {
            struct hdi_mutex *x = (struct hdi_mutex *)o;
            x->owner = NULL;
            x->dead_owner = true;
            if (x->count > 1)
                hdi_tell(LEVEL, .object = o, .thread = self, .n = 1 - (int64_t)x->count);
            hdi_tell(RELEASED, .object = o, .thread = self);
            hdi_to_others(true);
            hdi_changed(o);
        }
    }
}

/* Destructors of the program run at the end of threads. */
static bool have_destructors;

static void end(struct hdi_thread *self)
{
    hdi_tell(BEGINS, .object = &self->object, .event = HD_EV_THREAD_EXIT);
    hdi_point(HD_EV_THREAD_EXIT, &self->object, self->start);
    hdi_tell(DONE, .object = &self->object, .event = HD_EV_THREAD_EXIT, .n = 1,
             .site = self->start);
    abandon_robust(self);
    hdi_tell(THREAD_ENDS, .object = &self->object);
    hdi_thread_end();
}

static void at_end(void *round)
{
    uintptr_t n = (uintptr_t)round;
    struct hdi_thread *self = hdi_self();

    if (!self)
        return;
    if (n < ROUNDS) {
        pthread_setspecific(end_key, (void *)(n + 1));
        return;
    }
    if (hdi_enter())
        end(self);
}

static void watch_end(void)
{
    if (!have_end_key) {
        hdi_real.pthread_key_create(&end_key, at_end);
        have_end_key = true;
    }
    pthread_setspecific(end_key, (void *)1);
}

static void *trampoline(void *data)
{
    struct hdi_thread *self = data;

    watch_end();
    hdi_thread_begin(self);
    hdi_scheduling_begin();
    hdi_tell(THREAD_BEGINS, .object = &self->object);
    hdi_thread_runs(self);
    self->life.result = self->life.routine(self->life.arg);
    if (!have_destructors && !self->life.leaves_more && hdi_thread_may_leave() && hdi_enter()) {
        end(self);
        hdi_thread_leave();
    }
    return self->life.result;
}

bool hdi_spawn_fails(uint64_t site)
{
    hdi_first_thread();
    return hdi_fault(HDP_FAULT_CREATE, site);
}

int hdi_spawn(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *), void *arg,
              const void *named_start, uint64_t site)
{
    struct hdi_thread *self = hdi_self(), *t;
    void **words = hdi_tool_start_words(arg), *saved[2];
    int rc, state = PTHREAD_CREATE_JOINABLE;
    pthread_attr_t plain;

    hdi_first_thread();
    if (!have_end_key && !hdi_in_process()) { /* main may end by pthread_exit */
        self->in_real++;
        watch_end();
        self->in_real--;
    }
    hdi_point(HD_EV_THREAD_CREATE, NULL, site);
    t = hdi_thread_new(self, words ? words[0] : named_start, site);
    if (attr)
        pthread_attr_getdetachstate(attr, &state);
    t->life.detached = state == PTHREAD_CREATE_DETACHED;
    hdi_tell(THREAD_MADE, .thread = t, .attr = attr, .site = site);
    if (hdi_in_process()) {
        t->life.routine = start;
        t->life.arg = arg;
        if (!hdi_start_in_process(t)) {
            hdi_tell(THREAD_FAILED, .thread = t);
            hdi_thread_discard(t);
            return EAGAIN;
        }
        t->life.known = true;
        *out = (pthread_t)(uintptr_t)t;
        t->handle = *out;
        return 0;
    }
    rc = hdi_scheduling_inherit(t, self, attr);
    if (rc) {
        hdi_tell(THREAD_FAILED, .thread = t);
        hdi_thread_discard(t);
        return rc;
    }
    attr = hdi_scheduling_attr(attr, &plain);
    if (words) {
        memcpy(saved, words, sizeof saved);
        t->life.routine = (void *(*)(void *))(uintptr_t)words[0];
        t->life.arg = words[1];
        words[0] = (void *)(uintptr_t)trampoline;
        words[1] = t;
        self->in_real++;
        rc = hdi_real.pthread_create(out, attr, start, arg);
        self->in_real--;
        if (rc)
            memcpy(words, saved, sizeof saved);
    } else {
        t->life.routine = start;
        t->life.arg = arg;
        rc = hdi_thread_make(out, attr, trampoline, t);
    }
    if (rc) {
        hdi_tell(THREAD_FAILED, .thread = t);
        hdi_thread_discard(t);
        return rc;
    }
    t->handle = *out;
    t->life.known = true;
    return 0;
}

static int create(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *), void *arg,
                  uint64_t site)
{
    pthread_t handle;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_create(out, attr, start, arg);
    if (hdi_tool_own_thread(attr))
        return 0;
    if (hdi_spawn_fails(site))
        return EAGAIN;
    rc = hdi_spawn(&handle, attr, start, arg, (const void *)(uintptr_t)start, site);
    if (rc)
        return rc;
    *out = handle;                   /* before the thread may run, as libc does */
    if (hdi_tool() != HDI_TOOL_TSAN) /* which keeps the new thread back until we have returned */
        hdi_released(NULL, site);
    return 0;
}

HDI_EXPORT int pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *),
                              void *arg)
{
    return create(out, attr, start, arg, HDI_SITE());
}

/* Programs of before glibc 2.34 ask for this version, and so does AddressSanitizer wherever it was
 * built; a library with a version table (libheddle-rt.map) answers only for what carries it. */
HDI_EXPORT int hdi_pthread_create_old(pthread_t *out, const pthread_attr_t *attr,
                                      void *(*start)(void *), void *arg);
int hdi_pthread_create_old(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *),
                           void *arg)
{
    return create(out, attr, start, arg, HDI_SITE());
}
__asm__(".symver hdi_pthread_create_old, pthread_create@GLIBC_2.2.5");

/* ---- what else runs at the end of a thread ---- */

HDI_EXPORT void pthread_exit(void *result)
{
    if (hdi_enter())
        hdi_self()->life.result = result;
    hdi_real.pthread_exit(result);
    __builtin_unreachable();
}

HDI_EXPORT void thrd_exit(int result)
{
    if (hdi_enter())
        hdi_self()->life.result = (void *)(intptr_t)result;
    hdi_real.thrd_exit(result);
    __builtin_unreachable();
}

HDI_EXPORT int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    hdi_start();
    have_destructors |= destructor != NULL;
    return hdi_real.pthread_key_create(key, destructor);
}

HDI_EXPORT int tss_create(tss_t *key, tss_dtor_t destructor)
{
    hdi_start();
    have_destructors |= destructor != NULL;
    return hdi_real.tss_create(key, destructor);
}

/* What a C++ compiler calls for a thread_local object that has a destructor. */
HDI_EXPORT int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *library)
{
    struct hdi_thread *self;
    int rc;

    hdi_start();
    have_destructors = true;
    self = hdi_self();
    if (self)
        self->in_real++; /* no correct program can do without what it allocates */
    rc = hdi_real.__cxa_thread_atexit_impl(destructor, object, library);
    if (self)
        self->in_real--;
    return rc;
}

/* ---- join and detach ---- */

static bool target_ended(const struct hdi_op *op)
{
    return ((const struct hdi_thread *)op->data)->life.ended;
}

/* The last thread of that handle, which was joined, or has ended detached: the next may get the same. */
static struct hdi_thread *gone(pthread_t handle)
{
    struct hdi_thread *t, *last = NULL;

    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
        if ((t->life.joiner || (t->life.detached && t->life.ended)) &&
            pthread_equal(t->handle, handle))
            last = t;
    return last;
}

static void join_misuse(pthread_t handle, struct hdi_thread *t, const char *text,
                        enum hd_event kind, uint64_t site)
{
    struct hdp_finding *f = hdi_finding_begin(HD_FK_JOIN_MISUSE, text);
    struct hdi_thread *joined = t ? NULL : gone(handle);

    t = t ? t : joined;
    hdi_note(f, HD_ROLE_HERE, hdi_self(), kind, t ? &t->object : NULL, site, hdi_stack());
    if (joined && joined->life.joiner)
        hdi_note(f, HD_ROLE_EARLIER, joined->life.joiner, HD_EV_THREAD_JOIN, &joined->object,
                 joined->life.joined_site, joined->life.joined_stack);
    for (struct hdi_thread *p = t ? t->object.pending : NULL; p; p = p->pending_next)
        if (p->op->kind == HD_EV_THREAD_JOIN)
            hdi_note_wait(f, p, p->op);
    if (t)
        hdi_note(f, HD_ROLE_CREATED, t->creator, HD_EV_THREAD_CREATE, &t->object, t->created_site,
                 t->created_stack);
    hdi_finding_end(f, false);
}

bool hdi_thread_is_gone(pthread_t handle)
{
    const struct hdi_thread *t = hdi_thread_of(handle);

    return t ? t->life.detached && t->life.ended : gone(handle) != NULL;
}

int hdi_thread_missing(pthread_t handle, const char *text, enum hd_event kind, uint64_t site)
{
    int saved = errno;

    if (gone(handle) && hdi_result_is_ignored(site))
        join_misuse(handle, NULL, text, kind, site);
    errno = saved;
    return ESRCH;
}

int hdi_join(pthread_t handle, void **result, int64_t until, uint64_t site)
{
    struct hdi_thread *self = hdi_self(), *t = hdi_thread_of(handle);
    struct hdi_op op = {.kind = HD_EV_THREAD_JOIN,
                        .object = t ? &t->object : NULL,
                        .site = site,
                        .ready = target_ended,
                        .data = t,
                        .until_ns = until > 0 ? until : 0,
                        .elastic = true,
                        .cancellable = true};
    int rc;

    if (!t) {
        join_misuse(handle, NULL, "join of a thread that was joined before or never existed",
                    HD_EV_THREAD_JOIN, site);
        return ESRCH;
    }
    if (t == self) {
        hdi_point(HD_EV_THREAD_JOIN, &t->object, site);
        if (hdi_result_is_ignored(site))
            join_misuse(handle, t, "EDEADLK ignored: join of itself", HD_EV_THREAD_JOIN, site);
        return EDEADLK;
    }
    if (t->life.detached) {
        join_misuse(handle, t, "join of a detached thread", HD_EV_THREAD_JOIN, site);
        return EINVAL;
    }
    if (t->life.joining) {
        join_misuse(handle, t, "two threads join the same thread", HD_EV_THREAD_JOIN, site);
        return EINVAL;
    }
    if (until < 0) {
        hdi_point(HD_EV_THREAD_JOIN, &t->object, site);
        if (!t->life.ended) {
            hdi_retry();
            return EBUSY;
        }
    } else {
        enum hdi_wake wake;
        t->life.joining = true;
        hdi_tell(BEGINS, .object = &t->object, .event = HD_EV_THREAD_JOIN);
        wake = hdi_perform(&op);
        t->life.joining = false;
        if (wake == HDI_CANCELLED)
            hdi_cancel_self();
        if (wake == HDI_TIMED_OUT)
            return ETIMEDOUT;
        hdi_tell(DONE, .object = &t->object, .event = HD_EV_THREAD_JOIN, .n = 1,
                 .mode = until == 0 ? HDI_COULD_WAIT : 0, .site = site);
    }
    self->in_real++;
    rc = hdi_thread_collect(t, result);
    self->in_real--;
    t->life.joined = true;
    t->life.known = false;
    t->life.joiner = self;
    t->life.joined_site = site;
    t->life.joined_stack = hdi_stack();
    hdi_tell(THREAD_JOINED, .thread = t, .site = site);
    return rc;
}

HDI_EXPORT int pthread_join(pthread_t handle, void **result)
{
    return hdi_enter() ? hdi_join(handle, result, 0, HDI_SITE())
                       : hdi_real.pthread_join(handle, result);
}

HDI_EXPORT int pthread_tryjoin_np(pthread_t handle, void **result)
{
    if (hdi_enter())
        return hdi_join(handle, result, -1, HDI_SITE());
    return hdi_real.pthread_tryjoin_np(handle, result);
}

HDI_EXPORT int pthread_timedjoin_np(pthread_t handle, void **result, const struct timespec *abs)
{
    if (hdi_enter() && hdi_timespec_valid(abs))
        return hdi_join(handle, result, hdi_deadline(CLOCK_REALTIME, abs), HDI_SITE());
    return hdi_real.pthread_timedjoin_np(handle, result, abs);
}

HDI_EXPORT int pthread_clockjoin_np(pthread_t handle, void **result, clockid_t clock,
                                    const struct timespec *abs)
{
    if (hdi_enter() && hdi_timespec_valid(abs))
        return hdi_join(handle, result, hdi_deadline(clock, abs), HDI_SITE());
    return hdi_real.pthread_clockjoin_np(handle, result, clock, abs);
}

HDI_EXPORT int pthread_detach(pthread_t handle)
{
    uint64_t site = HDI_SITE();
    struct hdi_thread *t;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_detach(handle);
    t = hdi_thread_of(handle);
    hdi_point(HD_EV_THREAD_DETACH, t ? &t->object : NULL, site);
    if (!t || t->life.detached) {
        join_misuse(handle, t,
                    t ? "detach of a detached thread"
                      : "detach of a thread that was joined before or never existed",
                    HD_EV_THREAD_DETACH, site);
        return t ? EINVAL : ESRCH;
    }
    rc = hdi_thread_let_go(t);
    t->life.detached = true;
    if (t->life.ended)
        t->life.known = false;
    return rc;
}

/* ---- cancellation ---- */

/* The request becomes real in the thread that it is for, when that has the turn: so it acts at a
 * moment that the schedule chose. */
void hdi_cancel_self(void)
{
    struct hdi_thread *self = hdi_self();

    if (!self->cancel.pending || self->cancel.disabled)
        return;
    self->cancel.pending = false;
    self->life.result = PTHREAD_CANCELED;
    hdi_real.pthread_cancel(pthread_self());
    hdi_real.pthread_testcancel();
}

HDI_EXPORT int pthread_cancel(pthread_t handle)
{
    struct hdi_thread *t;

    if (!hdi_enter())
        return hdi_real.pthread_cancel(handle);
    t = hdi_thread_of(handle);
    hdi_point(HD_EV_THREAD_CANCEL, t ? &t->object : NULL, HDI_SITE());
    if (!t)
        return hdi_thread_missing(
            handle,
            "error ignored: cancellation of a thread that was joined, or has ended detached",
            HD_EV_THREAD_CANCEL, HDI_SITE());
    if (t->life.ended)
        return 0;
    if (t->state == HDP_T_EXTERNAL || t->state == HDP_T_LOST)
        return hdi_real.pthread_cancel(handle); /* in a system call: this interrupts it */
    t->cancel.pending = true;
    hdi_reconsider(t);
    if (t == hdi_self() && t->cancel.async)
        hdi_cancel_self();
    return 0;
}

HDI_EXPORT void pthread_testcancel(void)
{
    if (hdi_enter())
        hdi_cancel_self();
    hdi_real.pthread_testcancel();
}

HDI_EXPORT int pthread_setcancelstate(int state, int *old)
{
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_setcancelstate(state, old);
    rc = hdi_real.pthread_setcancelstate(state, old);
    if (rc == 0) {
        struct hdi_thread *self = hdi_self();
        self->cancel.disabled = state == PTHREAD_CANCEL_DISABLE;
        if (self->cancel.async)
            hdi_cancel_self();
    }
    return rc;
}

HDI_EXPORT int pthread_setcanceltype(int type, int *old)
{
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_setcanceltype(type, old);
    rc = hdi_real.pthread_setcanceltype(type, old);
    if (rc == 0) {
        struct hdi_thread *self = hdi_self();
        self->cancel.async = type == PTHREAD_CANCEL_ASYNCHRONOUS;
        if (self->cancel.async)
            hdi_cancel_self();
    }
    return rc;
}

HDI_EXPORT int pthread_setname_np(pthread_t handle, const char *name)
{
    if (hdi_enter()) {
        struct hdi_thread *t = hdi_thread_of(handle);
        if (hdi_thread_is_gone(handle))
            return hdi_thread_missing(handle, HDI_ASKED_OF_GONE, HD_EV_NONE, HDI_SITE());
        hdi_process_state(HDI_THREAD_NAMES, true, HDI_SITE());
        if (t)
            label_copy(t->label, sizeof t->label, name);
    }
    return hdi_real.pthread_setname_np(handle, name);
}
