/* lockgraph.c - what threads hold, and the tree of chains that they held. lockgraph.h states the
 * API, lockgraph_search.c finds the rings.
 *
 * An acquisition with nothing else held is one entry pushed on the thread's own array. With others
 * held, the chain is looked up in the thread's cache by its exact key (parent, lock, mode, place);
 * when it is there with the label of the thread's present segment, nothing is new and nothing
 * shared is written. Everything else takes the graph's lock.
 *
 *   G1  held[i].chain is valid for i < known, and held[i].chain->parent == held[i - 1].chain
 *   G2  every chain but those of depth 1 has a link parent->lock -> lock: what links do not reach,
 *       dependencies do not reach
 *   G3  a chain whose last lock was destroyed has address 0, no label, and is in no table; it stays
 *       while others go on from it, for what they say about the locks that are left
 */
#include "lockgraph_fast.h"

#include <string.h>

#define FIRST_HELD 64u
#define FIRST_CACHE 512u
#define LAST_CACHE 32768u

struct lg_cached lg_no_cache;

struct hdi_lockgraph *hdi_lockgraph_new(const struct hdi_lock_calls *calls)
{
    struct hdi_lockgraph start = {.calls = calls ? *calls : (struct hdi_lock_calls){0}};
    struct hdi_lockgraph *g = lg_map(&start, sizeof *g);
    if (!g)
        return NULL;
    g->bytes = start.bytes;
    if (calls)
        g->calls = *calls;
    g->dead_end = &g->dead_first;
    g->exact = g->fold_at = g->calls.exact ? g->calls.exact : HDI_LOCK_EXACT;
    g->ghost_room = g->calls.ghosts ? g->calls.ghosts : HDI_LOCK_GHOSTS;
    g->credit = HDI_LOCK_CREDIT;
    g->ids = 1;
    g->lock_pool.size = sizeof(struct lg_lock);
    g->chain_pool.size = sizeof(struct lg_chain);
    g->label_pool.size = sizeof(struct lg_label);
    g->link_pool.size = sizeof(struct lg_link);
    g->key_pool.size = sizeof(struct lg_key);
    g->thread_pool.size = sizeof(struct hdi_lock_thread);
    g->deferred_pool.size = sizeof(struct lg_deferred);
    g->class_pool.size = sizeof(struct lg_class);
    g->class_link_pool.size = sizeof(struct lg_class_link);
    g->shape_pool.size = sizeof(struct lg_shape);
    return g;
}

void hdi_lockgraph_delete(struct hdi_lockgraph *g)
{
    lg_unmap_all(g);
    lg_unmap(&(struct hdi_lockgraph){.calls = g->calls}, g);
}

/* ---- threads ---- */

struct hdi_lock_thread *hdi_lock_thread_made(struct hdi_lockgraph *g, struct hdi_lock_thread *maker,
                                             void *owner)
{
    lg_enter(g);
    struct hdi_lock_thread *t = lg_take(g, &g->thread_pool);
    if (t) {
        t->g = g;
        t->cache = &lg_no_cache;
        t->owner = owner;
        t->eager = g->calls.eager;
        t->maker = maker;
        if (maker) {
            t->next_child = maker->children;
            maker->children = t;
            t->made_at = maker->epoch;
            maker->forks++;
            maker->epoch++;
        }
    }
    lg_leave(g);
    return t;
}

static void forget_holdings(struct hdi_lock_thread *t)
{
    lg_unmap(t->g, t->held);
    if (t->cache != &lg_no_cache)
        lg_unmap(t->g, t->cache);
    t->held = NULL;
    t->cache = &lg_no_cache;
    t->depth = t->known = t->capacity = t->cache_mask = 0;
}

/* A thread that only its maker waited for, that left no label and has no children, orders nothing
 * that the maker's own segments do not order. */
