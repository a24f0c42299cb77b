/* lockgraph_hot.h - hdi_lock_acquired() and hdi_lock_released() for callers that cannot afford a
 * call: what is known is found inline, the rest goes to lockgraph.c.
 */
#ifndef HEDDLE_LOCKGRAPH_HOT_H
#define HEDDLE_LOCKGRAPH_HOT_H

#include "lockgraph_inside.h"

/* A place in the program, and in the bit that no address has whether the lock is shared. */
static inline uint64_t lg_key(uint64_t site, uint32_t mode)
{
    return site | (uint64_t)(mode & HDI_LOCK_SHARED) << 63;
}

/* Locks beside each other in memory have entries beside each other. */
static inline struct lg_cached *lg_cache_at(const struct hdi_lock_thread *t, uint32_t parent,
                                            uintptr_t addr, uint64_t key)
{
    uint64_t h = (key ^ key >> 32) * 0x9e3779b97f4a7c15ull ^ parent * 0xd6e8feb86659fd93ull;
    return &t->cache[((addr >> 5) + (h >> 40)) & t->cache_mask];
}

/* The newest of what t holds is in the cache: give it its chain. */
static inline bool lg_cache_hit(struct hdi_lock_thread *t, uint32_t parent, struct lg_held *h)
{
    uint64_t key = lg_key(h->site, h->mode);
    const struct lg_cached *c = lg_cache_at(t, parent, h->addr, key);
    if (c->addr != h->addr || c->key != key || c->parent != parent ||
        (c->epoch != t->epoch && !(h->mode & HDI_LOCK_TRY)))
        return false;
    if (__builtin_expect(
            t->generation != atomic_load_explicit(&t->g->generation, memory_order_acquire), 0) &&
        !lg_cache_check(t, c))
        return false;
    h->chain = c->chain;
    h->id = c->id;
    return true;
}

static inline __attribute__((always_inline)) void
lg_acquired(struct hdi_lock_thread *t, const void *lock, uint32_t mode, uint64_t site)
{
    uint32_t depth = t->depth;
    if (__builtin_expect(depth == t->capacity || t->eager, 0)) {
        lg_acquired_slowly(t, lock, mode, site);
        return;
    }
    struct lg_held *h = &t->held[depth];
    h->addr = (uintptr_t)lock;
    h->site = site;
    h->mode = mode;
    h->stack = 0;
    t->depth = depth + 1;
    if (depth == 0 && !(mode & HDI_LOCK_ALONE))
        return;
    if (t->known == depth && lg_cache_hit(t, depth ? h[-1].id : 0, h))
        t->known = depth + 1;
    else
        lg_note(t);
}

static inline __attribute__((always_inline)) bool lg_released(struct hdi_lock_thread *t,
                                                              const void *lock)
{
    uint32_t last = t->depth - 1;
    if (__builtin_expect(t->depth == 0 || t->held[last].addr != (uintptr_t)lock, 0))
        return lg_released_slowly(t, lock);
    t->depth = last;
    if (t->known > last)
        t->known = last;
    return true;
}

#endif /* HEDDLE_LOCKGRAPH_HOT_H */
