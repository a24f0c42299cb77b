/* fibre.c - see fibre.h.
 *
 * A fibre that is about to sleep switches to its worker, which marks it asleep (go 0 -> 2), so that
 * whoever wakes it finds its stack at rest; from then on it belongs to its waker. What is runnable
 * is in exactly one queue, or is some worker's `next`.
 *   F1  a worker that goes to sleep has seen all queues empty after it was in the list of idle ones
 *   F2  whoever makes something runnable that nobody is about to look for wakes an idle one
 */
#include "fibre.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <heddle/fibres.h>

#include "asleep.h"
#include "fibre_stack.h"
#include "leak_ledger.h"
#include "park.h"
#include "timer.h"
#include "watch_client.h"

#define MOST_WORKERS 512u
#define FAIR 61u         /* each so many looks the common queue comes first */
#define NEXT_IN_A_ROW 64 /* hand-overs before the others in the queue come */
#define SPINS 200
#define STUCK_NS 10000000
#define LOOK_NS 1000000 /* of the monitor */
#define IDLE_NS 1000000000
#define WORKER_STACK ((size_t)128 << 10)

enum wants { TO_PARK, TO_YIELD, TO_END };

struct hdi_fibre {
    void *sp; /* while it does not run */
    struct hdi_fibre *link;
    void (*fn)(void *arg);
    void *arg;
    enum wants wants; /* of the worker that it switches to */
    struct hdi_parker *parker;
    struct hdi_timer timer;
    struct hdi_locals locals;
    struct hdi_stack stack; /* whose top it is */
    unsigned generation;
};

struct queue {
    struct hdi_fibre *first, *last;
    _Atomic unsigned count;
};

struct worker {
    _Alignas(64) struct hdi_lock lock; /* of what others take */
    struct queue queue;
    struct hdi_fibre *next; /* comes first */
    struct hdi_fibre *running;
    void *sp; /* of its own loop, while a fibre runs */
    unsigned looks, in_a_row;
    uint32_t random;
    _Atomic uint64_t switches;
    uint64_t seen_switches; /* the monitor's */
    int64_t seen_ns;
    _Atomic bool stuck;   /* others may take its `next`, too */
    _Atomic uint32_t bed; /* futex: 1 asleep */
    struct worker *below; /* in the list of idle ones */
    bool used;
};

static struct worker workers[MOST_WORKERS];
static _Atomic unsigned worker_end;   /* places in use are below it */
static _Atomic unsigned worker_count; /* threads */
static _Atomic unsigned spinning;
static unsigned processors;
static bool wanted;
static unsigned generation; /* forks since the first process */

static struct hdi_lock common_lock; /* the common queue, the idle ones, places of workers */
static struct queue common;
static struct worker *idle;
static _Atomic unsigned idle_count;
static _Atomic bool monitored;

HDI_OF_THREAD struct worker *me;

/* ---- switching ---- */

#if defined(__x86_64__)
#define CAN_SWITCH true
void hdi_switch(void **from, void *to);
__asm__(".text\n.globl hdi_switch\n.hidden hdi_switch\n.type hdi_switch,@function\n"
        "hdi_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  subq $8, %rsp\n  stmxcsr (%rsp)\n  fnstcw 4(%rsp)\n"
        "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
        "  ldmxcsr (%rsp)\n  fldcw 4(%rsp)\n  addq $8, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n.size hdi_switch,.-hdi_switch\n");

static void begin(void);

static void prepare(struct hdi_fibre *fibre)
{
    uint64_t *sp = (uint64_t *)((uintptr_t)fibre & ~(uintptr_t)15);
    uint32_t mxcsr;
    uint16_t control;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(control));
    *--sp = 0; /* no return address: here stacks end */
    *--sp = (uint64_t)(uintptr_t)begin;
    for (int i = 0; i < 6; i++)
        *--sp = 0;
    *--sp = mxcsr | (uint64_t)control << 32;
    fibre->sp = sp;
}
#else
#define CAN_SWITCH false
static void hdi_switch(void **from, void *to)
{
    (void)from, (void)to;
}
static void prepare(struct hdi_fibre *fibre)
{
    (void)fibre;
}
#endif