static void forget_thread(struct hdi_lock_thread *t)
{
    if (!t->ended || t->labels || t->children || !t->maker || t->joiner != t->maker)
        return;
    struct hdi_lock_thread **at = &t->maker->children;
    while (*at != t)
        at = &(*at)->next_child;
    *at = t->next_child;
    struct hdi_lock_thread *maker = t->maker;
    lg_give(&t->g->thread_pool, t);
    forget_thread(maker);
}

void hdi_lock_thread_joined(struct hdi_lock_thread *t, struct hdi_lock_thread *joiner)
{
    struct hdi_lockgraph *g = t->g;
    lg_enter(g);
    joiner->joins++;
    joiner->epoch++;
    t->joiner = joiner;
    t->joined_at = joiner->epoch;
    forget_thread(t);
    lg_leave(g);
}

void hdi_lock_thread_ended(struct hdi_lock_thread *t)
{
    struct hdi_lockgraph *g = t->g;
    lg_enter(g);
    forget_holdings(t);
    t->ended = true;
    forget_thread(t);
    lg_leave(g);
}

/* ---- locks ---- */

static struct lg_lock *lock_find(struct hdi_lockgraph *g, uintptr_t addr, uint64_t hash)
{
    for (struct lg_node *n = lg_first(&g->locks, hash); n; n = n->next) {
        struct lg_lock *l = (struct lg_lock *)n;
        if (l->addr == addr)
            return l;
    }
    return NULL;
}

static struct lg_lock *lock_get(struct hdi_lockgraph *g, uintptr_t addr, uint8_t kind)
{
    uint64_t hash = hash_spread(addr);
    struct lg_lock *l = lock_find(g, addr, hash);
    if (l) {
        l->kind = l->kind ? l->kind : kind;
        return l;
    }
    l = lg_take(g, &g->lock_pool);
    if (!l)
        return NULL;
    l->addr = addr;
    l->kind = kind;
    l->serial = ++g->serial;
    if (!lg_insert(g, &g->locks, &l->node, hash)) {
        lg_give(&g->lock_pool, l);
        return NULL;
    }
    return l;
}

void hdi_lock_traits(struct hdi_lockgraph *g, const void *lock, uint32_t traits)
{
    lg_enter(g);
    struct lg_lock *l = lock_get(g, (uintptr_t)lock, 0);
    if (l)
        l->traits |= traits;
    lg_leave(g);
}

bool hdi_lock_is(struct hdi_lockgraph *g, const void *lock, uint32_t trait)
{
    lg_enter(g);
    struct lg_lock *l = lock_find(g, (uintptr_t)lock, hash_spread((uintptr_t)lock));
    bool is = l && l->traits & trait;
    lg_leave(g);
    return is;
}

static bool link_add(struct hdi_lockgraph *g, struct lg_lock *from, struct lg_lock *to)
{
    uint64_t hash = hash_spread(from->addr + 0x9e3779b97f4a7c15ull * to->addr);
    for (struct lg_node *n = lg_first(&g->links, hash); n; n = n->next) {
        struct lg_link *k = (struct lg_link *)n;
        if (k->from == from && k->to == to) {
            k->to_serial = to->serial;
            lg_class_order(g, from, to);
            return true;
        }
    }
    struct lg_link *k = lg_take(g, &g->link_pool);
    if (!k)
        return false;
    k->from = from;
    k->to = to;
    k->to_serial = to->serial;
    if (!lg_insert(g, &g->links, &k->node, hash)) {
        lg_give(&g->link_pool, k);
        return false;
    }
    k->next = from->out;
    from->out = k;
    if (!g->big && g->lock_pool.used > HDI_LOCK_BIG)
        lg_classes_start(g);
    lg_class_order(g, from, to);
    return true;
}

/* ---- chains ---- */

static bool chain_is(const struct lg_chain *c, const struct lg_chain *parent,
                     const struct lg_held *h)
{
    return c->addr == h->addr && c->parent == parent && c->site == h->site &&
           c->mode == (h->mode & HDI_LOCK_SHARED);
}

