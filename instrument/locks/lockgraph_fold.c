/* lockgraph_fold.c - a bound for a million locks: the oldest chains are folded.
 *
 * When there are more chains than g->exact, those that nothing went on from for longest are taken
 * out of the tree. Of each remain
 *   - its edges by class and place, counted (struct lg_shape), for whoever wants to see the graph;
 *   - when it held no more than two locks, the dependency itself in a few words (struct lg_ghost),
 *     found again by (lock held, lock taken). A new dependency that wants a lock while it holds
 *     another calls back the ghosts that did the opposite, as the chains that they were; then the
 *     search goes on as if nothing had been folded. So rings of two are found as long as the ghosts
 *     last (HDI_LOCK_GHOSTS, the oldest goes first), and found exactly: with gates, fork and join.
 * What is lost is counted: rings of three and more over folded chains, chains of more locks.
 *
 * A ghost whose gate was destroyed is lost, too.
 *
 *   F1  chains of locks with a trait are never folded
 *   F2  a ghost counts as a label of its thread, which so stays in the tree of forks and joins
 */
#include "lockgraph_inside.h"

#define GONE_SLOTS 65536u
#define NUMBER_BITS 0x7fffffffu /* of a ghost: how many were made before it, modulo */

static uint32_t slots(const struct hdi_lockgraph *g)
{
    uint32_t n = 1;
    while (n < g->ghost_room)
        n *= 2;
    return n;
}

static bool ghosts_start(struct hdi_lockgraph *g)
{
    if (!g->ghost)
        g->ghost = lg_map(g, g->ghost_room * sizeof *g->ghost);
    if (g->ghost && !g->ghost_first)
        g->ghost_first = lg_map(g, slots(g) * sizeof *g->ghost_first);
    if (g->ghost_first && !g->gone_at)
        g->gone_at = lg_map(g, GONE_SLOTS * sizeof *g->gone_at);
    return g->gone_at != NULL;
}

static uint32_t pair_slot(const struct hdi_lockgraph *g, uintptr_t held, uintptr_t took)
{
    return (uint32_t)hash_spread(held + 0x9e3779b97f4a7c15ull * took) & (slots(g) - 1);
}

/* A reference is a ghost's number << 1 | which of its locks held, + 1; 0 = none. NULL: overwritten
 * since. */
static struct lg_ghost *ghost_at(struct hdi_lockgraph *g, uint32_t reference)
{
    uint32_t n = (reference - 1) >> 1;
    uint64_t age = (g->ghosts_made - n) & NUMBER_BITS;
    if (!reference || !age || age > g->ghost_room || age > g->ghosts_made)
        return NULL;
    return &g->ghost[(g->ghosts_made - age) % g->ghost_room];
}

static bool was_destroyed(const struct hdi_lockgraph *g, uintptr_t addr, uint64_t age)
{
    uint32_t at = g->gone_at[hash_spread(addr) % GONE_SLOTS];
    return at && age > ((g->ghosts_made - (at - 1)) & NUMBER_BITS);
}

void lg_ghosts_destroyed(struct hdi_lockgraph *g, uintptr_t addr)
{
    if (g->gone_at)
        g->gone_at[hash_spread(addr) % GONE_SLOTS] = (uint32_t)(g->ghosts_made & NUMBER_BITS) + 1;
}

/* ---- what is kept of a chain ---- */

static struct lg_shape *shape_of(struct hdi_lockgraph *g, const struct lg_chain *h,
                                 const struct lg_chain *c)
{
    uint64_t hash = hash_spread((uintptr_t)h->lock->class + hash_spread((uintptr_t)c->lock->class));
    hash = hash_spread(hash ^ h->site ^ hash_spread(c->site + h->mode * 2 + c->mode));
    for (struct lg_node *n = lg_first(&g->shapes, hash); n; n = n->next) {
        struct lg_shape *s = (struct lg_shape *)n;
        if (s->held == h->lock->class && s->took == c->lock->class && s->held_site == h->site &&
            s->took_site == c->site && s->held_mode == h->mode && s->took_mode == c->mode)
            return s;
    }
    struct lg_shape *s = lg_take(g, &g->shape_pool);
    if (!s)
        return NULL;
    s->held = h->lock->class;
    s->took = c->lock->class;
    s->held_site = h->site;
    s->took_site = c->site;
    s->held_mode = (uint8_t)h->mode;
    s->took_mode = (uint8_t)c->mode;
    s->owner = c->labels->thread->owner;
    if (!lg_insert(g, &g->shapes, &s->node, hash)) {
        lg_give(&g->shape_pool, s);
        return NULL;
    }
    return s;
}

