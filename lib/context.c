/* context.c - see context.h.
 *
 * Only contexts that can be cancelled by themselves, and hooks, are linked into a tree: each below
 * the nearest ancestor that can be cancelled (`source`). A node's lock guards its error, its list
 * of children, and the children's links in it. A child holds its parent; a parent only knows its
 * children, so a cancel takes a reference of each first, and one that is on its way to be freed
 * (refs 0) takes itself out of the list under the parent's lock.
 *
 * A cancel goes down the subtree with the locks of those above held, so that whoever cancels a part
 * of it meanwhile waits until that is cancelled; not by recursion: depth costs no stack. Under the
 * seam nothing of it is a point until the whole subtree is cancelled.
 */
#include <heddle/context.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <heddle/panic.h>

#include "chan_inside.h"
#include "leak_ledger.h"
#include "context_inside.h"
#include "graveyard.h"
#include "misuse.h"
#include "spawn.h"
#include "timer.h"

enum kind { ROOT, CANCEL, VALUE, DETACHED, HOOK };

/* What a deadline or a function to run needs beyond a plain context. */
struct hook {
    void (*fn)(void *arg);
    void *arg;
};

struct hd_context {
    enum kind kind;
    _Atomic uint32_t refs;     /* not used for ROOT */
    struct hd_context *parent; /* referenced; NULL for ROOT */
    struct hd_context *source; /* itself or the nearest ancestor of kind CANCEL; NULL: none */
    bool has_deadline;         /* its own or inherited */
    int64_t deadline_ns;
    const void *site; /* of its making */
    const void *gone; /* where its last reference was given up */

    const void *key; /* VALUE */
    void *value;

    struct hdi_lock lock; /* CANCEL */
    struct hd_chan *done;
    hd_err err, cause;           /* NULL until cancelled; static, referenced */
    const void *edge;            /* the clock that the cancel was released to */
    struct hd_context *children; /* linked by `next` */
    struct hdi_timer timer;
    hd_err late_cause; /* the cause when the deadline passes; NULL: the error */
    struct hdi_owed end;

    struct hook hook; /* HOOK */
    void *check;      /* whom the one works for who made it */

    struct hd_context *next, **link; /* in the list of the parent's source; link NULL: in none */
    struct hd_context *todo;         /* a cancel's: whose child it is, or the next of a list */
};

struct hd_context_hook {
    struct hd_context node;
};

static struct hd_context background = {.kind = ROOT}, todo = {.kind = ROOT};

struct hd_context *hd_context_background(void)
{
    return &background;
}

struct hd_context *hd_context_todo(void)
{
    return &todo;
}

/* Has its last reference gone? As far as its memory still tells. */
static void need_alive(const struct hd_context *ctx, const void *site)
{
    if (HDI_UNLIKELY(ctx->kind != ROOT &&
                     atomic_load_explicit(&ctx->refs, memory_order_relaxed) == 0))
        hdi_misuse_late("use of a context after its last reference", ctx, site, ctx->gone);
}

/* The point of an operation on ctx, which is known by the context that can be cancelled. */
static void op_point(const struct hd_context *ctx, const void *site)
{
    struct hdi_why why = {HD_EV_HD_CONTEXT, NULL, site};

    need_alive(ctx, site);
    why.object = ctx->source;
    hdi_point(&why);
    need_alive(ctx, site);
}

/* ---- references ---- */

