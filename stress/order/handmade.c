/* Synchronisation that programs make themselves, of atomics, futexes and what else is at hand. The
 * wrong twin has one order too weak, or touches what is guarded where it is not. */
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "twin.h"

int x, sink; /* not static: what nobody reads is not there */

static void pair(void *(*one)(void *), void *(*other)(void *))
{
    pthread_t a, b;

    pthread_create(&a, NULL, one, (void *)0);
    pthread_create(&b, NULL, other, (void *)1);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

static void late(void)
{
    if (wrong)
        x++;
}

static memory_order weaker(memory_order order)
{
    return wrong ? memory_order_relaxed : order;
}

/* ---- futexes ---- */

static void futex_wait(atomic_int *word, int value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(atomic_int *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static atomic_int word;

/* Free, taken, taken with others waiting. */
static void *futex_locks(void *arg)
{
    int seen = 0;

    if (!atomic_compare_exchange_strong(&word, &seen, 1)) {
        if (seen != 2)
            seen = atomic_exchange(&word, 2);
        while (seen != 0) {
            futex_wait(&word, 2);
            seen = atomic_exchange(&word, 2);
        }
    }
    x++;
    if (atomic_fetch_sub_explicit(&word, 1, weaker(memory_order_release)) != 1) {
        atomic_store_explicit(&word, 0, weaker(memory_order_release));
        futex_wake(&word, 1);
    }
    return arg;
}

static void futex_mutex(void)
{
    pair(futex_locks, futex_locks);
}

static void *futex_sets(void *arg)
{
    x = 1;
    atomic_store_explicit(&word, 1, weaker(memory_order_release));
    futex_wake(&word, INT_MAX);
    return arg;
}

static void *futex_waits(void *arg)
{
    while (atomic_load_explicit(&word, memory_order_acquire) == 0)
        futex_wait(&word, 0);
    sink = x;
    return arg;
}

static void futex_event(void)
{
    pair(futex_sets, futex_waits);
}

static atomic_int arrived, phase;

static void *futex_meets(void *arg)
{
    static int parts[2];
    int me = (int)(intptr_t)arg, now = atomic_load(&phase);

    parts[me] = 1;
    if (atomic_fetch_add_explicit(&arrived, 1, weaker(memory_order_acq_rel)) == 1) {
        atomic_store_explicit(&phase, now + 1, memory_order_release);
        futex_wake(&phase, INT_MAX);
    } else {
        while (atomic_load_explicit(&phase, memory_order_acquire) == now)
            futex_wait(&phase, now);
    }
    if (parts[!me] != 1 && !wrong)
        abort();
    return arg;
}

static void futex_barrier(void)
{
    pair(futex_meets, futex_meets);
}

/* ---- spinning ---- */

static atomic_uint next_ticket, now_serving;

static void *ticket_locks(void *arg)
{
    unsigned mine = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_relaxed);

    while (atomic_load_explicit(&now_serving, weaker(memory_order_acquire)) != mine)
        sched_yield();
    x++;
    atomic_store_explicit(&now_serving, mine + 1, memory_order_release);
    return arg;
}

static void ticket(void)
{
    pair(ticket_locks, ticket_locks);
}

struct node {
    _Atomic(struct node *) next;
    atomic_int waits;
};

static _Atomic(struct node *) tail;

static void *mcs_locks(void *arg)
{
    struct node me = {NULL, 0}, *before, *self = &me;

    before = atomic_exchange_explicit(&tail, &me, memory_order_acq_rel);
    if (before) {
        atomic_store_explicit(&me.waits, 1, memory_order_relaxed);
        atomic_store_explicit(&before->next, &me, memory_order_release);
        while (atomic_load_explicit(&me.waits, memory_order_acquire))
            sched_yield();
    }
    x++;
    if (!atomic_load_explicit(&me.next, memory_order_acquire)) {
        if (atomic_compare_exchange_strong_explicit(
                &tail, &self, NULL, weaker(memory_order_release), memory_order_relaxed))
            return arg;
        while (!atomic_load_explicit(&me.next, memory_order_acquire))
            sched_yield();
    }
    atomic_store_explicit(&atomic_load_explicit(&me.next, memory_order_acquire)->waits, 0,
                          weaker(memory_order_release));
    return arg;
}

static void mcs(void)
{
    pair(mcs_locks, mcs_locks);
}

static struct node clh_nodes[3];

static void *clh_locks(void *arg)
{
    struct node *me = &clh_nodes[(intptr_t)arg], *before;

    atomic_store_explicit(&me->waits, 1, memory_order_relaxed);
    before = atomic_exchange_explicit(&tail, me, memory_order_acq_rel);
    while (atomic_load_explicit(&before->waits, weaker(memory_order_acquire)))
        sched_yield();
    x++;
    atomic_store_explicit(&me->waits, 0, memory_order_release);
    return arg;
}

static void clh(void)
{
    atomic_store(&tail, &clh_nodes[2]);
    pair(clh_locks, clh_locks);
}

static atomic_int flag[2], turn;

static void *petersons(void *arg)
{
    int me = (int)(intptr_t)arg;

    atomic_store(&flag[me], 1);
    atomic_store(&turn, !me);
    while (atomic_load(&flag[!me]) && atomic_load(&turn) == !me)
        sched_yield();
    x++;
    atomic_store(&flag[me], 0);
    late();
    return arg;
}

static void peterson(void)
{
    pair(petersons, petersons);
}

/* Orders by fences alone. */
static void *dekker_tries(void *arg)
{
    int me = (int)(intptr_t)arg;

    atomic_store_explicit(&flag[me], 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&flag[!me], memory_order_relaxed)) {
        atomic_thread_fence(memory_order_acquire);
        x++;
    }
    if (!wrong)
        return arg; /* who was in stays so */
    atomic_store_explicit(&flag[me], 0, memory_order_relaxed);
    return arg;
}

static void dekker_fences(void)
{
    pair(dekker_tries, dekker_tries);
}

static atomic_int ticks[2], choosing[2];

static void *bakes(void *arg)
{
    int me = (int)(intptr_t)arg, you = !me, theirs, mine;

    atomic_store(&choosing[me], 1);
    mine = atomic_load(&ticks[you]) + 1;
    atomic_store(&ticks[me], mine);
    atomic_store(&choosing[me], 0);
    while (atomic_load(&choosing[you]))
        sched_yield();
    while ((theirs = atomic_load(&ticks[you])) != 0 &&
           (theirs < mine || (theirs == mine && you < me)))
        sched_yield();
    x++;
    atomic_store(&ticks[me], 0);
    late();
    return arg;
}

static void bakery(void)
{
    pair(bakes, bakes);
}

/* Readers count themselves, a writer waits until there are none. */
static atomic_int readers;

static void *rw_reads(void *arg)
{
    int n = atomic_load(&readers);

    while (n < 0 || !atomic_compare_exchange_weak_explicit(
                        &readers, &n, n + 1, memory_order_acquire, memory_order_relaxed)) {
        sched_yield();
        n = atomic_load(&readers);
    }
    sink = x;
    atomic_fetch_sub_explicit(&readers, 1, weaker(memory_order_release));
    return arg;
}

static void *rw_writes(void *arg)
{
    int none = 0;

    while (!atomic_compare_exchange_weak_explicit(&readers, &none, -1, memory_order_acquire,
                                                  memory_order_relaxed)) {
        sched_yield();
        none = 0;
    }
    x++;
    atomic_store_explicit(&readers, 0, memory_order_release);
    return arg;
}

static void readers_writer(void)
{
    pair(rw_reads, rw_writes);
}

/* ---- readers that do not lock ---- */

static atomic_uint sequence;
static atomic_int left, right;

static void *seq_writes(void *arg)
{
    atomic_store_explicit(&sequence, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&left, 1, memory_order_relaxed);
    atomic_store_explicit(&right, 1, memory_order_relaxed);
    x = 1;
    atomic_store_explicit(&sequence, 2, memory_order_release);
    return arg;
}

/* What is read in between is atomic; x only once nobody writes any more. */
static void *seq_reads(void *arg)
{
    unsigned before, after;
    int l, r;

    do {
        before = atomic_load_explicit(&sequence, memory_order_acquire);
        l = atomic_load_explicit(&left, memory_order_relaxed);
        r = atomic_load_explicit(&right, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&sequence, memory_order_relaxed);
        if (before % 2 || before != after)
            sched_yield();
    } while (before % 2 || before != after);
    if (l != r)
        abort();
    if (before == 2 || wrong)
        sink = x;
    return arg;
}

static void seqlock(void)
{
    pair(seq_writes, seq_reads);
}

struct item {
    int value;
};

static _Atomic(struct item *) shared_item, hazard;
static atomic_int in_section;

static void *rcu_reads(void *arg)
{
    struct item *i;

    atomic_store(&in_section, 1);
    i = atomic_load(&shared_item);
    sink = i->value;
    atomic_store_explicit(&in_section, 0, memory_order_release);
    return arg;
}

/* The old one is given back when nobody can be reading it any more. */
static void *rcu_updates(void *arg)
{
    struct item *fresh = malloc(sizeof *fresh), *old;

    fresh->value = 2;
    old = atomic_exchange(&shared_item, fresh);
    while (!wrong && atomic_load(&in_section))
        sched_yield();
    old->value = 0;
    free(old);
    return arg;
}

static void rcu(void)
{
    struct item *first = malloc(sizeof *first);

    first->value = 1;
    atomic_store(&shared_item, first);
    pair(rcu_reads, rcu_updates);
    free(atomic_load(&shared_item));
}

static void *hazard_reads(void *arg)
{
    struct item *i;

    do {
        i = atomic_load(&shared_item);
        atomic_store(&hazard, i);
    } while (!wrong && atomic_load(&shared_item) != i);
    sink = i->value;
    atomic_store_explicit(&hazard, NULL, memory_order_release);
    return arg;
}

static void *hazard_updates(void *arg)
{
    struct item *fresh = malloc(sizeof *fresh), *old;

    fresh->value = 2;
    old = atomic_exchange(&shared_item, fresh);
    while (atomic_load(&hazard) == old)
        sched_yield();
    old->value = 0;
    free(old);
    return arg;
}

static void hazard_pointer(void)
{
    struct item *first = malloc(sizeof *first);

    first->value = 1;
    atomic_store(&shared_item, first);
    pair(hazard_reads, hazard_updates);
    free(atomic_load(&shared_item));
}

/* ---- handing over ---- */

static int ring[2];
static atomic_uint head, end;

static void *ring_puts(void *arg)
{
    for (unsigned i = 0; i < 4; i++) {
        while (i - atomic_load_explicit(&head, memory_order_acquire) == 2)
            sched_yield();
        ring[i % 2] = (int)i;
        atomic_store_explicit(&end, i + 1, memory_order_release);
    }
    return arg;
}

static void *ring_takes(void *arg)
{
    for (unsigned i = 0; i < 4; i++) {
        while (atomic_load_explicit(&end, memory_order_acquire) == i)
            sched_yield();
        sink += ring[i % 2];
        atomic_store_explicit(&head, i + 1, weaker(memory_order_release));
    }
    return arg;
}

static void ring_of_two(void)
{
    pair(ring_puts, ring_takes);
}

struct link {
    struct link *below;
    int value;
};

static _Atomic(struct link *) top;

static void *pushes(void *arg)
{
    struct link *l = malloc(sizeof *l);

    l->value = 1;
    l->below = atomic_load_explicit(&top, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&top, &l->below, l, weaker(memory_order_release),
                                                  memory_order_relaxed))
        ;
    return arg;
}