/* Out of line, as is all that looks at `me`: the thread may be another after a switch. */
static __attribute__((noinline)) struct worker *here(void)
{
    __asm__ volatile("" ::: "memory");
    return me;
}

struct hdi_fibre *hdi_fibre_self(void)
{
    return me ? me->running : NULL;
}

static __attribute__((noinline)) void swap_errno(int *saved)
{
    int mine = errno;

    errno = *saved;
    *saved = mine;
}

static void swap_locals(struct hdi_locals *locals)
{
    hdi_go_swap(locals);
    hdi_panic_swap(locals);
    hdi_ledger_swap(locals);
    swap_errno(&locals->saved_errno);
}

static void leave(enum wants wants)
{
    struct worker *w = here();
    struct hdi_fibre *self = w->running;

    self->wants = wants;
    hdi_switch(&self->sp, w->sp);
}

__attribute__((unused)) static void begin(void)
{
    struct hdi_fibre *self = here()->running;

    self->fn(self->arg);
    leave(TO_END);
    __builtin_unreachable();
}

/* ---- queues ---- */

static void append(struct queue *queue, struct hdi_fibre *fibre)
{
    fibre->link = NULL;
    if (queue->last)
        queue->last->link = fibre;
    else
        queue->first = fibre;
    queue->last = fibre;
    atomic_fetch_add_explicit(&queue->count, 1, memory_order_relaxed);
}

static struct hdi_fibre *take_first(struct queue *queue)
{
    struct hdi_fibre *fibre = queue->first;

    if (!fibre)
        return NULL;
    queue->first = fibre->link;
    if (!queue->first)
        queue->last = NULL;
    atomic_fetch_sub_explicit(&queue->count, 1, memory_order_relaxed);
    return fibre;
}

/* It counts as asleep meanwhile. */
static void sleep_on(_Atomic uint32_t *word, uint32_t value, int64_t ns)
{
    struct timespec until = hdi_from_now(ns);

    hdi_futex_sleep(word, value, &until, HDI_NO_END);
}

/* One that sleeps looks for work (F2). */
static void wake_one(void)
{
    struct worker *w;

    if (atomic_load(&idle_count) == 0 || atomic_load(&spinning) > 0)
        return;
    hdi_lock(&common_lock);
    w = idle;
    if (w) {
        idle = w->below;
        atomic_fetch_sub(&idle_count, 1);
        hdi_asleep_take_out();
        atomic_fetch_add(&spinning, 1);
    }
    hdi_unlock(&common_lock);
    if (!w)
        return;
    atomic_store(&w->bed, 0);
    hdi_futex_wake(&w->bed);
}

static void put_in_common(struct hdi_fibre *fibre)
{
    hdi_lock(&common_lock);
    append(&common, fibre);
    hdi_unlock(&common_lock);
    atomic_thread_fence(memory_order_seq_cst);
    wake_one();
}

void hdi_fibre_ready(struct hdi_fibre *fibre)
{
    struct worker *w = here();
    bool more;

    if (fibre->generation != generation) /* its parent's, which runs there */
        return;
    if (!w) {
        put_in_common(fibre);
        return;
    }
    hdi_lock(&w->lock);
    more = w->next != NULL || w->queue.first;
    if (w->next)
        append(&w->queue, w->next);
    w->next = fibre;
    hdi_unlock(&w->lock);
    if (!more) /* the monitor looks after one alone, if its waker does not soon park */
        return;
    atomic_thread_fence(memory_order_seq_cst);
    wake_one();
}

static struct hdi_fibre *take_own(struct worker *w)
{
    struct hdi_fibre *fibre = NULL;

