/* waits.c - wait groups and error groups: counted wrongly, waited for in the wrong place. */
#include "bug.h"

#include <heddle/errgroup.h>

static const struct hd_error failed[1] = {HD_ERROR(HD_ERR_USER + 1, "failed")};

static void add_inside(void *arg)
{
    struct box *b = arg;

    if (!b->right)
        hd_wg_add(&b->wg, 1);
    tally(&b->tally, (int)hd_int64_add(&b->count, 1));
    hd_wg_done(&b->wg);
}

BUG(add_in_the_goroutine)
{
    struct box *b = box_new(right);

    for (int i = 0; i < 2; i++) {
        if (right)
            hd_wg_add(&b->wg, 1);
        GO(add_inside, b);
    }
    hd_wg_wait(&b->wg);
    assert(tally_count(&b->tally) == 2 && "the wait was over too early");
}

static void done_unless_error(void *arg)
{
    struct box *b = arg;
    bool fails = hd_int64_add(&b->count, 1) == 1;

    if (fails && !b->right)
        return;
    hd_wg_done(&b->wg);
}

BUG(done_left_out_on_error)
{
    struct box *b = box_new(right);

    hd_wg_add(&b->wg, 2);
    GO(done_unless_error, b);
    GO(done_unless_error, b);
    hd_wg_wait(&b->wg);
}

static void done_twice(void *arg)
{
    struct box *b = arg;

    hd_wg_done(&b->wg);
    if (!b->right)
        hd_wg_done(&b->wg); /* deferred as well */
}

BUG(done_called_twice)
{
    struct box *b = box_new(right);

    hd_wg_add(&b->wg, 2);
    GO(done_twice, b);
    GO(done_twice, b);
    hd_wg_wait(&b->wg);
}

static void consume(void *arg)
{
    struct box *b = arg;

    hd_chan_recv(b->a, NULL);
}

static void produce(void *arg)
{
    struct box *b = arg;

    hd_chan_send(b->a, &b->x);
}

/* The wait stands inside the loop that starts them, and they need each other. */
BUG(wait_inside_the_loop)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 0);
    for (int i = 0; i < 2; i++) {
        RUN(i == 0 ? produce : consume, b);
        if (!right)
            hd_wg_wait(&b->wg);
    }
    hd_wg_wait(&b->wg);
}

struct by_value {
    struct hd_wg wg, *shared;
};

static void done_on_copy(void *arg)
{
    struct by_value *v = arg;

    hd_wg_done(v->shared ? v->shared : &v->wg);
}

BUG(waitgroup_passed_by_value)
{
    struct box *b = box_new(right);
    struct by_value *v = KEEP(struct by_value);

    hd_wg_add(&b->wg, 1);
    *v = (struct by_value){.wg = b->wg, .shared = right ? &b->wg : NULL};
    GO(done_on_copy, v);
    hd_wg_wait(&b->wg);
}

static void wait_for_all(void *arg)
{
    struct box *b = arg;

    if (!b->right)
        hd_wg_wait(&b->wg); /* counts the waiter itself */
}

BUG(waits_for_itself)
{
    struct box *b = box_new(right);

    RUN(wait_for_all, b);
    hd_wg_wait(&b->wg);
}

static hd_err nothing(void *arg)
{
    (void)arg;
    return NULL;
}

/* The group's context ends with the wait: what comes after needs the caller's. */
BUG(group_context_after_wait)
{
    struct hd_context *outer = keep_context(hd_context_with_cancel(hd_context_background()));
    struct hd_errgroup *group = KEEP(struct hd_errgroup);
    struct hd_context *inner = keep_context(hd_errgroup_with_context(group, outer));

    hd_errgroup_go(group, nothing, NULL);
    assert(hd_errgroup_wait(group) == NULL);
    assert(hd_context_err(right ? outer : inner) == NULL);
    hd_context_end(outer);
}

struct nested {
    struct hd_errgroup group;
    bool right;
};

static hd_err start_another(void *arg)
{
    struct nested *n = arg;

    if (n->right)
        return hd_errgroup_try_go(&n->group, nothing, NULL) ? NULL : nothing(NULL);
    hd_errgroup_go(&n->group, nothing, NULL); /* waits for the slot that it holds itself */
    return NULL;
}

BUG(group_limit_nested)
{
    struct nested *n = KEEP(struct nested);

    n->right = right;
    hd_errgroup_set_limit(&n->group, 1);
    hd_errgroup_go(&n->group, start_another, n);
    assert(hd_errgroup_wait(&n->group) == NULL);
    hd_errgroup_destroy(&n->group);
}

static hd_err swallow(void *arg)
{
    struct box *b = arg;

    return b->right ? failed : NULL; /* logged, not returned */
}

BUG(group_error_swallowed)
{
    struct box *b = box_new(right);
    struct hd_errgroup *group = KEEP(struct hd_errgroup);

    hd_errgroup_go(group, swallow, b);
    assert(hd_errgroup_wait(group) == failed);
}

struct shared_error {
    struct box *box;
    hd_err err;
};

static void note_error(void *arg)
{
    struct shared_error *s = arg;

    if (s->box->right)
        hd_mutex_lock(&s->box->m);
    if (!s->err)
        s->err = failed;
    if (s->box->right)
        hd_mutex_unlock(&s->box->m);
    hd_wg_done(&s->box->wg);
}

BUG(one_error_variable)
{
    struct shared_error *s = KEEP(struct shared_error);

    s->box = box_new(right);
    hd_wg_add(&s->box->wg, 2);
    GO(note_error, s);
    GO(note_error, s);
    hd_wg_wait(&s->box->wg);
    assert(s->err == failed);
}

static hd_err append_result(void *arg)
{
    struct box *b = arg;

    if (b->right)
        hd_mutex_lock(&b->m);
    b->items[b->x] = 1;
    b->x++;
    if (b->right)
        hd_mutex_unlock(&b->m);
    return NULL;
}

BUG(results_appended_unlocked)
{
    struct box *b = box_new(right);
    struct hd_errgroup *group = KEEP(struct hd_errgroup);

    for (int i = 0; i < 3; i++)
        hd_errgroup_go(group, append_result, b);
    assert(hd_errgroup_wait(group) == NULL && b->x == 3);
}

/* A counter that reaches zero between two rounds lets the wait through. */
static void short_task(void *arg)
{
    struct box *b = arg;

    tally(&b->tally, (int)hd_int64_add(&b->count, 1));
    hd_wg_done(&b->wg);
}

static void start_tasks(void *arg)
{
    struct box *b = arg;

    for (int i = 0; i < 2; i++) {
        hd_wg_add(&b->wg, 1);
        GO(short_task, b);
    }
    if (b->right)
        hd_wg_done(&b->wg);
}

BUG(counter_touches_zero)
{
    struct box *b = box_new(right);

    if (right)
        hd_wg_add(&b->wg, 1); /* held while tasks are started */
    GO(start_tasks, b);
    hd_go_yield();
    hd_wg_wait(&b->wg);
    assert(tally_count(&b->tally) == 2);
}
