/* pool.c - see pool.h.
 *
 * A thread's cache is a stripe chosen by a number that the thread draws once, so a cache outlives
 * its thread and no thread's end needs to be known. Two threads may share a stripe; its lock, a
 * leaf, is nearly always free. Stripe 0 is the reserve.
 */
#include <heddle/pool.h>

#include <stdint.h>
#include <stdlib.h>

#include "inner_lock.h"
#include "leak_ledger.h"
#include "misuse.h"

#define STRIPES 17u
#define CACHED 8u    /* objects in a thread's cache */
#define RESERVED 64u /* and in the reserve */

struct hd_pool_stripe {
    _Alignas(64) struct hd_mutex lock;
    unsigned count;
    void *objects[RESERVED];
    struct hdi_owed destroy; /* of the reserve: the pool's */
};

static _Atomic unsigned threads_seen;
static _Thread_local unsigned my_number;

/* Under the seam all threads share one: which object comes must not depend on who came first in
 * some other pool. */
static struct hd_pool_stripe *mine(struct hd_pool *pool)
{
    if (hdi_seam)
        return &pool->stripes[1];
    if (my_number == 0)
        my_number = atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed) + 1;
    return &pool->stripes[1 + my_number % (STRIPES - 1)];
}

static void need_alive(const struct hd_pool *pool, const void *site)
{
    if (HDI_UNLIKELY(!pool->stripes))
        hdi_misuse_late("sync: use of a Pool before it was made or after its end", pool, site,
                        NULL);
}

hd_err hd_pool_init(struct hd_pool *pool, void *(*make)(void *arg),
                    void (*drop)(void *object, void *arg), void *arg)
{
    *pool = (struct hd_pool){.make = make, .drop = drop, .arg = arg};
    if (!drop)
        return hd_invalid;
    pool->stripes = aligned_alloc(64, STRIPES * sizeof *pool->stripes);
    if (!pool->stripes)
        return hd_out_of_memory;
    for (unsigned i = 0; i < STRIPES; i++)
        pool->stripes[i] = (struct hd_pool_stripe){.count = 0};
    hdi_hide(pool->stripes, STRIPES * sizeof *pool->stripes);
    if (hdi_seam)
        hdi_seam->born(HD_OB_POOL, pool, NULL, HDI_SITE());
    hdi_owe(&pool->stripes[0].destroy, HD_OB_POOL, pool, NULL, HDI_SITE());
    return NULL;
}

void hd_pool_destroy(struct hd_pool *pool)
{
    if (!pool->stripes)
        return;
    hd_pool_drain(pool);
    hdi_settle(&pool->stripes[0].destroy, pool);
    free(pool->stripes);
    pool->stripes = NULL;
    if (hdi_seam)
        hdi_seam->gone(pool, HDI_SITE());
}

static void *take(struct hd_pool_stripe *stripe)
{
    void *object = NULL;

    hdi_inner_lock(&stripe->lock);
    if (stripe->count > 0)
        object = stripe->objects[--stripe->count];
    hdi_inner_unlock(&stripe->lock);
    return object;
}

static bool keep(struct hd_pool_stripe *stripe, unsigned room, void *object)
{
    bool kept;

    hdi_inner_lock(&stripe->lock);
    kept = stripe->count < room;
    if (kept)
        stripe->objects[stripe->count++] = object;
    hdi_inner_unlock(&stripe->lock);
    return kept;
}

void *hd_pool_get(struct hd_pool *pool)
{
    struct hdi_why why = {HD_EV_HD_OTHER, pool, HDI_SITE()};
    void *object;

    hdi_point(&why);
    need_alive(pool, why.site);
    object = take(mine(pool));
    if (!object)
        object = take(&pool->stripes[0]);
    if (object)
        hdi_acquire(object);
    else if (pool->make) {
        object = pool->make(pool->arg);
        if (!object && hd_pool_drain(pool) > 0)
            object = pool->make(pool->arg);
    }
    return object;
}

void hd_pool_put(struct hd_pool *pool, void *object)
{
    struct hdi_why why = {HD_EV_HD_OTHER, pool, HDI_SITE()};

    if (!object)
        return;
    hdi_point(&why);
    need_alive(pool, why.site);
    hdi_release(object);
    if (!keep(mine(pool), CACHED, object) && !keep(&pool->stripes[0], RESERVED, object))
        pool->drop(object, pool->arg);
}

size_t hd_pool_drain(struct hd_pool *pool)
{
    size_t dropped = 0;

    need_alive(pool, HDI_SITE());
    for (unsigned i = 0; i < STRIPES; i++) {
        void *object;
        while ((object = take(&pool->stripes[i]))) {
            hdi_acquire(object);
            pool->drop(object, pool->arg);
            dropped++;
        }
    }
    return dropped;
}
