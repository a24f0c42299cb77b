/* go.c - goroutines and the threads that carry them. go.h states the use.
 *
 * Or the fibres: fibre.h. A thread whose goroutine has ended waits a while, last in first out, for another. Not when a
 * detector watches: two goroutines on one thread would look ordered to it.
 */
#include <heddle/go.h>

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fibre.h"
#include "fibre_stack.h"
#include "leak_ledger.h"
#include "misuse.h"
#include "park.h"
#include "spawn.h"
#include "unwind.h"
#include "watch_client.h"

#define DEFAULT_STACK ((size_t)256 << 10)
#define LEAST_STACK ((size_t)32 << 10) /* a half of it serves when it overflows */
#define MOST_STACK ((size_t)1 << 30)
#define MOST_IDLE 256u
#define IDLE_NS ((int64_t)5 * 1000000000)

/* `heddle attach` reads it up to the name (harness/driver/attach/view.c). */
struct goroutine {
    void (*fn)(void *arg);
    void *arg;
    unsigned long number;
    const void *site;   /* of its making */
    size_t stack_bytes; /* of the thread that was made for it */
    char name[32];      /* "" until somebody asks */
    void (*end)(void *of, const void *site);
    void *of;
    bool on_stack; /* of its fibre */
    struct hdi_working work;
    _Alignas(max_align_t) unsigned char copy[]; /* of the argument, if it was to be copied */
};

const uint32_t hdi_goroutine_number = offsetof(struct goroutine, number);

/* A thread between two goroutines, in the list of idle ones; on its own stack. Guarded by idle_lock
 * while it is in the list; then by whoever took it out until it is unparked. */
struct carrier {
    struct hdi_parker parker;
    struct goroutine *g; /* the next one; NULL: end */
    size_t stack_bytes;
    struct carrier *below, **link; /* link NULL: not in the list */
};

static _Atomic unsigned long last_number;
static _Atomic size_t alive;
static _Atomic size_t stack_bytes = DEFAULT_STACK;

static struct hdi_lock idle_lock;
static struct carrier *idle;
static _Atomic unsigned idle_count;

void hdi_go_locals(const struct hd_seam *seam)
{
    seam->local((void **)&hdi_mine.current);
}

/* A child has but the thread that forked. */
static void forget_threads(void)
{
    idle = NULL;
    atomic_store(&idle_count, 0);
    atomic_store(&idle_lock.word, 0);
    atomic_store(&alive, hdi_mine.current != NULL);
}

__attribute__((constructor(105))) static void register_forget(void)
{
    pthread_atfork(NULL, NULL, forget_threads);
}

static void run(void *arg)
{
    struct goroutine *g = arg;

    hdi_acquire(g);
    hdi_mine.current = g;
    hdi_work_begins(&g->work);
    if (hdi_watch)
        hdi_watch->goroutine_begins(g->name, g->number, g->site);
    hdi_catch_exit(g->fn, g->arg);
    if (g->end)
        g->end(g->of, g->site);
    if (hdi_watch)
        hdi_watch->goroutine_ends();
    hdi_work_ends(&g->work);
    hdi_mine.current = NULL;
    atomic_fetch_sub(&alive, 1);
    if (!g->on_stack)
        free(g);
}

/* ---- idle threads ---- */

/* Out of line: gcc takes a carrier in the list for a dangling pointer. */
static __attribute__((noinline)) void push(struct carrier *carrier)
{
    carrier->below = idle;
    carrier->link = &idle;
    if (idle)
        idle->link = &carrier->below;
    idle = carrier;
    atomic_fetch_add_explicit(&idle_count, 1, memory_order_relaxed);
}

static void take_out(struct carrier *carrier)
{
    *carrier->link = carrier->below;
    if (carrier->below)
        carrier->below->link = carrier->link;
    carrier->link = NULL;
    atomic_fetch_sub_explicit(&idle_count, 1, memory_order_relaxed);
}

