/* pool.c - the program's threads in place: contexts of real pthreads, all on main's kernel thread.
 *
 * A thread of the pool was made by pthread_create() like any other, so that it has its own
 * thread-local variables, descriptor and handle; then its kernel thread left that stack for good, and
 * sleeps. When a schedule creates a thread, one of these contexts goes on where it was left.
 *
 * The handle of a thread that was joined, or ended detached, is given to the next one, as libc does
 * with its stacks: then what was on the stack before comes back. For libc none of them is ever joined.
 */
#include "engine.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "core/real.h"

static __thread struct rt_place *mine __attribute__((tls_model("initial-exec")));

/* On a stack of the engine's: no memory of the program is touched from here on. */
static void park(void)
{
    uint64_t all = ~0ull;

    hdi_passed_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, sizeof all, 0, 0);
    __atomic_store_n(&mine->ready, 1, __ATOMIC_RELEASE);
    for (;;)
        hdi_passed_call(SYS_pause, 0, 0, 0, 0, 0, 0);
}

static void *enter(void *arg)
{
    struct rt_place *p = mine = arg;
    size_t bytes;

    p->handle = pthread_self();
    p->tid = (int)hdi_real.syscall(SYS_gettid);
    prctl(PR_GET_TID_ADDRESS, &p->tid_word);
    hdi_real.syscall(SYS_get_robust_list, 0, &p->robust, &bytes);
    p->parked.fs = hdi_thread_base();
    p->parked.sp = hdi_new_stack(p->park_stack + sizeof p->park_stack, park);
    hdi_switch_context(&p->start, &p->parked);
    return p->routine(p->thread); /* a schedule gave it to a thread, which has the turn */
}

/* ---- before the first schedule ---- */

/* Each allocates while all do, so that each gets a part of libc's heap for itself. */
static void *allocate(void *go_on)
{
    void *volatile p = malloc(1); /* the compiler would leave it out */

    __atomic_add_fetch((uint32_t *)go_on + 1, 1, __ATOMIC_RELEASE);
    rt_futex_wake((uint32_t *)go_on + 1, 1, false);
    while (!__atomic_load_n((uint32_t *)go_on, __ATOMIC_ACQUIRE))
        rt_futex_wait(go_on, 0, -1, false);
    free(p);
    return NULL;
}

#define HEAPS 64u

/* libc makes a part of its heap for each thread that allocates, unless one is free that another
 * has left: as many as there may be threads are now, so that no schedule has to. */
static void make_heaps(uint32_t threads)
{
    uint32_t *go_on = (uint32_t *)rt_engine->heaps, made = 0;
    pthread_t t[HEAPS];

    while (made < threads && made < HEAPS &&
           hdi_real.pthread_create(&t[made], NULL, allocate, go_on) == 0)
        made++;
    for (uint32_t n; (n = __atomic_load_n(go_on + 1, __ATOMIC_ACQUIRE)) < made;)
        rt_futex_wait(go_on + 1, n, -1, false);
    __atomic_store_n(go_on, 1, __ATOMIC_RELEASE);
    rt_futex_wake(go_on, HEAPS, false);
    for (uint32_t i = 0; i < made; i++)
        hdi_real.pthread_join(t[i], NULL);
}

static bool keep_fresh(struct rt_place *p)
{
    pthread_attr_t attr;
    void *low, *copy;
    size_t bytes;

    if (pthread_getattr_np(p->handle, &attr) != 0)
        return false;
    pthread_attr_getstack(&attr, &low, &bytes);
    pthread_attr_destroy(&attr);
    p->stack_low = (uintptr_t)low;
    p->stack_high = p->stack_low + bytes;
    p->fresh_low = (uintptr_t)p->start.sp;
    p->fresh_bytes = p->stack_high - p->fresh_low;
    copy = mmap(NULL, p->fresh_bytes, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (copy == MAP_FAILED)
        return false;
    p->fresh = copy;
    hdi_copy_raw(copy, p->start.sp, p->fresh_bytes);
    return true;
}

void rt_pool_make(uint32_t threads)
{
    struct rt_engine *e = rt_engine;
    struct rt_place *first = &e->place[0];
    pthread_attr_t attr;
    size_t bytes;

    if (pthread_getattr_default_np(&attr) != 0 ||
        pthread_attr_getstacksize(&attr, &e->stack_bytes) != 0 ||
        pthread_attr_getguardsize(&attr, &e->guard_bytes) != 0)
        rt_in_place_refuse("the attributes of a thread are not to be had");
    pthread_attr_destroy(&attr);
    e->libc_threads = dlsym(RTLD_DEFAULT, "__nptl_nthreads");
    first->tid = rt.main->tid;
    first->handle = pthread_self();
    first->thread = rt.main;
    rt.main->carrier.place = first;
    prctl(PR_GET_TID_ADDRESS, &first->tid_word);
    hdi_real.syscall(SYS_get_robust_list, 0, &first->robust, &bytes);
    hdi_real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &first->mask, sizeof first->mask);
    make_heaps(threads);
    for (e->places = 1; e->places <= threads && e->places < RT_PLACES; e->places++) {
        rt.region->progress++; /* the driver waits for no step meanwhile */
        struct rt_place *p = &e->place[e->places];
        pthread_t t;
        if (hdi_real.pthread_create(&t, NULL, enter, p) != 0)
            break;
        while (!__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE))
            hdi_real.syscall(SYS_sched_yield);
        if (!p->tid_word || *p->tid_word != p->tid || !p->robust)
            rt_in_place_refuse("the kernel does not say what libc told it of a thread");
        if (!keep_fresh(p))
            rt_in_place_refuse("there is no memory for the stacks of its threads");
    }
}