static void *takes_all(void *arg)
{
    struct link *l = atomic_exchange_explicit(&top, NULL, memory_order_acquire), *below;

    for (; l; l = below) {
        below = l->below;
        sink += l->value;
        free(l);
    }
    return arg;
}

static void stack_taken_whole(void)
{
    pthread_t a, b, c;

    pthread_create(&a, NULL, pushes, NULL);
    pthread_create(&b, NULL, pushes, NULL);
    pthread_create(&c, NULL, takes_all, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    pthread_join(c, NULL);
    takes_all(NULL);
}

/* The last owner gives it back: releases by all, one acquire. */
static atomic_int owners = 2;
static struct item *owned;

static void *lets_go(void *arg)
{
    owned[(intptr_t)arg].value = 1;
    if (atomic_fetch_sub_explicit(&owners, 1, memory_order_release) == 1) {
        if (!wrong)
            atomic_thread_fence(memory_order_acquire);
        owned[0].value += owned[1].value;
        free(owned);
    }
    return arg;
}

static void reference_count(void)
{
    owned = calloc(2, sizeof *owned);
    pair(lets_go, lets_go);
}

/* A flag within a pointer's low bit. */
static atomic_uintptr_t tagged;

static void *tags(void *arg)
{
    x = 1;
    atomic_fetch_or_explicit(&tagged, 1, weaker(memory_order_release));
    return arg;
}

static void *untags(void *arg)
{
    while (!(atomic_load_explicit(&tagged, memory_order_acquire) & 1))
        sched_yield();
    sink = x;
    return arg;
}

static void tagged_pointer(void)
{
    pair(tags, untags);
}

/* A release sequence goes on through updates that order nothing themselves. */
static atomic_int chain;

static void *begins_chain(void *arg)
{
    x = 1;
    atomic_store_explicit(&chain, 1, weaker(memory_order_release));
    return arg;
}

static void *goes_on(void *arg)
{
    int one = 1;

    while (!atomic_compare_exchange_weak_explicit(&chain, &one, 2, memory_order_relaxed,
                                                  memory_order_relaxed)) {
        one = 1;
        sched_yield();
    }
    return arg;
}

static void release_sequence(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, begins_chain, NULL);
    pthread_create(&b, NULL, goes_on, NULL);
    while (atomic_load_explicit(&chain, memory_order_acquire) != 2)
        sched_yield();
    sink = x;
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* The older builtins, and those of 16 bytes and of one. */
static int sync_word;
static char byte_word;

static void *sync_locks(void *arg)
{
    while (__sync_lock_test_and_set(&sync_word, 1))
        sched_yield();
    x++;
    __sync_lock_release(&sync_word);
    late();
    return arg;
}

static void sync_builtins(void)
{
    pair(sync_locks, sync_locks);
}

static void *byte_locks(void *arg)
{
    while (__atomic_test_and_set(&byte_word, __ATOMIC_ACQUIRE))
        sched_yield();
    x++;
    __atomic_clear(&byte_word, wrong ? __ATOMIC_RELAXED : __ATOMIC_RELEASE);
    return arg;
}

static void test_and_set(void)
{
    pair(byte_locks, byte_locks);
}

/* Made once, looked at without the lock first. */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct item *) made;

