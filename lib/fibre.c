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
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <heddle/fibres.h>
#include <heddle/go.h>

#include "asleep.h"
#include "fibre_stack.h"
#include "leak_ledger.h"
#include "park.h"
#include "timer.h"
#include "watch_client.h"

#define MOST_WORKERS 10000u /* as in Go */
#define RING 256u
#define FAIR 61u         /* each so many looks the common queue comes first */
#define NEXT_IN_A_ROW 64 /* hand-overs before the others in the queue come */
#define SPINS 4
#define NAP_NS 3000 /* in fact some 60,000, as the kernel gathers timers */
#define STUCK_NS 10000000
#define LOOK_NS 1000000 /* of the monitor */
#define IDLE_NS 1000000000
#define WORKER_STACK ((size_t)128 << 10)
#define MOST_ROOM 2048u /* on a stack of the usual size; for more it is larger */

enum wants { TO_PARK, TO_YIELD, TO_END };

/* At the top of its stack; what each switch needs lies together. */
struct hdi_fibre {
    struct hdi_timer timer; /* set when it is used */
    _Alignas(64) void *sp;  /* while it does not run */
    struct hdi_fibre *link;
    struct hdi_parker *parker;
    struct hdi_locals locals; /* while it does not run */
    int saved_errno;
    enum wants wants; /* of the worker that it switches to */
    void (*fn)(void *room);
    void *room;
    uint32_t process;
    struct hdi_stack stack; /* whose top it is */
};

/* Of one worker, which alone puts something in; each takes out by moving `head` on. */
struct ring {
    _Atomic uint32_t head, tail; /* taken and put so far */
    struct hdi_fibre *_Atomic places[RING];
};

struct worker {
    _Alignas(
        64) struct hdi_fibre *_Atomic next; /* comes first; the worker's own, unless it is stuck */
    struct ring ring;
    struct hdi_fibre *_Atomic running; /* the monitor reads it, too */
    void *sp;                          /* of its own loop, while a fibre runs */
    struct hdi_stack_cache stacks;
    unsigned looks, in_a_row;
    uint32_t random;
    _Atomic uint64_t switches;
    uint64_t seen_switches; /* the monitor's */
    int64_t seen_ns;
    _Atomic bool stuck;      /* others may take its `next`, too */
    _Atomic uint32_t bed;    /* futex: 1 asleep */
    struct worker *below;    /* in the list of idle ones */
    const sigset_t *signals; /* blocked in it; NULL: as in whoever started it */
    _Atomic bool used;
};

static struct worker *workers;        /* MOST_WORKERS; in programs without fibres there are none */
static _Atomic unsigned worker_end;   /* places in use are below it */
static _Atomic unsigned worker_count; /* threads */
static _Atomic unsigned spinning;
static unsigned processors;
static bool wanted;
static pthread_key_t at_end; /* of a worker's thread */
static sigset_t of_program;  /* signals blocked where the monitor was started */

static struct hdi_lock common_lock; /* the common queue, the idle ones, places of workers */
static struct hdi_fibre *common_first, *common_last;
static _Atomic unsigned common_count;
static struct worker *idle;
static _Atomic unsigned idle_count;
static _Atomic bool monitored;
static int monitor_tid;

static HDI_IN_THREAD struct worker *me;
HDI_IN_THREAD struct hdi_locals hdi_mine;

/* ---- switching ---- */

#if defined(__x86_64__)
#define CAN_SWITCH true
void hdi_switch(void **from, void *to);
__asm__(".text\n.globl hdi_switch\n.hidden hdi_switch\n.type hdi_switch,@function\n"
        "hdi_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  subq $8, %rsp\n  stmxcsr (%rsp)\n  fnstcw 4(%rsp)\n"
        "  movl (%rsp), %eax\n  movzwl 4(%rsp), %ecx\n"
        "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
        "  cmpl %eax, (%rsp)\n  je 1f\n  ldmxcsr (%rsp)\n" /* slow, and seldom another */
        "1: cmpw %cx, 4(%rsp)\n  je 2f\n  fldcw 4(%rsp)\n"
        "2: addq $8, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n.size hdi_switch,.-hdi_switch\n");

static void begin(void);

