/* programs.c - small programs whose schedules are counted.
 *
 *   programs NAME THREADS
 *   programs            all names, with the numbers of threads that make sense
 *
 * Each is right, in sequential consistency: whatever the schedule, its assertions hold.
 */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 20 };
static int threads;
static pthread_mutex_t lock[MOST];
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER, other_cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem, other_sem, seats;
static atomic_int x, y, z, w, seen[2 * MOST];
static int plain, inside;

/* ---- locks ---- */

static void philosopher(int me)
{
    int left = me, right = (me + 1) % threads;

    if (left > right) {
        left = right;
        right = me;
    }
    pthread_mutex_lock(&lock[left]);
    pthread_mutex_lock(&lock[right]);
    pthread_mutex_unlock(&lock[right]);
    pthread_mutex_unlock(&lock[left]);
}

/* All but one may sit down, so that nobody need mind which fork comes first. */
static void seated_philosopher(int me)
{
    sem_wait(&seats);
    pthread_mutex_lock(&lock[me]);
    pthread_mutex_lock(&lock[(me + 1) % threads]);
    pthread_mutex_unlock(&lock[(me + 1) % threads]);
    pthread_mutex_unlock(&lock[me]);
    sem_post(&seats);
}

static void transfer(int me)
{
    static int account[MOST] = {10, 10, 10};
    int from = me, to = (me + 1) % threads, low = from < to ? from : to;

    pthread_mutex_lock(&lock[low]);
    pthread_mutex_lock(&lock[from + to - low]);
    account[from]--;
    account[to]++;
    assert(account[from] + account[to] <= 30);
    pthread_mutex_unlock(&lock[from + to - low]);
    pthread_mutex_unlock(&lock[low]);
}

static void one_lock(int me)
{
    (void)me;
    pthread_mutex_lock(&lock[0]);
    plain++;
    pthread_mutex_unlock(&lock[0]);
}

static void own_locks(int me)
{
    pthread_mutex_lock(&lock[me]);
    pthread_mutex_unlock(&lock[me]);
}

static void try_lock(int me)
{
    (void)me;
    if (pthread_mutex_trylock(&lock[0]) == 0) {
        assert(inside++ == 0);
        inside--;
        pthread_mutex_unlock(&lock[0]);
    }
}

static void readers_writer(int me)
{
    if (me == 0) {
        pthread_rwlock_wrlock(&rw);
        plain++;
    } else {
        pthread_rwlock_rdlock(&rw);
        assert(plain <= threads);
    }
    pthread_rwlock_unlock(&rw);
}

static void readers_writers(int me)
{
    readers_writer(me % 2);
}

/* The first reader locks writers out, the last lets them in. */
static void counted_readers(int me)
{
    if (me == 0) {
        sem_wait(&seats);
        plain++;
        sem_post(&seats);
        return;
    }
    pthread_mutex_lock(&lock[0]);
    if (++inside == 1)
        sem_wait(&seats);
    pthread_mutex_unlock(&lock[0]);
    assert(plain <= 1);
    pthread_mutex_lock(&lock[0]);
    if (--inside == 0)
        sem_post(&seats);
    pthread_mutex_unlock(&lock[0]);
}

/* ---- waits ---- */

static int filled;

static void semaphore_buffer(int me)
{
    sem_wait(me % 2 ? &sem : &seats);
    pthread_mutex_lock(&lock[0]);
    filled += me % 2 ? -1 : 1;
    assert(filled >= 0 && filled <= threads);
    pthread_mutex_unlock(&lock[0]);
    sem_post(me % 2 ? &seats : &sem);
}

static void rendezvous(int me)
{
    atomic_store(&seen[me], 1);
    sem_post(me ? &sem : &other_sem);
    sem_wait(me ? &other_sem : &sem);
    assert(atomic_load(&seen[!me]) == 1);
}

static int phase, left = -1;

