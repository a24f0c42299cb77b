/* timer.c - alarms, interval timers and POSIX timers of the program, in virtual time.
 *
 * One that signals is looked at by the scheduler whenever time has moved: the signal goes to the
 * process like any other. One that calls a function is a thread that sleeps until the deadline,
 * made anew for each expiry. Timers on CPU clocks, and ITIMER_VIRTUAL and ITIMER_PROF, are the
 * kernel's: what they measure is real.
 */
#include <errno.h>
#include <sys/time.h>
#include <time.h>

#include "clock.h"
#include "libc_threads.h"
#include "core/observers.h"
#include "core/real.h"
#include "signals.h"
#include "core/thread.h"
#include "timerfd.h"

#define SECOND 1000000000LL

struct hdi_timer {
    struct hdi_timer *next;
    bool used;
    clockid_t clock;
    struct sigevent event;
    int64_t deadline, interval; /* virtual; 0: not armed, once */
    int overruns;               /* expiries since the signal was sent that is pending */
    bool sent;
    uint32_t generation;        /* counts settings: an older sleeper ends */
    struct hdi_thread *sleeper; /* SIGEV_THREAD */
};

static struct hdi_timer *timers;
static struct hdi_timer itimer; /* of alarm and ITIMER_REAL: signals SIGALRM */
static uint32_t armed;          /* timers that signal and have a deadline */

static bool signals(const struct hdi_timer *t)
{
    return t == &itimer || t->event.sigev_notify == SIGEV_SIGNAL ||
           t->event.sigev_notify == SIGEV_THREAD_ID;
}

static int number_of(const struct hdi_timer *t)
{
    return t == &itimer ? SIGALRM : t->event.sigev_signo;
}

void hdi_timers_forget(void)
{
    hdi_timerfds_forget();
    timers = NULL;
    itimer = (struct hdi_timer){0};
    armed = 0;
}

static struct hdi_timer *ours(timer_t handle)
{
    for (struct hdi_timer *t = timers; t; t = t->next)
        if (t == (struct hdi_timer *)handle && t->used)
            return t;
    return NULL;
}

static struct hdi_timer *first(void)
{
    struct hdi_timer *best = itimer.deadline ? &itimer : NULL;

    for (struct hdi_timer *t = timers; t; t = t->next)
        if (t->used && t->deadline && signals(t) && (!best || t->deadline < best->deadline))
            best = t;
    return best;
}

int64_t hdi_timer_next(void)
{
    const struct hdi_timer *t = armed ? first() : NULL;
    int64_t fd = hdi_timerfd_next();

    return t && (!fd || t->deadline < fd) ? t->deadline : fd;
}

bool hdi_timer_helps(void)
{
    const struct hdi_timer *t = armed ? first() : NULL;
    int64_t fd = hdi_timerfd_next();

    if (fd && (!t || fd <= t->deadline))
        return true;
    return t && hdi_disposition(number_of(t)) == HDI_SIG_HANDLED;
}

/* Who looks at what comes of it comes after who set it. */
static void sent(const struct hdi_timer *t)
{
    if (signals(t) && t->deadline)
        hdi_signal_sent(number_of(t));
}

static void set_deadline(struct hdi_timer *t, int64_t at)
{
    if (signals(t)) {
        armed += at ? !t->deadline : 0u;
        armed -= !at && t->deadline ? 1u : 0u;
        if (at && !t->deadline)
            hdi_watch_over();
    }
    t->deadline = at;
}

void hdi_timer_expire(int64_t now)
{
    struct hdi_timer *t;

    hdi_timerfd_expire(now);
    while ((t = first()) && t->deadline <= now) {
        union sigval value =
            t == &itimer ? (union sigval){.sival_ptr = NULL} : t->event.sigev_value;
        siginfo_t info = hdi_siginfo(number_of(t), t == &itimer ? SI_KERNEL : SI_TIMER, value);
        set_deadline(t, t->interval ? t->deadline + t->interval : 0);
        if (t->sent && hdi_signal_pends(info.si_signo)) {
            t->overruns++;
            continue;
        }
        t->sent = true;
        t->overruns = 0;
        if (t != &itimer) {
            info.si_timerid = 0;
            info.si_overrun = 0;
            info.si_value = value;
        }
        hdi_signal_process(&info);
    }
}