static void link_same(struct lg_chain *c)
{
    c->same = c->lock->tops;
    c->same_at = &c->lock->tops;
    if (c->same)
        c->same->same_at = &c->same;
    c->lock->tops = c;
}

static void link_child(struct lg_chain *c)
{
    c->sibling = c->parent->child;
    c->sibling_at = &c->parent->child;
    if (c->sibling)
        c->sibling->sibling_at = &c->sibling;
    c->parent->child = c;
}

/* The chain that goes on from `parent` (NULL: nothing) as h says; NULL when out of memory. */
struct lg_chain *lg_chain_get(struct hdi_lockgraph *g, struct lg_chain *parent,
                              const struct lg_held *h)
{
    uint32_t mode = h->mode & HDI_LOCK_SHARED;
    uint64_t hash = hash_spread((uint64_t)(uintptr_t)parent * 0x9e3779b97f4a7c15ull + h->addr);
    hash = hash_spread(hash ^ lg_key(h->site, mode));
    for (struct lg_node *n = lg_first(&g->chains, hash); n; n = n->next)
        if (chain_is((struct lg_chain *)n, parent, h))
            return (struct lg_chain *)n;

    struct lg_lock *lock = lock_get(g, h->addr, (uint8_t)(h->mode >> 8));
    if (lock && !lock->class)
        lock->class = lg_class_of(g, lock, h->site);
    if (!lock || (parent && !link_add(g, parent->lock, lock)))
        return NULL;
    struct lg_chain *c = lg_take(g, &g->chain_pool);
    if (!c)
        return NULL;
    if (!lg_insert(g, &g->chains, &c->node, hash)) {
        lg_give(&g->chain_pool, c);
        return NULL;
    }
    c->lock = lock;
    c->stack = h->stack;
    c->depth = parent ? parent->depth + 1 : 1;
    c->parent = parent;
    link_same(c);
    if (parent)
        link_child(c);
    c->addr = h->addr;
    c->site = h->site;
    c->mode = mode;
    c->id = g->ids++;
    g->ids += g->ids == 0; /* 0 is no id */
    return c;
}

void lg_unlabel(struct hdi_lock_thread *t)
{
    t->labels--;
    forget_thread(t);
}

static void label_drop(struct hdi_lockgraph *g, struct lg_label *l)
{
    lg_unlabel(l->thread);
    lg_give(&g->label_pool, l);
}

/* Of two segments of one thread with no join between them, what can run beside the earlier can run
 * beside the later; with no fork between them, the other way round. */
struct lg_label *lg_label_add(struct hdi_lock_thread *t, struct lg_chain *c, uint32_t forks,
                              uint32_t joins)
{
    for (struct lg_label *l = c->labels; l; l = l->next) {
        if (l->thread != t)
            continue;
        if (l->forks == forks) {
            if (l->joins <= joins)
                return NULL;
            l->joins = joins;
            return l;
        }
        if (l->joins == joins) {
            if (l->forks >= forks)
                return NULL;
            l->forks = forks;
            return l;
        }
    }
    if (c->label_count >=
        HDI_LOCK_LABELS) { /* the oldest half stays, the newest of the rest goes on */
        struct lg_label **at = &c->labels;
        for (uint32_t i = 0; i < HDI_LOCK_LABELS / 2 - 1; i++)
            at = &(*at)->next;
        struct lg_label *old = *at;
        *at = old->next;
        label_drop(t->g, old);
        c->label_count--;
        t->g->stats.forgotten++;
    }
    struct lg_label *l = lg_take(t->g, &t->g->label_pool);
    if (!l)
        return NULL;
    l->thread = t;
    l->forks = forks;
    l->joins = joins;
    l->next = c->labels;
    c->labels = l;
    c->label_count++;
    t->labels++;
    return l;
}

static void unlink_child(struct lg_chain *c)
{
    if (!c->parent)
        return;
    *c->sibling_at = c->sibling;
    if (c->sibling)
        c->sibling->sibling_at = c->sibling_at;
}

