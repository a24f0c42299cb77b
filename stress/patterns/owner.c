/* owner.c - one goroutine owns a map; others ask it by channel. */
#include "suite/suite.h"

#include <heddle/owner.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>

struct req {
    int key;
    struct hd_chan *reply;
};

struct owned {
    struct hd_context *ctx;
    struct hd_chan *in;
    struct hd_wg wg;
    int values[4];
};

static struct owned *owned_new(void)
{
    struct owned *o = KEEP(struct owned);

    o->ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    o->in = CHAN(struct req, 0);
    return o;
}

static void map_owner(void *arg)
{
    struct owned *o = arg;
    int m[4] = {10, 11, 12, 13};
    struct req r;

    while (HD_SELECT(HD_RECV(hd_context_done(o->ctx), NULL), HD_RECV(o->in, &r)) == 1)
        hd_chan_send(r.reply, &m[r.key]);
}

static void ask(void *arg)
{
    struct owned *o = arg;

    for (int k = 0; k < 2; k++) {
        struct req r = {k, CHAN(int, 0)};
        int value;
        hd_chan_send(o->in, &r);
        hd_chan_recv(r.reply, &value);
        assert(value == 10 + k);
    }
    hd_wg_done(&o->wg);
}

void map_owner_as_written(void)
{
    struct owned *o = owned_new();
    int askers = draw(1, 3);

    GO(map_owner, o);
    hd_wg_add(&o->wg, askers);
    for (int i = 0; i < askers; i++)
        GO(ask, o);
    hd_wg_wait(&o->wg);
    hd_context_end(o->ctx);
    all_gone();
}

static void ask_impatiently(void *arg)
{
    struct owned *o = arg;
    struct req r = {0, CHAN(int, 0)};

    hd_chan_send(o->in, &r);
    (void)HD_SELECT_DEFAULT(HD_RECV(r.reply, NULL)); /* gives up at once */
    hd_wg_done(&o->wg);
}

void map_owner_asker_gives_up(void)
{
    struct owned *o = owned_new();

    GO(map_owner, o);
    hd_wg_add(&o->wg, 1);
    GO(ask_impatiently, o);
    hd_wg_wait(&o->wg);
    hd_context_end(o->ctx);
}

void map_owner_cancelled(void)
{
    struct owned *o = owned_new();

    GO(map_owner, o);
    hd_wg_add(&o->wg, 2);
    GO(ask, o);
    GO(ask, o);
    hd_context_end(o->ctx);
}

static void mended_ask(void *arg)
{
    struct owned *o = arg;
    struct req r = {draw(0, 3), CHAN(int, 1)};
    int value;

    if (HD_SELECT(HD_SEND(o->in, &r), HD_RECV(hd_context_done(o->ctx), NULL)) == 0 &&
        HD_SELECT(HD_RECV(r.reply, &value), HD_RECV(hd_context_done(o->ctx), NULL)) == 0)
        assert(value == 10 + r.key);
    hd_wg_done(&o->wg);
}

void map_owner_mended(void)
{
    struct owned *o = owned_new();
    int askers = draw(1, 3);

    GO(map_owner, o);
    hd_wg_add(&o->wg, askers);
    for (int i = 0; i < askers; i++)
        GO(mended_ask, o);
    if (draw(0, 1))
        hd_context_cancel(o->ctx);
    hd_wg_wait(&o->wg);
    hd_context_end(o->ctx);
    all_gone();
}

/* The same with the library's owner: the state is plain memory. */
struct table {
    struct hd_owner *owner;
    struct hd_wg wg;
    int values[4];
};

static void add_one(void *state, void *arg)
{
    struct table *t = state;

    t->values[*(int *)arg]++;
}

static void use_owner(void *arg)
{
    struct table *t = arg;

    for (int k = 0; k < 2; k++)
        assert(hd_owner_call(t->owner, hd_context_background(), add_one, &k) == NULL);
    hd_wg_done(&t->wg);
}

void map_owner_library(void)
{
    struct table *t = KEEP(struct table);
    int users = draw(1, 3);

    started(hd_owner_start(&t->owner, hd_context_background(), t));
    hd_wg_add(&t->wg, users);
    for (int i = 0; i < users; i++)
        GO(use_owner, t);
    hd_wg_wait(&t->wg);
    hd_owner_end(t->owner);
    assert(t->values[0] == users && t->values[1] == users && t->values[2] == 0);
    all_gone();
}