/* The next goroutine for this thread; NULL when none came in time. */
static struct goroutine *wait_for_work(size_t my_stack_bytes)
{
    static const struct hdi_why why = {HD_EV_NONE, NULL, NULL};
    struct carrier self = {.stack_bytes = my_stack_bytes};
    bool full;

    if (hdi_watchers)
        return NULL;
    hdi_parker_init(&self.parker);
    hdi_lock(&idle_lock);
    full = idle_count >= MOST_IDLE || my_stack_bytes != atomic_load(&stack_bytes);
    if (!full)
        push(&self);
    hdi_unlock(&idle_lock);
    if (full)
        return NULL;
    if (!hdi_park(&self.parker, &why, hdi_now_ns() + IDLE_NS)) {
        bool taken;
        hdi_lock(&idle_lock);
        taken = self.link == NULL;
        if (!taken)
            take_out(&self);
        hdi_unlock(&idle_lock);
        if (taken)
            hdi_park(&self.parker, &why, HD_SEAM_FOREVER);
    }
    return self.g;
}

static void *carry(void *arg)
{
    struct goroutine *g = arg;
    size_t my_stack_bytes = g->stack_bytes;
    _Alignas(16) unsigned char alternate[HDI_ALTERNATE_STACK];

    if (!hdi_watchers) {
        hdi_stack_watch(alternate);
        hdi_stack_is(hdi_stack_of_thread());
    }
    while (g) {
        run(g);
        g = wait_for_work(my_stack_bytes);
    }
    return NULL;
}

static bool reuse(struct goroutine *g)
{
    struct carrier *carrier;

    if (atomic_load_explicit(&idle_count, memory_order_relaxed) == 0)
        return false;
    hdi_lock(&idle_lock);
    carrier = idle;
    if (carrier)
        take_out(carrier);
    hdi_unlock(&idle_lock);
    if (!carrier)
        return false;
    carrier->g = g;
    hdi_unpark(&carrier->parker);
    return true;
}

/* Threads with stacks of another size than is wanted now end. */
static void end_idle(void)
{
    struct carrier *list = NULL;

    hdi_lock(&idle_lock);
    while (idle) {
        struct carrier *carrier = idle;
        take_out(carrier);
        carrier->below = list;
        list = carrier;
    }
    hdi_unlock(&idle_lock);
    while (list) {
        struct carrier *below = list->below; /* read before it may go */
        hdi_unpark(&list->parker);
        list = below;
    }
}

static bool start_thread(struct goroutine *g)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool started;
    void *check;

    if (pthread_attr_init(&attr) != 0)
        return false;
    check = hdi_check_swap(NULL); /* the thread may carry others after it */
    started = pthread_attr_setstacksize(&attr, g->stack_bytes) == 0 &&
              pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&thread, &attr, carry, g) == 0;
    hdi_check_swap(check);
    pthread_attr_destroy(&attr);
    return started;
}

