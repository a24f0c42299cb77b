/* values.c - values that follow a request through its goroutines. */
#include "suite/suite.h"

#include <string.h>

#include <heddle/waitgroup.h>

static const char user_id_key[] = "user_id", request_id_key[] = "request_id";

static struct hd_context *with_user_id(struct hd_context *ctx, char *user_id)
{
    return hd_context_with_value(ctx, user_id_key, user_id);
}

static const char *get_user_id(struct hd_context *ctx)
{
    return hd_context_value(ctx, user_id_key);
}

struct request {
    struct hd_context *ctx;
    char user[16], id[16];
    struct hd_wg *wg;
    bool served;
};

static void handler(struct request *r, struct hd_context *ctx)
{
    assert(strcmp(get_user_id(ctx), r->user) == 0);
    assert(strcmp(hd_context_value(ctx, request_id_key), r->id) == 0);
    r->served = true;
}

static void auth_middleware(void *arg)
{
    struct request *r = arg;
    struct hd_context *outer = r->ctx, *inner = with_user_id(outer, r->user);

    assert(get_user_id(outer) == NULL);
    hd_go_yield();
    handler(r, inner);
    hd_context_unref(inner);
    hd_wg_done(r->wg);
}

void context_values(void)
{
    struct hd_context *root = keep_context(hd_context_with_cancel(hd_context_background()));
    struct hd_wg *wg = KEEP(struct hd_wg);
    struct request *requests[4];
    int count = draw(1, 4);

    for (int i = 0; i < count; i++) {
        struct request *r = requests[i] = KEEP(struct request);
        r->user[0] = (char)('a' + i);
        r->id[0] = (char)('0' + i);
        r->ctx = keep_context(hd_context_with_value(root, request_id_key, r->id));
        r->wg = wg;
        hd_wg_add(wg, 1);
        GO(auth_middleware, r);
    }
    hd_wg_wait(wg);
    for (int i = 0; i < count; i++) {
        assert(requests[i]->served);
        hd_context_unref(requests[i]->ctx);
    }
    hd_context_end(root);
    all_gone();
}