/* ---- timers that call a function ---- */

struct sleeper {
    struct hdi_timer *timer;
    uint32_t generation;
};

static bool superseded(const struct hdi_op *op)
{
    const struct sleeper *s = op->data;
    return s->generation != s->timer->generation;
}

static int start_sleeper(struct hdi_timer *t, uint64_t site);

static void *sleeps_and_calls(void *data)
{
    struct sleeper *s = data;
    struct hdi_timer *t = s->timer;
    uint64_t site = (uint64_t)(uintptr_t)t->event.sigev_notify_function;
    struct hdi_op op = {
        .kind = HD_EV_SLEEP, .site = site, .ready = superseded, .data = s, .until_ns = t->deadline};

    if (s->generation == t->generation)
        hdi_perform(&op);
    if (s->generation != t->generation)
        return NULL;
    t->deadline = t->interval ? t->deadline + t->interval : 0;
    if (t->deadline)
        start_sleeper(t, site);
    hdi_notify(&t->event, SI_TIMER);
    return NULL;
}

static int start_sleeper(struct hdi_timer *t, uint64_t site)
{
    struct sleeper *s = hdi_alloc(sizeof *s);

    *s = (struct sleeper){t, t->generation};
    return hdi_helper(sleeps_and_calls, s, &t->event, site, &t->sleeper);
}

/* ---- what programs call ---- */

static int64_t ns_of(const struct timespec *ts)
{
    return ts->tv_sec > INT64_MAX / SECOND - 2 ? HDI_FOREVER - 1
                                               : ts->tv_sec * SECOND + ts->tv_nsec;
}

static struct itimerspec left_of(const struct hdi_timer *t)
{
    int64_t left = t->deadline - hdi_now();
    struct itimerspec out = {{0, 0}, {0, 0}};

    if (t->deadline) {
        left = left > 0 ? left : 1;
        out.it_value = (struct timespec){left / SECOND, left % SECOND};
    }
    out.it_interval = (struct timespec){t->interval / SECOND, t->interval % SECOND};
    return out;
}

static bool virtual_clock(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_TAI;
}

HDI_EXPORT int timer_create(clockid_t clock, struct sigevent *restrict event,
                            timer_t *restrict handle)
{
    struct hdi_timer *t;

    if (event)
        hdi_tell(BYTES_LEFT, .clock = &event->sigev_value, .n = sizeof event->sigev_value);
    if (!hdi_enter())
        return hdi_real.timer_create(clock, event, handle);
    if (hdi_real_clock() || !virtual_clock(clock)) {
        hdi_first_thread(); /* a fork does not inherit it */
        hdi_others_send();
        return hdi_real.timer_create(clock, event, handle);
    }
    if (event && event->sigev_notify != SIGEV_NONE && event->sigev_notify != SIGEV_THREAD &&
        ((event->sigev_notify != SIGEV_SIGNAL && event->sigev_notify != SIGEV_THREAD_ID) ||
         event->sigev_signo <= 0 || event->sigev_signo > SIGRTMAX)) {
        errno = EINVAL;
        return -1;
    }
    for (t = timers; t && t->used; t = t->next)
        ;
    if (!t) {
        t = hdi_alloc(sizeof *t);
        t->next = timers;
        timers = t;
    }
    *t = (struct hdi_timer){
        .next = t->next, .used = true, .clock = clock, .generation = t->generation + 1};
    if (event)
        t->event = *event;
    else
        t->event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL,
                                     .sigev_signo = SIGALRM,
                                     .sigev_value = {.sival_ptr = (void *)t}};
    *handle = (timer_t)t;
    return 0;
}

static int set(struct hdi_timer *t, int64_t at, int64_t interval, uint64_t site)
{
    t->generation++;
    if (t->sleeper)
        hdi_reconsider(t->sleeper);
    t->sleeper = NULL;
    t->interval = interval;
    set_deadline(t, at);
    sent(t);
    return at && t != &itimer && t->event.sigev_notify == SIGEV_THREAD ? start_sleeper(t, site) : 0;
}

HDI_EXPORT int timer_settime(timer_t handle, int flags, const struct itimerspec *restrict value,
                             struct itimerspec *restrict old)
{
    struct hdi_timer *t;
    int64_t at = 0;
    int rc;