    hdi_lock(&w->lock);
    if (w->next && (w->in_a_row < NEXT_IN_A_ROW || !w->queue.first)) {
        fibre = w->next;
        w->next = NULL;
        w->in_a_row++;
    } else {
        fibre = take_first(&w->queue);
        w->in_a_row = 0;
    }
    hdi_unlock(&w->lock);
    return fibre;
}

static struct hdi_fibre *take_common(struct worker *w)
{
    struct hdi_fibre *fibre = NULL;
    unsigned share;

    if (atomic_load_explicit(&common.count, memory_order_relaxed) == 0)
        return NULL;
    hdi_lock(&common_lock);
    fibre = take_first(&common);
    share = atomic_load(&common.count) / (processors + 1);
    hdi_lock(&w->lock);
    for (struct hdi_fibre *one; share > 0 && share < 64 && (one = take_first(&common)); share--)
        append(&w->queue, one);
    hdi_unlock(&w->lock);
    hdi_unlock(&common_lock);
    return fibre;
}

/* Half of another's queue. */
static struct hdi_fibre *steal(struct worker *w)
{
    unsigned end = atomic_load(&worker_end), from;

    w->random = w->random * 1664525 + 1013904223;
    from = w->random >> 8;
    for (unsigned i = 0; i < end; i++) {
        struct worker *other = &workers[(from + i) % end];
        struct hdi_fibre *loot = NULL;
        unsigned half;
        if (other == w || (atomic_load(&other->queue.count) == 0 && !atomic_load(&other->stuck)))
            continue;
        hdi_lock(&other->lock);
        half = (atomic_load(&other->queue.count) + 1) / 2;
        if (half > 32)
            half = 32;
        if (half > 0) {
            struct hdi_fibre *last = loot = other->queue.first;
            for (unsigned k = 1; k < half; k++)
                last = last->link;
            other->queue.first = last->link;
            if (!other->queue.first)
                other->queue.last = NULL;
            last->link = NULL;
            atomic_fetch_sub(&other->queue.count, half);
        } else if (atomic_load(&other->stuck)) {
            loot = other->next;
            other->next = NULL;
            if (loot)
                loot->link = NULL;
        }
        hdi_unlock(&other->lock);
        if (!loot)
            continue;
        hdi_lock(&w->lock);
        for (struct hdi_fibre *one = loot->link, *link; one; one = link) {
            link = one->link;
            append(&w->queue, one);
        }
        hdi_unlock(&w->lock);
        return loot;
    }
    return NULL;
}

static struct hdi_fibre *look(struct worker *w)
{
    struct hdi_fibre *fibre = NULL;

    if (++w->looks % FAIR == 0)
        fibre = take_common(w);
    if (!fibre)
        fibre = take_own(w);
    if (!fibre)
        fibre = take_common(w);
    return fibre ? fibre : steal(w);
}

static bool anything_to_do(void)
{
    unsigned end = atomic_load(&worker_end);

    if (atomic_load(&common.count) > 0)
        return true;
    for (unsigned i = 0; i < end; i++)
        if (atomic_load(&workers[i].queue.count) > 0)
            return true;
    return false;
}

/* Out of the list of idle ones, unless somebody has taken it out to wake it. */
static bool take_back(struct worker *w)
{
    struct worker **at = &idle;
    bool was_in;

    hdi_lock(&common_lock);
    while (*at && *at != w)
        at = &(*at)->below;
    was_in = *at != NULL;
    if (was_in) {
        *at = w->below;
        atomic_fetch_sub(&idle_count, 1);
        hdi_asleep_take_out();
    }
    hdi_unlock(&common_lock);
    return was_in;
}

