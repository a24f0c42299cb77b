/* singleflight.c - see singleflight.h.
 *
 * A call is counted: by the one that makes it and by each do that waits for it. It stands in the
 * table while it is in flight and not forgotten; after its result is set nothing in it changes but
 * the count.
 */
#include <heddle/singleflight.h>

#include <stdlib.h>
#include <string.h>

#include <heddle/go.h>
#include <heddle/panic.h>
#include <heddle/waitgroup.h>

#include "inner_lock.h"
#include "spawn.h"
#include "text.h"
#include "unwind.h"

struct listener {
    struct listener *next;
    struct hd_chan *chan;
};

struct hd_flight_call {
    struct hd_flight_call *next; /* in its bucket */
    bool listed;
    _Atomic size_t holders;
    size_t shares; /* guarded by the group's lock, as `listed` and `listeners` */
    struct listener *listeners;
    struct hd_wg done;
    void *(*fn)(void *arg, hd_err *err);
    void *arg;
    void *value;
    hd_err err; /* the call's, or the panic's */
    enum hdi_ending ending;
    struct hd_singleflight *group;
    char key[];
};

static struct hd_flight_call **bucket(struct hd_singleflight *group, const char *key)
{
    unsigned hash = 5381;

    while (*key)
        hash = hash * 33 + (unsigned char)*key++;
    return &group->calls[hash % HDI_FLIGHT_BUCKETS];
}

static struct hd_flight_call *find(struct hd_singleflight *group, const char *key)
{
    struct hd_flight_call *call = *bucket(group, key);

    while (call && !hdi_same_text(call->key, key))
        call = call->next;
    return call;
}

static void unlist(struct hd_flight_call *call)
{
    struct hd_flight_call **link = bucket(call->group, call->key);

    if (!call->listed)
        return;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    call->listed = false;
}

/* Not by the group's lock: who has received a result may free the group. */
static void let_go(struct hd_flight_call *call)
{
    hdi_release(call);
    hdi_inner(call);
    if (atomic_fetch_sub(&call->holders, 1) > 1)
        return;
    hdi_acquire(call);
    hd_err_unref(call->err);
    free(call);
}

/* With the lock held; NULL without memory. */
static struct hd_flight_call *list(struct hd_singleflight *group, const char *key,
                                   void *(*fn)(void *arg, hd_err *err), void *arg)
{
    size_t bytes = strlen(key) + 1;
    struct hd_flight_call *call = malloc(sizeof *call + bytes);
    struct hd_flight_call **head = bucket(group, key);

    if (!call)
        return NULL;
    *call = (struct hd_flight_call){.listed = true, .holders = 1, .fn = fn, .arg = arg};
    hdi_hide(call, sizeof *call + bytes);
    call->next = *head;
    call->group = group;
    memcpy(call->key, key, bytes);
    *head = call;
    return call;
}

static void make(void *arg)
{
    struct hd_flight_call *call = arg;

    call->value = call->fn(call->arg, &call->err);
}

static struct hd_flight_result result_of(const struct hd_flight_call *call, bool shared)
{
    return (struct hd_flight_result){call->value, hd_err_ref(call->err), shared};
}

/* Make the call and hand its result to all but the maker; whether it was shared. */
static bool fly(struct hd_flight_call *call)
{
    struct hd_singleflight *group = call->group;
    struct listener *listeners;
    hd_err panic = NULL;
    bool shared;

    call->ending = hdi_catch(make, call, &panic);
    if (call->ending != HDI_RETURNED) {
        hd_err_unref(call->err);
        call->err = panic;
        call->value = NULL;
    }
    hdi_inner_lock(&group->lock);
    unlist(call);
    listeners = call->listeners;
    call->listeners = NULL;
    shared = call->shares > 0;
    hdi_inner_unlock(&group->lock);
    hd_wg_done(&call->done);
    while (listeners) {
        struct listener *next;
        struct hd_flight_result result = result_of(call, shared);
        hdi_acquire(listeners);
        next = listeners->next;
        if (call->ending == HDI_EXITED)
            result.err = hd_errorf(HD_ERR_PANIC, "singleflight: the call left its goroutine");
        hd_chan_send(listeners->chan, &result);
        hd_chan_unref(listeners->chan);
        free(listeners);
        listeners = next;
    }
    return shared;
}

