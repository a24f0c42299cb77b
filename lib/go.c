/* go.c - goroutines and the threads that carry them. go.h states the use.
 *
 * A thread whose goroutine has ended waits a while, last in first out, for another. Not when a
 * detector watches: two goroutines on one thread would look ordered to it.
 */
#include <heddle/go.h>

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lot.h"
#include "misuse.h"
#include "spawn.h"
#include "unwind.h"

#define DEFAULT_STACK ((size_t)256 << 10)
#define LEAST_STACK ((size_t)16 << 10)
#define MOST_STACK ((size_t)1 << 30)
#define MOST_IDLE 256
#define IDLE_NS ((int64_t)5 * 1000000000)

struct goroutine {
    void (*fn)(void *arg);
    void *arg;
    unsigned long number;
    char name[32];
};

/* A thread between two goroutines; on its own stack. */
struct carrier {
    struct hdi_waiter waiter; /* first: the lot gives it back */
    struct goroutine *next;
};

static _Atomic unsigned long last_number;
static _Atomic size_t alive;
static _Atomic size_t stack_bytes = DEFAULT_STACK;
static _Atomic int idle; /* its address is the line of waiting carriers */
static _Thread_local struct goroutine *current;

void hdi_go_locals(const struct hd_seam *seam)
{
    seam->local((void **)&current);
}

static void run(struct goroutine *g)
{
    hdi_acquire(g);
    current = g;
    hdi_catch_exit(g->fn, g->arg);
    current = NULL;
    atomic_fetch_sub(&alive, 1);
    free(g);
}

/* The next goroutine for this thread; NULL when none came in time. */
static struct goroutine *wait_for_work(void)
{
    static const struct hdi_why why = {HD_EV_NONE, &idle, NULL};
    struct carrier self = {.next = NULL};
    struct hdi_lot *lot;

    if (hdi_watchers || atomic_fetch_add(&idle, 1) >= MOST_IDLE) {
        if (!hdi_watchers)
            atomic_fetch_sub(&idle, 1);
        return NULL;
    }
    lot = hdi_lot_lock(&idle);
    hdi_lot_push(lot, &self.waiter, &idle, true);
    hdi_lot_unlock(lot);
    if (hdi_lot_sleep(&self.waiter, &why, hdi_now_ns() + IDLE_NS))
        return self.next;
    atomic_fetch_sub(&idle, 1);
    return NULL;
}

static void *carry(void *arg)
{
    struct goroutine *g = arg;

    while (g) {
        run(g);
        g = wait_for_work();
    }
    return NULL;
}

static bool reuse(struct goroutine *g)
{
    struct carrier *carrier;
    struct hdi_lot *lot;

    if (atomic_load_explicit(&idle, memory_order_relaxed) <= 0)
        return false;
    lot = hdi_lot_lock(&idle);
    carrier = (struct carrier *)hdi_lot_pop(lot, &idle);
    hdi_lot_unlock(lot);
    if (!carrier)
        return false;
    atomic_fetch_sub(&idle, 1);
    carrier->next = g;
    hdi_lot_wake(&carrier->waiter);
    return true;
}

static bool start_thread(struct goroutine *g)
{
    pthread_attr_t attr;
    pthread_t thread;
    size_t bytes = atomic_load_explicit(&stack_bytes, memory_order_relaxed);
    bool started;

    if (pthread_attr_init(&attr) != 0)
        return false;
    started = pthread_attr_setstacksize(&attr, bytes) == 0 &&
              pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&thread, &attr, carry, g) == 0;
    pthread_attr_destroy(&attr);
    return started;
}

hd_err hdi_go(const char *name, void (*fn)(void *arg), void *arg, const void *site)
{
    struct goroutine *g;
    bool started;

    if (!fn)
        hdi_misuse("go of nil func value", NULL, site);
    g = malloc(sizeof *g);
    if (!g)
        return hd_out_of_memory;
    *g = (struct goroutine){.fn = fn, .arg = arg, .number = atomic_fetch_add(&last_number, 1) + 1};
    if (name)
        snprintf(g->name, sizeof g->name, "%s", name);
    else
        snprintf(g->name, sizeof g->name, "g%lu", g->number);
    atomic_fetch_add(&alive, 1);
    hdi_release(g);
    if (hdi_seam)
        started = hdi_seam->spawn(carry, g, atomic_load(&stack_bytes),
                                  (const void *)(uintptr_t)fn, name, site) == 0;
    else
        started = reuse(g) || start_thread(g);
    if (started)
        return NULL;
    atomic_fetch_sub(&alive, 1);
    free(g);
    return hd_out_of_threads;
}

hd_err hd_go(void (*fn)(void *arg), void *arg)
{
    return hdi_go(NULL, fn, arg, HDI_SITE());
}

hd_err hd_go_named(const char *name, void (*fn)(void *arg), void *arg)
{
    return hdi_go(name, fn, arg, HDI_SITE());
}

hd_err hd_go_set_stack(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (bytes == 0)
        bytes = DEFAULT_STACK;
    if (bytes < LEAST_STACK || bytes > MOST_STACK)
        return hd_invalid;
    atomic_store(&stack_bytes, (bytes + page - 1) / page * page);
    return NULL;
}

unsigned long hd_go_self(void)
{
    return current ? current->number : 0;
}

const char *hd_go_name(void)
{
    return current ? current->name : "main";
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
    else
        sched_yield();
}

_Noreturn void hd_goexit(void)
{
    if (!current)
        hdi_misuse("goexit in a thread that is no goroutine", NULL, HDI_SITE());
    hdi_leave();
}