static bool same_ghost(const struct lg_ghost *a, const struct lg_ghost *b)
{
    return a->thread == b->thread && a->forks == b->forks && a->joins == b->joins &&
           a->addr[0] == b->addr[0] && a->addr[1] == b->addr[1] && a->addr[2] == b->addr[2] &&
           a->shape[0] == b->shape[0] && a->shape[1] == b->shape[1];
}

static void ghost_add(struct hdi_lockgraph *g, const struct lg_ghost *new)
{
    uint32_t slot[2] = {pair_slot(g, new->addr[1], new->addr[0]),
                        pair_slot(g, new->addr[2], new->addr[0])};
    uint32_t look = 0;
    for (uint32_t r = g->ghost_first[slot[0]]; look < 16; look++) {
        struct lg_ghost *k = ghost_at(g, r);
        if (!k)
            break;
        uint64_t age = (g->ghosts_made - ((r - 1) >> 1)) & NUMBER_BITS;
        if (same_ghost(k, new) && !was_destroyed(g, new->addr[0], age) &&
            !was_destroyed(g, new->addr[1], age) &&
            (!new->addr[2] || !was_destroyed(g, new->addr[2], age)))
            return;
        r = k->next[(r - 1) & 1];
    }
    struct lg_ghost *k = &g->ghost[g->ghosts_made % g->ghost_room];
    if (k->thread) {
        g->stats.forgotten++;
        lg_unlabel(k->thread);
    }
    *k = *new;
    k->thread->labels++;
    uint32_t number = (uint32_t)(g->ghosts_made & NUMBER_BITS);
    for (uint32_t i = 0; i < 2 && new->addr[i + 1]; i++) {
        k->next[i] = g->ghost_first[slot[i]];
        g->ghost_first[slot[i]] = (number << 1 | i) + 1;
    }
    g->ghosts_made++;
}

static void remember(struct hdi_lockgraph *g, const struct lg_chain *c)
{
    const struct lg_chain *inner = c->parent, *outer = inner ? inner->parent : NULL;
    if (!c->labels || !inner)
        return;
    for (const struct lg_chain *h = inner; h; h = h->parent) {
        struct lg_shape *s = h->addr ? shape_of(g, h, c) : NULL;
        if (s)
            s->count += c->label_count;
    }
    struct lg_ghost new = {.addr = {c->addr, inner->addr, outer ? outer->addr : 0},
                           .shape = {shape_of(g, inner, c), outer ? shape_of(g, outer, c) : NULL}};
    bool fits = inner->addr && (!outer || (outer->addr && !outer->parent)) && new.shape[0] &&
                (!outer || new.shape[1]) && ghosts_start(g);
    for (const struct lg_label *l = c->labels; l; l = l->next) {
        if (!fits) {
            g->stats.forgotten++;
            continue;
        }
        new.thread = l->thread;
        new.forks = l->forks;
        new.joins = l->joins;
        ghost_add(g, &new);
    }
}

/* ---- folding ---- */

static bool may_fold(const struct lg_chain *c, uint32_t before)
{
    return !c->child && c->addr && c->id < before && !c->lock->traits && !c->lock->broken;
}

static uint64_t fold_leaves(struct hdi_lockgraph *g, uint32_t before)
{
    uint64_t n = 0;
    for (uint64_t i = 0; g->chains.slot && i <= g->chains.mask; i++) {
        for (struct lg_node *at = g->chains.slot[i], *next; at; at = next) {
            struct lg_chain *c = (struct lg_chain *)at;
            next = at->next;
            if (may_fold(c, before)) {
                remember(g, c);
                lg_chain_drop(g, c);
                n++;
            }
        }
    }
    return n;
}