/* What do() answers, or does, once the call is over. */
static struct hd_flight_result answer(struct hd_flight_call *call, bool shared)
{
    struct hd_flight_result result = result_of(call, shared);
    enum hdi_ending ending = call->ending;

    let_go(call);
    hdi_carry_on(ending, result.err);
    return result;
}

struct hd_flight_result hd_singleflight_do(struct hd_singleflight *group, const char *key,
                                           void *(*fn)(void *arg, hd_err *err), void *arg)
{
    struct hdi_why why = {HD_EV_HD_OTHER, group, HDI_SITE()};
    struct hd_flight_call *call;

    hdi_point(&why);
    hdi_hide(group, sizeof *group);
    hdi_inner_lock(&group->lock);
    call = find(group, key);
    if (call) {
        atomic_fetch_add(&call->holders, 1);
        call->shares++;
        hdi_inner_unlock(&group->lock);
        hdi_wg_wait(&call->done, why.site);
        return answer(call, true);
    }
    call = list(group, key, fn, arg);
    if (!call) {
        hdi_inner_unlock(&group->lock);
        return (struct hd_flight_result){.err = hd_out_of_memory};
    }
    atomic_store(&call->done.state, (uint64_t)1 << 32);
    hdi_inner_unlock(&group->lock);
    return answer(call, fly(call));
}

static void fly_alone(void *arg)
{
    struct hd_flight_call *call = arg;

    fly(call);
    let_go(call);
}

/* Not started: the answer is an error, and nobody else may wait for it. */
static void refuse(struct hd_chan *chan, hd_err err)
{
    struct hd_flight_result result = {.err = err};

    hd_chan_send(chan, &result);
}

/* The call could not be started, but others may have joined it: all get the error. */
static void *no_thread(void *arg, hd_err *err)
{
    (void)arg;
    *err = hd_out_of_threads;
    return NULL;
}

struct hd_chan *hd_singleflight_do_chan(struct hd_singleflight *group, const char *key,
                                        void *(*fn)(void *arg, hd_err *err), void *arg)
{
    struct hdi_why why = {HD_EV_HD_OTHER, group, HDI_SITE()};
    struct hd_chan *chan = hd_chan_make_named("singleflight", sizeof(struct hd_flight_result), 1);
    struct listener *listener = malloc(sizeof *listener);
    struct hd_flight_call *call = NULL;
    bool joined;

    if (!listener) {
        refuse(chan, hd_out_of_memory);
        return chan;
    }
    hdi_point(&why);
    hdi_hide(group, sizeof *group);
    hdi_inner_lock(&group->lock);
    call = find(group, key);
    joined = call != NULL;
    if (joined)
        call->shares++;
    else
        call = list(group, key, fn, arg);
    if (call) {
        *listener = (struct listener){call->listeners, hd_chan_ref(chan)};
        hdi_release(listener);
        call->listeners = listener;
        if (!joined)
            atomic_store(&call->done.state, (uint64_t)1 << 32);
    }
    hdi_inner_unlock(&group->lock);
    if (!call) {
        free(listener);
        refuse(chan, hd_out_of_memory);
    } else if (!joined &&
               hdi_go(&(struct hdi_start){
                   .fn = fly_alone, .arg = call, .shown = HDI_SHOWN(call->fn), .site = why.site})) {
        call->fn = no_thread;
        fly_alone(call);
    }
    return chan;
}

void hd_singleflight_forget(struct hd_singleflight *group, const char *key)
{
    struct hdi_why why = {HD_EV_HD_OTHER, group, HDI_SITE()};
    struct hd_flight_call *call;

    hdi_point(&why);
    hdi_inner_lock(&group->lock);
    call = find(group, key);
    if (call)
        unlist(call);
    hdi_inner_unlock(&group->lock);
}