static void unlink_same(struct lg_chain *c)
{
    *c->same_at = c->same;
    if (c->same)
        c->same->same_at = c->same_at;
}

static void labels_drop(struct hdi_lockgraph *g, struct lg_chain *c)
{
    for (struct lg_label *l = c->labels, *next; l; l = next) {
        next = l->next;
        label_drop(g, l);
    }
    c->labels = NULL;
    c->label_count = 0;
}

/* Nobody finds it by its key any more. */
static void chain_hide(struct hdi_lockgraph *g, struct lg_chain *c)
{
    if (c->addr) {
        c->addr = 0;
        c->id = 0;
        lg_remove(&g->chains, &c->node);
    }
}

/* Take c and all that goes on from it out of the graph. */
void lg_chain_drop(struct hdi_lockgraph *g, struct lg_chain *c)
{
    struct lg_chain *at = c;
    for (;;) {
        while (at->child)
            at = at->child;
        struct lg_chain *up = at->parent;
        unlink_child(at);
        unlink_same(at);
        labels_drop(g, at);
        chain_hide(g, at);
        lg_give(&g->chain_pool, at);
        if (at == c)
            return;
        at = up;
    }
}

/* Its chains stay where they are gates of other locks' orders. True when none did. */
static bool lock_prune(struct hdi_lockgraph *g, struct lg_lock *l)
{
    for (struct lg_chain *c = l->tops, *next; c; c = next) {
        next = c->same;
        for (struct lg_chain *k = c->child, *sibling; k && c->depth == 1; k = sibling) {
            sibling = k->sibling;
            if (!k->child && k->lock != l)
                lg_chain_drop(g, k);
        }
        if (c->child) {
            labels_drop(g, c);
            chain_hide(g, c);
        } else {
            lg_chain_drop(g, c);
        }
    }
    return !l->tops;
}

void lg_lock_drop(struct hdi_lockgraph *g, struct lg_lock *l)
{
    while (l->tops)
        lg_chain_drop(g, l->tops);
    for (struct lg_link *k = l->out, *next; k; k = next) {
        next = k->next;
        lg_remove(&g->links, &k->node);
        lg_give(&g->link_pool, k);
    }
    l->serial = 0; /* links to it are stale */
    lg_give(&g->lock_pool, l);
}

static void destroyed(struct hdi_lockgraph *g, const void *lock)
{
    lg_birth_forget(g, (uintptr_t)lock);
    lg_ghosts_destroyed(g, (uintptr_t)lock);
    struct lg_lock *l = lock_find(g, (uintptr_t)lock, hash_spread((uintptr_t)lock));
    if (l) {
        if (l->tops)
            atomic_fetch_add(&g->generation, 1);
        lg_remove(&g->locks, &l->node);
        if (lock_prune(g, l)) {
            lg_lock_drop(g, l);
        } else {
            *g->dead_end = l;
            g->dead_end = &l->next_dead;
            if (++g->dead > HDI_LOCK_DEAD) {
                struct lg_lock *oldest = g->dead_first;
                g->dead_first = oldest->next_dead;
                g->dead--;
                g->stats.forgotten++;
                lg_lock_drop(g, oldest);
            }
        }
    }
}

void hdi_lock_destroyed(struct hdi_lockgraph *g, const void *lock)
{
    lg_enter(g);
    destroyed(g, lock);
    lg_leave(g);
}

void hdi_lock_made(struct hdi_lockgraph *g, const void *lock, uint64_t site)
{
    lg_enter(g);
    destroyed(g, lock);
    if (!g->calls.made)
        lg_birth(g, (uintptr_t)lock, site);
    lg_leave(g);
}

/* ---- taking and releasing ---- */

