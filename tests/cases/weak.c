/* What C11 and x86 let atomics do, and what they do not. weak HOW TWIN */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "case.h"

#define RELAXED memory_order_relaxed
#define ACQUIRE memory_order_acquire
#define RELEASE memory_order_release
#define ACQ_REL memory_order_acq_rel
#define SEQ_CST memory_order_seq_cst
#define OF(right_order, wrong_order) (wrong ? (wrong_order) : (right_order))

static atomic_int x, y, z;
static int r[4];

static void set(atomic_int *a, int value, memory_order order)
{
    if (order == SEQ_CST)
        atomic_store_explicit(a, value, SEQ_CST);
    else if (order == RELEASE)
        atomic_store_explicit(a, value, RELEASE);
    else
        atomic_store_explicit(a, value, RELAXED);
}

static int get(atomic_int *a)
{
    return atomic_load_explicit(a, RELAXED);
}

static void fence(bool strong)
{
    if (strong)
        atomic_thread_fence(SEQ_CST);
    else
        atomic_thread_fence(ACQ_REL);
}

static void side_by_side(void *(*first)(void *), void *(*second)(void *), void *(*third)(void *))
{
    pthread_t a = start(first, NULL), b = start(second, NULL);

    if (third)
        finish(start(third, NULL));
    finish(a);
    finish(b);
}

/* A counter, and what one thread has read of it told to another. */
static void *counts(void *arg)
{
    for (int i = 0; i < 3; i++)
        atomic_fetch_add_explicit(&x, 1, RELAXED);
    return arg;
}

static void *tells(void *arg)
{
    set(&y, get(&x), OF(RELEASE, RELAXED));
    r[2] = get(&x); /* any later read of the counter */
    return arg;
}

static void *is_told(void *arg)
{
    r[0] = atomic_load_explicit(&y, ACQUIRE);
    r[1] = get(&x);
    return arg;
}

static void weak_read_read(void)
{
    side_by_side(counts, tells, is_told);
    assert(r[1] >= r[0]);
}

/* Store buffering, seq_cst accesses on the one side and a fence on the other; what is stored again does
 * not undo the order of the first. */
static void *stores_twice(void *arg)
{
    set(&x, 1, SEQ_CST);
    r[0] = atomic_load_explicit(&y, SEQ_CST);
    set(&x, 2, SEQ_CST);
    return arg;
}

static void *fences(void *arg)
{
    set(&y, 1, RELAXED);
    fence(!wrong);
    r[1] = get(&x);
    return arg;
}

static void weak_sc_store(void)
{
    side_by_side(stores_twice, fences, NULL);
    assert(r[0] || r[1]);
}

/* Store buffering with fences, the second read by a thread that acquires from the one that made the fence. */
static void *fences_first(void *arg)
{
    set(&x, 1, RELAXED);
    fence(true);
    r[0] = get(&y);
    return arg;
}

static void *fences_and_tells(void *arg)
{
    set(&y, 1, RELAXED);
    fence(!wrong);
    set(&z, 1, RELEASE);
    return arg;
}

static void *acquires(void *arg)
{
    r[1] = atomic_load_explicit(&z, ACQUIRE);
    r[2] = get(&x);
    return arg;
}

static void weak_fence_passed_on(void)
{
    side_by_side(fences_first, fences_and_tells, acquires);
    assert(r[0] || !r[1] || r[2]);
}

/* A compare-exchange that fails is a load. */
static void *sends(void *arg)
{
    set(&x, 1, RELAXED);
    set(&y, 1, OF(RELEASE, RELAXED));
    return arg;
}

static void *fails(void *arg)
{
    int seen = 5;

    r[0] = atomic_load_explicit(&y, ACQUIRE);
    atomic_compare_exchange_strong_explicit(&x, &seen, 6, RELAXED, RELAXED);
    r[1] = seen;
    return arg;
}

static void weak_failing_exchange(void)
{
    side_by_side(sends, fails, NULL);
    assert(!r[0] || r[1]);
}

/* The last stores may be others than those made last. */
static void *one_then_two(void *arg)
{
    set(&x, 1, OF(SEQ_CST, RELEASE));
    set(&y, 2, OF(SEQ_CST, RELEASE));
    return arg;
}

static void *one_then_two_crossed(void *arg)
{
    set(&y, 1, OF(SEQ_CST, RELEASE));
    set(&x, 2, OF(SEQ_CST, RELEASE));
    return arg;
}

