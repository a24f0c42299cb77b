/* lockgraph_fast.h - hdi_lock_acquired() and hdi_lock_released() for callers that cannot afford a
 * call: what is known is found inline, the rest goes to lockgraph.c.
 */
#ifndef HEDDLE_LOCKGRAPH_FAST_H
#define HEDDLE_LOCKGRAPH_FAST_H

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

/* The cache's entry for h, the newest of what t holds, or NULL. */
static inline __attribute__((always_inline)) const struct lg_cached *
lg_cache_find(const struct hdi_lock_thread *t, uint32_t parent, const struct lg_held *h)
{
    uint64_t key = lg_key(h->site, h->mode);
    const struct lg_cached *c = lg_cache_at(t, parent, h->addr, key);
    return c->addr == h->addr && c->key == key && c->parent == parent &&
                   (c->epoch == t->epoch || h->mode & HDI_LOCK_TRY)
               ? c
               : NULL;
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
    const struct lg_cached *c =
        t->known == depth ? lg_cache_find(t, depth ? h[-1].id : 0, h) : NULL;
    if (__builtin_expect(!c || t->generation !=
                                   atomic_load_explicit(&t->g->generation, memory_order_acquire),
                         0)) {
        lg_note(t);
        return;
    }
    h->chain = c->chain;
    h->id = c->id;
    t->known = depth + 1;
}

/* lg_released() of what t took last; false, and nothing done, for any other. */
static inline __attribute__((always_inline)) bool lg_released_last(struct hdi_lock_thread *t,
                                                                   const void *lock)
{
    uint32_t last = t->depth - 1;
    if (t->depth == 0 || t->held[last].addr != (uintptr_t)lock)
        return false;
    t->depth = last;
    if (t->known > last)
        t->known = last;
    return true;
}

static inline bool lg_released(struct hdi_lock_thread *t, const void *lock)
{
    return lg_released_last(t, lock) || lg_released_slowly(t, lock);
}

#endif /* HEDDLE_LOCKGRAPH_FAST_H */
