/* programs.c - small programs that fail in some interleavings, to count the schedules it takes.
 *
 *   programs FAMILY [THREADS [DEPTH [NOISE]]]
 *
 * THREADS and DEPTH mean what the family's comment says; NOISE operations that matter to nobody come
 * before and between those that do. Fails by an assertion, a deadlock or a lost wakeup. What threads
 * share is under a lock or atomic; families whose name begins with "plain" share memory without.
 */
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 128
static int threads = 2, depth = 2, noise;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t many[MAX];
static sem_t items;
static atomic_int a, b, c, count, failed, slot[MAX];
static int x, y, value[MAX];
static pthread_t made[2 * MAX];
static int running;

static void start(void *(*run)(void *), int number)
{
    int error = pthread_create(&made[running], NULL, run, (void *)(intptr_t)number);
    assert(!error);
    running++;
}

static void join_all(void)
{
    for (int i = 0; i < running; i++)
        pthread_join(made[i], NULL);
    running = 0;
}

/* Operations on what only this thread uses. */
static void distract(void)
{
    atomic_int mine = 0;
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

    for (int i = 0; i < noise; i++) {
        pthread_mutex_lock(&own);
        atomic_fetch_add(&mine, 1);
        pthread_mutex_unlock(&own);
    }
    pthread_mutex_destroy(&own);
}

static int add_locked(pthread_mutex_t *with, int *what, int n)
{
    pthread_mutex_lock(with);
    int now = *what += n;
    pthread_mutex_unlock(with);
    return now;
}

static int read_locked(pthread_mutex_t *with, const int *what)
{
    return add_locked(with, (int *)what, 0);
}

/* THREADS - 1 threads make ready, the last one uses what all of them must have made. */
static void *make_ready(void *arg)
{
    distract();
    atomic_fetch_add(&count, 1);
    return arg;
}

static void *use_ready(void *arg)
{
    distract();
    assert(atomic_load(&count) > 0);
    return arg;
}

static void order(void)
{
    for (int i = 1; i < threads; i++)
        start(make_ready, i);
    start(use_ready, 0);
}

/* The same, and what is used is set by main after it has started everybody. */
static void *use_late(void *arg)
{
    distract();
    if ((intptr_t)arg == threads - 1)
        assert(atomic_load(&a) == 1);
    return arg;
}

static void late(void)
{
    for (int i = 0; i < threads; i++)
        start(use_late, i);
    atomic_store(&a, 1);
}

/* The same with a lock instead of an atomic. */
static void *use_late_locked(void *arg)
{
    distract();
    if ((intptr_t)arg == 0)
        assert(read_locked(&lock, &x) == 1);
    else
        read_locked(&lock, &x);
    return arg;
}

static void late_locked(void)
{
    for (int i = 0; i < threads; i++)
        start(use_late_locked, i);
    add_locked(&lock, &x, 1);
}

/* THREADS writers store two variables one after the other; a reader sees one of them only. */
static void *write_two(void *arg)
{
    distract();
    atomic_store(&a, 1);
    distract();
    atomic_store(&b, -1);
    return arg;
}

static void *read_two(void *arg)
{
    int seen = atomic_load(&a), too = atomic_load(&b);
    assert(!(seen == 1 && too == 0));
    return arg;
}

static void two_variables(void)
{
    for (int i = 0; i < threads; i++)
        start(write_two, i);
    start(read_two, 0);
}

/* THREADS threads add 1, DEPTH times: read under the lock, let go, write under the lock. */
static void *add_in_two_sections(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        int seen = read_locked(&lock, &x);
        distract();
        pthread_mutex_lock(&lock);
        x = seen + 1;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void check_total(void)
{
    assert(x == threads * depth);
}

static void lost_update(void)
{
    for (int i = 0; i < threads; i++)
        start(add_in_two_sections, i);
}

/* The same by plain memory, and by atomic load and store. */
static void *add_plain(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        x = x + 1;
    }
    return arg;
}

static void plain_update(void)
{
    for (int i = 0; i < threads; i++)
        start(add_plain, i);
}

static void *add_atomic(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        atomic_store(&a, atomic_load(&a) + 1);
    }
    return arg;
}

static void check_atomic_total(void)
{
    assert(atomic_load(&a) == threads * depth);
}

static void atomic_update(void)
{
    for (int i = 0; i < threads; i++)
        start(add_atomic, i);
}

