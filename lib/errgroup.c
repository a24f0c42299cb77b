/* errgroup.c - see errgroup.h. */
#include <heddle/errgroup.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <heddle/panic.h>

#include "context_inside.h"
#include "inner_lock.h"
#include "misuse.h"
#include "spawn.h"
#include "unwind.h"

struct task {
    struct hd_errgroup *group;
    hd_err (*fn)(void *arg);
    void *arg;
    hd_err err;
    _Alignas(max_align_t) unsigned char copy[];
};

struct hd_context *hd_errgroup_with_context(struct hd_errgroup *group, struct hd_context *parent)
{
    group->ctx = hdi_context_with_cancel(parent, HDI_SITE());
    return group->ctx;
}

void hd_errgroup_set_limit(struct hd_errgroup *group, int most)
{
    const void *site = HDI_SITE();
    int32_t active = hdi_wg_counter(&group->wg);
    char message[96];

    if (active != 0) {
        snprintf(message, sizeof message,
                 "errgroup: modify limit while %d goroutines in the group are still active",
                 (int)active);
        hdi_misuse(message, group, site);
    }
    hd_chan_unref(group->slots);
    group->slots = most < 0 ? NULL : hd_chan_make_named("errgroup", 0, (size_t)most);
}

/* Takes over the error. */
static void fail(struct hd_errgroup *group, hd_err err)
{
    bool first;

    if (!err)
        return;
    hdi_hide(group, sizeof *group);
    hdi_inner_lock(&group->lock);
    first = !group->err;
    if (first)
        group->err = err;
    hdi_inner_unlock(&group->lock);
    if (!first)
        hd_err_unref(err);
    else if (group->ctx)
        hd_context_cancel_cause(group->ctx, hd_err_ref(err));
}

static void finish(struct hd_errgroup *group)
{
    if (group->slots)
        hd_chan_recv(group->slots, NULL);
    hd_wg_done(&group->wg);
}

static void call(void *arg)
{
    struct task *task = arg;

    task->err = task->fn(task->arg);
}

static void run(void *arg)
{
    struct task *task = arg;
    struct hd_errgroup *group = task->group;
    hd_err panic = NULL, err;
    enum hdi_ending ending = hdi_catch(call, task, &panic);

    err = ending == HDI_PANICKED ? panic : task->err;
    free(task);
    fail(group, err);
    finish(group);
    if (ending == HDI_EXITED)
        hdi_leave();
}

bool hdi_errgroup_start(struct hd_errgroup *group, hd_err (*fn)(void *arg), const void *arg,
                        size_t copied, const void *site)
{
    struct task *task = malloc(sizeof *task + copied);
    hd_err err = hd_out_of_memory;

    hd_wg_add(&group->wg, 1);
    if (task) {
        *task = (struct task){.group = group, .fn = fn, .arg = (void *)(uintptr_t)arg};
        hdi_hide(task, sizeof *task);
        if (copied > 0) {
            hdi_reads(arg, copied, site);
            hdi_copy(task->copy, arg, copied);
            task->arg = task->copy;
        }
        err = hdi_go(
            &(struct hdi_start){.fn = run, .arg = task, .shown = HDI_SHOWN(fn), .site = site});
    }
    if (err) {
        free(task);
        fail(group, err);
        finish(group);
    }
    return !err;
}

void hd_errgroup_go(struct hd_errgroup *group, hd_err (*task)(void *arg), void *arg)
{
    if (group->slots)
        hd_chan_send(group->slots, NULL);
    hdi_errgroup_start(group, task, arg, 0, HDI_SITE());
}

void hd_errgroup_go_copy(struct hd_errgroup *group, hd_err (*task)(void *args), const void *args,
                         size_t bytes)
{
    if (group->slots)
        hd_chan_send(group->slots, NULL);
    hdi_errgroup_start(group, task, args, bytes, HDI_SITE());
}

bool hd_errgroup_try_go(struct hd_errgroup *group, hd_err (*task)(void *arg), void *arg)
{
    if (group->slots && !hd_chan_try_send(group->slots, NULL))
        return false;
    hdi_errgroup_start(group, task, arg, 0, HDI_SITE());
    return true;
}

hd_err hd_errgroup_wait(struct hd_errgroup *group)
{
    hd_err err;

    hd_wg_wait(&group->wg);
    err = group->err;
    if (group->ctx) {
        hd_context_cancel_cause(group->ctx, hd_err_ref(err));
        hd_context_unref(group->ctx);
        group->ctx = NULL;
    }
    return hd_err_ref(err);
}

void hd_errgroup_destroy(struct hd_errgroup *group)
{
    if (hdi_wg_counter(&group->wg) != 0)
        hdi_misuse("errgroup: end of a group whose tasks still run", group, HDI_SITE());
    hd_err_unref(group->err);
    hd_chan_unref(group->slots);
    *group = (struct hd_errgroup)HD_ERRGROUP_INIT;
}
