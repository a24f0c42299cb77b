/* sharing.c - rate limiter, singleflight, pool of buffers. */
#include "suite/suite.h"

#include <stdlib.h>
#include <string.h>

#include <heddle/limiter.h>
#include <heddle/pool.h>
#include <heddle/singleflight.h>
#include <heddle/waitgroup.h>

/* 003:6 */
struct client {
    struct hd_limiter limiter;
    struct hd_context *ctx;
    struct hd_wg wg;
    struct gauge served, refused;
};

static hd_err client_call(struct client *c)
{
    hd_err err = hd_limiter_wait(&c->limiter, c->ctx);

    if (err)
        return hd_wrapf(err, "rate limit wait");
    gauge_enter(&c->served);
    return NULL;
}

static hd_err client_try_call(struct client *c)
{
    if (!hd_limiter_allow(&c->limiter))
        return hd_errorf(HD_ERR_LIMIT, "rate limit exceeded");
    gauge_enter(&c->served);
    return NULL;
}

static void caller(void *arg)
{
    struct client *c = arg;
    hd_err err = client_call(c);

    if (err)
        gauge_enter(&c->refused);
    hd_err_unref(err);
    hd_wg_done(&c->wg);
}

static void trier(void *arg)
{
    struct client *c = arg;
    hd_err err = client_try_call(c);

    if (err)
        gauge_enter(&c->refused);
    hd_err_unref(err);
    hd_wg_done(&c->wg);
}

static struct client *client_new(int rps)
{
    struct client *c = KEEP(struct client);

    c->ctx = hd_context_background();
    hd_limiter_init(&c->limiter, (double)HD_SECOND / (double)span(HD_SECOND) * rps, rps);
    return c;
}

void rate_limited_calls(void)
{
    int rps = draw(1, 3), calls = draw(1, 6);
    struct client *c = client_new(rps);
    int64_t start = hd_now(), least;

    hd_wg_add(&c->wg, calls);
    for (int i = 0; i < calls; i++)
        GO(caller, c);
    hd_wg_wait(&c->wg);
    least = calls > rps ? (calls - rps) * span(HD_SECOND) / rps : 0;
    assert(c->served.now == calls && hd_now() - start >= least - HD_MILLISECOND);
    all_gone();
}

void rate_limited_with_deadline(void)
{
    struct client *c = client_new(1);

    c->ctx =
        keep_context(hd_context_with_timeout(hd_context_background(), span(2500 * HD_MILLISECOND)));
    hd_wg_add(&c->wg, 5);
    for (int i = 0; i < 5; i++)
        GO(caller, c);
    hd_wg_wait(&c->wg);
    assert(c->served.now + c->refused.now == 5);
    assert(c->served.now >= 1 && c->served.now <= 3);
    hd_context_end(c->ctx);
    all_gone();
}

void rate_limited_tries(void)
{
    int rps = draw(1, 3), calls = draw(1, 6);
    struct client *c = client_new(rps);

    hd_wg_add(&c->wg, calls);
    for (int i = 0; i < calls; i++)
        GO(trier, c);
    hd_wg_wait(&c->wg);
    assert(c->served.now >= (calls < rps ? calls : rps) && c->served.now + c->refused.now == calls);
    all_gone();
}

/* 003:8 */
struct user_cache {
    struct hd_singleflight group;
    struct hd_wg wg;
    struct gauge queries;
    int queried;
    bool fails;
    char user[8];
};

static void *query_user(void *arg, hd_err *err)
{
    struct user_cache *c = arg;

    gauge_enter(&c->queries);
    __atomic_add_fetch(&c->queried, 1, __ATOMIC_RELAXED);
    hd_sleep(span(100 * HD_MILLISECOND));
    gauge_leave(&c->queries);
    if (c->fails)
        *err = hd_errorf(HD_ERR_USER, "no such user");
    return c->fails ? NULL : c->user;
}