static hd_err go(const struct hdi_start *start, bool pinned)
{
    size_t bytes = sizeof(struct goroutine) + start->copied, stack = atomic_load(&stack_bytes);
    struct hdi_fibre *fibre = NULL;
    struct goroutine *g;
    bool started = true;
    void *room = NULL;

    if (!start->fn)
        hdi_misuse("go of nil func value", NULL, start->site);
    if (start->copied > PTRDIFF_MAX - MOST_STACK - sizeof *g)
        return hd_out_of_memory;
    atomic_fetch_add(&alive, 1); /* before it looks for a worker: they stay (fibre.c) */
    if (!pinned && hdi_fibres_wanted()) {
        fibre = hdi_fibre_new(stack, bytes, &room);
        if (!fibre) {
            atomic_fetch_sub(&alive, 1);
            return hd_out_of_threads;
        }
    }
    g = fibre ? room : malloc(bytes);
    if (!g) {
        atomic_fetch_sub(&alive, 1);
        return hd_out_of_memory;
    }
    *g = (struct goroutine){.fn = start->fn,
                            .arg = start->arg,
                            .end = start->end,
                            .of = start->of,
                            .number = atomic_fetch_add(&last_number, 1) + 1,
                            .site = start->site,
                            .stack_bytes = stack,
                            .on_stack = fibre != NULL};
    if (start->copied > 0) {
        hdi_reads(start->arg, start->copied, start->site);
        hdi_copy(g->copy, start->arg, start->copied);
        g->arg = g->copy;
    }
    if (start->name)
        snprintf(g->name, sizeof g->name, "%s", start->name);
    hdi_hide(g, sizeof *g);
    hdi_release(g);
    /* TSan must see the thread being made: then it goes by way of pthread_create, to the same
     * seam. */
    if (hdi_seam && !(hdi_watchers & HDI_WATCH_TSAN)) {
        started = hdi_seam->spawn(carry, g, stack, start->shown, start->name, start->site) == 0;
    } else {
        hdi_work_made(&g->work, g->name, g->number, start->site);
        if (fibre)
            hdi_fibre_start(fibre, run);
        else
            started = reuse(g) || start_thread(g);
        if (!started)
            hdi_work_undone(&g->work);
    }
    if (started)
        return NULL;
    atomic_fetch_sub(&alive, 1);
    free(g);
    return hd_out_of_threads;
}

hd_err hdi_go(const struct hdi_start *start)
{
    return go(start, false);
}

static struct hdi_start plain(const char *name, void (*fn)(void *arg), void *arg, const void *site)
{
    return (struct hdi_start){
        .name = name, .fn = fn, .arg = arg, .shown = HDI_SHOWN(fn), .site = site};
}

hd_err hd_go_pinned(void (*fn)(void *arg), void *arg)
{
    const struct hdi_start start = plain(NULL, fn, arg, HDI_SITE());

    return go(&start, true);
}

void hd_blocking(void (*fn)(void *arg), void *arg)
{
    hdi_fibre_blocking(fn, arg);
}

hd_err hd_go(void (*fn)(void *arg), void *arg)
{
    const struct hdi_start start = plain(NULL, fn, arg, HDI_SITE());

    return go(&start, false);
}

hd_err hd_go_named(const char *name, void (*fn)(void *arg), void *arg)
{
    const struct hdi_start start = plain(name, fn, arg, HDI_SITE());

    return go(&start, false);
}

hd_err hd_go_copy(void (*fn)(void *args), const void *args, size_t bytes)
{
    struct hdi_start start = plain(NULL, fn, (void *)(uintptr_t)args, HDI_SITE());

    start.copied = bytes;
    return go(&start, false);
}

hd_err hd_go_set_stack(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (bytes == 0)
        bytes = DEFAULT_STACK;
    if (bytes < LEAST_STACK || bytes > MOST_STACK)
        return hd_invalid;
    bytes = (bytes + page - 1) / page * page;
    if (atomic_exchange(&stack_bytes, bytes) != bytes)
        end_idle();
    return NULL;
}

unsigned long hd_go_self(void)
{
    return hdi_mine.current ? hdi_mine.current->number : 0;
}

const char *hd_go_name(void)
{
    if (!hdi_mine.current)
        return "main";
    if (!hdi_mine.current->name[0])
        snprintf(hdi_mine.current->name, sizeof hdi_mine.current->name, "g%lu",
                 hdi_mine.current->number);
    return hdi_mine.current->name;
}

size_t hd_go_count(void)
{
    return atomic_load(&alive);
}

void hd_go_yield(void)
{
    struct hdi_why why = {HD_EV_YIELD, NULL, HDI_SITE()};

    if (hdi_seam)
        hdi_point(&why);
    else if (hdi_fibre_self())
        hdi_fibre_yield();
    else
        sched_yield();
}

_Noreturn void hd_goexit(void)
{
    if (!hdi_mine.current)
        hdi_misuse("goexit in a thread that is no goroutine", NULL, HDI_SITE());
    hdi_leave();
}