    if (!hdi_enter() || !(t = ours(handle)))
        return hdi_real.timer_settime(handle, flags, value, old);
    if (!value || !hdi_interval_valid(&value->it_value) ||
        !hdi_interval_valid(&value->it_interval)) {
        errno = EINVAL;
        return -1;
    }
    if (old)
        *old = left_of(t);
    if (value->it_value.tv_sec || value->it_value.tv_nsec)
        at = flags & TIMER_ABSTIME ? hdi_deadline(t->clock, &value->it_value)
                                   : hdi_deadline_in(ns_of(&value->it_value));
    rc = set(t, at, ns_of(&value->it_interval), HDI_SITE());
    hdi_point(HD_EV_TIMER_SET, NULL, HDI_SITE());
    if (rc)
        errno = rc;
    return rc ? -1 : 0;
}

HDI_EXPORT int timer_gettime(timer_t handle, struct itimerspec *value)
{
    struct hdi_timer *t;

    if (!hdi_enter() || !(t = ours(handle)))
        return hdi_real.timer_gettime(handle, value);
    *value = left_of(t);
    return 0;
}

HDI_EXPORT int timer_getoverrun(timer_t handle)
{
    struct hdi_timer *t;

    if (!hdi_enter() || !(t = ours(handle)))
        return hdi_real.timer_getoverrun(handle);
    return t->overruns;
}

HDI_EXPORT int timer_delete(timer_t handle)
{
    struct hdi_timer *t;

    if (!hdi_enter() || !(t = ours(handle)))
        return hdi_real.timer_delete(handle);
    set(t, 0, 0, HDI_SITE());
    t->used = false;
    return 0;
}

static bool is_interval(const struct timeval *v)
{
    return v->tv_sec >= 0 && v->tv_usec >= 0 && v->tv_usec < 1000000;
}

HDI_EXPORT int setitimer(__itimer_which_t which, const struct itimerval *restrict value,
                         struct itimerval *restrict old)
{
    struct itimerspec left;

    if (!hdi_enter() || hdi_real_clock() || which != ITIMER_REAL || !value)
        return hdi_real.setitimer(which, value, old);
    if (!is_interval(&value->it_value) || !is_interval(&value->it_interval)) {
        errno = EINVAL;
        return -1;
    }
    left = left_of(&itimer);
    set(&itimer,
        value->it_value.tv_sec || value->it_value.tv_usec
            ? hdi_deadline_in(value->it_value.tv_sec * SECOND + value->it_value.tv_usec * 1000)
            : 0,
        value->it_interval.tv_sec * SECOND + value->it_interval.tv_usec * 1000, HDI_SITE());
    if (old) {
        old->it_value = (struct timeval){left.it_value.tv_sec, left.it_value.tv_nsec / 1000};
        old->it_interval =
            (struct timeval){left.it_interval.tv_sec, left.it_interval.tv_nsec / 1000};
    }
    hdi_point(HD_EV_TIMER_SET, NULL, HDI_SITE());
    return 0;
}

HDI_EXPORT int getitimer(__itimer_which_t which, struct itimerval *value)
{
    struct itimerspec left;

    if (!hdi_enter() || hdi_real_clock() || which != ITIMER_REAL)
        return hdi_real.getitimer(which, value);
    left = left_of(&itimer);
    value->it_value = (struct timeval){left.it_value.tv_sec, left.it_value.tv_nsec / 1000};
    value->it_interval = (struct timeval){left.it_interval.tv_sec, left.it_interval.tv_nsec / 1000};
    return 0;
}

HDI_EXPORT unsigned alarm(unsigned seconds)
{
    struct itimerspec left;
    unsigned rest;

    if (!hdi_enter() || hdi_real_clock())
        return hdi_real.alarm(seconds);
    left = left_of(&itimer);
    rest = (unsigned)left.it_value.tv_sec + (left.it_value.tv_nsec >= SECOND / 2);
    if (rest == 0 && itimer.deadline)
        rest = 1;
    set(&itimer, seconds ? hdi_deadline_in(seconds * SECOND) : 0, 0, HDI_SITE());
    hdi_point(HD_EV_TIMER_SET, NULL, HDI_SITE());
    return rest;
}