/* Sleep until woken; false: for so long that the thread may end, as there are more than processors. */
static bool rest(struct worker *w)
{
    atomic_store(&w->bed, 1);
    hdi_lock(&common_lock);
    w->below = idle;
    idle = w;
    atomic_fetch_add(&idle_count, 1);
    hdi_asleep_enter();
    hdi_unlock(&common_lock);
    atomic_thread_fence(memory_order_seq_cst);
    if (anything_to_do() && take_back(w))
        return true;
    for (int64_t slept = 0; atomic_load(&w->bed) == 1; slept++) {
        sleep_on(&w->bed, 1, IDLE_NS);
        if (slept > 0 && atomic_load(&w->bed) == 1 && atomic_load(&worker_count) > processors &&
            take_back(w))
            return false;
    }
    atomic_fetch_sub(&spinning, 1); /* its waker counted it */
    return true;
}

static struct hdi_fibre *find(struct worker *w)
{
    for (;;) {
        struct hdi_fibre *fibre = look(w);
        if (fibre)
            return fibre;
        if (2 * atomic_load(&spinning) < processors) {
            atomic_fetch_add(&spinning, 1);
            for (int i = 0; i < SPINS && !fibre; i++) {
                for (int k = 0; k < 8; k++)
                    hdi_relax();
                if (anything_to_do())
                    fibre = look(w);
            }
            atomic_fetch_sub(&spinning, 1);
            if (fibre) {
                if (anything_to_do())
                    wake_one(); /* the next one that spins */
                return fibre;
            }
        }
        if (!rest(w))
            return NULL;
    }
}

/* ---- workers ---- */

/* It has switched here. */
static void settle(struct hdi_fibre *fibre)
{
    uint32_t awake = 0;
    struct hdi_stack stack;

    switch (fibre->wants) {
    case TO_PARK:
        /* Unless it was released meanwhile. */
        if (!atomic_compare_exchange_strong(&fibre->parker->go, &awake, 2))
            hdi_fibre_ready(fibre);
        break;
    case TO_YIELD:
        put_in_common(fibre);
        break;
    default:
        stack = fibre->stack;
        hdi_stack_put(stack);
        break;
    }
}

static void run_on(struct worker *w, struct hdi_fibre *fibre)
{
    w->running = fibre;
    atomic_store_explicit(&w->stuck, false, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->switches, 1, memory_order_relaxed);
    swap_locals(&fibre->locals);
    hdi_stack_is(fibre->stack);
    hdi_switch(&w->sp, fibre->sp);
    swap_locals(&fibre->locals);
    hdi_stack_is((struct hdi_stack){NULL, 0});
    w->running = NULL;
    settle(fibre);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct hdi_fibre *fibre;
    _Alignas(16) unsigned char alternate[HDI_ALTERNATE_STACK];

    me = w;
    hdi_stack_watch(alternate);
    while ((fibre = find(w)))
        run_on(w, fibre);
    me = NULL;
    hdi_lock(&common_lock);
    w->used = false;
    atomic_fetch_sub(&worker_count, 1);
    hdi_unlock(&common_lock);
    return NULL;
}

static bool start_thread(void *(*fn)(void *arg), void *arg)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool started;

    if (pthread_attr_init(&attr) != 0)
        return false;
    started = pthread_attr_setstacksize(&attr, WORKER_STACK) == 0 &&
              pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&thread, &attr, fn, arg) == 0;
    pthread_attr_destroy(&attr);
    return started;
}

static bool start_worker(void)
{
    struct worker *w = NULL;

    hdi_lock(&common_lock);
    for (unsigned i = 0; i < MOST_WORKERS && !w; i++)
        if (!workers[i].used) {
            w = &workers[i];
            w->used = true;
            w->random = i;
            atomic_fetch_add(&worker_count, 1);
            if (i >= atomic_load(&worker_end))
                atomic_store(&worker_end, i + 1);
        }
    hdi_unlock(&common_lock);
    if (!w)
        return false;
    if (start_thread(work, w))
        return true;
    hdi_lock(&common_lock);
    w->used = false;
    atomic_fetch_sub(&worker_count, 1);
    hdi_unlock(&common_lock);
    return false;
}