static void prepare(struct hdi_fibre *fibre)
{
    uint64_t *sp = fibre->room;
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

static struct hdi_fibre *running_on(struct worker *w)
{
    return atomic_load_explicit(&w->running, memory_order_relaxed);
}

/* Out of line, as is all that looks at `me`: the thread may be another after a switch. */
static __attribute__((noinline)) struct worker *here(void)
{
    __asm__ volatile("" ::: "memory");
    return me;
}

struct hdi_fibre *hdi_fibre_self(void)
{
    return me ? running_on(me) : NULL;
}

struct hdi_stack hdi_fibre_stack(void)
{
    const struct hdi_fibre *self = hdi_fibre_self();

    return self ? self->stack : (struct hdi_stack){0};
}

static __attribute__((noinline)) int swap_errno(int theirs)
{
    int mine = errno;

    errno = theirs;
    return mine;
}

static void leave(enum wants wants)
{
    struct worker *w = here();
    struct hdi_fibre *self = running_on(w);

    self->wants = wants;
    hdi_switch(&self->sp, w->sp);
}

__attribute__((unused)) static void begin(void)
{
    struct hdi_fibre *self = running_on(here());

    self->fn(self->room);
    leave(TO_END);
    __builtin_unreachable();
}

/* ---- queues ---- */

/* With the common lock held. */
static void append(struct hdi_fibre *fibre)
{
    fibre->link = NULL;
    if (common_last)
        common_last->link = fibre;
    else
        common_first = fibre;
    common_last = fibre;
    atomic_fetch_add_explicit(&common_count, 1, memory_order_relaxed);
}

static struct hdi_fibre *take_first(void)
{
    struct hdi_fibre *fibre = common_first;

    if (!fibre)
        return NULL;
    common_first = fibre->link;
    if (!common_first)
        common_last = NULL;
    atomic_fetch_sub_explicit(&common_count, 1, memory_order_relaxed);
    return fibre;
}

static unsigned count_in(struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    return atomic_load_explicit(&ring->tail, memory_order_acquire) - head;
}

static struct hdi_fibre *at(struct ring *ring, uint32_t place)
{
    return atomic_load_explicit(&ring->places[place % RING], memory_order_relaxed);
}

/* Up to `most` of the oldest, into `taken`; how many. */
static unsigned take_from(struct ring *ring, struct hdi_fibre **taken, unsigned most)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    unsigned count;

    do {
        count = atomic_load_explicit(&ring->tail, memory_order_acquire) - head;
        if (count > most)
            count = most;
        for (uint32_t i = 0; i < count; i++)
            taken[i] = at(ring, head + i);
    } while (count > 0 &&
             !atomic_compare_exchange_strong_explicit(&ring->head, &head, head + count,
                                                      memory_order_acq_rel, memory_order_acquire));
    return count;
}

/* Half of the caller's own ring, to the common queue. */
static __attribute__((noinline)) void give_half(struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    if (atomic_load_explicit(&ring->tail, memory_order_relaxed) - head < RING ||
        !atomic_compare_exchange_strong(&ring->head, &head, head + RING / 2))
        return; /* somebody has taken some */
    hdi_lock(&common_lock);
    for (uint32_t i = 0; i < RING / 2; i++)
        append(at(ring, head + i));
    hdi_unlock(&common_lock);
}

/* The caller's own ring. */
static void put(struct ring *ring, struct hdi_fibre *fibre)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    if (tail - atomic_load_explicit(&ring->head, memory_order_acquire) == RING)
        give_half(ring);
    atomic_store_explicit(&ring->places[tail % RING], fibre, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
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
    append(fibre);
    hdi_unlock(&common_lock);
    atomic_thread_fence(memory_order_seq_cst);
    wake_one();
}

void hdi_fibre_ready(struct hdi_fibre *fibre)
{
    struct worker *w = here();
    struct hdi_fibre *before;
    bool more;

    if (fibre->process != hdi_process) /* its parent's, which runs there */
        return;
    if (!w) {
        put_in_common(fibre);
        return;
    }
    before = atomic_exchange(&w->next, fibre);
    more = before || count_in(&w->ring) > 0;
    if (before)
        put(&w->ring, before);
    if (!more && !atomic_load_explicit(&w->stuck, memory_order_relaxed))
        return; /* the monitor looks after one alone, if its waker does not soon park */
    atomic_thread_fence(memory_order_seq_cst);
    wake_one();
}

static struct hdi_fibre *take_own(struct worker *w)
{
    struct hdi_fibre *fibre = NULL;

    if (w->in_a_row >= NEXT_IN_A_ROW) {
        w->in_a_row = 0;
        if (take_from(&w->ring, &fibre, 1) > 0)
            return fibre;
    }
    if (atomic_load_explicit(&w->next, memory_order_relaxed))
        fibre = atomic_exchange(&w->next, NULL);
    if (fibre) {
        w->in_a_row++;
        return fibre;
    }
    w->in_a_row = 0;
    return take_from(&w->ring, &fibre, 1) > 0 ? fibre : NULL;
}