/* ---- in a schedule ---- */

void rt_pool_begin(void)
{
    struct rt_engine *e = rt_engine;

    e->used = 1;
    e->frees = 0;
    e->next = NULL;
    e->running = &e->place[0];
    e->place[0].begun = true;
}

static void become(struct rt_place *from, struct rt_place *to)
{
    rt_engine->running = to;
    hdi_switch_context(&from->now, &to->now);
}

static void give(struct hdi_thread *t)
{
    rt_engine->next = t;
}

static void wait_for_turn(struct hdi_thread *self)
{
    struct hdi_thread *t = rt_engine->next;
    struct rt_place *p = self->carrier.place;

    if (!p->begun) { /* it is on its own stack for the first time: that is its turn */
        p->begun = true;
        self->tid = p->tid;
        return;
    }
    rt_engine->next = NULL;
    if (!t)
        rt_in_place_cannot("waits for the world outside");
    if (t != self)
        become(p, t->carrier.place);
}

/* Only the plain kind: others differ in what the program may ask of them. */
static bool is_plain(const pthread_attr_t *attr)
{
    size_t stack, guard;
    void *at;

    return !attr ||
           (pthread_attr_getstack(attr, &at, &stack) == 0 && (uintptr_t)at + stack == 0 &&
            pthread_attr_getstacksize(attr, &stack) == 0 && stack == rt_engine->stack_bytes &&
            pthread_attr_getguardsize(attr, &guard) == 0 && guard == rt_engine->guard_bytes);
}

static struct rt_place *free_place(void)
{
    struct rt_engine *e = rt_engine;
    struct rt_place *p;

    if (!e->frees) {
        if (e->used == e->places)
            rt_in_place_cannot("has more threads at once than schedules before");
        p = &e->place[e->used++];
    } else {
        p = e->free[--e->frees];
        hdi_copy_raw((void *)p->fresh_low, p->fresh, p->fresh_bytes);
        if (p->farewell && !e->libc_threads)
            rt_in_place_cannot(
                "makes a thread after another's end, which this libc does not allow");
        if (p->farewell)
            ++*e->libc_threads;
    }
    p->now = p->start;
    p->begun = p->farewell = false;
    return p;
}

static int make(pthread_t *out, const pthread_attr_t *attr, void *(*routine)(void *),
                struct hdi_thread *t)
{
    struct rt_place *p;

    if (!is_plain(attr))
        rt_in_place_cannot("makes a thread with a stack of a size of its own");
    p = free_place();
    p->routine = routine;
    p->thread = t;
    p->mask = rt_engine->running->mask;
    t->carrier.place = p;
    *out = p->handle;
    return 0;
}

static void collect(struct hdi_thread *t)
{
    rt_engine->free[rt_engine->frees++] = t->carrier.place;
}

static bool stack(const struct hdi_thread *t, uintptr_t *low, uintptr_t *high)
{
    *low = t->carrier.place->stack_low;
    *high = t->carrier.place->stack_high;
    return *high != 0;
}

static bool signals(const struct hdi_thread *t, uint64_t *pending, uint64_t *shared,
                    uint64_t *blocked)
{
    *pending = rt_pending_of(t->carrier.place);
    *shared = rt_pending_of(NULL);
    *blocked = t->carrier.place->mask;
    return true;
}

/* What the kernel does at the end of a thread, by libc's list: the mutexes are free, and say so. */
static void let_go_of_robust(const struct rt_place *p)
{
    const struct robust_list_head *head = p->robust;
    const struct robust_list *pending = head->list_op_pending, *at = head->list.next;
    uint32_t left = ROBUST_LIST_LIMIT;

    for (; at != &head->list && left; at = at->next, left--) {
        uint32_t *word = (uint32_t *)((uintptr_t)at + (uintptr_t)head->futex_offset);
        if (pending || (uintptr_t)at & 1) /* within a call, or one that lends its priority */
            rt_in_place_cannot("ends a thread in the middle of a robust mutex");
        if ((*word & FUTEX_TID_MASK) == (uint32_t)p->tid)
            *word = (*word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    }
}

static _Noreturn void go_on(void)
{
    struct rt_engine *e = rt_engine;
    struct hdi_thread *t = e->next;
    struct rt_place *p = e->running;

    e->next = NULL;
    if (!t)
        rt_in_place_cannot("ends with its last thread");
    let_go_of_robust(p);
    if (p->thread->life.detached)
        collect(p->thread);
    become(p, t->carrier.place);
    __builtin_unreachable();
}

void rt_pool_thread_over(void)
{
    rt_engine->running->farewell = true;
    go_on();
}

/* What libc frees at the end of a thread is what it allocated. */
static void leave(void)
{
    go_on();
}

const struct rt_vehicle rt_in_place_vehicle = {.give = give,
                                               .wait = wait_for_turn,
                                               .make = make,
                                               .collect = collect,
                                               .leave = leave,
                                               .stack = stack,
                                               .signals = signals,
                                               .cannot = rt_in_place_cannot,
                                               .ended = rt_in_place_ended};