/* Has it run one fibre since long? Then what waits behind it is for others. */
static bool is_stuck(struct worker *w, int64_t now)
{
    uint64_t switches = atomic_load(&w->switches);

    if (switches != w->seen_switches || !w->running) {
        w->seen_switches = switches;
        w->seen_ns = now;
        return false;
    }
    atomic_store(&w->stuck, true);
    return now - w->seen_ns >= STUCK_NS;
}

static void *monitor(void *arg)
{
    _Atomic uint32_t nobody_wakes_it = 1;

    for (;;) {
        int64_t nap = LOOK_NS;
        unsigned end = atomic_load(&worker_end), free_to_run = 0, handed = 0;
        int64_t now = hdi_now_ns();
        for (unsigned i = 0; i < end; i++) {
            struct worker *w = &workers[i];
            if (!w->used)
                continue;
            free_to_run += !is_stuck(w, now);
            handed += atomic_load(&w->stuck) && w->next != NULL;
        }
        if (handed > 0 || anything_to_do()) {
            wake_one();
            if (free_to_run < processors && atomic_load(&idle_count) == 0)
                start_worker();
        }
        if (atomic_load(&idle_count) >= atomic_load(&worker_count))
            nap = 20 * LOOK_NS;
        sleep_on(&nobody_wakes_it, 1, nap);
    }
    return arg;
}

static struct hdi_job time_is_over(struct hdi_timer *timer, int64_t now_ns);

/* A child has but the thread that forked: if that is a worker, it goes on as one, with the fibre that
 * it runs. Others stay wherever they are linked. */
static void forget_workers(void)
{
    struct worker *w = here();

    generation++;
    for (unsigned i = 0; i < MOST_WORKERS; i++)
        if (&workers[i] != w)
            memset(&workers[i], 0, sizeof workers[i]);
    if (w) {
        memset(&w->queue, 0, sizeof w->queue);
        w->next = NULL;
        atomic_store(&w->lock.word, 0);
        if (w->running)
            w->running->generation = generation;
    }
    memset(&common, 0, sizeof common);
    atomic_store(&common_lock.word, 0);
    idle = NULL;
    atomic_store(&idle_count, 0);
    atomic_store(&spinning, 0);
    atomic_store(&worker_count, w != NULL);
    atomic_store(&monitored, false);
    hdi_timers_forget(time_is_over);
    hdi_stack_forget();
}

/* ---- for those who look from outside ---- */

__attribute__((visibility("hidden"))) struct hd_fibres hdi_fibres;
__asm__(".pushsection .note.heddle,\"a\",%note\n"
        ".balign 4\n.long 7, 8, 1\n.asciz \"" HD_FIBRES_OWNER "\"\n.balign 4\n"
        "1: .8byte hdi_fibres - 1b\n.popsection\n");

static void show(void)
{
    hdi_fibres = (struct hd_fibres){
        .version = HD_FIBRES_VERSION,
        .workers = MOST_WORKERS,
        .slabs = hdi_stack_slabs(),
        .generation = &generation,
        .worker = workers,
        .worker_bytes = sizeof(struct worker),
        .worker_running = offsetof(struct worker, running),
        .worker_bed = offsetof(struct worker, bed),
        .fibre_bytes = sizeof(struct hdi_fibre),
        .fibre_sp = offsetof(struct hdi_fibre, sp),
        .fibre_wants = offsetof(struct hdi_fibre, wants),
        .fibre_arg = offsetof(struct hdi_fibre, arg),
        .fibre_parker = offsetof(struct hdi_fibre, parker),
        .fibre_timer_link = offsetof(struct hdi_fibre, timer.link),
        .fibre_stack = offsetof(struct hdi_fibre, stack),
        .fibre_generation = offsetof(struct hdi_fibre, generation),
        .wants_to_park = TO_PARK,
        .parker_go = offsetof(struct hdi_parker, go),
        .goroutine_number = hdi_goroutine_number,
    };
}

extern void __asan_init(void) __attribute__((weak));

