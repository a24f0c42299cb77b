/* clock.c - the clocks and sleeps of the program, in virtual time. */
#include "clock.h"

#include <errno.h>

#include "core/control.h"
#include "core/real.h"
#include "signals.h"
#include "core/thread.h"

#define SECOND 1000000000LL

bool hdi_timespec_valid(const struct timespec *ts)
{
    return ts->tv_nsec >= 0 && ts->tv_nsec < SECOND;
}

bool hdi_interval_valid(const struct timespec *ts)
{
    return hdi_timespec_valid(ts) && ts->tv_sec >= 0;
}

static int64_t saturated(const struct timespec *ts)
{
    if (ts->tv_sec > INT64_MAX / SECOND - 2)
        return HDI_FOREVER - 1;
    return ts->tv_sec * SECOND + ts->tv_nsec;
}

static bool monotonic(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
           clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

int64_t hdi_deadline(clockid_t clock, const struct timespec *abs)
{
    int64_t at = saturated(abs);

    if (hdi_real_clock()) {
        struct timespec now;
        hdi_real.clock_gettime(clock, &now);
        at = hdi_now() + at - saturated(&now);
    } else if (!monotonic(clock) && at != HDI_FOREVER - 1) {
        at -= hdi_realtime_offset();
    }
    hdi_touched_clock();
    return at < 1 ? 1 : at;
}

int64_t hdi_deadline_in(int64_t ns)
{
    int64_t now = hdi_now();
    hdi_touched_clock();
    return ns > HDI_FOREVER - 1 - now ? HDI_FOREVER - 1 : now + (ns > 0 ? ns : 0);
}

int64_t hdi_deadline_for(const struct timespec *relative)
{
    return hdi_deadline_in(saturated(relative));
}

static bool never(const struct hdi_op *op)
{
    (void)op;
    return false;
}

/* 0, or EINTR when a handler ran. */
static int sleep_until(int64_t until, uint64_t site)
{
    struct hdi_op op = {.kind = HD_EV_SLEEP,
                        .site = site,
                        .ready = never,
                        .until_ns = until,
                        .interrupt = HDI_STOPS,
                        .cancellable = true};
    enum hdi_wake wake = hdi_perform(&op);

    if (wake == HDI_CANCELLED)
        hdi_cancel_self();
    return wake == HDI_INTERRUPTED ? EINTR : 0;
}

/* The same; what is left of the time into *left, which may be NULL. */
static int sleep_for(int64_t ns, struct timespec *left, uint64_t site)
{
    int64_t until = hdi_deadline_in(ns), rest;
    int rc;

    if (ns <= 0) {
        hdi_point(HD_EV_YIELD, NULL, site);
        return 0;
    }
    rc = sleep_until(until, site);
    if (rc && left) {
        rest = until - hdi_now();
        rest = rest > 0 ? rest : 0;
        *left = (struct timespec){rest / SECOND, rest % SECOND};
    }
    return rc;
}

static int minus_one(int rc)
{
    if (rc)
        errno = rc;
    return rc ? -1 : 0;
}

HDI_EXPORT int nanosleep(const struct timespec *want, struct timespec *left)
{
    int rc;

    if (!hdi_enter() || !hdi_interval_valid(want))
        return hdi_real.nanosleep(want, left);
    if (hdi_real_clock()) {
        hdi_external_enter(HDI_SITE());
        rc = hdi_real.nanosleep(want, left);
        hdi_external_leave();
        return rc;
    }
    return minus_one(sleep_for(saturated(want), left, HDI_SITE()));
}

HDI_EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *want,
                               struct timespec *left)
{
    int rc;

    if (!hdi_enter() || !hdi_interval_valid(want) ||
        (!monotonic(clock) && clock != CLOCK_REALTIME && clock != CLOCK_TAI))
        return hdi_real.clock_nanosleep(clock, flags, want, left);
    if (hdi_real_clock()) {
        hdi_external_enter(HDI_SITE());
        rc = hdi_real.clock_nanosleep(clock, flags, want, left);
        hdi_external_leave();
        return rc;
    }
    if (flags & TIMER_ABSTIME)
        return sleep_until(hdi_deadline(clock, want), HDI_SITE());
    return sleep_for(saturated(want), left, HDI_SITE());
}

HDI_EXPORT int usleep(useconds_t us)
{
    int rc;

    if (!hdi_enter())
        return hdi_real.usleep(us);
    if (hdi_real_clock()) {
        hdi_external_enter(HDI_SITE());
        rc = hdi_real.usleep(us);
        hdi_external_leave();
        return rc;
    }
    return minus_one(sleep_for(us * 1000LL, NULL, HDI_SITE()));
}

HDI_EXPORT unsigned sleep(unsigned s)
{
    struct timespec left = {0, 0};

    if (!hdi_enter())
        return hdi_real.sleep(s);
    if (hdi_real_clock()) {
        hdi_external_enter(HDI_SITE());
        s = hdi_real.sleep(s);
        hdi_external_leave();
        return s;
    }
    return sleep_for(s * SECOND, &left, HDI_SITE()) ? (unsigned)left.tv_sec : 0;
}

HDI_EXPORT int sched_yield(void)
{
    uint32_t threads;

    if (!hdi_enter() || !hdi_live(&threads) || (threads == 1 && !hdi_timer_next()))
        return hdi_real.sched_yield();
    HDI_YIELD(HDI_SITE());
    return 0;
}

HDI_EXPORT int clock_gettime(clockid_t clock, struct timespec *out)
{
    int64_t now;

    /* Not hdi_enter(), which may begin: ThreadSanitizer's allocator looks at the clock under a
     * lock. */
    if (!hdi_controlled() || hdi_real_clock() || hdi_real.clock_gettime(clock, out) != 0)
        return hdi_real.clock_gettime(clock, out);
    now = hdi_clock_read();
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID || clock < 0)
        now -= 1000 * SECOND; /* the program's own time is what has passed since its start */
    else if (!monotonic(clock))
        now += hdi_realtime_offset();
    *out = (struct timespec){.tv_sec = now / SECOND, .tv_nsec = now % SECOND};
    return 0;
}

/* Time is ours: the machine's is not touched. */
HDI_EXPORT int clock_settime(clockid_t clock, const struct timespec *to)
{
    if (!hdi_enter() || clock != CLOCK_REALTIME || !hdi_timespec_valid(to))
        return hdi_real.clock_settime(clock, to);
    errno = EPERM;
    return -1;
}

HDI_EXPORT int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    int64_t now;

    if (!hdi_enter() || hdi_real_clock())
        return hdi_real.gettimeofday(out, zone);
    now = hdi_clock_read() + hdi_realtime_offset();
    *out = (struct timeval){.tv_sec = now / SECOND, .tv_usec = now % SECOND / 1000};
    return 0;
}

HDI_EXPORT time_t time(time_t *out)
{
    time_t now;

    if (!hdi_enter() || hdi_real_clock())
        return hdi_real.time(out);
    now = (hdi_clock_read() + hdi_realtime_offset()) / SECOND;
    if (out)
        *out = now;
    return now;
}