static void weak_crossed_stores(void)
{
    side_by_side(one_then_two, one_then_two_crossed, NULL);
    assert(x == 2 || y == 2);
}

/* C++20: a store of the same thread ends a release sequence, an update does not. */
static void *goes_on(void *arg)
{
    set(&x, 1, RELAXED);
    set(&y, 1, RELEASE);
    if (wrong)
        set(&y, 2, RELAXED);
    else
        atomic_fetch_add_explicit(&y, 1, RELAXED);
    return arg;
}

static void *reads_the_end(void *arg)
{
    r[0] = atomic_load_explicit(&y, ACQUIRE);
    r[1] = get(&x);
    return arg;
}

static void weak_release_sequence(void)
{
    side_by_side(goes_on, reads_the_end, NULL);
    assert(r[0] != 2 || r[1]);
}

/* A lock with a queue of who waits. That a node has no successor is stored before it is published; if that
 * makes no order, it may come after the successor has put itself there, who is then never woken. */
static struct node {
    struct node *_Atomic next;
    atomic_bool waits;
} node[2];
static struct node *_Atomic tail;

static void *queues(void *arg)
{
    struct node *me = arg, *none = me;

    atomic_store_explicit(&me->next, NULL, RELAXED);
    atomic_store_explicit(&me->waits, true, RELAXED);
    struct node *before = wrong ? atomic_exchange_explicit(&tail, me, RELAXED)
                                : atomic_exchange_explicit(&tail, me, ACQ_REL);
    if (before) {
        atomic_store_explicit(&before->next, me, RELEASE);
        while (atomic_load_explicit(&me->waits, ACQUIRE))
            sched_yield();
    }
    if (!atomic_compare_exchange_strong_explicit(&tail, &none, NULL, RELEASE, RELAXED)) {
        struct node *next;
        while (!(next = atomic_load_explicit(&me->next, ACQUIRE)))
            sched_yield();
        atomic_store_explicit(&next->waits, false, RELEASE);
    }
    return arg;
}

static void weak_queue_lock(void)
{
    pthread_t a = start(queues, &node[0]), b = start(queues, &node[1]);

    finish(a);
    finish(b);
}

/* A store buffer: a thread reads its own store before others can. */
static void *reads_its_own(void *arg)
{
    set(&x, 1, OF(SEQ_CST, RELEASE));
    r[0] = get(&x);
    r[1] = get(&y);
    return arg;
}

static void *reads_its_own_too(void *arg)
{
    set(&y, 1, OF(SEQ_CST, RELEASE));
    r[2] = get(&y);
    r[3] = get(&x);
    return arg;
}

static void weak_own_store(void)
{
    side_by_side(reads_its_own, reads_its_own_too, NULL);
    assert(r[0] && r[2]);
    assert(r[1] || r[3]);
}

/* A store that waits while its thread goes on comes to memory after another's that was made later. */
static void *stores_both(void *arg)
{
    set(&x, 1, RELAXED);
    set(&y, 1, RELAXED);
    return arg;
}

static void *stores_and_reads(void *arg)
{
    set(&y, 2, OF(SEQ_CST, RELAXED));
    r[0] = get(&x);
    return arg;
}

static void weak_late_store(void)
{
    side_by_side(stores_both, stores_and_reads, NULL);
    assert(r[0] || y != 2);
}

/* Who waits says so first, in relaxed order: the kernel's call is a barrier. Who wakes needs one of its own
 * between the word and the look at who waits. */
static void *waits_in_the_kernel(void *arg)
{
    set(&y, 1, RELAXED);
    while (!get(&x))
        syscall(SYS_futex, &x, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return arg;
}

static void *wakes_who_waits(void *arg)
{
    set(&x, 1, RELAXED);
    fence(!wrong);
    if (get(&y))
        syscall(SYS_futex, &x, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return arg;
}

static void weak_futex(void)
{
    side_by_side(waits_in_the_kernel, wakes_who_waits, NULL);
}

static const struct variant all[] = {
    VARIANT(weak, read_read),       VARIANT(weak, sc_store),
    VARIANT(weak, fence_passed_on), VARIANT(weak, failing_exchange),
    VARIANT(weak, crossed_stores),  VARIANT(weak, release_sequence),
    VARIANT(weak, queue_lock),      VARIANT(weak, own_store),
    VARIANT(weak, late_store),      VARIANT(weak, futex),
};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(all, argv[1])->run();
    return 0;
}