static bool held_grow(struct hdi_lock_thread *t)
{
    struct hdi_lockgraph *g = t->g;
    uint32_t capacity = t->capacity ? t->capacity * 2 : FIRST_HELD;
    lg_enter(g);
    struct lg_held *held = lg_map(g, capacity * sizeof *held);
    if (held) {
        if (t->depth)
            memcpy(held, t->held, t->depth * sizeof *held);
        lg_unmap(g, t->held);
        t->held = held;
        t->capacity = capacity;
    }
    lg_leave(g);
    return held != NULL;
}

/* Its chain has the id that it had: ids are never used twice. */
static bool cache_good(const struct lg_cached *c)
{
    return atomic_load_explicit(&c->chain->id, memory_order_acquire) == c->id;
}

static bool cache_check(struct hdi_lock_thread *t, const struct lg_cached *c)
{
    uint32_t generation = atomic_load_explicit(&t->g->generation, memory_order_acquire);
    if (++t->checks <= t->cache_mask)
        return cache_good(c);
    for (uint32_t i = 0; i <= t->cache_mask; i++) /* once in so many: look through all */
        if (t->cache[i].chain && !cache_good(&t->cache[i]))
            t->cache[i] = (struct lg_cached){0};
    t->generation = generation;
    t->checks = 0;
    return c->chain != NULL;
}

static bool cache_grow(struct hdi_lock_thread *t)
{
    uint32_t size = t->cache != &lg_no_cache ? t->cache_mask + 1 : 0,
             larger = size ? size * 4 : FIRST_CACHE;
    struct lg_cached *cache = lg_map(t->g, larger * sizeof *cache);
    if (!cache)
        return false;
    if (size)
        lg_unmap(t->g, t->cache); /* what was in it is found again as it is used */
    t->cache = cache;
    t->cache_mask = larger - 1;
    t->cache_lost = 0;
    return true;
}

static void cache_put(struct hdi_lock_thread *t, uint32_t parent, const struct lg_held *h,
                      uint32_t epoch)
{
    if ((t->cache == &lg_no_cache ||
         (t->cache_lost > t->cache_mask && t->cache_mask < LAST_CACHE)) &&
        !cache_grow(t) && t->cache == &lg_no_cache)
        return;
    uint64_t key = lg_key(h->site, h->mode);
    struct lg_cached *c = lg_cache_at(t, parent, h->addr, key);
    if (c->chain && c->chain != h->chain)
        t->cache_lost++;
    *c = (struct lg_cached){.addr = h->addr,
                            .key = key,
                            .parent = parent,
                            .id = h->id,
                            .chain = h->chain,
                            .epoch = epoch};
}

/* Locks were destroyed since the cache was last looked through, and h's chain is still good. */
static bool still_known(struct hdi_lock_thread *t, struct lg_held *h)
{
    uint32_t parent = t->depth > 1 ? h[-1].id : 0;
    const struct lg_cached *c = t->known == t->depth - 1 ? lg_cache_find(t, parent, h) : NULL;
    if (!c || !cache_check(t, c))
        return false;
    h->chain = c->chain;
    h->id = c->id;
    t->known = t->depth;
    return true;
}