/* A barrier of a lock and a condition variable, passed twice. */
static void two_phase_barrier(int me)
{
    static int arrived;

    (void)me;
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&lock[0]);
        if (++arrived == threads) {
            arrived = 0;
            phase++;
            pthread_cond_broadcast(&cond);
        } else {
            for (int mine = phase; phase == mine;)
                pthread_cond_wait(&cond, &lock[0]);
        }
        assert(phase > i);
        pthread_mutex_unlock(&lock[0]);
    }
}

static void latch(int me)
{
    pthread_mutex_lock(&lock[0]);
    if (left < 0)
        left = threads - 1;
    if (me) {
        if (--left == 0)
            pthread_cond_signal(&cond);
    } else {
        while (left > 0)
            pthread_cond_wait(&cond, &lock[0]);
    }
    pthread_mutex_unlock(&lock[0]);
}

static void bounded_buffer(int me)
{
    pthread_mutex_lock(&lock[0]);
    if (me % 2 == 0) {
        while (filled == 1)
            pthread_cond_wait(&other_cond, &lock[0]);
        filled++;
        pthread_cond_signal(&cond);
    } else {
        while (filled == 0)
            pthread_cond_wait(&cond, &lock[0]);
        filled--;
        pthread_cond_signal(&other_cond);
    }
    pthread_mutex_unlock(&lock[0]);
}

static void broadcast(int me)
{
    pthread_mutex_lock(&lock[0]);
    if (me == 0) {
        plain = 1;
        pthread_cond_broadcast(&cond);
    }
    while (!plain)
        pthread_cond_wait(&cond, &lock[0]);
    pthread_mutex_unlock(&lock[0]);
}

static void two_phases(int me)
{
    atomic_fetch_add(&seen[me], 1);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < threads; i++)
        assert(atomic_load_explicit(&seen[i], memory_order_relaxed) == 1);
    pthread_barrier_wait(&barrier);
}

static void barrier_once(int me)
{
    (void)me;
    pthread_barrier_wait(&barrier);
}

static void hand_over(int me)
{
    if (me == 0) {
        plain = 1;
        for (int i = 1; i < threads; i++)
            sem_post(&sem);
    } else {
        sem_wait(&sem);
        assert(plain == 1);
    }
}

static void once_each(int me)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)me;
    pthread_once(&once, (void (*)(void))sched_yield);
}

/* ---- locks made of atomics ---- */

static void section(void)
{
    assert(inside++ == 0);
    inside--;
}

static void ticket_lock(int me)
{
    int mine = atomic_fetch_add(&x, 1);

    (void)me;
    while (atomic_load(&y) != mine)
        ;
    section();
    atomic_store(&y, mine + 1);
}

static void spin_lock(int me)
{
    (void)me;
    while (atomic_exchange(&x, 1))
        ;
    section();
    atomic_store(&x, 0);
}

static void cas_lock(int me)
{
    int free = 0;

    (void)me;
    while (!atomic_compare_exchange_strong(&x, &free, 1))
        free = 0;
    section();
    atomic_store(&x, 0);
}

static void test_first_lock(int me)
{
    (void)me;
    do
        while (atomic_load(&x))
            ;
    while (atomic_exchange(&x, 1));
    section();
    atomic_store(&x, 0);
}

/* Anderson's: each waits at a place of its own. */
static void array_lock(int me)
{
    int mine = atomic_fetch_add(&x, 1);

    (void)me;
    while (mine != 0 && !atomic_load(&seen[mine]))
        ;
    section();
    atomic_store(&seen[mine + 1], 1);
}

static void clh_lock(int me)
{
    static _Atomic(atomic_int *) last = &z;

    atomic_store(&seen[me], 1);
    atomic_int *before = atomic_exchange(&last, &seen[me]);
    while (atomic_load(before))
        ;
    section();
    atomic_store(&seen[me], 0);
}