struct hd_context *hd_context_ref(struct hd_context *ctx)
{
    if (!ctx || ctx->kind == ROOT)
        return ctx;
    need_alive(ctx, HDI_SITE());
    atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

/* Unless it is on its way to be freed. */
static bool try_ref(struct hd_context *ctx)
{
    uint32_t refs = atomic_load_explicit(&ctx->refs, memory_order_relaxed);

    while (refs > 0)
        if (atomic_compare_exchange_weak_explicit(&ctx->refs, &refs, refs + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static void take_out(struct hd_context *node)
{
    *node->link = node->next;
    if (node->next)
        node->next->link = node->link;
    node->link = NULL;
}

static struct hd_context *source_above(const struct hd_context *node)
{
    return node->parent ? node->parent->source : NULL;
}

/* Out of the tree; whether it was in. */
static bool leave(struct hd_context *node)
{
    struct hd_context *above = source_above(node);
    bool was_in;

    if (!above)
        return false;
    hdi_lock(&above->lock);
    was_in = node->link != NULL;
    if (was_in)
        take_out(node);
    hdi_unlock(&above->lock);
    return was_in;
}

static void destroy(struct hd_context *ctx, const void *site)
{
    ctx->gone = site;
    if (ctx->kind == CANCEL) {
        hdi_timer_stop(&ctx->timer, NULL);
        hdi_settle(&ctx->end, ctx);
        leave(ctx);
        hd_chan_unref(ctx->done);
        hd_err_unref(ctx->cause);
        hd_err_unref(ctx->late_cause);
        if (hdi_seam)
            hdi_seam->gone(ctx, site);
    }
    hdi_to_be_freed(&ctx->refs);
    hdi_bury(ctx, sizeof *ctx);
}

static void unref(struct hd_context *ctx, const void *site)
{
    hdi_inner(ctx);
    if (ctx)
        need_alive(ctx, site);
    while (ctx && ctx->kind != ROOT &&
           atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) == 1) {
        struct hd_context *parent = ctx->parent;
        destroy(ctx, site);
        ctx = parent;
    }
}

void hd_context_unref(struct hd_context *ctx)
{
    unref(ctx, HDI_SITE());
}

/* ---- cancelling ---- */

static void run_hook(void *arg)
{
    struct hd_context *node = arg;
    struct hook hook = node->hook;

    hdi_acquire(node);
    hdi_acquire(node->edge);
    hd_context_unref(node);
    hook.fn(hook.arg);
}

/* A reference to the node is handed on to its goroutine. */
static void start_hook(struct hd_context *node)
{
    void *check = hdi_check_swap(node->check);
    hd_err err = hdi_go(&(struct hdi_start){
        .fn = run_hook, .arg = node, .shown = HDI_SHOWN(node->hook.fn), .site = node->site});

    hdi_check_swap(check);
    if (err)
        hd_panic_err(err);
}

/* With its lock held: closed before anybody can see the error. */
static void mark(struct hd_context *ctx, hd_err err, hd_err cause, const void *edge)
{
    ctx->cause = hd_err_ref(cause);
    ctx->edge = edge;
    if (edge == ctx)
        hdi_release(ctx);
    hdi_chan_shut(ctx->done, edge);
    ctx->err = err;
    hdi_timer_stop(&ctx->timer, NULL);
    hdi_settle(&ctx->end, ctx);
}

/* With the lock of the node held, and of all above it in the tree that is being cancelled: a child
 * to go on with, locked and marked; NULL when none is left. The others join their lists. */
static struct hd_context *next_child(struct hd_context *node, struct hd_context **hooks,
                                     struct hd_context **done)
{
    struct hd_context *child;

    while ((child = node->children)) {
        take_out(child);
        if (!try_ref(child))
            continue;
        if (child->kind == HOOK) {
            child->edge = node->edge;
            child->todo = *hooks;
            *hooks = child;
            continue;
        }
        hdi_lock(&child->lock); /* not before another's cancel of it has reached all below */
        if (!child->err)
            return child;
        hdi_unlock(&child->lock);
        child->todo = *done;
        *done = child;
    }
    return NULL;
}

/* Cancel with all below, downwards with locks held, so that no cancel of any of these returns before
 * all below it are cancelled. cause is borrowed. What comes before it was released to `edge`; if
 * that is ctx, it is what the caller did. */
static bool cancel_tree(struct hd_context *ctx, hd_err err, hd_err cause, const void *edge)
{
    struct hd_context *hooks = NULL, *done = NULL, *at = ctx;

    hdi_lock(&ctx->lock);
    if (ctx->err) {
        hdi_unlock(&ctx->lock);
        return false;
    }
    mark(ctx, err, cause, edge);
    ctx->todo = NULL;
    while (at) {
        struct hd_context *child = next_child(at, &hooks, &done), *above;
        if (child) {
            mark(child, err, cause, edge);
            child->todo = at;
            at = child;
            continue;
        }
        above = at->todo;
        if (above) {
            at->todo = done;
            done = at;
        }
        hdi_unlock(&at->lock);
        at = above;
    }
    while (hooks) {
        struct hd_context *node = hooks;
        hooks = node->todo;
        start_hook(node);
    }
    while (done) {
        struct hd_context *node = done;
        done = node->todo;
        hd_context_unref(node);
    }
    return true;
}

static void cancel(struct hd_context *ctx, hd_err cause, const void *site)
{
    if (ctx)
        need_alive(ctx, site);
    if (!ctx || ctx->kind != CANCEL)
        hdi_misuse("cancel of a context that cannot be cancelled", ctx, site);
    op_point(ctx, site);
    /* In the tree until it is over: a cancel from above finds it, and waits. */
    cancel_tree(ctx, hd_cancelled, cause ? cause : hd_cancelled, ctx);
    leave(ctx);
}

void hd_context_cancel(struct hd_context *ctx)
{
    cancel(ctx, NULL, HDI_SITE());
}

void hd_context_cancel_cause(struct hd_context *ctx, hd_err cause)
{
    cancel(ctx, cause, HDI_SITE());
    hd_err_unref(cause);
}

void hd_context_end(void *ctx)
{
    struct hd_context *context = ctx;
    const void *site = HDI_SITE();

    if (!context)
        return;
    if (context->kind == CANCEL)
        cancel(context, NULL, site);
    unref(context, site);
}

/* On the timers' thread; with the reference that deadline_due() took. */
static void pass_deadline(void *arg)
{
    struct hd_context *ctx = arg;

    cancel_tree(ctx, hd_deadline_exceeded, ctx->late_cause ? ctx->late_cause : hd_deadline_exceeded,
                &ctx->timer);
    leave(ctx);
    hd_context_unref(ctx);
}

static struct hdi_job deadline_due(struct hdi_timer *timer, int64_t now_ns)
{
    struct hd_context *ctx =
        (struct hd_context *)((char *)timer - offsetof(struct hd_context, timer));

    (void)now_ns;
    return (struct hdi_job){try_ref(ctx) ? pass_deadline : NULL, ctx};
}

/* ---- making ---- */

static struct hd_context *make(enum kind kind, struct hd_context *parent, const void *site)
{
    struct hd_context *ctx;

    if (!parent)
        hdi_misuse("cannot create context from nil parent", NULL, site);
    op_point(parent, site);
    ctx = calloc(1, sizeof *ctx);
    if (!ctx)
        hd_panic_err(hd_out_of_memory);
    hdi_hide(ctx, sizeof *ctx);
    hdi_allocated(&ctx->refs);
    ctx->kind = kind;
    ctx->site = site;
    ctx->parent = hd_context_ref(parent);
    atomic_store(&ctx->refs, 1);
    ctx->source = parent->source;
    ctx->has_deadline = parent->has_deadline;
    ctx->deadline_ns = parent->deadline_ns;
    return ctx;
}

/* Into the tree, unless what is above is cancelled: then false. */
static bool enter(struct hd_context *node)
{
    struct hd_context *above = source_above(node);
    bool entered = true;

    if (!above)
        return true;
    hdi_lock(&above->lock);
    if (above->err) {
        entered = false;
    } else {
        node->next = above->children;
        node->link = &above->children;
        if (node->next)
            node->next->link = &node->next;
        above->children = node;
    }
    hdi_unlock(&above->lock);
    return entered;
}

/* `owed`: it must be cancelled by whoever has it. */
static struct hd_context *make_cancel(struct hd_context *parent, bool owed, const void *site)
{
    struct hd_context *ctx = make(CANCEL, parent, site), *above;

    ctx->source = ctx;
    ctx->timer.object = ctx;
    ctx->timer.due = deadline_due;
    ctx->done = hdi_chan_make("done", 0, 0, site);
    if (!ctx->done) {
        hd_context_unref(parent);
        free(ctx);
        hd_panic_err(hd_out_of_memory);
    }
    hdi_tell_units(ctx->done, HD_SEAM_UNITS_OPEN);
    if (hdi_seam)
        hdi_seam->born(HD_OB_CONTEXT, ctx, NULL, site);
    if (owed)
        hdi_owe(&ctx->end, HD_OB_CONTEXT, ctx, NULL, site);
    above = source_above(ctx);
    if (!enter(ctx))
        cancel_tree(ctx, above->err, above->cause, above->edge);
    return ctx;
}

struct hd_context *hd_context_with_cancel(struct hd_context *parent)
{
    return hdi_context_with_cancel(parent, HDI_SITE());
}

/* One that has a deadline ends by itself: nobody owes its cancel. */
struct hd_context *hdi_context_with_cancel(struct hd_context *parent, const void *site)
{
    return make_cancel(parent, parent && !parent->has_deadline, site);
}

struct hd_context *hdi_context_within(struct hd_context *parent, const void *site)
{
    return make_cancel(parent, false, site);
}

static struct hd_context *make_deadline(struct hd_context *parent, int64_t at_ns, hd_err cause,
                                        const void *site)
{
    struct hd_context *ctx = make_cancel(parent, false, site);
    bool cancelled;

    if (parent->has_deadline && parent->deadline_ns <= at_ns) {
        hd_err_unref(cause); /* the parent's comes first */
        return ctx;
    }
    ctx->has_deadline = true;
    ctx->deadline_ns = at_ns;
    ctx->late_cause = cause;
    if (at_ns <= hdi_now_ns()) {
        cancel_tree(ctx, hd_deadline_exceeded, cause ? cause : hd_deadline_exceeded, ctx);
        leave(ctx);
        return ctx;
    }
    hdi_timer_start(&ctx->timer, at_ns, 0, NULL, site);
    /* A cancel from here on stops the timer; one from above may have come before it was started. */
    hdi_lock(&ctx->lock);
    cancelled = ctx->err != NULL;
    hdi_unlock(&ctx->lock);
    if (cancelled)
        hdi_timer_stop(&ctx->timer, NULL);
    return ctx;
}

struct hd_context *hd_context_with_deadline(struct hd_context *parent, int64_t at_ns)
{
    return make_deadline(parent, at_ns, NULL, HDI_SITE());
}

struct hd_context *hd_context_with_timeout(struct hd_context *parent, int64_t ns)
{
    return make_deadline(parent, hdi_in_ns(ns), NULL, HDI_SITE());
}

struct hd_context *hd_context_with_deadline_cause(struct hd_context *parent, int64_t at_ns,
                                                  hd_err cause)
{
    return make_deadline(parent, at_ns, cause, HDI_SITE());
}

struct hd_context *hd_context_with_timeout_cause(struct hd_context *parent, int64_t ns,
                                                 hd_err cause)
{
    return make_deadline(parent, hdi_in_ns(ns), cause, HDI_SITE());
}

struct hd_context *hd_context_with_value(struct hd_context *parent, const void *key, void *value)
{
    const void *site = HDI_SITE();
    struct hd_context *ctx;

    if (!key)
        hdi_misuse("nil key", NULL, site);
    ctx = make(VALUE, parent, site);
    ctx->key = key;
    ctx->value = value;
    return ctx;
}

struct hd_context *hd_context_without_cancel(struct hd_context *parent)
{
    struct hd_context *ctx = make(DETACHED, parent, HDI_SITE());

    ctx->source = NULL;
    ctx->has_deadline = false;
    return ctx;
}

/* ---- looking ---- */

static struct hd_context *need(struct hd_context *ctx, const void *site)
{
    if (!ctx)
        hdi_misuse("use of a nil context", NULL, site);
    need_alive(ctx, site);
    return ctx->source;
}

struct hd_chan *hd_context_done(struct hd_context *ctx)
{
    struct hd_context *source = need(ctx, HDI_SITE());

    return source ? source->done : NULL;
}

static hd_err look(struct hd_context *ctx, bool cause, const void *site)
{
    struct hd_context *source = need(ctx, site);
    hd_err err;

    if (!source)
        return NULL;
    op_point(ctx, site);
    hdi_lock(&source->lock);
    err = cause ? source->cause : source->err;
    hdi_unlock(&source->lock);
    if (err)
        hdi_acquire(source->edge);
    return err;
}

hd_err hd_context_err(struct hd_context *ctx)
{
    return look(ctx, false, HDI_SITE());
}

hd_err hd_context_cause(struct hd_context *ctx)
{
    return look(ctx, true, HDI_SITE());
}

bool hd_context_deadline(struct hd_context *ctx, int64_t *at_ns)
{
    need(ctx, HDI_SITE());
    if (ctx->has_deadline && at_ns)
        *at_ns = ctx->deadline_ns;
    return ctx->has_deadline;
}

void *hd_context_value(struct hd_context *ctx, const void *key)
{
    need(ctx, HDI_SITE());
    for (; ctx; ctx = ctx->parent)
        if (ctx->kind == VALUE && ctx->key == key)
            return ctx->value;
    return NULL;
}

/* ---- hooks ---- */

struct hd_context_hook *hd_context_after_func(struct hd_context *ctx, void (*fn)(void *arg),
                                              void *arg)
{
    const void *site = HDI_SITE();
    struct hd_context *node;

    if (!fn)
        hdi_misuse("after_func of a nil func value", ctx, site);
    node = make(HOOK, ctx, site);
    node->hook = (struct hook){fn, arg};
    node->check = hdi_check_now();
    hdi_release(node);
    if (!enter(node)) {
        node->edge = source_above(node)->edge;
        start_hook(hd_context_ref(node));
    }
    return (struct hd_context_hook *)node;
}

bool hd_context_stop(struct hd_context_hook *hook)
{
    struct hd_context *node = &hook->node, *above = source_above(node);
    bool stopped;

    op_point(node, HDI_SITE());
    stopped = !above || leave(node);
    hd_context_unref(node);
    return stopped;
}