void lg_note(struct hdi_lock_thread *t)
{
    struct hdi_lockgraph *g = t->g;
    struct lg_held *newest = &t->held[t->depth - 1];
    if (still_known(t, newest))
        return;
    if (t->busy) {
        g->stats.skipped++;
        return;
    }
    atomic_store_explicit(&t->busy, true, memory_order_relaxed);
    if (g->calls.stack && !newest->stack)
        newest->stack = g->calls.stack(g->calls.data);
    lg_enter(g);
    if (g->chain_pool.used >= g->fold_at)
        lg_fold(g);
    for (uint32_t i = 0; i < t->known; i++) /* destroyed while held: not ours to trip over */
        if (t->held[i].chain->id != t->held[i].id)
            t->known = i;
    for (; t->known < t->depth; t->known++) {
        struct lg_held *h = &t->held[t->known];
        struct lg_chain *parent = t->known ? h[-1].chain : NULL;
        uint32_t parent_id = t->known ? h[-1].id : 0;
        h->chain = lg_chain_get(g, parent, h);
        if (!h->chain) {
            g->stats.skipped++;
            break;
        }
        h->id = h->chain->id;
        if (h != newest || h->mode & HDI_LOCK_TRY) {
            if (lg_cache_at(t, parent_id, h->addr, lg_key(h->site, h->mode))->chain != h->chain)
                cache_put(t, parent_id, h, LG_NO_EPOCH);
            continue;
        }
        struct lg_label *label = lg_label_add(t, h->chain, t->forks, t->joins);
        cache_put(t, parent_id, h, t->epoch);
        if (label && parent)
            lg_search(g, h->chain, label);
        if (label && !(h->mode & HDI_LOCK_SHARED) && h->chain->lock->traits & HDI_LOCK_WRITER_FIRST)
            lg_search_readers(g, h->chain->lock);
    }
    lg_leave(g);
    atomic_store_explicit(&t->busy, false, memory_order_relaxed);
}

void lg_acquired_slowly(struct hdi_lock_thread *t, const void *lock, uint32_t mode, uint64_t site)
{
    if (t->depth == t->capacity && (t->busy || !held_grow(t))) {
        t->g->stats.skipped++;
        return;
    }
    uint32_t stack = t->eager && t->g->calls.stack ? t->g->calls.stack(t->g->calls.data) : 0;
    struct lg_held *h = &t->held[t->depth++];
    *h = (struct lg_held){.addr = (uintptr_t)lock, .site = site, .mode = mode, .stack = stack};
    if (t->depth > 1 || mode & HDI_LOCK_ALONE)
        lg_note(t);
}

bool lg_released_slowly(struct hdi_lock_thread *t, const void *lock)
{
    struct hdi_lockgraph *g = t->g;
    for (uint32_t i = t->depth; i-- > 0;) {
        if (t->held[i].addr != (uintptr_t)lock)
            continue;
        memmove(&t->held[i], &t->held[i + 1], (t->depth - i - 1) * sizeof t->held[0]);
        t->depth--;
        if (t->known > i)
            t->known = i;
        return true;
    }
    if (!t->busy) {
        lg_enter(g);
        struct lg_lock *l = lock_find(g, (uintptr_t)lock, hash_spread((uintptr_t)lock));
        if (l && l->traits & HDI_LOCK_COUNTED)
            l->broken = true;
        lg_leave(g);
    }
    return false;
}

void hdi_lock_acquired(struct hdi_lock_thread *t, const void *lock, uint32_t mode, uint64_t site)
{
    lg_acquired(t, lock, mode, site);
}

bool hdi_lock_released(struct hdi_lock_thread *t, const void *lock)
{
    return lg_released(t, lock);
}

uint32_t hdi_lock_held(const struct hdi_lock_thread *t)
{
    return t->depth;
}

const void *hdi_lock_held_at(const struct hdi_lock_thread *t, uint32_t i, uint64_t *site,
                             uint32_t *mode)
{
    if (i >= t->depth)
        return NULL;
    *site = t->held[i].site;
    *mode = t->held[i].mode & 0xff;
    return (const void *)t->held[i].addr;
}

/* ---- the whole ---- */

void hdi_lockgraph_finish(struct hdi_lockgraph *g)
{
    lg_enter(g);
    lg_readers_again(g);
    lg_give_deferred(g);
    lg_leave(g);
}

void hdi_lockgraph_stats(struct hdi_lockgraph *g, struct hdi_lock_stats *out)
{
    lg_enter(g);
    *out = g->stats;
    out->locks = g->lock_pool.used;
    out->chains = g->chain_pool.used;
    out->labels = g->label_pool.used;
    out->links = g->link_pool.used;
    out->classes = g->class_pool.used;
    out->bytes = g->bytes;
    if (g->ghost && g->ghosts_made < g->ghost_room) /* never touched */
        out->bytes -= (g->ghost_room - g->ghosts_made) * sizeof *g->ghost;
    out->lock_bytes = sizeof(struct lg_lock);
    out->chain_bytes = sizeof(struct lg_chain);
    out->label_bytes = sizeof(struct lg_label);
    out->link_bytes = sizeof(struct lg_link);
    lg_leave(g);
}

