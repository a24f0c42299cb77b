/* timer.c - the pending timers, and the thread that serves them. timer.h states the use.
 *
 * A pairing heap (Fredman, Sedgewick, Sleator and Tarjan 1986) through the timers themselves: no
 * memory, so starting one can fail only for want of the thread. That thread is made for the first
 * timer and ends when there are none: at once under the seam, where a thread that waits for nothing
 * would stand in every report; after a while natively.
 *
 * The lock guards all below and every field of a timer. Callers' locks are not taken under it,
 * except those of channels, which are leaves.
 */
#include "timer.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

#include <heddle/annotate.h>
#include <heddle/errors.h>
#include <heddle/panic.h>

#include "leak_ledger.h"
#include "park.h"
#include "watch_client.h"

#define STACK_BYTES ((size_t)256 << 10)
#define LINGER_NS 1000000000

static struct hdi_lock lock;
static struct hdi_timer *root;
static uint64_t started;           /* timers, ever */
static bool serving;               /* there is a thread, or (under the seam) somebody makes it */
static struct hdi_parker *asleep;  /* the thread's, while nobody has taken it to wake it */
static struct hdi_parker *leaving; /* whoever waits for the thread to end; NULL: nobody */

/* A fork finds the heap whole. Under the seam one runs at a time, and no fork is inside. */
static void before_fork(void)
{
    if (!hdi_seam)
        hdi_lock(&lock);
}

static void after_fork(void)
{
    if (!hdi_seam)
        hdi_unlock(&lock);
}

/* A child has but the thread that forked. */
static void forget_thread(void)
{
    serving = false;
    asleep = leaving = NULL;
    atomic_store(&lock.word, 0);
}

__attribute__((constructor(104))) static void hide_timers(void)
{
    pthread_atfork(before_fork, after_fork, forget_thread);
    hdi_hide(&lock, sizeof lock);
    hdi_hide(&root, sizeof root);
    hdi_hide(&started, sizeof started);
    hdi_hide(&serving, sizeof serving);
    hdi_hide(&asleep, sizeof asleep);
    hdi_hide(&leaving, sizeof leaving);
}

/* ---- the heap ---- */

static bool sooner(const struct hdi_timer *a, const struct hdi_timer *b)
{
    return a->when_ns < b->when_ns || (a->when_ns == b->when_ns && a->order < b->order);
}

/* Two heaps to one; their own `next` and `link` are the caller's to set. */
static struct hdi_timer *meld(struct hdi_timer *a, struct hdi_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (sooner(b, a)) {
        struct hdi_timer *swap = a;
        a = b;
        b = swap;
    }
    b->next = a->child;
    if (b->next)
        b->next->link = &b->next;
    b->link = &a->child;
    a->child = b;
    return a;
}

static void set_root(struct hdi_timer *heap)
{
    root = heap;
    if (heap) {
        heap->next = NULL;
        heap->link = &root;
    }
}

/* Meld siblings in pairs from the left, then the pairs from the right. */
static struct hdi_timer *meld_all(struct hdi_timer *first)
{
    struct hdi_timer *pairs = NULL, *heap = NULL;

    while (first) {
        struct hdi_timer *second = first->next;
        struct hdi_timer *rest = second ? second->next : NULL;
        struct hdi_timer *pair = meld(first, second);
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    while (pairs) {
        struct hdi_timer *rest = pairs->next;
        heap = meld(heap, pairs);
        pairs = rest;
    }
    return heap;
}

static void insert(struct hdi_timer *timer)
{
    timer->child = timer->next = NULL;
    timer->order = ++started;
    set_root(meld(root, timer));
}

static void take_out(struct hdi_timer *timer)
{
    struct hdi_timer *children = meld_all(timer->child);

    timer->child = NULL;
    if (timer == root) {
        set_root(children);
    } else {
        *timer->link = timer->next;
        if (timer->next)
            timer->next->link = timer->link;
        set_root(meld(root, children));
    }
    timer->next = NULL;
    timer->link = NULL;
}

void hdi_timers_forget(struct hdi_job (*due)(struct hdi_timer *timer, int64_t now_ns))
{
    struct hdi_timer *kept = NULL, **end = &kept, *one;

    while ((one = root)) {
        take_out(one);
        if (one->due != due) {
            *end = one;
            end = &one->next;
        }
    }
    while ((one = kept)) {
        kept = one->next;
        insert(one);
    }
}

/* ---- the thread ---- */

/* With the lock held, which is released meanwhile: sleep until then, or until somebody wakes it.
 * Whether the time came. */
static bool sleep_until(int64_t until_ns)
{
    struct hdi_why why = {HD_EV_HD_TIMER, root ? root->object : NULL, NULL};
    struct hdi_parker self;
    bool woken, taken;

    hdi_parker_init(&self);
    asleep = &self;
    hdi_unlock(&lock);
    woken = hdi_park(&self, &why, until_ns);
    hdi_lock(&lock);
    taken = asleep != &self;
    if (taken && !woken) {
        hdi_unlock(&lock);
        hdi_park(&self, &why, HD_SEAM_FOREVER);
        hdi_lock(&lock);
    }
    asleep = NULL;
    return !taken;
}

static struct hdi_job fire(struct hdi_timer *timer, int64_t now_ns)
{
    take_out(timer);
    if (timer->period_ns > 0) {
        int64_t missed = (now_ns - timer->when_ns) / timer->period_ns;
        timer->when_ns += timer->period_ns * (1 + missed);
        insert(timer);
    }
    return timer->due(timer, now_ns);
}

static void *serve(void *arg)
{
    bool fired = false;
    struct hdi_parker *wake;

    if (hdi_watch)
        hdi_watch->goroutine_begins("timers", 0, NULL);
    if (hdi_seam)
        hd_expect_leak(); /* a timer may be due after the end of time */
    hdi_lock(&lock);
    for (;;) {
        int64_t now = hdi_now_ns();
        struct hdi_job job;
        if (leaving)
            break;
        if (!root && (hdi_seam || sleep_until(now + LINGER_NS)) && !root)
            break;
        if (!root)
            continue;
        if (root->when_ns > now) {
            sleep_until(root->when_ns);
            fired = false;
            continue;
        }
        if (hdi_seam && fired) { /* each firing is a step of its own */
            struct hdi_why why = {HD_EV_HD_TIMER, root->object, NULL};
            fired = false;
            hdi_unlock(&lock);
            hdi_point(&why);
            hdi_lock(&lock);
            continue;
        }
        job = fire(root, now);
        fired = true;
        hdi_unlock(&lock);
        if (job.fn)
            job.fn(job.arg);
        hdi_lock(&lock);
    }
    serving = false;
    wake = leaving;
    leaving = NULL;
    hdi_unlock(&lock);
    if (wake)
        hdi_unpark(wake);
    return arg;
}

void hdi_timers_change_hands(void)
{
    static const struct hdi_why why = {HD_EV_HD_TIMER, NULL, NULL};
    struct hdi_parker self, *wake;

    if (hdi_seam) {
        root = NULL;
        forget_thread();
        return;
    }
    hdi_lock(&lock);
    if (!serving) {
        hdi_unlock(&lock);
        return;
    }
    hdi_parker_init(&self);
    leaving = &self;
    wake = asleep;
    asleep = NULL;
    hdi_unlock(&lock);
    if (wake)
        hdi_unpark(wake);
    hdi_park(&self, &why, HD_SEAM_FOREVER);
}

static bool start_serving(const void *site)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    bool made;