__attribute__((constructor(107))) static void choose_vehicle(void)
{
    const char *words = getenv("HEDDLE_LIB");
    cpu_set_t cpus;

    wanted = CAN_SWITCH && words && strcmp(words, "fibres") == 0 && !__asan_init;
    processors = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
    if (!wanted)
        return;
    show();
    pthread_atfork(NULL, NULL, forget_workers);
}

bool hdi_fibres_wanted(void)
{
    return wanted && !hdi_watchers && !hdi_watch && !hdi_books_are_kept();
}

static bool are_there_workers(void)
{
    unsigned have = atomic_load(&worker_count);

    if (have < processors && atomic_load(&idle_count) == 0 && !start_worker() && have == 0)
        return false;
    if (!atomic_load(&monitored) && !atomic_exchange(&monitored, true)) {
        if (start_thread(monitor, NULL))
            hdi_asleep_enter(); /* of itself it wakes nobody but workers that have something to do */
        else
            atomic_store(&monitored, false);
    }
    return true;
}

bool hdi_fibre_start(void (*fn)(void *arg), void *arg, size_t stack_bytes)
{
    struct hdi_stack stack;
    struct hdi_fibre *fibre;

    if (!are_there_workers() || !hdi_stack_get(&stack, stack_bytes))
        return false;
    fibre = (struct hdi_fibre *)(void *)(stack.low + stack.bytes - sizeof *fibre);
    memset(fibre, 0, sizeof *fibre);
    fibre->fn = fn;
    fibre->arg = arg;
    fibre->stack = stack;
    fibre->generation = generation;
    prepare(fibre);
    hdi_fibre_ready(fibre);
    return true;
}

bool hdi_fibres_rest(void)
{
    return atomic_load(&worker_count) <= processors && !anything_to_do();
}

/* ---- what a fibre does ---- */

/* Its time is over, unless it is released. It may still be on its way to sleep. */
static struct hdi_job time_is_over(struct hdi_timer *timer, int64_t now_ns)
{
    struct hdi_fibre *fibre =
        (struct hdi_fibre *)(void *)((char *)timer - offsetof(struct hdi_fibre, timer));
    uint32_t asleep;

    (void)now_ns;
    do {
        asleep = 2;
        if (atomic_compare_exchange_strong(&fibre->parker->go, &asleep, 0)) {
            hdi_fibre_ready(fibre);
            break;
        }
    } while (asleep != 1);
    return (struct hdi_job){NULL, NULL};
}

bool hdi_fibre_park(struct hdi_parker *parker, int64_t until_ns)
{
    struct hdi_fibre *self = hdi_fibre_self();
    _Atomic uint32_t nobody_wakes_it = 1;

    if (atomic_load_explicit(&parker->go, memory_order_acquire) == 1)
        return true;
    self->parker = parker;
    if (until_ns == HD_SEAM_FOREVER) {
        leave(TO_PARK);
        return true;
    }
    if (until_ns <= hdi_now_ns())
        return false;
    self->timer.due = time_is_over;
    while (!hdi_timer_try_start(&self->timer, until_ns)) { /* no thread for it: look now and then */
        sleep_on(&nobody_wakes_it, 1, LOOK_NS);
        hdi_fibre_yield();
        if (atomic_load_explicit(&parker->go, memory_order_acquire) == 1)
            return true;
        if (until_ns <= hdi_now_ns())
            return false;
    }
    leave(TO_PARK);
    hdi_timer_stop(&self->timer, NULL);
    return atomic_load_explicit(&parker->go, memory_order_acquire) == 1;
}

void hdi_fibre_yield(void)
{
    leave(TO_YIELD);
}

void hdi_fibre_blocking(void (*fn)(void *arg), void *arg)
{
    struct worker *w = here();

    if (w) {
        atomic_store(&w->stuck, true);
        if (w->next || anything_to_do())
            wake_one();
        if (atomic_load(&idle_count) == 0 && atomic_load(&spinning) == 0)
            start_worker();
    }
    fn(arg);
}
