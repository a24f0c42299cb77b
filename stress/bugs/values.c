/* values.c - no lock is missing a partner here: updates are lost, data escapes, order is assumed.
 */
#include "bug.h"

#include <stdlib.h>

#include <heddle/pool.h>

static void *make_int(void *arg)
{
    (void)arg;
    return calloc(1, sizeof(int));
}

static void drop_int(void *object, void *arg)
{
    (void)arg;
    free(object);
}

struct pooled {
    struct hd_pool pool;
    struct box *box;
};

static struct pooled *pooled_new(bool right)
{
    struct pooled *p = KEEP(struct pooled);

    p->box = box_new(right);
    started(hd_pool_init(&p->pool, make_int, drop_int, NULL));
    return p;
}

static void use_alone(void *arg)
{
    struct pooled *p = arg;
    int *mine = hd_pool_get(&p->pool);
    int number = (int)hd_int64_add(&p->box->count, 1);

    *mine = number;
    hd_go_yield();
    assert(*mine == number && "another uses the same object");
    hd_pool_put(&p->pool, mine);
    hd_wg_done(&p->box->wg);
}

BUG(put_back_twice)
{
    struct pooled *p = pooled_new(right);
    int *object = hd_pool_get(&p->pool);

    hd_pool_put(&p->pool, object);
    if (!right)
        hd_pool_put(&p->pool, object); /* now two can get it */
    else
        hd_pool_put(&p->pool, make_int(NULL));
    int *one = hd_pool_get(&p->pool), *two = hd_pool_get(&p->pool);
    assert(one != two);
    hd_pool_put(&p->pool, one);
    hd_pool_put(&p->pool, two);
    hd_wg_add(&p->box->wg, 2);
    GO(use_alone, p);
    GO(use_alone, p);
    hd_wg_wait(&p->box->wg);
    hd_pool_destroy(&p->pool);
}

static void render(void *arg)
{
    struct pooled *p = arg;
    int *buffer = hd_pool_get(&p->pool);

    *buffer = (int)hd_int64_add(&p->box->count, 1);
    if (p->box->right) {
        int copy = *buffer;
        hd_chan_send(p->box->a, &copy);
    } else {
        hd_chan_send(p->box->b, &buffer); /* escapes, and is put back */
    }
    hd_pool_put(&p->pool, buffer);
    hd_wg_done(&p->box->wg);
}

BUG(result_points_into_pool)
{
    struct pooled *p = pooled_new(right);
    int sum = 0;

    p->box->a = CHAN(int, 2);
    p->box->b = CHAN(int *, 2);
    hd_wg_add(&p->box->wg, 2);
    GO(render, p);
    GO(render, p);
    for (int i = 0; i < 2; i++) {
        int value, *escaped;
        if (right) {
            hd_chan_recv(p->box->a, &value);
        } else {
            hd_chan_recv(p->box->b, &escaped);
            value = *escaped;
        }
        sum += value;
    }
    hd_wg_wait(&p->box->wg);
    assert(sum == 3);
    hd_pool_destroy(&p->pool);
}

static void read_message(void *arg)
{
    struct box *b = arg;

    for (int i = 1; i <= 2; i++) {
        int *message;
        hd_chan_recv(b->a, &message);
        assert(*message == i);
    }
}

/* One buffer for all messages: the second is written while the first is read. */
BUG(message_buffer_reused)
{
    struct box *b = box_new(right);

    b->a = CHAN(int *, 1);
    RUN(read_message, b);
    for (int i = 1; i <= 2; i++) {
        int *message = right ? &b->items[i] : &b->items[0];
        *message = i;
        hd_chan_send(b->a, &message);
    }
    hd_wg_wait(&b->wg);
}

static void own_message(void *arg)
{
    struct box *b = arg;
    int *message;

    hd_chan_recv(b->a, &message);
    *message += 1;
}