static void get_user(void *arg)
{
    struct user_cache *c = arg;
    struct hd_flight_result r = hd_singleflight_do(&c->group, "42", query_user, c);

    assert(c->fails ? !r.value && hd_err_code(r.err) == HD_ERR_USER : r.value == c->user);
    hd_err_unref(r.err);
    hd_wg_done(&c->wg);
}

void singleflight_one_query(void)
{
    struct user_cache *c = KEEP(struct user_cache);
    int callers = draw(1, 4);

    c->fails = draw(0, 1);
    hd_wg_add(&c->wg, callers);
    for (int i = 0; i < callers; i++)
        GO(get_user, c);
    hd_wg_wait(&c->wg);
    assert(c->queries.most == 1 && c->queried >= 1 && c->queried <= callers);
    all_gone();
}

/* A cache without it: the stampede that the guide speaks of. */
static void get_user_alone(void *arg)
{
    struct user_cache *c = arg;
    hd_err err = NULL;

    query_user(c, &err);
    hd_err_unref(err);
    hd_wg_done(&c->wg);
}

void singleflight_left_out(void)
{
    struct user_cache *c = KEEP(struct user_cache);

    hd_wg_add(&c->wg, 3);
    for (int i = 0; i < 3; i++)
        GO(get_user_alone, c);
    hd_wg_wait(&c->wg);
    assert(c->queries.most == 1 && "the same query several times at once");
}

/* 003:9 */
struct buffer {
    size_t used;
    char text[64];
};

struct buffers {
    struct hd_pool pool;
    struct hd_wg wg;
    bool reset;
};

static void *buffer_make(void *arg)
{
    (void)arg;
    return calloc(1, sizeof(struct buffer));
}

static void buffer_drop(void *object, void *arg)
{
    (void)arg;
    free(object);
}

static void append(struct buffer *b, const char *text)
{
    for (; *text && b->used + 1 < sizeof b->text; text++)
        b->text[b->used++] = *text;
    b->text[b->used] = '\0';
}

static void process_data(void *arg)
{
    struct buffers *all = arg;

    for (int i = 0; i < 2; i++) {
        struct buffer *buf = hd_pool_get(&all->pool);
        append(buf, "data");
        hd_go_yield();
        append(buf, "-processed");
        assert(strcmp(buf->text, "data-processed") == 0);
        if (all->reset)
            buf->used = 0;
        hd_pool_put(&all->pool, buf);
    }
    hd_wg_done(&all->wg);
}

static void use_buffers(bool reset)
{
    struct buffers *all = KEEP(struct buffers);
    int users = draw(1, 3);

    all->reset = reset;
    started(hd_pool_init(&all->pool, buffer_make, buffer_drop, NULL));
    hd_wg_add(&all->wg, users);
    for (int i = 0; i < users; i++)
        GO(process_data, all);
    hd_wg_wait(&all->wg);
    hd_pool_destroy(&all->pool);
    all_gone();
}

void buffer_pool_as_written(void)
{
    use_buffers(true);
}

void buffer_pool_not_reset(void)
{
    use_buffers(false);
}

/* Kept after it was put back: the pool's other rule. */
static void process_too_long(void *arg)
{
    struct buffers *all = arg;
    struct buffer *buf = hd_pool_get(&all->pool);

    append(buf, "data");
    buf->used = 0;
    hd_pool_put(&all->pool, buf);
    hd_go_yield();
    buf->text[0] = 'D';
    hd_wg_done(&all->wg);
}

void buffer_pool_used_after_put(void)
{
    struct buffers *all = KEEP(struct buffers);

    started(hd_pool_init(&all->pool, buffer_make, buffer_drop, NULL));
    hd_wg_add(&all->wg, 2);
    GO(process_too_long, all);
    GO(process_too_long, all);
    hd_wg_wait(&all->wg);
    hd_pool_destroy(&all->pool);
}
