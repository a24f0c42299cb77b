/* futex.c - the waits of C++20, Rust and hand-made primitives. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "clock.h"
#include "core/real.h"
#include "core/thread.h"
#include "memory/access.h"
#include "raw_calls.h"

struct hdi_futex {
    struct hdi_object object;
    struct hdi_thread *first; /* waiting, oldest first, by wait.next */
};

static struct hdi_futex *futex_of(const void *word, uint64_t site)
{
    return (struct hdi_futex *)hdi_object_get(word, HD_OB_FUTEX, sizeof(struct hdi_futex), site);
}

static bool granted(const struct hdi_op *op)
{
    return op->self->wait.granted;
}

struct word {
    const uint32_t *at;
    uint32_t value;
};

/* Another process wakes whom it finds in the kernel, where nobody waits: that it changed the word
 * is what can be seen of it. */
static bool granted_or_changed(const struct hdi_op *op)
{
    const struct word *w = op->data;

    return granted(op) || __atomic_load_n(w->at, __ATOMIC_SEQ_CST) != w->value;
}

static long wait_on(uint32_t *word, uint32_t value, int64_t until, bool said_shared, uint64_t site)
{
    struct hdi_thread *self = hdi_self(), **p;
    struct hdi_futex *x = futex_of(word, site);
    struct word expected = {word, value};
    bool shared = said_shared && hdi_may_be_shared(word);
    struct hdi_op op = {.kind = HD_EV_FUTEX_WAIT,
                        .object = &x->object,
                        .site = site,
                        .ready = shared ? granted_or_changed : granted,
                        .granted = !shared,
                        .data = &expected,
                        .until_ns = until,
                        .elastic = true,
                        .may_wake_spuriously = true,
                        .interrupt = until ? HDI_STOPS : HDI_RESTARTS,
                        .outside = shared};
    enum hdi_wake wake;

    hdi_point(HD_EV_FUTEX_WAIT, &x->object, site);
    hdi_memory_barrier(site);
    if (hdi_memory_word(word, site) != value) {
        errno = EAGAIN;
        return -1;
    }
    self->wait.granted = false;
    self->wait.queue = &x->object;
    self->wait.next = NULL;
    for (p = &x->first; *p; p = &(*p)->wait.next)
        ;
    *p = self;
    wake = hdi_perform(&op);
    if (self->wait.queue) {
        for (p = &x->first; *p && *p != self; p = &(*p)->wait.next)
            ;
        if (*p)
            *p = self->wait.next;
        self->wait.queue = NULL;
    }
    if (wake == HDI_INTERRUPTED) {
        errno = EINTR;
        return -1;
    }
    if (wake == HDI_TIMED_OUT) {
        errno = ETIMEDOUT;
        return -1;
    }
    return 0;
}

static long wake(uint32_t *word, uint32_t count, uint64_t site)
{
    struct hdi_futex *x = futex_of(word, site);
    long woken = 0;

    hdi_point(HD_EV_FUTEX_WAKE, &x->object, site);
    hdi_memory_barrier(site);
    while (x->first && (uint32_t)woken < count) {
        struct hdi_thread *t = x->first;
        x->first = t->wait.next;
        t->wait.queue = NULL;
        t->wait.granted = true;
        woken++;
    }
    hdi_changed(&x->object);
    return woken;
}

bool hdi_futex(const long a[6], uint64_t site, long *result)
{
    uint32_t *word = (uint32_t *)a[0];
    const struct timespec *ts = (const struct timespec *)a[3];
    bool shared = !(a[1] & FUTEX_PRIVATE_FLAG);
    int64_t until = 0;
    int command = (int)a[1] & FUTEX_CMD_MASK;

    if ((command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) && ts && !hdi_interval_valid(ts)) {
        errno = EINVAL;
        *result = -1;
        return true;
    }
    switch (command) {
    case FUTEX_WAIT:
        if (ts)
            until = hdi_deadline_for(ts);
        *result = wait_on(word, (uint32_t)a[2], until, shared, site);
        return true;
    case FUTEX_WAIT_BITSET:
        if (ts)
            until =
                hdi_deadline(a[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, ts);
        *result = wait_on(word, (uint32_t)a[2], until, shared, site);
        return true;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        *result = wake(word, (uint32_t)a[2], site);
        if (shared && hdi_may_be_shared(word)) /* waiters of other processes */
            *result += hdi_real.syscall(SYS_futex, a[0], a[1], a[2] - *result, a[3], a[4], a[5]);
        return true;
    default:
        hdi_unmodelled("futex operation other than wait and wake", site);
        return false;
    }
}