BUG(written_after_handing_over)
{
    struct box *b = box_new(right);
    int *message = &b->x;

    b->a = CHAN(int *, 0);
    RUN(own_message, b);
    if (right)
        b->x = 5;
    hd_chan_send(b->a, &message);
    if (!right)
        b->x = 5;
    hd_wg_wait(&b->wg);
    assert(b->x == 6);
}

static void enter_if_room(void *arg)
{
    struct box *b = arg;
    bool in;

    if (b->right) {
        in = hd_int64_add(&b->count, 1) <= 1;
    } else {
        in = hd_int64_load(&b->count) < 1;
        if (in)
            hd_int64_add(&b->count, 1);
    }
    if (in)
        gauge_enter(&b->gauge);
}

BUG(limit_checked_then_taken)
{
    struct box *b = box_new(right);

    RUN(enter_if_room, b);
    RUN(enter_if_room, b);
    hd_wg_wait(&b->wg);
    assert(b->gauge.most == 1);
}

static void move_pair(void *arg)
{
    struct box *b = arg;

    if (b->right)
        hd_mutex_lock(&b->m);
    hd_int64_add(&b->count, -5);
    hd_int64_add(&b->other, 5);
    if (b->right)
        hd_mutex_unlock(&b->m);
}

static void audit_pair(void *arg)
{
    struct box *b = arg;

    if (b->right)
        hd_mutex_lock(&b->m);
    assert(hd_int64_load(&b->count) + hd_int64_load(&b->other) == 10);
    if (b->right)
        hd_mutex_unlock(&b->m);
}

BUG(two_atomics_one_invariant)
{
    struct box *b = box_new(right);

    hd_int64_store(&b->count, 10);
    RUN(move_pair, b);
    RUN(audit_pair, b);
    hd_wg_wait(&b->wg);
}

static void give_up_reference(void *arg)
{
    struct box *b = arg;
    int64_t left = hd_int64_add(&b->count, -1);

    if (!b->right)
        left = hd_int64_load(&b->count); /* looks again: both may see zero */
    if (left == 0)
        tally(&b->tally, 0);
}

BUG(last_reference_twice)
{
    struct box *b = box_new(right);

    hd_int64_store(&b->count, 2);
    RUN(give_up_reference, b);
    RUN(give_up_reference, b);
    hd_wg_wait(&b->wg);
}

static void publish(void *arg)
{
    struct box *b = arg;

    if (b->right)
        b->x = 42;
    hd_int64_store(&b->count, 1);
    if (!b->right)
        b->x = 42;
}

static void read_published(void *arg)
{
    struct box *b = arg;

    if (hd_int64_load(&b->count))
        assert(b->x == 42);
}

BUG(flag_before_data)
{
    struct box *b = box_new(right);

    RUN(publish, b);
    RUN(read_published, b);
    hd_wg_wait(&b->wg);
}

struct settings {
    int low, high;
};
HD_ATOMIC_POINTER(settings_ptr, struct settings);

struct tuned {
    struct settings_ptr current;
    struct hd_wg wg;
    bool right;
};

static void widen(void *arg)
{
    struct tuned *t = arg;
    struct settings *now = settings_ptr_load(&t->current), *next = now;

    if (t->right)
        next = KEEP(struct settings);
    next->low = now->low - 1;
    next->high = now->high + 1;
    settings_ptr_store(&t->current, next);
}

static void use_settings(void *arg)
{
    struct tuned *t = arg;
    struct settings *now = settings_ptr_load(&t->current);

    assert(now->high == -now->low);
}

BUG(published_and_still_changed)
{
    struct tuned *t = KEEP(struct tuned);

    t->right = right;
    settings_ptr_store(&t->current, KEEP(struct settings));
    started(hd_wg_go(&t->wg, widen, t));
    started(hd_wg_go(&t->wg, use_settings, t));
    hd_wg_wait(&t->wg);
}

static void spin_enter(void *arg)
{
    struct box *b = arg;

    if (b->right) {
        while (!hd_int64_cas(&b->count, 0, 1))
            hd_go_yield();
    } else {
        while (hd_int64_load(&b->count))
            hd_go_yield();
        hd_int64_store(&b->count, 1);
    }
    gauge_enter(&b->gauge);
    hd_go_yield();
    gauge_leave(&b->gauge);
    hd_int64_store(&b->count, 0);
}

