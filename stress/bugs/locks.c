/* locks.c - hd_mutex, hd_rwmutex, hd_cond: cycles, double locks, wrong locks, missed signals. */
#include "bug.h"

static void m_then_n(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    HD_SCOPED_LOCK(&b->n);
    b->x++;
}

static void n_then_m(void *arg)
{
    struct box *b = arg;

    if (b->right) {
        m_then_n(b);
        return;
    }
    HD_SCOPED_LOCK(&b->n);
    HD_SCOPED_LOCK(&b->m);
    b->x++;
}

BUG(mutexes_in_two_orders)
{
    struct box *b = box_new(right);

    RUN(m_then_n, b);
    RUN(n_then_m, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 2);
}

static void send_locked(void *arg)
{
    struct box *b = arg;
    int value;

    hd_mutex_lock(&b->m);
    value = ++b->x;
    if (b->right)
        hd_mutex_unlock(&b->m);
    hd_chan_send(b->a, &value);
    if (!b->right)
        hd_mutex_unlock(&b->m);
}

static void receive_locked(void *arg)
{
    struct box *b = arg;
    int value;

    {
        HD_SCOPED_LOCK(&b->m);
        b->y++;
    }
    hd_chan_recv(b->a, &value);
}

BUG(send_under_lock)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 0);
    RUN(send_locked, b);
    RUN(receive_locked, b);
    hd_wg_wait(&b->wg);
}

static int locked_size(struct box *b)
{
    HD_SCOPED_LOCK(&b->m);
    return b->x;
}

BUG(method_locks_again)
{
    struct box *b = box_new(right);

    hd_mutex_lock(&b->m);
    b->x = 3;
    if (right)
        hd_mutex_unlock(&b->m);
    assert(locked_size(b) == 3);
    if (!right)
        hd_mutex_unlock(&b->m);
}

static void read_twice(void *arg)
{
    struct box *b = arg;

    hd_rwmutex_rlock(&b->rw);
    b->y = b->x;
    if (!b->right) {
        hd_rwmutex_rlock(&b->rw); /* a helper that locks, too */
        hd_rwmutex_runlock(&b->rw);
    }
    hd_rwmutex_runlock(&b->rw);
}

static void write_once(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_WLOCK(&b->rw);
    b->x++;
}

BUG(writer_between_two_reads)
{
    struct box *b = box_new(right);

    RUN(read_twice, b);
    RUN(write_once, b);
    hd_wg_wait(&b->wg);
}

static void upgrade(void *arg)
{
    struct box *b = arg;
    bool missing;

    hd_rwmutex_rlock(&b->rw);
    missing = b->x == 0;
    if (b->right)
        hd_rwmutex_runlock(&b->rw);
    if (missing) {
        HD_SCOPED_WLOCK(&b->rw);
        b->x = 1;
    }
    if (!b->right)
        hd_rwmutex_runlock(&b->rw);
}

BUG(read_lock_upgraded)
{
    struct box *b = box_new(right);

    RUN(upgrade, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 1);
}

static void insert_unless_bad(void *arg)
{
    struct box *b = arg;
    int item = (int)hd_int64_add(&b->count, 1);

    hd_mutex_lock(&b->m);
    if (item == 1) {
        if (b->right)
            hd_mutex_unlock(&b->m);
        return; /* a bad item */
    }
    b->x += item;
    hd_mutex_unlock(&b->m);
}

BUG(return_without_unlock)
{
    struct box *b = box_new(right);

    RUN(insert_unless_bad, b);
    RUN(insert_unless_bad, b);
    hd_wg_wait(&b->wg);
}

BUG(unlock_on_every_path)
{
    struct box *b = box_new(right);

    hd_mutex_lock(&b->m);
    b->x++;
    hd_mutex_unlock(&b->m);
    if (!right)
        hd_mutex_unlock(&b->m); /* the clean-up path does it again */
}

struct account {
    struct hd_mutex m;
    int balance;
};

BUG(locked_struct_copied)
{
    struct account account = {.balance = 5}, copy;

    hd_mutex_lock(&account.m);
    if (right)
        copy = (struct account){.balance = account.balance};
    else
        copy = account; /* its mutex is locked for ever */
    hd_mutex_unlock(&account.m);
    hd_mutex_lock(&copy.m);
    assert(copy.balance == 5);
    hd_mutex_unlock(&copy.m);
}

static void add_under(struct box *b, struct hd_mutex *lock)
{
    HD_SCOPED_LOCK(lock);
    b->x++;
}

