/* owner.c - see owner.h. A request, on the asker's stack, is taken before its context can end it;
 * once taken it is always answered. */
#include <heddle/owner.h>

#include <stdlib.h>

#include <heddle/panic.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>

#include "context_inside.h"
#include "graveyard.h"
#include "leak_ledger.h"
#include "unwind.h"

struct request {
    void (*fn)(void *state, void *arg);
    void *arg, *state;
    struct hd_wg done;
    enum hdi_ending ending;
    hd_err panic;
};

struct hd_owner {
    void *state;
    struct hd_context *ctx;
    struct hd_chan *requests; /* of struct request * */
    struct hd_wg serving;
    struct hdi_owed end;
    const void *gone; /* where it ended */
};

static void need_alive(const struct hd_owner *owner, const void *site)
{
    hdi_need_alive(owner->gone, "use of an owner after its end", owner, site);
}

static void answer(void *arg)
{
    struct request *request = arg;

    request->fn(request->state, request->arg);
}

static void serve(void *arg)
{
    struct hd_owner *owner = arg;
    struct hd_chan *done = hd_context_done(owner->ctx);
    struct request *request;

    while (HD_SELECT(HD_RECV(owner->requests, &request), HD_RECV(done, NULL)) == 0) {
        request->state = owner->state;
        request->ending = hdi_catch(answer, request, &request->panic);
        hd_wg_done(&request->done);
    }
}

hd_err hd_owner_start(struct hd_owner **owner, struct hd_context *ctx, void *state)
{
    const void *site = HDI_SITE();
    struct hd_owner *made = calloc(1, sizeof *made);
    hd_err err;

    if (!made)
        return hd_out_of_memory;
    made->state = state;
    made->ctx = hdi_context_within(ctx, site);
    made->requests = hd_chan_make_named("owner", sizeof(struct request *), 0);
    if (hdi_seam)
        hdi_seam->born(HD_OB_POOL, made, "owner", site);
    hdi_owe(&made->end, HD_OB_POOL, made, "owner", site);
    err = hd_wg_go(&made->serving, serve, made);
    if (err)
        hd_owner_end(made);
    else
        *owner = made;
    return err;
}

hd_err hd_owner_call(struct hd_owner *owner, struct hd_context *ctx,
                     void (*fn)(void *state, void *arg), void *arg)
{
    struct request request = {.fn = fn, .arg = arg}, *sent = &request;
    struct hd_context *its;
    struct hd_chan *requests;
    hd_err err = NULL;

    need_alive(owner, HDI_SITE());
    /* The owner may end while this waits. */
    its = hd_context_ref(owner->ctx);
    requests = hd_chan_ref(owner->requests);
    hd_wg_add(&request.done, 1);
    switch (HD_SELECT(HD_SEND(requests, &sent), HD_RECV(hd_context_done(ctx), NULL),
                      HD_RECV(hd_context_done(its), NULL))) {
    case 1:
        err = hd_context_err(ctx);
        break;
    case 2:
        err = hd_context_err(its);
        break;
    }
    hd_chan_unref(requests);
    hd_context_unref(its);
    if (err)
        return err;
    hd_wg_wait(&request.done);
    hdi_carry_on(request.ending, request.panic);
    return NULL;
}

void hd_owner_end(struct hd_owner *owner)
{
    need_alive(owner, HDI_SITE());
    hd_context_cancel(owner->ctx);
    hd_wg_wait(&owner->serving);
    hd_context_unref(owner->ctx);
    hd_chan_unref(owner->requests);
    hdi_settle(&owner->end, owner);
    if (hdi_seam)
        hdi_seam->gone(owner, HDI_SITE());
    owner->gone = HDI_SITE();
    hdi_bury(owner, sizeof *owner);
}
