/* explore.h - exhaustive exploration: what the driver asks of a schedule, and what one tells of itself.
 *
 * A schedule follows the orders of the driver and then goes on by itself, never with a thread that
 * sleeps: one whose next step was explored before, and which nothing that happened since depends on.
 * Of each step it leaves what the step touched, and who else could have gone on. A step reaches from
 * one decision to the next.
 *
 * Plain data in the memory that both share.
 */
#ifndef HEDDLE_EXPLORE_H
#define HEDDLE_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#define HDP_EXPLORED_STEPS (1u << 16)
#define HDP_TOUCHES (1u << 18)
#define HDP_RUNNABLES (1u << 18)
#define HDP_SLEEPERS 256u

enum hdp_touch_mode {
    HDP_TOUCH_CHANGES,
    HDP_TOUCH_LOOKS,    /* any number of looks commute, and so do ... */
    HDP_TOUCH_ADDS,     /* ... posts, and ... */
    HDP_TOUCH_ENABLES,  /* ... what lets a thread go on that could not, and ... */
    HDP_TOUCH_AFFECTS,  /* ... what keeps it from that, or makes it go on otherwise, and ... */
    HDP_TOUCH_SHARES,   /* ... readers of a lock, who come and ... */
    HDP_TOUCH_UNSHARES, /* ... go */
    HDP_TOUCH_TAKES,    /* a lock that is free, by one that waits for it as long as it must */
    HDP_TOUCH_GIVES,    /* a lock, by who has it */
};

/* An object, a word of memory, the clock, or what one thread waits for. */
struct hdp_touch {
    uint64_t key;
    uint32_t mode; /* enum hdp_touch_mode */
    uint32_t pad;
};
#define HDP_EVERYTHING 0u /* the key of what no step commutes with */

/* Each of these goes with the one before it in the list. */
static inline bool hdp_modes_commute(uint32_t a, uint32_t b)
{
    if (a == HDP_TOUCH_UNSHARES || a == HDP_TOUCH_AFFECTS)
        a--;
    if (b == HDP_TOUCH_UNSHARES || b == HDP_TOUCH_AFFECTS)
        b--;
    return a == b && a != HDP_TOUCH_CHANGES && a != HDP_TOUCH_TAKES && a != HDP_TOUCH_GIVES;
}

/* Does a step with a touch that comes before another's depend on it? What lets a thread go on, or keeps it from
 * that, does so to what it is about to do, not to what it did. */
static inline bool hdp_modes_follow(uint32_t a, uint32_t b)
{
    return !hdp_modes_commute(a, b) && b != HDP_TOUCH_ENABLES && b != HDP_TOUCH_AFFECTS;
}

/* ... and could they have come the other way round? Not where the first makes the second possible. */
static inline bool hdp_modes_race(uint32_t a, uint32_t b)
{
    return hdp_modes_follow(a, b) && a != HDP_TOUCH_ENABLES &&
           !(a == HDP_TOUCH_GIVES && (b == HDP_TOUCH_TAKES || b == HDP_TOUCH_SHARES)) &&
           !(a == HDP_TOUCH_UNSHARES && b == HDP_TOUCH_TAKES);
}

static inline bool hdp_modes_depend(uint32_t a, uint32_t b)
{
    return !hdp_modes_commute(a, b);
}

/* Are two steps, a before b, related so by what they touched? */
static inline bool hdp_touches(const struct hdp_touch *a, uint32_t as, const struct hdp_touch *b,
                               uint32_t bs, bool (*related)(uint32_t, uint32_t))
{
    for (uint32_t i = 0; i < as; i++)
        if (a[i].key == HDP_EVERYTHING)
            return true;
    for (uint32_t k = 0; k < bs; k++) {
        if (b[k].key == HDP_EVERYTHING)
            return true;
        for (uint32_t i = 0; i < as; i++)
            if (a[i].key == b[k].key && related(a[i].mode, b[k].mode))
                return true;
    }
    return false;
}

enum hdp_explored_flags {
    HDP_EXPLORED_CHOICE = 1,      /* a choice within the step before: of `choice` below `options` */
    HDP_EXPLORED_TIME_PASSED = 2, /* before it, as nobody could run */
    HDP_EXPLORED_OWN = 4, /* it makes, begins, joins or ends a thread, and touched nothing else */
};

struct hdp_explored_step {
    uint32_t thread; /* hash of its name */
    uint16_t flags;  /* enum hdp_explored_flags */
    uint16_t kind;   /* enum hd_event */
    uint32_t choice, options;
    uint32_t touch, touches;      /* its first in touch[], and how many */
    uint32_t runnable, runnables; /* the threads that could have gone on, in runnable[] */
};

struct hdp_explore_order {
    uint32_t thread; /* 0: a choice */
    uint32_t choice;
};

/* A thread that sleeps, or that stood before an operation when the schedule ended. */
struct hdp_explored_thread {
    uint32_t thread;
    uint32_t can_run;
    uint32_t touch, touches;
};

/* How far the record of a schedule reaches. */
enum hdp_explored_end {
    HDP_EXPLORED_DIED,      /* the process left no word */
    HDP_EXPLORED_ALL,       /* to its end */
    HDP_EXPLORED_REDUNDANT, /* all that could run slept: what follows was explored before */
    HDP_EXPLORED_FULL,      /* no room for more */
    HDP_EXPLORED_ASTRAY,    /* it could not follow its orders */
    HDP_EXPLORED_BOUND,     /* as many steps as were wanted */
    HDP_EXPLORED_SPINS,     /* all wait for others in loops: how that ends was left to chance */
};

/* What in a schedule was not under control, so that others like it may not have been explored. */
enum hdp_uncontrolled {
    HDP_UNCONTROLLED_SIGNAL = 1 << 0,  /* a handler ran */
    HDP_UNCONTROLLED_CANCEL = 1 << 1,  /* a thread was cancelled */
    HDP_UNCONTROLLED_TIMER = 1 << 2,   /* a timer was armed */
    HDP_UNCONTROLLED_OUTSIDE = 1 << 3, /* a wait for what may come from outside */
    HDP_UNCONTROLLED_SLEEP =
        1 << 4, /* a timed wait could run out, if a sleep before it were over */
    HDP_UNCONTROLLED_FILES = 1 << 5, /* files, their names or descriptors were used */
    HDP_UNCONTROLLED_SPINS = 1 << 6, /* all waited for each other in loops */
    HDP_UNCONTROLLED_REASONS = 7,
};

struct hdp_explore {
    /* From the driver. */
    uint32_t orders, sleepers;
    uint32_t most_steps; /* 0: to the end of the schedule */
    uint32_t own_first;  /* steps of threads' own lives, while nothing is ordered */
    struct hdp_explore_order order[HDP_EXPLORED_STEPS];
    struct hdp_explored_thread sleeper[HDP_SLEEPERS]; /* as of before the last order's step */
    struct hdp_touch slept[HDP_TOUCHES];
    /* From the runtime. */
    uint32_t end; /* enum hdp_explored_end */
    uint32_t uncontrolled;
    uint32_t steps, touches, runnables, left;
    struct hdp_explored_step step[HDP_EXPLORED_STEPS];
    struct hdp_touch touch[HDP_TOUCHES];
    uint32_t runnable[HDP_RUNNABLES];
    struct hdp_explored_thread left_thread[HDP_SLEEPERS]; /* who had not ended */
};

#endif /* HEDDLE_EXPLORE_H */