BUG(spin_lock_by_load_and_store)
{
    struct box *b = box_new(right);

    RUN(spin_enter, b);
    RUN(spin_enter, b);
    hd_wg_wait(&b->wg);
    assert(b->gauge.most == 1);
}

static void use_field(void *arg)
{
    struct box *b = arg;

    assert(b->pointer && "started before it was complete");
}

BUG(started_before_initialised)
{
    struct box *b = box_new(right);

    if (right)
        b->pointer = &b->x;
    RUN(use_field, b);
    if (!right)
        b->pointer = &b->x;
    hd_wg_wait(&b->wg);
}

static void log_from_queue(void *arg)
{
    struct box *b = arg;

    HD_RANGE(int, line, b->a)
    b->x++;
}

static void log_last_words(void *arg)
{
    struct box *b = arg;

    hd_go_yield();
    hd_chan_send(b->a, &b->y);
}

BUG(log_closed_too_early)
{
    struct box *b = box_new(right);
    struct box *workers = box_new(right);

    b->a = workers->a = CHAN(int, 4);
    RUN(log_from_queue, b);
    RUN(log_last_words, workers);
    if (right)
        hd_wg_wait(&workers->wg);
    hd_chan_close(b->a);
    hd_wg_wait(&workers->wg);
    hd_wg_wait(&b->wg);
    assert(!right || b->x == 1);
}

static void emit(void *arg)
{
    struct box *b = arg;

    HD_SCOPED_LOCK(&b->m);
    b->y += b->x; /* told to as many listeners as there are */
}

BUG(listens_after_the_event)
{
    struct box *b = box_new(right);

    if (right)
        b->x = 1;
    RUN(emit, b);
    hd_mutex_lock(&b->m);
    b->x = 1;
    hd_mutex_unlock(&b->m);
    hd_wg_wait(&b->wg);
    assert(b->y == 1 && "nobody heard it");
}

static void add_interest(void *arg)
{
    struct box *b = arg;
    int balance;

    hd_mutex_lock(&b->m);
    balance = b->x;
    if (b->right)
        b->x = balance + 10;
    hd_mutex_unlock(&b->m);
    if (b->right)
        return;
    hd_mutex_lock(&b->m);
    b->x = balance + 10;
    hd_mutex_unlock(&b->m);
}

BUG(read_in_one_section_written_in_another)
{
    struct box *b = box_new(right);

    RUN(add_interest, b);
    RUN(add_interest, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 20);
}

static void append_item(void *arg)
{
    struct box *b = arg;

    if (b->right) {
        b->items[hd_int64_add(&b->count, 1) - 1] = 1;
        return;
    }
    b->items[b->x] = 1;
    b->x++;
}

BUG(list_appended_by_two)
{
    struct box *b = box_new(right);

    RUN(append_item, b);
    RUN(append_item, b);
    hd_wg_wait(&b->wg);
    assert(b->items[0] && b->items[1]);
}

static void bump_version(void *arg)
{
    struct box *b = arg;

    hd_int64_add(&b->count, 1);
    hd_int64_add(&b->other, 1);
    hd_int64_add(&b->count, 1);
}

/* A version that is odd while a change is under way is looked at once only. */
static void read_versioned(void *arg)
{
    struct box *b = arg;
    int64_t version, value, again;

    do {
        version = hd_int64_load(&b->count);
        value = hd_int64_load(&b->other);
        again = b->right ? hd_int64_load(&b->count) : version;
        if (b->right && (version % 2 || version != again))
            hd_go_yield();
    } while (b->right && (version % 2 || version != again));
    assert(value * 2 == version);
}

BUG(version_not_checked_again)
{
    struct box *b = box_new(right);

    RUN(bump_version, b);
    RUN(read_versioned, b);
    hd_wg_wait(&b->wg);
}