/* One, and as many more into the caller's ring as there are for each worker, which has room for them:
 * it is at most half full. */
static struct hdi_fibre *take_common(struct worker *w)
{
    struct hdi_fibre *fibre, *one;
    unsigned share;

    if (atomic_load_explicit(&common_count, memory_order_relaxed) == 0)
        return NULL;
    hdi_lock(&common_lock);
    fibre = take_first();
    share = atomic_load(&common_count) / (processors + 1);
    if (share > RING / 2 - 1)
        share = RING / 2 - 1;
    if (count_in(&w->ring) > RING / 2)
        share = 0;
    for (; share > 0 && (one = take_first()); share--)
        put(&w->ring, one);
    hdi_unlock(&common_lock);
    return fibre;
}

/* Half of another's ring. */
static struct hdi_fibre *steal(struct worker *w)
{
    unsigned end = atomic_load(&worker_end), from;
    struct hdi_fibre *loot[RING / 2];

    w->random = w->random * 1664525 + 1013904223;
    from = w->random >> 8;
    for (unsigned i = 0; i < end; i++) {
        struct worker *other = &workers[(from + i) % end];
        unsigned have, count;
        if (other == w)
            continue;
        have = count_in(&other->ring);
        count = have > RING ? 0 : take_from(&other->ring, loot, (have + 1) / 2);
        if (count == 0 && atomic_load(&other->stuck) && atomic_load(&other->next)) {
            loot[0] = atomic_exchange(&other->next, NULL);
            count = loot[0] != NULL;
        }
        for (unsigned k = 1; k < count; k++)
            put(&w->ring, loot[k]);
        if (count > 0)
            return loot[0];
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

/* What steal() would find there. */
static bool has_something(struct worker *w)
{
    return count_in(&w->ring) > 0 || (atomic_load(&w->stuck) && atomic_load(&w->next));
}

static bool anything_to_do(void)
{
    unsigned end = atomic_load(&worker_end);

    if (atomic_load(&common_count) > 0)
        return true;
    for (unsigned i = 0; i < end; i++)
        if (has_something(&workers[i]))
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

/* Nobody is left that could need a worker: then they all end, and with them a process whose other threads have
 * ended, as a child's whose fork was in a fibre. */
static bool nobody_is_left(void)
{
    return hd_go_count() == 0;
}

/* Sleep until woken: then it counts as spinning. False: for so long that the thread may end, as there are
 * more than processors, or nobody is left. */
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
    if (anything_to_do() && take_back(w)) {
        atomic_fetch_add(&spinning, 1);
        return true;
    }
    for (int64_t slept = 0; atomic_load(&w->bed) == 1; slept++) {
        sleep_on(&w->bed, 1, IDLE_NS);
        if (slept > 0 && atomic_load(&w->bed) == 1 &&
            (atomic_load(&worker_count) > processors || nobody_is_left()) && take_back(w))
            return false;
    }
    return true; /* its waker counted it */
}

/* It counts as spinning, and no more at the end. For a moment it stays awake, or at least needs nobody
 * to wake it: while it counts, those who have something for it do without a system call. What they had
 * beside what it found is for the next one (F2). */
static struct hdi_fibre *spin(struct worker *w)
{
    const struct timespec nap = {0, NAP_NS};
    struct hdi_fibre *fibre = look(w);

    for (int i = 0; i <= SPINS && !fibre; i++) {
        for (int k = 0; k < 8; k++)
            hdi_relax();
        if (i == SPINS)
            clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
        if (anything_to_do())
            fibre = look(w);
    }
    atomic_fetch_sub(&spinning, 1);
    atomic_thread_fence(memory_order_seq_cst);
    if (fibre && anything_to_do())
        wake_one();
    return fibre;
}

static struct hdi_fibre *find(struct worker *w)
{
    struct hdi_fibre *fibre = look(w);

    if (!fibre && 2 * atomic_load(&spinning) < processors) {
        atomic_fetch_add(&spinning, 1);
        fibre = spin(w);
    }
    while (!fibre && rest(w))
        fibre = spin(w);
    return fibre;
}

/* ---- workers ---- */

/* It has switched here. */
static void settle(struct worker *w, struct hdi_fibre *fibre)
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
        fibre->stack.low = NULL; /* it is free: who looks from outside sees no fibre there */
        hdi_stack_put(stack, &w->stacks);
        break;
    }
}