static void *makes_once(void *arg)
{
    struct item *i = atomic_load_explicit(&made, weaker(memory_order_acquire));

    if (!i) {
        pthread_mutex_lock(&making);
        i = atomic_load_explicit(&made, memory_order_relaxed);
        if (!i) {
            i = malloc(sizeof *i);
            i->value = 1;
            atomic_store_explicit(&made, i, weaker(memory_order_release));
        }
        pthread_mutex_unlock(&making);
    }
    __atomic_store_n(&sink, i->value, __ATOMIC_RELAXED);
    return arg;
}

static void double_checked(void)
{
    pair(makes_once, makes_once);
    free(atomic_load(&made));
}

/* Two words, one guarding each half, taken by whoever gets it. */
static atomic_int claims[2];
static int halves[2];

static void *claims_half(void *arg)
{
    for (int i = 0; i < 2; i++)
        if (!atomic_exchange_explicit(&claims[i], 1, memory_order_relaxed) || wrong)
            halves[i]++;
    return arg;
}

static void claimed(void)
{
    pair(claims_half, claims_half);
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(futex_mutex),
        VARIANT(futex_event),
        VARIANT(futex_barrier),
        VARIANT(ticket),
        VARIANT(mcs),
        VARIANT(clh),
        VARIANT(peterson),
        VARIANT(dekker_fences),
        VARIANT(bakery),
        VARIANT(readers_writer),
        VARIANT(seqlock),
        VARIANT(rcu),
        VARIANT(hazard_pointer),
        VARIANT(ring_of_two),
        VARIANT(stack_taken_whole),
        VARIANT(reference_count),
        VARIANT(tagged_pointer),
        VARIANT(release_sequence),
        VARIANT(sync_builtins),
        VARIANT(test_and_set),
        VARIANT(double_checked),
        VARIANT(claimed),
    };

    return RUN_VARIANT(table, argc, argv);
}