/* Is l the first of its thread in the list? */
static bool first_of_thread(const struct lg_label *list, const struct lg_label *l)
{
    while (list->thread != l->thread)
        list = list->next;
    return list == l;
}

struct visit {
    void (*edge)(const struct hdi_lock_edge *e, void *data);
    void *data;
};

/* The edge from h, held, to c, once for each thread. */
static void visit_edge(const struct visit *v, const struct lg_chain *c, const struct lg_chain *h)
{
    if (!c->addr || !h->addr || h->lock->broken || c->lock->broken)
        return;
    for (const struct lg_label *l = c->labels; l; l = l->next) {
        struct hdi_lock_edge e;
        if (!first_of_thread(c->labels, l))
            continue;
        lg_edge_fill(&e, c, h, l);
        v->edge(&e, v->data);
    }
}

static void visit_shape(const struct visit *v, const struct lg_shape *s)
{
    struct hdi_lock_edge e = {.thread = s->owner,
                              .held_site = s->held_site,
                              .took_site = s->took_site,
                              .held_mode = s->held_mode,
                              .took_mode = s->took_mode,
                              .held_kind = s->held ? s->held->kind : 0,
                              .took_kind = s->took ? s->took->kind : 0,
                              .held_made = s->held ? s->held->site : 0,
                              .took_made = s->took ? s->took->site : 0,
                              .count = s->count};
    v->edge(&e, v->data);
}

void hdi_lockgraph_each(struct hdi_lockgraph *g,
                        void (*edge)(const struct hdi_lock_edge *e, void *data), void *data)
{
    struct visit v = {edge, data};
    lg_enter(g);
    for (int turn = 0; turn < 2; turn++) {
        for (uint64_t i = 0; g->chains.slot && i <= g->chains.mask; i++) {
            for (struct lg_node *n = g->chains.slot[i]; n; n = n->next) {
                const struct lg_chain *c = (const struct lg_chain *)n, *h = c->parent;
                if (turn == 0 && h)
                    visit_edge(&v, c, h);
                while (turn == 1 && h && (h = h->parent))
                    visit_edge(&v, c, h);
            }
        }
    }
    for (uint64_t i = 0; g->shapes.slot && i <= g->shapes.mask; i++)
        for (struct lg_node *n = g->shapes.slot[i]; n; n = n->next)
            visit_shape(&v, (const struct lg_shape *)n);
    lg_leave(g);
}

/* The next chain behind c in the tree that begins with top. */
static const struct lg_chain *next_below(const struct lg_chain *c, const struct lg_chain *top)
{
    if (c->child)
        return c->child;
    while (c != top && !c->sibling)
        c = c->parent;
    return c == top ? NULL : c->sibling;
}

void hdi_lockgraph_each_of(struct hdi_lockgraph *g, const void *lock,
                           void (*edge)(const struct hdi_lock_edge *e, void *data), void *data)
{
    struct visit v = {edge, data};
    lg_enter(g);
    struct lg_lock *l = lock_find(g, (uintptr_t)lock, hash_spread((uintptr_t)lock));
    for (const struct lg_chain *top = l ? l->tops : NULL; top; top = top->same) {
        for (const struct lg_chain *h = top->parent; h; h = h->parent)
            visit_edge(&v, top, h);
        for (const struct lg_chain *c = top; (c = next_below(c, top));)
            visit_edge(&v, c, top);
    }
    lg_leave(g);
}

void hdi_lockgraph_fork(struct hdi_lockgraph *g, bool before)
{
    if (before)
        lg_enter(g);
    else
        lg_leave(g);
}