    if (hdi_seam && !(hdi_watchers & HDI_WATCH_TSAN)) /* see hdi_go() */
        return hdi_seam->spawn(serve, NULL, STACK_BYTES, (const void *)(uintptr_t)serve, "timers",
                               site) == 0;
    if (pthread_attr_init(&attr) != 0)
        return false;
    sigfillset(&all); /* the program's handlers run on its own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    made = pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
           pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
           pthread_create(&thread, &attr, serve, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return made;
}

/* For a timer that is in the heap. The lock is held on entry and on return: whoever starts another
 * timer meanwhile finds a thread, or makes one. Not under the seam, where the start is a point. */
static bool make_thread(const void *site)
{
    void *check = hdi_check_swap(NULL); /* it serves everybody */
    bool made;

    serving = true;
    if (hdi_seam)
        hdi_unlock(&lock);
    made = start_serving(site);
    if (hdi_seam)
        hdi_lock(&lock);
    if (!made)
        serving = false;
    hdi_check_swap(check);
    return made;
}

static bool start(struct hdi_timer *timer, int64_t when_ns, int64_t period_ns,
                  bool (*before)(struct hdi_timer *), const void *site, bool *was)
{
    struct hdi_parker *wake = NULL;
    bool served;

    hdi_release(timer);
    hdi_lock(&lock);
    *was = timer->link != NULL;
    if (*was)
        take_out(timer);
    if (before)
        *was = before(timer) || *was;
    timer->when_ns = when_ns;
    timer->period_ns = period_ns;
    insert(timer);
    if (timer == root && asleep) {
        wake = asleep;
        asleep = NULL;
    }
    served = serving || make_thread(site);
    if (!served && timer->link)
        take_out(timer);
    hdi_unlock(&lock);
    if (wake)
        hdi_unpark(wake);
    return served;
}

bool hdi_timer_start(struct hdi_timer *timer, int64_t when_ns, int64_t period_ns,
                     bool (*before)(struct hdi_timer *), const void *site)
{
    bool was;

    if (!start(timer, when_ns, period_ns, before, site, &was))
        hd_panic_err(hd_out_of_threads);
    return was;
}

bool hdi_timer_try_start(struct hdi_timer *timer, int64_t when_ns)
{
    bool was;

    return start(timer, when_ns, 0, NULL, NULL, &was);
}

bool hdi_timer_stop(struct hdi_timer *timer, bool (*before)(struct hdi_timer *))
{
    bool was;

    hdi_lock(&lock);
    was = timer->link != NULL;
    if (was)
        take_out(timer);
    if (before)
        was = before(timer) || was;
    hdi_unlock(&lock);
    return was;
}

bool hdi_timer_if_pending(struct hdi_timer *timer, void (*then)(struct hdi_timer *))
{
    bool was;

    hdi_lock(&lock);
    was = timer->link != NULL;
    if (was)
        then(timer);
    hdi_unlock(&lock);
    return was;
}

int64_t hdi_in_ns(int64_t ns)
{
    int64_t now = hdi_now_ns(), sum;

    if (ns <= 0)
        return now;
    return __builtin_add_overflow(now, ns, &sum) ? INT64_MAX : sum;
}