/* Lamport's, of one bit each: the first insists, the second gives way. */
static void one_bit_lock(int me)
{
    atomic_store(&seen[me], 1);
    while (atomic_load(&seen[!me])) {
        if (me == 0)
            continue;
        atomic_store(&seen[me], 0);
        while (atomic_load(&seen[!me]))
            ;
        atomic_store(&seen[me], 1);
    }
    section();
    atomic_store(&seen[me], 0);
}

static void bakery(int me)
{
    static atomic_int number[2], chooses[2];
    int his;

    atomic_store(&chooses[me], 1);
    atomic_store(&number[me], atomic_load(&number[!me]) + 1);
    atomic_store(&chooses[me], 0);
    while (atomic_load(&chooses[!me]))
        ;
    while ((his = atomic_load(&number[!me])) &&
           (his < atomic_load(&number[me]) || (his == atomic_load(&number[me]) && me)))
        ;
    section();
    atomic_store(&number[me], 0);
}

/* Readers add two, a writer sets the lowest bit. */
static void spinning_readers(int me)
{
    int none;

    if (me == 0) {
        do
            none = 0;
        while (!atomic_compare_exchange_strong(&x, &none, 1));
        section();
        atomic_fetch_sub(&x, 1);
        return;
    }
    if (atomic_fetch_add(&x, 2) % 2 == 0)
        assert(inside == 0);
    atomic_fetch_sub(&x, 2);
}

/* Sense-reversing, of atomics, passed once. */
static void sense_barrier(int me)
{
    atomic_store(&seen[me], 1);
    if (atomic_fetch_add(&x, 1) + 1 == threads)
        atomic_store(&y, 1);
    else
        while (!atomic_load(&y))
            ;
    assert(atomic_load(&seen[(me + 1) % threads]) == 1);
}

static struct place {
    _Atomic(struct place *) next;
    atomic_bool waits;
} place[MOST];
static _Atomic(struct place *) tail;

static void mcs_lock(int me)
{
    struct place *mine = &place[me], *before, *last = mine;

    atomic_store(&mine->waits, true);
    before = atomic_exchange(&tail, mine);
    if (before) {
        atomic_store(&before->next, mine);
        while (atomic_load(&mine->waits))
            ;
    }
    section();
    if (!atomic_load(&mine->next)) {
        if (atomic_compare_exchange_strong(&tail, &last, NULL))
            return;
        while (!atomic_load(&mine->next))
            ;
    }
    atomic_store(&atomic_load(&mine->next)->waits, false);
}

static void peterson(int me)
{
    atomic_store(&seen[me], 1);
    atomic_store(&x, me);
    while (atomic_load(&seen[1 - me]) && atomic_load(&x) == me)
        ;
    section();
    atomic_store(&seen[me], 0);
}

