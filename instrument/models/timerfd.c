/* timerfd.c - timers that are descriptors, in virtual time.
 *
 * The kernel's own stays what is polled and read, but is never set to a time that comes: it is made
 * to expire at once when its virtual deadline has passed. Its interval, of a century and some
 * nanoseconds, says through any of its numbers which one it is. As in the kernel, one that has
 * expired and was not read is not looked at again until it is.
 */
#include "timerfd.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "clock.h"
#include "core/real.h"
#include "core/thread.h"
#include "kernel_order.h"
#include "memory/descriptor_race.h"
#include "signals.h"

#define SECOND 1000000000LL
#define CENTURY 3155760000
#define NUMBERS 1024 /* that are looked through for one whose number was closed */

struct timer {
    struct timer *next;
    long mark;
    int fd; /* a number of it, when last seen */
    clockid_t clock;
    int64_t deadline, interval; /* virtual; 0: not armed, once */
    bool expired;               /* since it was read last */
};

static struct timer *timers;

void hdi_timerfds_forget(void)
{
    timers = NULL;
}

static struct timer *of(int fd)
{
    struct itimerspec now;
    int saved = errno;
    struct timer *t = timers;

    if (!t || fd < 0 || hdi_real.syscall(SYS_timerfd_gettime, fd, &now) != 0 ||
        now.it_interval.tv_sec != CENTURY)
        t = NULL;
    errno = saved;
    while (t && t->mark != now.it_interval.tv_nsec)
        t = t->next;
    if (t)
        t->fd = fd;
    return t;
}

bool hdi_timerfd_is_virtual(int fd)
{
    return of(fd) != NULL;
}

bool hdi_timerfd_is_armed(int fd)
{
    const struct timer *t = of(fd);
    return t && t->deadline;
}

/* What the kernel shows. False: nobody has it any more. */
static bool show(struct timer *t)
{
    struct itimerspec as = {.it_interval = {CENTURY, t->mark},
                            .it_value = t->expired ? (struct timespec){0, 1}
                                                   : (struct timespec){CENTURY, 0}};

    for (int fd = 0; of(t->fd) != t; fd++) {
        if (fd == NUMBERS)
            return false;
        of(fd);
    }
    return hdi_real.syscall(SYS_timerfd_settime, t->fd, 0, &as, NULL) == 0;
}

static struct timer *first(void)
{
    struct timer *best = NULL;

    for (struct timer *t = timers; t; t = t->next)
        if (t->deadline && !t->expired && (!best || t->deadline < best->deadline))
            best = t;
    return best;
}

int64_t hdi_timerfd_next(void)
{
    const struct timer *t = first();
    return t ? t->deadline : 0;
}

void hdi_timerfd_expire(int64_t now)
{
    int saved = errno;

    for (struct timer *t; (t = first()) && t->deadline <= now;) {
        t->expired = true;
        if (!show(t))
            t->deadline = 0;
    }
    errno = saved;
}

static uint64_t times(const struct timer *t)
{
    return 1 + (t->interval ? (uint64_t)((hdi_now() - t->deadline) / t->interval) : 0);
}

void hdi_timerfd_taken(int fd, void *buffer, ssize_t n)
{
    struct timer *t = n == sizeof(uint64_t) ? of(fd) : NULL;
    uint64_t count;

    if (!t || !t->expired)
        return;
    count = times(t);
    memcpy(buffer, &count, sizeof count);
    t->deadline = t->interval ? t->deadline + (int64_t)count * t->interval : 0;
    t->expired = false;
}

static struct itimerspec left_of(const struct timer *t)
{
    int64_t left = t->deadline - hdi_now();
    struct itimerspec out = {.it_interval = {t->interval / SECOND, t->interval % SECOND}};

    if (t->expired)
        left = t->interval ? t->deadline + (int64_t)times(t) * t->interval - hdi_now() : 0;
    else if (t->deadline && left <= 0)
        left = 1;
    if (t->deadline)
        out.it_value = (struct timespec){left / SECOND, left % SECOND};
    return out;
}

HDI_EXPORT int timerfd_create(int clock, int flags)
{
    int fd = hdi_descriptor_opened(hdi_real.timerfd_create(clock, flags), HDI_SITE());
    static const struct itimerspec off;
    struct timer *t;

    if (fd < 0 || !hdi_enter() || hdi_real_clock() ||
        (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME))
        return fd;
    t = hdi_alloc(sizeof *t);
    *t = (struct timer){
        .next = timers, .mark = timers ? timers->mark + 1 : 1, .fd = fd, .clock = clock};
    timers = t;
    if (hdi_real.syscall(SYS_timerfd_settime, fd, 0,
                         &(struct itimerspec){{CENTURY, t->mark}, {CENTURY, 0}}, NULL) != 0) {
        timers = t->next;
        hdi_real.syscall(SYS_timerfd_settime, fd, 0, &off, NULL);
    }
    return fd;
}

static int64_t ns_of(const struct timespec *ts)
{
    return hdi_deadline_for(ts) - hdi_now();
}

HDI_EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *value,
                               struct itimerspec *old)
{
    struct timer *t;

    if (!hdi_enter() || !(t = of(fd)))
        return hdi_real.timerfd_settime(fd, flags, value, old);
    if (!value || (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
        !hdi_interval_valid(&value->it_value) || !hdi_interval_valid(&value->it_interval)) {
        errno = EINVAL;
        return -1;
    }
    hdi_point(HD_EV_TIMER_SET, NULL, HDI_SITE());
    hdi_sends(fd);
    if (old)
        *old = left_of(t);
    t->expired = false;
    t->interval = ns_of(&value->it_interval);
    t->deadline = 0;
    if (value->it_value.tv_sec || value->it_value.tv_nsec) {
        t->deadline = flags & TFD_TIMER_ABSTIME ? hdi_deadline(t->clock, &value->it_value)
                                                : hdi_deadline_for(&value->it_value);
        hdi_watch_over();
    }
    show(t);
    return 0;
}

HDI_EXPORT int timerfd_gettime(int fd, struct itimerspec *value)
{
    struct timer *t;

    if (!hdi_enter() || !(t = of(fd)))
        return hdi_real.timerfd_gettime(fd, value);
    hdi_timerfd_expire(hdi_now());
    *value = left_of(t);
    return 0;
}
