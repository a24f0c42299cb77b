/* timer.h - timers as a part of other objects, all served by one thread while there are any. */
#ifndef HDI_TIMER_H
#define HDI_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* Something to do after the timers' lock is released; fn NULL: nothing. */
struct hdi_job {
    void (*fn)(void *arg);
    void *arg;
};

/* Embed it, zero but for `object` and `due`; its memory must stay while it is pending. Guarded by
 * the timers' lock. */
struct hdi_timer {
    struct hdi_timer *child,
        *next;               /* pairing heap: first child, next sibling, and who points here */
    struct hdi_timer **link; /* NULL: not pending */
    int64_t when_ns;
    int64_t period_ns; /* 0: once */
    uint64_t order;    /* among equals: who was started first */
    const void *object;

    /* Its time has come: called with the timers' lock held, when it is pending no more or again. It
     * must not wait, be a point, or lock what is held where timers are started or stopped. What the
     * starter did is released to the timer's address. */
    struct hdi_job (*due)(struct hdi_timer *timer, int64_t now_ns);
};

/* Start it, or start it anew; whether it was pending, or `before` says so: that (if not NULL) is
 * called with the timers' lock held. Not a point, but for making the thread. Panics with
 * hd_out_of_threads, and has then started nothing. */
bool hdi_timer_start(struct hdi_timer *timer, int64_t when_ns, int64_t period_ns,
                     bool (*before)(struct hdi_timer *), const void *site);

/* The same, once; false instead of a panic. */
bool hdi_timer_try_start(struct hdi_timer *timer, int64_t when_ns);

/* The same without starting it. When this returns, `due` is not running and will not run. */
bool hdi_timer_stop(struct hdi_timer *timer, bool (*before)(struct hdi_timer *));

/* If it is pending, call then() with the timers' lock held; whether it was. */
bool hdi_timer_if_pending(struct hdi_timer *timer, void (*then)(struct hdi_timer *));

/* In a child: those of this `due` are nobody's. */
void hdi_timers_forget(struct hdi_job (*due)(struct hdi_timer *timer, int64_t now_ns));

/* Whose time it is changes: the thread of before has ended when this returns, or was abandoned with
 * all its timers if a seam ran it. */
void hdi_timers_change_hands(void);

/* Now + ns: no earlier than now, no later than the end of time. */
int64_t hdi_in_ns(int64_t ns);

#endif /* HDI_TIMER_H */