/* One thread adds under one lock, the others under another. */
static void *add_under_wrong_lock(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        pthread_mutex_lock((intptr_t)arg ? &lock : &other);
        x = x + 1;
        pthread_mutex_unlock((intptr_t)arg ? &lock : &other);
    }
    return arg;
}

static void plain_wrong_lock(void)
{
    for (int i = 0; i < threads; i++)
        start(add_under_wrong_lock, i);
}

/* THREADS writers set two fields under two locks, THREADS readers compare them. */
static void *write_stages(void *arg)
{
    distract();
    add_locked(&lock, &x, 1);
    distract();
    add_locked(&other, &y, 1);
    return arg;
}

static void *read_stages(void *arg)
{
    distract();
    int first = read_locked(&lock, &x);
    int second = read_locked(&other, &y);
    assert(second >= first || second > 0);
    return arg;
}

static void two_stages(void)
{
    for (int i = 0; i < threads; i++) {
        start(write_stages, i);
        start(read_stages, i);
    }
}

/* DEPTH sections in each of two threads, which must alternate in all of them. */
static void *alternate(void *arg)
{
    int me = (int)(intptr_t)arg;

    for (int i = 0; i < depth; i++) {
        distract();
        pthread_mutex_lock(&lock);
        if (x == 2 * i + me)
            x++;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void check_alternation(void)
{
    assert(x < 2 * depth);
}

static void alternation(void)
{
    start(alternate, 0);
    start(alternate, 1);
}

/* A reads DEPTH fields under a lock each; the others, a field each, add in turn: A must see every
 * second one changed. */
static void *read_fields(void *arg)
{
    int odd = 0;

    for (int i = 0; i < depth; i++) {
        distract();
        odd += read_locked(&many[i], &value[i]) == i % 2;
    }
    assert(odd < depth);
    return arg;
}

static void *write_field(void *arg)
{
    distract();
    add_locked(&many[(intptr_t)arg], &value[(intptr_t)arg], 1);
    return arg;
}

static void nested_fields(void)
{
    start(read_fields, 0);
    for (int i = 0; i < depth; i++)
        start(write_field, i);
}

/* Looked at under one lock, acted on under the other: the last of two places is taken twice. */
static void *take_place(void *arg)
{
    distract();
    bool room = read_locked(&lock, &x) < depth;
    distract();
    if (room) {
        add_locked(&other, &y, 1);
        int taken = add_locked(&lock, &x, 1);
        assert(taken <= depth);
    }
    return arg;
}

static void check_then_act(void)
{
    for (int i = 0; i < threads; i++)
        start(take_place, i);
}

/* Two threads' pairs of sections under two locks: X1 Y1 of one, both of the other's in between, and
 * the other way round for the second pair. */
static void *swap_sections(void *arg)
{
    int me = (int)(intptr_t)arg, before, after;

    distract();
    before = add_locked(&lock, &x, 1);
    after = add_locked(&other, &y, 1);
    /* first to enter the one, last to enter the other */
    if (before == 1 && after == 2)
        atomic_fetch_add(&a, 1);
    distract();
    before = add_locked(&many[0], &value[0], 1);
    after = add_locked(&many[1], &value[1], 1);
    if (before == 1 && after == 2 && me == 0)
        atomic_fetch_add(&a, 1);
    assert(atomic_load(&a) < 2);
    return arg;
}

static void interleaved_sections(void)
{
    for (int i = 0; i < threads; i++)
        start(swap_sections, i);
}

/* The flag is set without the lock, then the waiter is told. */
static void *wait_for_flag(void *arg)
{
    distract();
    pthread_mutex_lock(&lock);
    while (!atomic_load(&a))
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *set_flag(void *arg)
{
    distract();
    atomic_store(&a, 1);
    pthread_cond_broadcast(&changed);
    return arg;
}

static void lost_wakeup(void)
{
    for (int i = 1; i < threads; i++)
        start(wait_for_flag, i);
    start(set_flag, 0);
}

/* The waiter looks, lets go, and only then waits. */
static void *wait_once(void *arg)
{
    distract();
    bool wait = read_locked(&lock, &x) == 0;
    pthread_mutex_lock(&lock);
    if (wait)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *signal_once(void *arg)
{
    distract();
    pthread_mutex_lock(&lock);
    x = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void wait_after_look(void)
{
    for (int i = 1; i < threads; i++)
        start(wait_once, i);
    start(signal_once, 0);
}

/* `if` instead of `while`: what was signalled is taken by somebody who did not wait. */
static void *take_item(void *arg)
{
    distract();
    pthread_mutex_lock(&lock);
    if (x == 0)
        pthread_cond_wait(&changed, &lock);
    assert(x > 0);
    x--;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *put_item(void *arg)
{
    distract();
    pthread_mutex_lock(&lock);
    x++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void if_not_while(void)
{
    for (int i = 0; i < threads; i++) {
        start(take_item, i);
        start(put_item, i);
    }
}

/* A ring of DEPTH locks, each thread takes two. */
static void *take_two(void *arg)
{
    int i = (int)(intptr_t)arg;

    distract();
    pthread_mutex_lock(&many[i]);
    pthread_mutex_lock(&many[(i + 1) % depth]);
    pthread_mutex_unlock(&many[(i + 1) % depth]);
    pthread_mutex_unlock(&many[i]);
    return arg;
}

static void ring_of_locks(void)
{
    for (int i = 0; i < depth; i++)
        start(take_two, i);
}

/* The last item of a deque goes to the owner and to a thief. */
static void *owner_takes(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        int bottom = atomic_load(&b) - 1;
        atomic_store(&b, bottom);
        int top = atomic_load(&c);
        if (top > bottom) {
            atomic_store(&b, top);
            return arg;
        }
        assert(atomic_fetch_add(&slot[bottom], 1) == 0);
        if (top == bottom)
            atomic_store(&c, top + 1);
    }
    return arg;
}

static void *thief_takes(void *arg)
{
    distract();
    int top = atomic_load(&c), bottom = atomic_load(&b);
    if (top >= bottom)
        return arg;
    if (atomic_compare_exchange_strong(&c, &top, top + 1))
        assert(atomic_fetch_add(&slot[top], 1) == 0);
    return arg;
}

static void deque(void)
{
    atomic_store(&b, depth);
    start(owner_takes, 0);
    for (int i = 1; i < threads; i++)
        start(thief_takes, i);
}

/* A lock-free stack without tags: A popped, B popped, A pushed back. */
static atomic_int head = 1, next[MAX];

static int pop(void)
{
    int old = atomic_load(&head);
    while (old && !atomic_compare_exchange_strong(&head, &old, atomic_load(&next[old])))
        ;
    if (old)
        assert(atomic_fetch_add(&slot[old], 1) == 0);
    return old;
}

static void push(int n)
{
    atomic_fetch_sub(&slot[n], 1);
    int old = atomic_load(&head);
    do
        atomic_store(&next[n], old);
    while (!atomic_compare_exchange_strong(&head, &old, n));
}

static void *juggle(void *arg)
{
    distract();
    int first = pop(), second = pop();
    (void)second;
    if (first)
        push(first);
    return arg;
}

static void aba(void)
{
    for (int i = 1; i <= depth; i++)
        atomic_store(&next[i], i < depth ? i + 1 : 0);
    for (int i = 0; i < threads; i++)
        start(juggle, i);
}

/* Published before it is filled; a user that finds it published does not look again. */
static void *use_once(void *arg)
{
    distract();
    if (!atomic_load(&a)) {
        pthread_mutex_lock(&lock);
        if (!atomic_load(&a)) {
            atomic_store(&a, 1);
            distract();
            atomic_store(&b, 1);
        }
        pthread_mutex_unlock(&lock);
    }
    assert(atomic_load(&b) == 1);
    return arg;
}

static void published_early(void)
{
    for (int i = 0; i < threads; i++)
        start(use_once, i);
}

/* Taken and given back by load and store: the last one may come twice, or never. */
static void *hold_reference(void *arg)
{
    distract();
    int n = atomic_load(&count);
    if (n == 0)
        return arg;
    atomic_store(&count, n + 1);
    distract();
    assert(!atomic_load(&failed));
    if (atomic_fetch_sub(&count, 1) == 1)
        atomic_store(&failed, 1);
    return arg;
}

static void *drop_reference(void *arg)
{
    if (atomic_fetch_sub(&count, 1) == 1)
        atomic_store(&failed, 1);
    return arg;
}

static void reference_count(void)
{
    atomic_store(&count, 1);
    for (int i = 1; i < threads; i++)
        start(hold_reference, i);
    start(drop_reference, 0);
}

/* A request that has seen no stop yet is counted after the stopper found nobody. */
static void *serve(void *arg)
{
    distract();
    for (int i = 0; i < depth; i++) {
        if (atomic_load(&a))
            return arg;
        atomic_fetch_add(&count, 1);
        assert(!atomic_load(&failed));
        atomic_fetch_sub(&count, 1);
    }
    return arg;
}

static void *stop(void *arg)
{
    distract();
    atomic_store(&a, 1);
    if (atomic_load(&count) == 0)
        atomic_store(&failed, 1);
    return arg;
}

static void stop_flag(void)
{
    for (int i = 1; i < threads; i++)
        start(serve, i);
    start(stop, 0);
}

/* Stages hand on through one-place boxes; the last one closes what another still fills. */
static void *produce(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        bool open = read_locked(&lock, &x) == 0;
        distract();
        if (open) {
            pthread_mutex_lock(&other);
            assert(y >= 0);
            y++;
            pthread_mutex_unlock(&other);
        }
    }
    return arg;
}

static void *close_it(void *arg)
{
    distract();
    add_locked(&lock, &x, 1);
    pthread_mutex_lock(&other);
    y = -1;
    pthread_mutex_unlock(&other);
    return arg;
}

static void send_on_closed(void)
{
    for (int i = 1; i < threads; i++)
        start(produce, i);
    start(close_it, 0);
}

/* Read lock, look, unlock, write lock, act: two do it. */
static void *upgrade(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        pthread_rwlock_rdlock(&shared);
        bool absent = x == i;
        pthread_rwlock_unlock(&shared);
        if (absent) {
            pthread_rwlock_wrlock(&shared);
            x++;
            assert(x == i + 1);
            pthread_rwlock_unlock(&shared);
        }
    }
    return arg;
}

static void upgrade_lock(void)
{
    for (int i = 0; i < threads; i++)
        start(upgrade, i);
}

/* Each says that it wants in only after it has looked whether the other does. */
static void *enter(void *arg)
{
    int me = (int)(intptr_t)arg;

    distract();
    for (int i = 0; i < threads; i++)
        if (i != me && atomic_load(&slot[i]))
            return arg;
    atomic_store(&slot[me], 1);
    assert(atomic_fetch_add(&count, 1) == 0);
    atomic_fetch_sub(&count, 1);
    atomic_store(&slot[me], 0);
    return arg;
}

static void late_flag(void)
{
    for (int i = 0; i < threads; i++)
        start(enter, i);
}

/* A ring buffer whose writers take a place by load and store. */
static void *put_in_ring(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        int at = atomic_load(&b);
        assert(atomic_exchange(&slot[at], 1) == 0);
        atomic_store(&b, at + 1);
    }
    return arg;
}

static void ring_buffer(void)
{
    for (int i = 0; i < threads; i++)
        start(put_in_ring, i);
}

/* Posted once for each item, and taken twice by one consumer: the others stand still. */
static void *consume(void *arg)
{
    distract();
    if (sem_trywait(&items) == 0)
        atomic_fetch_add(&count, 1);
    sem_wait(&items);
    return arg;
}

static void *post(void *arg)
{
    for (int i = 1; i < threads; i++) {
        distract();
        sem_post(&items);
    }
    return arg;
}

static void two_tokens(void)
{
    sem_init(&items, 0, 0);
    for (int i = 1; i < threads; i++)
        start(consume, i);
    start(post, 0);
}

/* Who comes last resets the counter that a slow one still waits on. */
static void *meet(void *arg)
{
    for (int round = 0; round < depth; round++) {
        distract();
        pthread_mutex_lock(&lock);
        x++;
        if (x == threads) {
            x = 0;
            pthread_cond_broadcast(&changed);
        } else {
            while (x)
                pthread_cond_wait(&changed, &lock);
        }
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void reused_barrier(void)
{
    for (int i = 0; i < threads; i++)
        start(meet, i);
}

/* A transfer between two accounts, and an auditor who looks at one after the other. */
static void *transfer(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        add_locked(&many[0], &value[0], -1);
        add_locked(&many[1], &value[1], 1);
    }
    return arg;
}

static void *audit(void *arg)
{
    distract();
    int sum = read_locked(&many[0], &value[0]) + read_locked(&many[1], &value[1]);
    assert(sum <= 0);
    return arg;
}

static void accounts(void)
{
    for (int i = 1; i < threads; i++)
        start(transfer, i);
    start(audit, 0);
}

/* Initialised by whoever finds it empty, by test and set of two fields: pointer first. */
static int *pointer;

static void *fill(void *arg)
{
    static int target;

    distract();
    if (!pointer)
        pointer = &target;
    distract();
    return arg;
}

static void *clear(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        if (pointer) {
            distract();
            assert(pointer);
            *pointer = 1;
        }
    }
    return arg;
}

static void *forget(void *arg)
{
    distract();
    pointer = NULL;
    return arg;
}

static void plain_pointer(void)
{
    start(fill, 0);
    for (int i = 1; i < threads; i++)
        start(clear, i);
    start(forget, 0);
}

/* THREADS - 1 threads write two values, one after the other; the last one must not see them half written. */
static volatile int first_half, second_half;

static void *write_both(void *arg)
{
    distract();
    first_half = 1;
    second_half = 1;
    return arg;
}

static void *see_both(void *arg)
{
    distract();
    int first = first_half;
    assert(first == second_half);
    return arg;
}

static void plain_halves(void)
{
    for (int i = 1; i < threads; i++)
        start(write_both, i);
    start(see_both, 0);
}

/* Who finds the driver not stopping counts itself in; who stops it waits for nobody that came later. */
static void *request(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        if (atomic_load(&a))
            return arg;
        atomic_fetch_add(&count, 1);
        assert(!atomic_load(&b));
        atomic_fetch_sub(&count, 1);
    }
    return arg;
}

static void *stop_driver(void *arg)
{
    distract();
    atomic_store(&a, 1);
    if (atomic_fetch_sub(&count, 1) == 1)
        atomic_store(&b, 1);
    return arg;
}

static void driver_stop(void)
{
    atomic_store(&count, 1);
    for (int i = 1; i < threads; i++)
        start(request, i);
    start(stop_driver, 0);
}

/* One place, one condition variable for those that wait for it to be full and to be empty. */
static void *fill_place(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        pthread_mutex_lock(&lock);
        while (x)
            pthread_cond_wait(&changed, &lock);
        x = 1;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *empty_place(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        pthread_mutex_lock(&lock);
        while (!x)
            pthread_cond_wait(&changed, &lock);
        x = 0;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void one_condition(void)
{
    for (int i = 0; i < threads; i++) {
        start(fill_place, i);
        start(empty_place, i);
    }
}

/* Which lock is taken first depends on what the others did before. */
static void *by_state(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        bool back = read_locked(&many[2], &x) % 2;
        pthread_mutex_lock(&many[back]);
        add_locked(&many[2], &x, 1);
        pthread_mutex_lock(&many[!back]);
        add_locked(&many[2], &x, 1);
        pthread_mutex_unlock(&many[!back]);
        pthread_mutex_unlock(&many[back]);
    }
    return arg;
}

static void orders_by_state(void)
{
    for (int i = 0; i < threads; i++)
        start(by_state, i);
}

/* A queue whose owner takes at the tail without the lock, unless only one is left. */
static void *take_at_tail(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        int tail = atomic_load(&b) - 1;
        if (atomic_load(&c) < tail) {
            assert(atomic_fetch_add(&slot[tail], 1) == 0);
            atomic_store(&b, tail);
            continue;
        }
        pthread_mutex_lock(&lock);
        if (atomic_load(&c) <= tail) {
            assert(atomic_fetch_add(&slot[tail], 1) == 0);
            atomic_store(&b, tail);
        }
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *steal_at_head(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        pthread_mutex_lock(&lock);
        int front = atomic_load(&c);
        if (front < atomic_load(&b)) {
            atomic_store(&c, front + 1);
            assert(atomic_fetch_add(&slot[front], 1) == 0);
        }
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void queue_steal(void)
{
    atomic_store(&b, depth + 1);
    start(take_at_tail, 0);
    for (int i = 1; i < threads; i++)
        start(steal_at_head, i);
}

/* The length is asked for under the lock, and used under it when it was taken again. */
static void *append_all(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        int length = read_locked(&other, &y);
        pthread_mutex_lock(&lock);
        assert(read_locked(&other, &y) >= length);
        x += length;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *erase_all(void *arg)
{
    distract();
    pthread_mutex_lock(&other);
    y = 0;
    pthread_mutex_unlock(&other);
    return arg;
}

static void append(void)
{
    y = 5;
    for (int i = 1; i < threads; i++)
        start(append_all, i);
    start(erase_all, 0);
}

/* Each says that it is done, and then looks once more at what is given away when all are done. */
static void *work_and_look(void *arg)
{
    for (int i = 0; i < depth; i++)
        distract();
    atomic_fetch_add(&count, 1);
    assert(!atomic_load(&a));
    return arg;
}

static void *give_away(void *arg)
{
    distract();
    if (atomic_load(&count) == threads - 1)
        atomic_store(&a, 1);
    return arg;
}

static void late_use(void)
{
    for (int i = 1; i < threads; i++)
        start(work_and_look, i);
    start(give_away, 0);
}

/* ---- classic mistakes, which no strategy was chosen by ---- */

/* There is enough, as far as one looked before. */
static void *withdraw(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        if (read_locked(&many[0], &value[0]) >= 10)
            assert(add_locked(&many[0], &value[0], -10) >= 0);
        add_locked(&many[1], &value[1], 10);
    }
    return arg;
}

static void overdraft(void)
{
    value[0] = 10 * threads * depth - 10;
    for (int i = 0; i < threads; i++)
        start(withdraw, i);
}

/* What is waited for is looked at before the lock is taken. */
static void *look_and_wait(void *arg)
{
    distract();
    if (!atomic_load(&a)) {
        pthread_mutex_lock(&lock);
        pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *set_and_signal(void *arg)
{
    distract();
    pthread_mutex_lock(&lock);
    atomic_store(&a, 1);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void missed_signal(void)
{
    for (int i = 1; i < threads; i++)
        start(look_and_wait, i);
    start(set_and_signal, 0);
}

/* Made by a thread that makes the next one before it has set up what that one uses. */
static void *set_up(void *arg)
{
    int me = (int)(intptr_t)arg;
    pthread_t next_one;

    distract();
    assert(me == 0 || atomic_load(&slot[me]) == 1);
    if (me + 1 < threads) {
        atomic_fetch_add(&slot[me + 1], 1);
        pthread_create(&next_one, NULL, set_up, (void *)(intptr_t)(me + 1));
        atomic_store(&a, me);
        pthread_join(next_one, NULL);
    } else {
        assert(atomic_load(&a) == me - 1);
    }
    return arg;
}

static void chain_of_setup(void)
{
    start(set_up, 0);
}

/* Nobody looks again under the lock: it is made twice, and who has the first one loses it. */
static void *get_instance(void *arg)
{
    distract();
    if (!atomic_load(&a)) {
        pthread_mutex_lock(&lock);
        atomic_store(&a, atomic_fetch_add(&count, 1) + 1);
        pthread_mutex_unlock(&lock);
    }
    int mine = atomic_load(&a);
    distract();
    assert(mine == atomic_load(&a));
    return arg;
}

static void made_twice(void)
{
    for (int i = 0; i < threads; i++)
        start(get_instance, i);
}

/* Readers who want to write wait until they are the only one: two do so for ever. */
static void *read_and_upgrade(void *arg)
{
    pthread_mutex_lock(&lock);
    x++;
    pthread_mutex_unlock(&lock);
    distract();
    pthread_mutex_lock(&lock);
    while (x > 1)
        pthread_cond_wait(&changed, &lock);
    x--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void upgrade_together(void)
{
    for (int i = 0; i < threads; i++)
        start(read_and_upgrade, i);
}

/* Three locks in a circle; the third thread closes it only when it was told to. */
static void *take_pair(void *arg)
{
    int i = (int)(intptr_t)arg;

    for (int round = 0; round < depth; round++) {
        distract();
        if (i == 2 && !read_locked(&lock, &x))
            continue;
        pthread_mutex_lock(&many[i]);
        pthread_mutex_lock(&many[(i + 1) % 3]);
        add_locked(&lock, &x, 1);
        pthread_mutex_unlock(&many[(i + 1) % 3]);
        pthread_mutex_unlock(&many[i]);
    }
    return arg;
}

static void three_locks(void)
{
    for (int i = 0; i < threads; i++)
        start(take_pair, i % 3);
}

/* A consumer waits for anything to have been produced, not for something to be there. */
static void *consume_one(void *arg)
{
    distract();
    pthread_mutex_lock(&lock);
    while (x == 0)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    assert(add_locked(&other, &y, -1) >= 0);
    return arg;
}

static void *produce_some(void *arg)
{
    for (int i = 1; i < threads; i++) {
        distract();
        add_locked(&other, &y, 1);
        pthread_mutex_lock(&lock);
        x++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void wrong_predicate(void)
{
    for (int i = 1; i < threads; i++)
        start(consume_one, i);
    start(produce_some, 0);
}

/* A stack whose elements are changed under the lock, and its size beside it. */
static void *push_one(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        int at = atomic_fetch_add(&count, 1);
        pthread_mutex_lock(&lock);
        value[at] = 1;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *pop_one(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        int at = atomic_load(&count) - 1;
        if (at < 0)
            continue;
        pthread_mutex_lock(&lock);
        assert(value[at] == 1);
        value[at] = 0;
        pthread_mutex_unlock(&lock);
        atomic_store(&count, at);
    }
    return arg;
}

static void stack_size(void)
{
    for (int i = 1; i < threads; i++)
        start(push_one, i);
    start(pop_one, 0);
}

/* The token goes round; who counts tokens one by one meets it twice. */
static void *hand_on(void *arg)
{
    int me = (int)(intptr_t)arg;

    for (int i = 0; i < depth; i++) {
        distract();
        if (atomic_load(&slot[me]) == 1) {
            atomic_store(&slot[me], 0);
            atomic_store(&slot[(me + 1) % threads], 1);
        }
    }
    return arg;
}

static void *count_tokens(void *arg)
{
    int sum = 0;

    for (int i = 0; i < threads; i++)
        sum += atomic_load(&slot[i]);
    assert(sum < 2);
    return arg;
}

static void token_ring(void)
{
    atomic_store(&slot[0], 1);
    for (int i = 0; i < threads; i++)
        start(hand_on, i);
    start(count_tokens, 0);
}

/* Peterson's lock: the turn is given away before one says that one wants in. */
static void *peterson(void *arg)
{
    int me = (int)(intptr_t)arg;

    for (int i = 0; i < depth; i++) {
        distract();
        atomic_store(&c, !me);
        atomic_store(&slot[me], 1);
        if (!atomic_load(&slot[!me]) || atomic_load(&c) == me) {
            assert(atomic_fetch_add(&count, 1) == 0);
            atomic_fetch_sub(&count, 1);
        }
        atomic_store(&slot[me], 0);
    }
    return arg;
}

static void turn_first(void)
{
    start(peterson, 0);
    start(peterson, 1);
}

/* Dekker's lock: the turn is given away before the section is left. */
static void *dekker(void *arg)
{
    int me = (int)(intptr_t)arg;

    distract();
    atomic_store(&slot[me], 1);
    if (atomic_load(&slot[!me])) {
        if (atomic_load(&c) != me) {
            atomic_store(&slot[me], 0);
            for (int i = 0; i < 3 && atomic_load(&c) != me; i++)
                distract();
            if (atomic_load(&c) != me)
                return arg;
            atomic_store(&slot[me], 1);
        } else {
            return arg;
        }
    }
    assert(atomic_fetch_add(&count, 1) == 0);
    atomic_store(&c, !me);
    atomic_fetch_sub(&count, 1);
    atomic_store(&slot[me], 0);
    return arg;
}

static void turn_too_soon(void)
{
    start(dekker, 0);
    start(dekker, 1);
}

/* A barrier that counts to THREADS and is set back by one of those that leave it. */
static void *pass_twice(void *arg)
{
    for (int round = 0; round < 2; round++) {
        pthread_mutex_lock(&lock);
        if (++x == threads)
            pthread_cond_broadcast(&changed);
        while (x < threads)
            pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
        if (++y == threads)
            x = y = 0;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void barrier_set_back(void)
{
    for (int i = 0; i < threads; i++)
        start(pass_twice, i);
}

/* A reference is taken though the last one may be gone by then. */
static void *take_reference(void *arg)
{
    distract();
    if (atomic_load(&count) > 0) {
        atomic_fetch_add(&count, 1);
        assert(!atomic_load(&failed));
        if (atomic_fetch_sub(&count, 1) == 1)
            atomic_store(&failed, 1);
    }
    return arg;
}

static void resurrection(void)
{
    atomic_store(&count, 1);
    for (int i = 1; i < threads; i++)
        start(take_reference, i);
    start(drop_reference, 0);
}

/* Owner and thief both look whether there is work, and take it from two ends. */
static void *own_work(void *arg)
{
    for (int i = 0; i < depth; i++) {
        distract();
        int bottom = atomic_load(&b);
        if (atomic_load(&c) < bottom) {
            atomic_store(&b, bottom - 1);
            assert(atomic_fetch_add(&slot[bottom - 1], 1) == 0);
        }
    }
    return arg;
}

static void *steal_work(void *arg)
{
    distract();
    pthread_mutex_lock(&lock);
    int top = atomic_load(&c);
    if (top < atomic_load(&b)) {
        assert(atomic_fetch_add(&slot[top], 1) == 0);
        atomic_store(&c, top + 1);
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

static void stolen_twice(void)
{
    atomic_store(&b, depth);
    start(own_work, 0);
    for (int i = 1; i < threads; i++)
        start(steal_work, i);
}

/* At most THREADS - 1 may come in; all look first. */
static void *come_in(void *arg)
{
    distract();
    if (atomic_load(&count) < threads - 1)
        atomic_fetch_add(&count, 1);
    return arg;
}

static void check_bound(void)
{
    assert(atomic_load(&count) < threads);
}

static void bounded_counter(void)
{
    for (int i = 0; i < threads; i++)
        start(come_in, i);
}

static const struct {
    const char *name;
    void (*begin)(void), (*check)(void);
} family[] = {
    {"order", order, NULL},
    {"late", late, NULL},
    {"late_locked", late_locked, NULL},
    {"two_variables", two_variables, NULL},
    {"lost_update", lost_update, check_total},
    {"plain_update", plain_update, check_total},
    {"atomic_update", atomic_update, check_atomic_total},
    {"plain_wrong_lock", plain_wrong_lock, check_total},
    {"two_stages", two_stages, NULL},
    {"alternation", alternation, check_alternation},
    {"nested_fields", nested_fields, NULL},
    {"check_then_act", check_then_act, NULL},
    {"interleaved_sections", interleaved_sections, NULL},
    {"lost_wakeup", lost_wakeup, NULL},
    {"wait_after_look", wait_after_look, NULL},
    {"if_not_while", if_not_while, NULL},
    {"ring_of_locks", ring_of_locks, NULL},
    {"deque", deque, NULL},
    {"aba", aba, NULL},
    {"published_early", published_early, NULL},
    {"reference_count", reference_count, NULL},
    {"stop_flag", stop_flag, NULL},
    {"send_on_closed", send_on_closed, NULL},
    {"upgrade_lock", upgrade_lock, NULL},
    {"late_flag", late_flag, NULL},
    {"ring_buffer", ring_buffer, NULL},
    {"two_tokens", two_tokens, NULL},
    {"reused_barrier", reused_barrier, NULL},
    {"accounts", accounts, NULL},
    {"plain_pointer", plain_pointer, NULL},
    {"plain_halves", plain_halves, NULL},
    {"driver_stop", driver_stop, NULL},
    {"one_condition", one_condition, NULL},
    {"orders_by_state", orders_by_state, NULL},
    {"queue_steal", queue_steal, NULL},
    {"append", append, NULL},
    {"late_use", late_use, NULL},
    {"overdraft", overdraft, NULL},
    {"missed_signal", missed_signal, NULL},
    {"chain_of_setup", chain_of_setup, NULL},
    {"made_twice", made_twice, NULL},
    {"upgrade_together", upgrade_together, NULL},
    {"three_locks", three_locks, NULL},
    {"wrong_predicate", wrong_predicate, NULL},
    {"stack_size", stack_size, NULL},
    {"token_ring", token_ring, NULL},
    {"turn_first", turn_first, NULL},
    {"turn_too_soon", turn_too_soon, NULL},
    {"barrier_set_back", barrier_set_back, NULL},
    {"resurrection", resurrection, NULL},
    {"stolen_twice", stolen_twice, NULL},
    {"bounded_counter", bounded_counter, check_bound},
};

static int bounded(const char *text, int most)
{
    int n = atoi(text);

    if (n < 0 || n > most) {
        fprintf(stderr, "programs: a number from 0 to %d, not %s\n", most, text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    threads = argc > 2 ? bounded(argv[2], MAX - 1) : 2;
    depth = argc > 3 ? bounded(argv[3], MAX - 1) : 2;
    noise = argc > 4 ? bounded(argv[4], 1000) : 0;
    for (int i = 0; i < MAX; i++)
        pthread_mutex_init(&many[i], NULL);
    for (size_t i = 0; argc > 1 && i < sizeof family / sizeof *family; i++)
        if (strcmp(family[i].name, argv[1]) == 0) {
            family[i].begin();
            join_all();
            if (family[i].check)
                family[i].check();
            return 0;
        }
    fprintf(stderr, "programs: which family? see programs.c\n");
    return 2;
}