static void add_under_m(void *arg)
{
    add_under(arg, &((struct box *)arg)->m);
}

static void add_under_n(void *arg)
{
    struct box *b = arg;

    add_under(b, b->right ? &b->m : &b->n);
}

BUG(two_locks_for_one_count)
{
    struct box *b = box_new(right);

    RUN(add_under_m, b);
    RUN(add_under_n, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 2);
}

static void count_reads(void *arg)
{
    struct box *b = arg;

    hd_rwmutex_rlock(&b->rw);
    if (b->right)
        hd_int64_add(&b->count, 1);
    else
        b->x++; /* statistics under a lock for reading */
    hd_rwmutex_runlock(&b->rw);
}

BUG(writes_under_read_lock)
{
    struct box *b = box_new(right);

    RUN(count_reads, b);
    RUN(count_reads, b);
    hd_wg_wait(&b->wg);
    assert(b->x + hd_int64_load(&b->count) == 2);
}

static void try_and_go_on(void *arg)
{
    struct box *b = arg;
    bool locked = hd_mutex_trylock(&b->m);

    if (!locked && b->right)
        return;
    b->x++;
    if (locked)
        hd_mutex_unlock(&b->m);
}

BUG(trylock_answer_ignored)
{
    struct box *b = box_new(right);

    RUN(try_and_go_on, b);
    RUN(try_and_go_on, b);
    hd_wg_wait(&b->wg);
}

static void withdraw(void *arg)
{
    struct box *b = arg;
    bool enough;

    hd_mutex_lock(&b->m);
    enough = b->x >= 10;
    if (!b->right) {
        hd_mutex_unlock(&b->m);
        hd_mutex_lock(&b->m);
    }
    if (enough)
        b->x -= 10;
    assert(b->x >= 0);
    hd_mutex_unlock(&b->m);
}

BUG(lock_dropped_between)
{
    struct box *b = box_new(right);

    b->x = 15;
    RUN(withdraw, b);
    RUN(withdraw, b);
    hd_wg_wait(&b->wg);
}

BUG(wait_under_lock)
{
    struct box *b = box_new(right);

    hd_mutex_lock(&b->m);
    RUN(add_under_m, b);
    if (right)
        hd_mutex_unlock(&b->m);
    hd_wg_wait(&b->wg);
    if (!right)
        hd_mutex_unlock(&b->m);
    assert(b->x == 1);
}

static void take_one(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    if (b->right)
        while (b->x == 0)
            hd_cond_wait(&b->cond);
    else if (b->x == 0)
        hd_cond_wait(&b->cond);
    b->x--;
    assert(b->x >= 0 && "another took it first");
}

static void put_two(void *arg)
{
    struct box *b = arg;

    for (int i = 0; i < 2; i++) {
        HD_SCOPED_LOCK(&b->m);
        b->x++;
        hd_cond_broadcast(&b->cond);
    }
}

BUG(wait_without_loop)
{
    struct box *b = box_new(right);

    RUN(take_one, b);
    RUN(take_one, b);
    RUN(put_two, b);
    hd_wg_wait(&b->wg);
}

static void await_start(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    while (b->x == 0)
        hd_cond_wait(&b->cond);
}

BUG(signal_wakes_only_one)
{
    struct box *b = box_new(right);

    RUN(await_start, b);
    RUN(await_start, b);
    hd_mutex_lock(&b->m);
    b->x = 1;
    if (right)
        hd_cond_broadcast(&b->cond);
    else
        hd_cond_signal(&b->cond);
    hd_mutex_unlock(&b->m);
    hd_wg_wait(&b->wg);
}

static void await_signal(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    if (!b->right || b->x == 0)
        hd_cond_wait(&b->cond);
}

BUG(signal_before_the_wait)
{
    struct box *b = box_new(right);

    RUN(await_signal, b);
    hd_mutex_lock(&b->m);
    b->x = 1;
    hd_cond_signal(&b->cond);
    hd_mutex_unlock(&b->m);
    hd_wg_wait(&b->wg);
}

static void unsubscribe(struct box *b)
{
    HD_SCOPED_LOCK(&b->m);
    b->x--;
}

/* Listeners are told under the lock, and one of them unsubscribes. */
BUG(callback_under_lock)
{
    struct box *b = box_new(right);
    void (*listener)(struct box *) = unsubscribe;

    b->x = 1;
    hd_mutex_lock(&b->m);
    b->y++;
    if (right)
        hd_mutex_unlock(&b->m);
    listener(b);
    if (!right)
        hd_mutex_unlock(&b->m);
    assert(b->x == 0);
}