static void dekker(int me)
{
    atomic_store_explicit(&seen[me], 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    while (atomic_load(&seen[1 - me])) {
        if (atomic_load(&x) == me)
            continue;
        atomic_store(&seen[me], 0);
        while (atomic_load(&x) != me)
            ;
        atomic_store(&seen[me], 1);
        atomic_thread_fence(memory_order_seq_cst);
    }
    section();
    atomic_store(&x, 1 - me);
    atomic_store(&seen[me], 0);
}

static void seqlock(int me)
{
    if (me == 0) {
        atomic_fetch_add(&x, 1);
        atomic_store(&y, 1);
        atomic_store(&z, 1);
        atomic_fetch_add(&x, 1);
        return;
    }
    int before = atomic_load(&x), a = atomic_load(&y), b = atomic_load(&z);
    if (before % 2 == 0 && atomic_load(&x) == before)
        assert(a == b);
}

/* ---- structures ---- */

static struct node {
    _Atomic(struct node *) next;
    int value;
} node[2 * MOST];
static _Atomic(struct node *) head;

static void push(struct node *n)
{
    struct node *old = atomic_load(&head);

    do
        atomic_store(&n->next, old);
    while (!atomic_compare_exchange_strong(&head, &old, n));
}

static struct node *pop(void)
{
    struct node *old = atomic_load(&head);

    while (old && !atomic_compare_exchange_strong(&head, &old, atomic_load(&old->next)))
        ;
    return old;
}

static void stack_pushes(int me)
{
    push(&node[me]);
}

static void stack(int me)
{
    if (me % 2 == 0)
        push(&node[me]);
    else
        pop();
}

static void push_and_pop(int me)
{
    push(&node[me]);
    assert(pop());
}

/* Michael's and Scott's: even threads put in, odd ones take out. */
static void two_ended_queue(int me)
{
    static struct node dummy;
    static _Atomic(struct node *) first = &dummy, last = &dummy;
    struct node *n = &node[me], *end, *next;

    for (;;) {
        end = atomic_load(me % 2 ? &first : &last);
        next = atomic_load(&end->next);
        if (me % 2) {
            if (!next)
                return;
            if (end == atomic_load(&last))
                atomic_compare_exchange_strong(&last, &(struct node *){end}, next);
            else if (atomic_compare_exchange_strong(&first, &end, next))
                return;
        } else if (next) {
            atomic_compare_exchange_strong(&last, &end, next);
        } else if (atomic_compare_exchange_strong(&end->next, &next, n)) {
            atomic_compare_exchange_strong(&last, &end, n);
            return;
        }
    }
}

/* Vyukov's: many put in by an exchange, the first thread takes what is linked. */
static void exchange_queue(int me)
{
    static struct node dummy;
    static _Atomic(struct node *) last = &dummy;

    if (me == 0) {
        int taken = 0;
        for (struct node *n = &dummy; (n = atomic_load(&n->next));)
            taken++;
        assert(taken < threads);
        return;
    }
    struct node *before = atomic_exchange(&last, &node[me]);
    atomic_store(&before->next, &node[me]);
}

/* Chase's and Lev's, with one task: its owner takes it at the bottom, the others steal it at the top. */
static void work_stealing(int me)
{
    int top;

    if (me == 0) {
        atomic_store(&y, 1); /* bottom */
        atomic_store(&y, 0);
        top = atomic_load(&x);
        if (top == 0 && atomic_compare_exchange_strong(&x, &top, 1))
            atomic_fetch_add(&z, 1);
        atomic_store(&y, 1);
    } else {
        top = atomic_load(&x);
        if (top < atomic_load(&y) && atomic_compare_exchange_strong(&x, &top, top + 1))
            atomic_fetch_add(&z, 1);
    }
    assert(atomic_load(&z) <= 1);
}

/* Who reads says so first and looks again; who takes away waits for that. */
static void hazard_pointer(int me)
{
    if (me == 0) {
        atomic_store(&x, 1); /* another one is there now */
        while (atomic_load(&seen[1]) == 1 || (threads > 2 && atomic_load(&seen[2]) == 1))
            ;
        atomic_store(&y, 1); /* the first is no more */
        return;
    }
    atomic_store(&seen[me], 1);
    if (atomic_load(&x) == 0)
        assert(atomic_load(&y) == 0);
    atomic_store(&seen[me], 0);
}

static void last_reference(int me)
{
    static atomic_int references;

    atomic_fetch_add(&references, 1);
    atomic_fetch_add(&seen[me], 1);
    if (atomic_fetch_sub(&references, 1) == 1)
        atomic_fetch_add(&x, 1);
}

static void made_once(int me)
{
    struct node *mine = &node[me], *there = atomic_load(&head);

    if (!there && atomic_compare_exchange_strong(&head, &there, mine))
        there = mine;
    assert(there == atomic_load(&head));
}

static void double_checked(int me)
{
    (void)me;
    if (!atomic_load(&x)) {
        pthread_mutex_lock(&lock[0]);
        if (!atomic_load(&x)) {
            plain++;
            atomic_store(&x, 1);
        }
        pthread_mutex_unlock(&lock[0]);
    }
    assert(plain == 1);
}

/* ---- as in Flanagan and Godefroid (POPL 2005), and in Abdulla, Aronis, Jonsson and Sagonas (POPL 2014) ---- */

static void file_system(int me)
{
    enum { BLOCKS = 26 };
    static int inode[MOST], busy[BLOCKS];
    static pthread_mutex_t block[BLOCKS], *inode_lock = lock;

    pthread_mutex_lock(&inode_lock[me]);
    for (int b = 2 * me % BLOCKS; !inode[me]; b = (b + 1) % BLOCKS) {
        pthread_mutex_lock(&block[b]);
        if (!busy[b]) {
            busy[b] = 1;
            inode[me] = b + 1;
        }
        pthread_mutex_unlock(&block[b]);
    }
    pthread_mutex_unlock(&inode_lock[me]);
}

static void indexer(int me)
{
    enum { SIZE = 128, MESSAGES = 4 };
    static atomic_int table[SIZE];

    for (int m = 1; m <= MESSAGES; m++) {
        int message = m * 11 + me;
        for (int h = message * 7 % SIZE, none = 0;
             !atomic_compare_exchange_strong(&table[h], &none, message); none = 0)
            h = (h + 1) % SIZE;
    }
}

/* The first looks for the last zero, each other one makes its own place one more than the one before it. */
static void last_zero(int me)
{
    if (me == 0) {
        for (int i = threads - 1; atomic_load(&seen[i]) != 0;)
            i--;
        return;
    }
    atomic_store(&seen[me], atomic_load(&seen[me - 1]) + 1);
}

static void queue(int me)
{
    static struct node dummy;
    struct node *n = &node[me], *last, *none;

    if (me % 2) {
        struct node *first = atomic_load(&head);
        if (first)
            atomic_load(&first->next);
        return;
    }
    if (!atomic_load(&head)) {
        none = NULL;
        atomic_compare_exchange_strong(&head, &none, &dummy);
    }
    for (last = &dummy;; last = atomic_load(&last->next)) {
        none = NULL;
        if (atomic_compare_exchange_strong(&last->next, &none, n))
            return;
    }
}

static void ring(int me)
{
    static atomic_int slot[2];

    if (me == 0)
        for (int i = 0; i < 2; i++) {
            atomic_store(&slot[i % 2], i + 1);
            atomic_store(&x, i + 1);
        }
    else if (atomic_load(&x) > 0)
        assert(atomic_load(&slot[0]) == 1);
}

static void counter(int me)
{
    (void)me;
    atomic_fetch_add(&x, 1);
}

static void cas_counter(int me)
{
    int old = atomic_load(&x);

    (void)me;
    while (!atomic_compare_exchange_strong(&x, &old, old + 1))
        ;
}

static void own_words(int me)
{
    atomic_store(&seen[me], 1);
    assert(atomic_load(&seen[me]) == 1);
}

static void last_writer(int me)
{
    atomic_store(&x, me);
}

static void many_readers(int me)
{
    if (me == 0)
        atomic_store(&x, 1);
    else
        atomic_store(&seen[me], atomic_load(&x));
}

static void chain(int me)
{
    atomic_store(&seen[me + 1], atomic_load(&seen[me]) + 1);
}

static void max_of(int me)
{
    int now = atomic_load(&x);

    while (now < me && !atomic_compare_exchange_strong(&x, &now, me))
        ;
}

/* ---- litmus shapes ---- */

static void store_buffering(int me)
{
    atomic_store(me ? &y : &x, 1);
    atomic_store(&seen[me], 1 + atomic_load(me ? &x : &y));
}

static void message(int me)
{
    if (me == 0) {
        atomic_store(&x, 1);
        atomic_store(&y, 1);
    } else if (atomic_load(&y)) {
        assert(atomic_load(&x));
    }
}

static void load_buffering(int me)
{
    int r = atomic_load(me ? &y : &x);

    atomic_store(me ? &x : &y, 1);
    atomic_store(&seen[me], r);
}

static void two_writes(int me)
{
    atomic_store(me ? &y : &x, 1);
    atomic_store(me ? &x : &y, 2);
}

static void independent_reads(int me)
{
    if (me < 2) {
        atomic_store(me ? &y : &x, 1);
        return;
    }
    int first = atomic_load(me == 2 ? &x : &y), second = atomic_load(me == 2 ? &y : &x);
    atomic_store(&seen[me], 2 * first + second);
}

static void coherence(int me)
{
    if (me == 0) {
        atomic_store(&x, 1);
        atomic_store(&x, 2);
    } else {
        int first = atomic_load(&x);
        assert(first <= atomic_load(&x));
    }
}

static void write_to_read(int me)
{
    if (me == 0)
        atomic_store(&x, 1);
    else if (me == 1 && atomic_load(&x))
        atomic_store(&y, 1);
    else if (me == 2 && atomic_load(&y))
        assert(atomic_load(&x));
}

static void read_to_write(int me)
{
    if (me == 0)
        atomic_store(&x, 1);
    else if (me == 1)
        atomic_store(&z, 1 + 2 * atomic_load(&x) + atomic_load(&y));
    else {
        atomic_store(&y, 1);
        atomic_store(&w, atomic_load(&x));
    }
}

static void store_shape(int me)
{
    if (me == 0) {
        atomic_store(&x, 2);
        atomic_store(&y, 1);
    } else if (atomic_load(&y)) {
        atomic_store(&x, 1);
    }
}

static void store_buffering_ring(int me)
{
    atomic_store(&seen[me], 1);
    atomic_store(&seen[MOST + me], 1 + atomic_load(&seen[(me + 1) % threads]));
}

static void load_buffering_ring(int me)
{
    int r = atomic_load(&seen[me]);

    atomic_store(&seen[(me + 1) % threads], 1 + r);
}

static void writes_ring(int me)
{
    atomic_store(&seen[me], 1);
    atomic_store(&seen[(me + 1) % threads], 2);
}

static void message_by_way(int me)
{
    if (me == 0) {
        atomic_store(&x, 1);
        atomic_store(&y, 1);
    } else if (me == 1) {
        if (atomic_load(&y))
            atomic_store(&z, 1);
    } else if (atomic_load(&z)) {
        assert(atomic_load(&x));
    }
}

static void read_shape(int me)
{
    if (me == 0) {
        atomic_store(&x, 1);
        atomic_store(&y, 1);
    } else {
        atomic_store(&y, 2);
        atomic_store(&z, atomic_load(&x));
    }
}

static const struct program {
    const char *name;
    void (*body)(int me);
    int least, most; /* threads */
} program[] = {
    {"philosophers", philosopher, 2, 6},
    {"seated_philosophers", seated_philosopher, 2, 3},
    {"transfer", transfer, 2, 3},
    {"one_lock", one_lock, 2, 4},
    {"own_locks", own_locks, 2, 4},
    {"try_lock", try_lock, 2, 3},
    {"readers_writer", readers_writer, 2, 5},
    {"readers_writers", readers_writers, 3, 4},
    {"counted_readers", counted_readers, 2, 3},
    {"bounded_buffer", bounded_buffer, 2, 3},
    {"semaphore_buffer", semaphore_buffer, 2, 4},
    {"rendezvous", rendezvous, 2, 2},
    {"two_phase_barrier", two_phase_barrier, 2, 3},
    {"latch", latch, 2, 4},
    {"broadcast", broadcast, 2, 3},
    {"two_phases", two_phases, 2, 2},
    {"barrier", barrier_once, 2, 4},
    {"hand_over", hand_over, 2, 3},
    {"once", once_each, 2, 3},
    {"ticket_lock", ticket_lock, 2, 3},
    {"spin_lock", spin_lock, 2, 3},
    {"cas_lock", cas_lock, 2, 3},
    {"test_first_lock", test_first_lock, 2, 2},
    {"array_lock", array_lock, 2, 3},
    {"clh_lock", clh_lock, 2, 2},
    {"one_bit_lock", one_bit_lock, 2, 2},
    {"bakery", bakery, 2, 2},
    {"spinning_readers", spinning_readers, 2, 3},
    {"sense_barrier", sense_barrier, 2, 3},
    {"mcs_lock", mcs_lock, 2, 2},
    {"peterson", peterson, 2, 2},
    {"dekker", dekker, 2, 2},
    {"seqlock", seqlock, 2, 3},
    {"stack_pushes", stack_pushes, 2, 3},
    {"stack", stack, 2, 3},
    {"push_and_pop", push_and_pop, 2, 2},
    {"two_ended_queue", two_ended_queue, 2, 3},
    {"exchange_queue", exchange_queue, 2, 4},
    {"work_stealing", work_stealing, 2, 3},
    {"hazard_pointer", hazard_pointer, 2, 3},
    {"last_reference", last_reference, 2, 3},
    {"made_once", made_once, 2, 3},
    {"double_checked", double_checked, 2, 3},
    {"file_system", file_system, 14, 16},
    {"indexer", indexer, 12, 13},
    {"last_zero", last_zero, 3, 6},
    {"queue", queue, 2, 3},
    {"ring", ring, 2, 2},
    {"counter", counter, 2, 5},
    {"cas_counter", cas_counter, 2, 3},
    {"own_words", own_words, 2, 5},
    {"last_writer", last_writer, 2, 5},
    {"many_readers", many_readers, 2, 9},
    {"chain", chain, 2, 4},
    {"max_of", max_of, 2, 3},
    {"store_buffering", store_buffering, 2, 2},
    {"message", message, 2, 2},
    {"load_buffering", load_buffering, 2, 2},
    {"two_writes", two_writes, 2, 2},
    {"independent_reads", independent_reads, 4, 4},
    {"coherence", coherence, 2, 3},
    {"write_to_read", write_to_read, 3, 3},
    {"read_to_write", read_to_write, 3, 3},
    {"store_shape", store_shape, 2, 2},
    {"read_shape", read_shape, 2, 2},
    {"store_buffering_ring", store_buffering_ring, 3, 4},
    {"load_buffering_ring", load_buffering_ring, 3, 4},
    {"writes_ring", writes_ring, 3, 4},
    {"message_by_way", message_by_way, 3, 3},
};
enum { PROGRAMS = sizeof program / sizeof *program };
static const struct program *chosen;

static void *run(void *arg)
{
    chosen->body((int)(long)arg);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t[MOST];

    for (int i = 0; argc < 3 && i < PROGRAMS; i++)
        for (int n = program[i].least; n <= program[i].most; n++)
            printf("%s %d\n", program[i].name, n);
    if (argc < 3)
        return 0;
    for (int i = 0; i < PROGRAMS; i++)
        if (strcmp(program[i].name, argv[1]) == 0)
            chosen = &program[i];
    threads = atoi(argv[2]);
    if (!chosen || threads < chosen->least || threads > chosen->most)
        return 2;
    for (int i = 0; i < MOST; i++)
        pthread_mutex_init(&lock[i], NULL);
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    sem_init(&sem, 0, 0);
    sem_init(&other_sem, 0, 0);
    sem_init(&seats, 0,
             threads > 2 && chosen->body == seated_philosopher ? (unsigned)threads - 1 : 1);
    for (long i = 0; i < threads; i++)
        if (pthread_create(&t[i], NULL, run, (void *)i))
            return 2;
    for (int i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    return 0;
}