static void drop_unused_locks(struct hdi_lockgraph *g)
{
    for (uint64_t i = 0; g->locks.slot && i <= g->locks.mask; i++) {
        for (struct lg_node *at = g->locks.slot[i], *next; at; at = next) {
            struct lg_lock *l = (struct lg_lock *)at;
            next = at->next;
            if (!l->tops && !l->traits && !l->broken) {
                lg_remove(&g->locks, &l->node);
                lg_lock_drop(g, l);
            }
        }
    }
    for (uint64_t i = 0; g->locks.slot && i <= g->locks.mask; i++) {
        for (struct lg_node *at = g->locks.slot[i]; at; at = at->next) {
            struct lg_link **from = &((struct lg_lock *)at)->out;
            while (*from) {
                struct lg_link *k = *from;
                if (k->to_serial == k->to->serial) {
                    from = &k->next;
                    continue;
                }
                *from = k->next;
                lg_remove(&g->links, &k->node);
                lg_give(&g->link_pool, k);
            }
        }
    }
}

void lg_fold(struct hdi_lockgraph *g)
{
    uint32_t keep = (uint32_t)(g->exact / 2), before = g->ids > keep ? g->ids - keep : 0;
    uint64_t folded = 0, n;
    do {
        n = fold_leaves(g, before);
        folded += n;
    } while (n && g->chain_pool.used > g->exact / 2);
    atomic_fetch_add(&g->generation, 1);
    drop_unused_locks(g);
    g->stats.folded += folded;
    g->fold_at = g->chain_pool.used + g->exact / 4 + 1;
    if (g->fold_at < g->exact)
        g->fold_at = g->exact;
}

/* ---- calling back ---- */

/* The chain that was, with its label. */
static void call_back(struct hdi_lockgraph *g, struct lg_ghost *k)
{
    const struct lg_shape *outer = k->shape[1], *inner = k->shape[0];
    struct lg_chain *c = NULL;
    if (outer)
        c = lg_chain_get(
            g, NULL,
            &(struct lg_held){.addr = k->addr[2],
                              .site = outer->held_site,
                              .mode = outer->held_mode | HDI_LOCK_KIND(outer->held->kind)});
    if (outer && !c)
        return;
    c = lg_chain_get(
        g, c,
        &(struct lg_held){.addr = k->addr[1],
                          .site = inner->held_site,
                          .mode = inner->held_mode | HDI_LOCK_KIND(inner->held->kind)});
    if (c)
        c = lg_chain_get(
            g, c,
            &(struct lg_held){.addr = k->addr[0],
                              .site = inner->took_site,
                              .mode = inner->took_mode | HDI_LOCK_KIND(inner->took->kind)});
    if (c)
        lg_label_add(k->thread, c, k->forks, k->joins);
    lg_unlabel(k->thread);
    k->thread = NULL;
    g->stats.called_back++;
}

void lg_call_back(struct hdi_lockgraph *g, const struct lg_chain *c)
{
    for (const struct lg_chain *h = c->parent; g->ghosts_made && h; h = h->parent) {
        if (!h->addr)
            continue;
        uint32_t next = g->ghost_first[pair_slot(g, c->addr, h->addr)];
        for (uint32_t look = 0; look < 256; look++) {
            uint32_t r = next;
            struct lg_ghost *k = ghost_at(g, r);
            if (!k)
                break;
            uint32_t which = (r - 1) & 1;
            uint64_t age = (g->ghosts_made - ((r - 1) >> 1)) & NUMBER_BITS;
            next = k->next[which];
            if (!k->thread || k->addr[0] != h->addr || k->addr[which + 1] != c->addr ||
                was_destroyed(g, k->addr[0], age) || was_destroyed(g, k->addr[which + 1], age))
                continue;
            if (k->addr[2] && was_destroyed(g, k->addr[2 - which], age))
                g->stats.forgotten++; /* its gate is gone, and nobody knows any more which it was */
            else
                call_back(g, k);
        }
    }
}