/* A channel as a lock, a mutex and a reader/writer lock in a circle. */
static void chan_then_mutex(void *arg)
{
    struct box *b = arg;

    hd_chan_send(b->a, NULL);
    hd_mutex_lock(&b->m);
    b->x++;
    hd_mutex_unlock(&b->m);
    hd_chan_recv(b->a, NULL);
}

static void mutex_then_rwmutex(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    HD_SCOPED_WLOCK(&b->rw);
    b->x++;
}

static void rwmutex_then_chan(void *arg)
{
    struct box *b = arg;

    if (b->right)
        hd_chan_send(b->a, NULL);
    hd_rwmutex_rlock(&b->rw);
    if (!b->right)
        hd_chan_send(b->a, NULL);
    b->y++;
    hd_rwmutex_runlock(&b->rw);
    hd_chan_recv(b->a, NULL);
}

BUG(three_kinds_of_lock_in_a_circle)
{
    struct box *b = box_new(right);

    b->a = SIGNAL(1);
    RUN(chan_then_mutex, b);
    RUN(mutex_then_rwmutex, b);
    RUN(rwmutex_then_chan, b);
    hd_wg_wait(&b->wg);
}

/* Two channels of one place as locks: full is taken. */
static void chans_in_order(void *arg)
{
    struct box *b = arg;

    for (int i = 0; i < 2; i++) {
        hd_chan_send(b->a, NULL);
        hd_chan_send(b->b, NULL);
        b->x++;
        hd_chan_recv(b->b, NULL);
        hd_chan_recv(b->a, NULL);
    }
}

static void chans_the_other_way(void *arg)
{
    struct box *b = arg;

    for (int i = 0; i < 2; i++) {
        hd_chan_send(b->right ? b->a : b->b, NULL);
        hd_chan_send(b->right ? b->b : b->a, NULL);
        b->x++;
        hd_chan_recv(b->a, NULL);
        hd_chan_recv(b->b, NULL);
    }
}

BUG(channel_locks_in_two_orders)
{
    struct box *b = box_new(right);

    b->a = SIGNAL(1);
    b->b = SIGNAL(1);
    chans_in_order(b); /* alone: who takes also gives back */
    RUN(chans_in_order, b);
    RUN(chans_the_other_way, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 6);
}

/* The same, filled at first: empty is taken. */
static void tokens_in_order(void *arg)
{
    struct box *b = arg;
    bool turned = !b->right && hd_int64_add(&b->count, 1) % 2 == 0;

    hd_chan_recv(turned ? b->b : b->a, NULL);
    hd_chan_recv(turned ? b->a : b->b, NULL);
    b->x++;
    hd_chan_send(b->a, NULL);
    hd_chan_send(b->b, NULL);
}

BUG(tokens_in_two_orders)
{
    struct box *b = box_new(right);

    b->a = SIGNAL(1);
    b->b = SIGNAL(1);
    hd_chan_send(b->a, NULL);
    hd_chan_send(b->b, NULL);
    tokens_in_order(b);
    for (int i = 0; i < 3; i++)
        RUN(tokens_in_order, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 4);
}

static void receive_with_lock(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    hd_chan_recv(b->a, NULL);
    b->x++;
}

static void lock_then_send(void *arg)
{
    struct box *b = arg;

    {
        HD_SCOPED_LOCK(&b->m);
        b->x++;
    }
    hd_chan_send(b->a, &b->y);
}

static void send_without_lock(void *arg)
{
    struct box *b = arg;

    hd_chan_send(b->a, &b->y);
}

/* With the lock that the sender needs; in the right form there is another, who does not. */
BUG(receive_under_lock)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 2);
    RUN(receive_with_lock, b);
    RUN(lock_then_send, b);
    if (right)
        RUN(send_without_lock, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 2);
}

static void send_all_locked(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    for (int i = 0; i < 3; i++)
        hd_chan_send(b->a, &i);
}

static void lock_then_receive(void *arg)
{
    struct box *b = arg;

    {
        HD_SCOPED_LOCK(&b->m);
        b->x++;
    }
    for (int i = 0; i < 3; i++)
        hd_chan_recv(b->a, NULL);
}

/* More than there is room for, with the lock that the receiver needs. */
BUG(room_for_fewer_under_lock)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, right ? 3 : 2);
    RUN(send_all_locked, b);
    RUN(lock_then_receive, b);
    hd_wg_wait(&b->wg);
}