static void run_on(struct worker *w, struct hdi_fibre *fibre)
{
    atomic_store_explicit(&w->running, fibre, memory_order_relaxed);
    atomic_store_explicit(&w->stuck, false, memory_order_relaxed);
    atomic_store_explicit(&w->switches,
                          atomic_load_explicit(&w->switches, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    hdi_mine = fibre->locals;
    swap_errno(fibre->saved_errno);
    hdi_switch(&w->sp, fibre->sp);
    fibre->saved_errno = swap_errno(0);
    fibre->locals = hdi_mine;
    hdi_mine = (struct hdi_locals){0};
    atomic_store_explicit(&w->running, NULL, memory_order_relaxed);
    settle(w, fibre);
}

/* The worker's thread ends. */
static void give_up_place(struct worker *w)
{
    me = NULL;
    hdi_stack_cache_end(&w->stacks);
    hdi_lock(&common_lock);
    w->used = false;
    atomic_fetch_sub(&worker_count, 1);
    hdi_unlock(&common_lock);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct hdi_fibre *fibre;
    _Alignas(16) unsigned char alternate[HDI_ALTERNATE_STACK];

    if (w->signals)
        pthread_sigmask(SIG_SETMASK, w->signals, NULL);
    me = w;
    pthread_setspecific(at_end, w);
    hdi_stack_watch(alternate);
    while ((fibre = find(w)))
        run_on(w, fibre);
    pthread_setspecific(at_end, NULL);
    give_up_place(w);
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

static bool start_worker(const sigset_t *signals)
{
    struct worker *w = NULL;

    hdi_lock(&common_lock);
    for (unsigned i = 0; i < MOST_WORKERS && !w; i++)
        if (!workers[i].used) {
            w = &workers[i];
            w->used = true;
            w->random = i;
            w->signals = signals;
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

/* pthread_exit() in a fibre: the thread has left its stack for its own. */
static void end_with_fibre(void *arg)
{
    struct worker *w = arg;
    struct hdi_fibre *fibre = running_on(w), *left;

    if (fibre) {
        atomic_store(&w->running, NULL);
        fibre->wants = TO_END;
        settle(w, fibre);
    }
    while ((left = take_own(w)))
        put_in_common(left);
    give_up_place(w);
    start_worker(NULL);
}

/* Has it run one fibre since long? Then what waits behind it is for others. */
static bool is_stuck(struct worker *w, int64_t now)
{
    uint64_t switches = atomic_load(&w->switches);

    if (switches != w->seen_switches || !running_on(w)) {
        w->seen_switches = switches;
        w->seen_ns = now;
        return false;
    }
    atomic_store(&w->stuck, true);
    return now - w->seen_ns >= STUCK_NS;
}

/* Whoever starts a fibre counts it, then looks for a monitor: so there is one, or this one stays. */
static bool end_monitor(void)
{
    hdi_asleep_take_out();
    monitor_tid = 0;
    atomic_store(&monitored, false);
    if (nobody_is_left() || atomic_exchange(&monitored, true)) {
        hdi_stack_trim();
        return true;
    }
    monitor_tid = (int)syscall(SYS_gettid);
    hdi_asleep_enter();
    return false;
}

static void *monitor(void *arg)
{
    _Atomic uint32_t nobody_wakes_it = 1;
    int64_t trimmed_ns = 0;

    monitor_tid = (int)syscall(SYS_gettid);
    for (;;) {
        int64_t nap = LOOK_NS;
        unsigned end = atomic_load(&worker_end), free_to_run = 0, handed = 0;
        int64_t now = hdi_now_ns();
        for (unsigned i = 0; i < end; i++) {
            struct worker *w = &workers[i];
            if (!w->used)
                continue;
            free_to_run += !is_stuck(w, now);
            handed += atomic_load(&w->stuck) && atomic_load(&w->next) != NULL;
        }
        if (handed > 0 || anything_to_do()) {
            wake_one();
            if (free_to_run < processors && atomic_load(&idle_count) == 0)
                start_worker(&of_program);
        }
        if (atomic_load(&idle_count) >= atomic_load(&worker_count))
            nap = 20 * LOOK_NS;
        if (now - trimmed_ns >= IDLE_NS) {
            hdi_stack_trim();
            trimmed_ns = now;
        }
        if (atomic_load(&worker_count) == 0 && nobody_is_left() && end_monitor())
            return arg;
        sleep_on(&nobody_wakes_it, 1, nap);
    }
}

static struct hdi_job time_is_over(struct hdi_timer *timer, int64_t now_ns);

/* A child has but the thread that forked: if that is a worker, it goes on as one, with the fibre that
 * it runs. Others stay wherever they are linked. */
static void forget_workers(void)
{
    struct worker *w = here();

    for (unsigned i = 0; i < atomic_load(&worker_end); i++)
        if (&workers[i] != w)
            memset(&workers[i], 0, sizeof workers[i]);
    if (w) {
        atomic_store(&w->ring.head, 0);
        atomic_store(&w->ring.tail, 0);
        atomic_store(&w->next, NULL);
        w->stacks = (struct hdi_stack_cache){0};
        if (running_on(w))
            running_on(w)->process = hdi_process;
    }
    common_first = common_last = NULL;
    atomic_store(&common_count, 0);
    atomic_store(&common_lock.word, 0);
    idle = NULL;
    atomic_store(&idle_count, 0);
    atomic_store(&spinning, 0);
    atomic_store(&worker_count, w != NULL);
    atomic_store(&monitored, false);
    monitor_tid = 0;
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
        .generation = &hdi_process,
        .worker = workers,
        .monitor = &monitor_tid,
        .worker_bytes = sizeof(struct worker),
        .worker_running = offsetof(struct worker, running),
        .worker_bed = offsetof(struct worker, bed),
        .fibre_bytes = sizeof(struct hdi_fibre),
        .fibre_sp = offsetof(struct hdi_fibre, sp),
        .fibre_wants = offsetof(struct hdi_fibre, wants),
        .fibre_arg = offsetof(struct hdi_fibre, room),
        .fibre_parker = offsetof(struct hdi_fibre, parker),
        .fibre_timer_link = offsetof(struct hdi_fibre, timer.link),
        .fibre_stack = offsetof(struct hdi_fibre, stack),
        .fibre_generation = offsetof(struct hdi_fibre, process),
        .wants_to_park = TO_PARK,
        .parker_go = offsetof(struct hdi_parker, go),
        .goroutine_number = hdi_goroutine_number,
    };
}

static bool make_room_for_workers(void)
{
    void *memory = mmap(NULL, MOST_WORKERS * sizeof *workers, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    workers = memory == MAP_FAILED ? NULL : memory;
    return workers != NULL;
}

extern void __asan_init(void) __attribute__((weak));

__attribute__((constructor(107))) static void choose_vehicle(void)
{
    const char *words = getenv("HEDDLE_LIB");
    cpu_set_t cpus;

    wanted = CAN_SWITCH && words && strcmp(words, "fibres") == 0 && !__asan_init &&
             make_room_for_workers() && pthread_key_create(&at_end, end_with_fibre) == 0;
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

/* The program's handlers run on its own threads, and on workers. */
static bool start_monitor(void)
{
    sigset_t all;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &of_program);
    started = start_thread(monitor, NULL);
    pthread_sigmask(SIG_SETMASK, &of_program, NULL);
    return started;
}

static bool are_there_workers(void)
{
    unsigned have = atomic_load(&worker_count);

    if (have < processors && atomic_load(&idle_count) == 0 && !start_worker(NULL) && have == 0)
        return false;
    if (!atomic_load(&monitored) && !atomic_exchange(&monitored, true)) {
        if (start_monitor())
            hdi_asleep_enter(); /* of itself it wakes nobody but workers that have something to do */
        else
            atomic_store(&monitored, false);
    }
    return true;
}

struct hdi_fibre *hdi_fibre_new(size_t stack_bytes, size_t bytes, void **room)
{
    struct worker *w = here();
    struct hdi_stack stack;
    struct hdi_fibre *fibre;
    bool usual = bytes <= MOST_ROOM;

    if (!are_there_workers() || !hdi_stack_get(&stack, usual ? stack_bytes : stack_bytes + bytes,
                                               usual, w ? &w->stacks : NULL))
        return NULL;
    fibre = (struct hdi_fibre *)(void *)(stack.low + stack.bytes - sizeof *fibre);
    fibre->parker = NULL;
    fibre->locals = (struct hdi_locals){0};
    fibre->saved_errno = 0;
    fibre->process = hdi_process;
    fibre->stack = stack;
    fibre->room = *room = (void *)(((uintptr_t)fibre - bytes) & ~(uintptr_t)15);
    return fibre;
}

void hdi_fibre_start(struct hdi_fibre *fibre, void (*fn)(void *room))
{
    fibre->fn = fn;
    prepare(fibre);
    hdi_fibre_ready(fibre);
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
    self->timer = (struct hdi_timer){.due = time_is_over};
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
        if (atomic_load(&w->next) || anything_to_do())
            wake_one();
        if (atomic_load(&idle_count) == 0 && atomic_load(&spinning) == 0)
            start_worker(NULL);
    }
    fn(arg);
}
