/* lockgraph_search.c - rings of dependencies: who can wait for whom in a circle.
 *
 * A search starts at a dependency that is new and looks for rings through it, short ones first. A
 * dependency is chosen after another when it holds what that one wants, and
 *   - its thread is none of those chosen, and runs in a segment that neither fork nor join orders
 *     against theirs;
 *   - it holds nothing that excludes what they hold (a gate), and nothing that an earlier one wants
 *     (that ring would be shorter).
 * The ring is closed when the first holds what the last wants.
 */
#include "lockgraph_inside.h"

#include <string.h>

#define POOR_STEPS 4096u

/* ---- order by fork and join ---- */

/* The walk gets to segment `at` of t: go on from there, unless it was there or earlier before. */
static void arrive(struct hdi_lock_thread *t, uint32_t at, uint64_t stamp,
                   struct hdi_lock_thread **todo)
{
    if (t->seen == stamp && t->seen_at <= at)
        return;
    if (t->seen != stamp)
        t->queued = false;
    t->seen = stamp;
    t->seen_at = at;
    if (!t->queued) {
        t->queued = true;
        t->todo = *todo;
        *todo = t;
    }
}

/* True when everything of `from` in its segment `at` happens before segment `to_at` of `to`. */
static bool ordered(struct hdi_lockgraph *g, struct hdi_lock_thread *from, uint32_t at,
                    struct hdi_lock_thread *to, uint32_t to_at)
{
    uint64_t stamp = ++g->stamp;
    struct hdi_lock_thread *todo = from;
    from->seen = stamp;
    from->seen_at = at;
    from->todo = NULL;
    from->queued = true;
    while (todo) {
        struct hdi_lock_thread *t = todo;
        todo = t->todo;
        t->queued = false;
        if (t->joiner)
            arrive(t->joiner, t->joined_at, stamp, &todo);
        for (struct hdi_lock_thread *child = t->children; child; child = child->next_child)
            if (child->made_at >= t->seen_at)
                arrive(child, 0, stamp, &todo);
    }
    return to->seen == stamp && to->seen_at <= to_at;
}

static bool concurrent(struct hdi_lockgraph *g, const struct lg_label *a, const struct lg_label *b)
{
    uint32_t at = a->forks + a->joins, bt = b->forks + b->joins;
    return a->thread != b->thread && !ordered(g, a->thread, at, b->thread, bt) &&
           !ordered(g, b->thread, bt, a->thread, at);
}

/* ---- what links reach ---- */

/* True also when the credit is used up before that is known. */
static bool reaches(struct hdi_lockgraph *g, struct lg_lock *from, const struct lg_lock *to)
{
    if (g->walk_capacity < g->lock_pool.used) {
        uint64_t capacity = g->lock_pool.used * 2 + 512;
        struct lg_lock **walk = lg_map(g, capacity * sizeof *walk);
        if (!walk)
            return true; /* search without the short cut */
        lg_unmap(g, g->walk);
        g->walk = walk;
        g->walk_capacity = capacity;
    }
    uint64_t stamp = ++g->stamp, n = 0;
    from->seen = stamp;
    g->walk[n++] = from;
    while (n) {
        struct lg_lock *l = g->walk[--n];
        if (l == to)
            return true;
        if (g->big && --g->credit < 0)
            return true;
        for (struct lg_link *k = l->out; k; k = k->next) {
            if (k->to_serial == k->to->serial && k->to->seen != stamp) {
                k->to->seen = stamp;
                g->walk[n++] = k->to;
            }
        }
    }
    return false;
}

/* ---- choosing ---- */

static void choose(const struct lg_choice *k, bool on)
{
    k->label->thread->chosen = on;
    struct lg_lock *want = k->chain->lock;
    uint32_t *wanted =
        k->chain->mode & HDI_LOCK_SHARED ? &want->wanted_shared : &want->wanted_exclusive;
    *wanted += on ? 1u : UINT32_MAX;
    for (const struct lg_chain *h = k->chain->parent; h; h = h->parent) {
        uint32_t *held =
            h->mode & HDI_LOCK_SHARED ? &h->lock->held_shared : &h->lock->held_exclusive;
        *held += on ? 1u : UINT32_MAX;
    }
}

static bool usable(const struct lg_lock *l)
{
    return !l->broken;
}

/* A thread that is none of the ring's, and beside which both sides can run, takes l for writing. */
static bool writer_between(struct hdi_lockgraph *g, const struct lg_lock *l,
                           const struct lg_label *reader, const struct lg_label *holder)
{
    for (const struct lg_chain *c = l->tops; c; c = c->same) {
        if (c->mode & HDI_LOCK_SHARED)
            continue;
        for (const struct lg_label *w = c->labels; w; w = w->next)
            if (!w->thread->chosen && concurrent(g, w, reader) && concurrent(g, w, holder))
                return true;
    }
    return false;
}

/* Can who wants the last lock of `c` have to wait for one who holds `h`, the same lock? */
static bool waits_for(struct hdi_lockgraph *g, const struct lg_choice *wants,
                      const struct lg_chain *h, const struct lg_label *holder)
{
    if (!((h->mode & wants->chain->mode) & HDI_LOCK_SHARED))
        return true;
    return h->lock->traits & HDI_LOCK_WRITER_FIRST &&
           writer_between(g, h->lock, wants->label, holder);
}

/* Do chain and label k fit after the n chosen ones? `closed` says whether they close the ring. */
static bool fits(struct hdi_lockgraph *g, const struct lg_choice *k, uint32_t n, bool *closed)
{
    const struct lg_choice *before = &g->choice[n - 1];
    const struct lg_lock *wanted = before->chain->lock;
    if (k->label->thread->chosen || !usable(k->chain->lock))
        return false;
    bool follows = false;
    for (const struct lg_chain *h = k->chain->parent; h; h = h->parent) {
        const struct lg_lock *l = h->lock;
        if (!usable(l))
            continue;
        if (l == wanted)
            follows |= !(h->mode & before->chain->mode & HDI_LOCK_SHARED) ||
                       waits_for(g, before, h, k->label);
        else if (l->wanted_exclusive || (l->wanted_shared && !(h->mode & HDI_LOCK_SHARED)))
            return false;
        if (l->held_exclusive || (l->held_shared && !(h->mode & HDI_LOCK_SHARED)))
            return false;
    }
    if (!follows)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!concurrent(g, g->choice[i].label, k->label))
            return false;
    /* it may wait for the first, and then the ring is closed, but for no other that is chosen */
    const struct lg_lock *next = k->chain->lock;
    uint32_t exclusive = next->held_exclusive, shared = next->held_shared;
    *closed = false;
    for (const struct lg_chain *h = g->choice[0].chain->parent; h; h = h->parent) {
        if (h->lock != next)
            continue;
        *closed |= waits_for(g, k, h, g->choice[0].label);
        if (h->mode & HDI_LOCK_SHARED)
            shared--;
        else
            exclusive--;
    }
    return !exclusive && (!shared || k->chain->mode & HDI_LOCK_SHARED);
}

/* Do readers wait for readers at lock l, which k wants and `holder` has? */
static bool readers_only(const struct lg_choice *k, const struct lg_choice *holder)
{
    if (!(k->chain->mode & HDI_LOCK_SHARED))
        return false;
    for (const struct lg_chain *h = holder->chain->parent; h; h = h->parent)
        if (h->lock == k->chain->lock && !(h->mode & HDI_LOCK_SHARED))
            return false;
    return true;
}

/* Can the writer of w come to wait for its lock while the n chosen ones stand where they do? */
static bool can_come(struct hdi_lockgraph *g, const struct lg_choice *w, uint32_t n)
{
    if (w->label->thread->chosen)
        return false;
    for (const struct lg_chain *h = w->chain->parent; h; h = h->parent)
        if (h->lock->held_exclusive || (h->lock->held_shared && !(h->mode & HDI_LOCK_SHARED)))
            return false;
    for (uint32_t i = 0; i < n; i++)
        if (!concurrent(g, g->choice[i].label, w->label))
            return false;
    return true;
}

/* The n chosen ones are a ring: is there a writer for each place from `at` on where readers wait
 * for readers, all of them at once? */
static bool writers_for(struct hdi_lockgraph *g, uint32_t n, uint32_t at)
{
    while (at < n && !readers_only(&g->choice[at], &g->choice[(at + 1) % n]))
        at++;
    if (at == n)
        return true;
    const struct lg_lock *l = g->choice[at].chain->lock;
    for (struct lg_chain *c = l->tops; c; c = c->same) {
        for (struct lg_label *label = c->labels; label; label = label->next) {
            struct lg_choice w = {.chain = c, .label = label};
            if (c->mode & HDI_LOCK_SHARED || !can_come(g, &w, n))
                continue;
            choose(&w, true);
            bool rest = writers_for(g, n, at + 1);
            choose(&w, false);
            if (rest)
                return true;
        }
    }
    return false;
}

/* The next label, chain or top that k may stand for. */
static bool advance(struct lg_choice *k, const struct lg_lock *wanted)
{
    if (k->label && k->label->next) {
        k->label = k->label->next;
        return true;
    }
    for (struct lg_chain *c = k->chain;;) {
        if (!c) {
            k->top = k->top ? k->top->same : wanted->tops;
            if (!k->top)
                return false;
            c = k->top;
        }
        if (c->child) {
            c = c->child;
        } else {
            while (c != k->top && !c->sibling)
                c = c->parent;
            c = c == k->top ? NULL : c->sibling;
        }
        k->chain = c;
        if (c && c->labels) {
            k->label = c->labels;
            return true;
        }
    }
}

/* ---- giving ---- */

static bool key_known(const struct hdi_lockgraph *g, uint64_t key)
{
    for (struct lg_node *n = lg_first(&g->rings, key); n; n = n->next)
        if (n->hash == key)
            return true;
    return false;
}

static bool key_new(struct hdi_lockgraph *g, uint64_t key)
{
    if (key_known(g, key))
        return false;
    struct lg_key *k = lg_take(g, &g->key_pool);
    if (k && !lg_insert(g, &g->rings, &k->node, key))
        lg_give(&g->key_pool, k);
    return true;
}

void lg_edge_fill(struct hdi_lock_edge *e, const struct lg_chain *c, const struct lg_chain *held,
                  const struct lg_label *l)
{
    uint32_t i = c->depth > 1 ? c->depth - 2 : 0;
    *e = (struct hdi_lock_edge){.thread = l->thread->owner,
                                .held = (const void *)held->addr,
                                .held_site = held->site,
                                .held_stack = held->stack,
                                .held_mode = (uint8_t)held->mode,
                                .held_kind = held->lock->kind,
                                .took = (const void *)c->addr,
                                .took_site = c->site,
                                .took_stack = c->stack,
                                .took_mode = (uint8_t)c->mode,
                                .took_kind = c->lock->kind,
                                .gates = i,
                                .held_made = held->lock->class ? held->lock->class->site : 0,
                                .took_made = c->lock->class ? c->lock->class->site : 0,
                                .count = 1};
    for (const struct lg_chain *h = c->parent; h && i; h = h->parent)
        if (h != held && --i < HDI_LOCK_GATES) {
            e->gate[i] = (const void *)h->addr;
            e->gate_made[i] = h->lock->class ? h->lock->class->site : 0;
        }
}

static void give(struct hdi_lockgraph *g, const struct hdi_lock_ring *ring, bool wait)
{
    if (wait) {
        struct lg_deferred *d = lg_take(g, &g->deferred_pool);
        if (d) {
            d->ring = *ring;
            d->next = g->deferred;
            g->deferred = d;
        }
        return;
    }
    g->stats.rings++;
    if (g->calls.found)
        g->calls.found(ring, g->calls.data);
}

/* The n chosen dependencies are a ring: give it unless it, or the same places with other locks, was
 * given before. */
static void give_ring(struct hdi_lockgraph *g, uint32_t n)
{
    struct hdi_lock_ring ring = {.edges = n};
    uint64_t locks = hash_spread(n), places = hash_spread(n + 0x10000ull);
    bool fine = false, wait = false, known = true;
    for (uint32_t i = 0; i < n; i++) {
        const struct lg_choice *k = &g->choice[i];
        const struct lg_lock *before = g->choice[(i + n - 1) % n].chain->lock;
        const struct lg_chain *held = k->chain->parent;
        while (held->lock != before)
            held = held->parent;
        locks += hash_spread(before->serial);
        places += hash_spread(held->site ^ hash_spread(k->chain->site));
        known &= held->site != 0 && k->chain->site != 0;
        fine |= (before->traits & HDI_LOCK_FINE) != 0;
        wait |= (before->traits & HDI_LOCK_COUNTED) != 0;
        if (i < HDI_LOCK_RING)
            lg_edge_fill(&ring.edge[ring.filled++], k->chain, held, k->label);
    }
    if (fine)
        return;
    if (known && key_known(g, places)) {
        g->stats.repeats++;
        return;
    }
    if (!key_new(g, locks))
        return;
    if (known)
        key_new(g, places);
    give(g, &ring, wait);
}

static bool choices_grow(struct hdi_lockgraph *g)
{
    uint32_t n = g->choices ? g->choices * 2 : 64;
    struct lg_choice *choice = lg_map(g, n * sizeof *choice);
    if (!choice)
        return false;
    if (g->choices) {
        memcpy(choice, g->choice, g->choices * sizeof *choice);
        lg_unmap(g, g->choice);
    }
    g->choice = choice;
    g->choices = n;
    return true;
}

/* All rings of at most `limit` through the dependency choice[0]; true when longer ones may
 * exist. */
static bool rings_within(struct hdi_lockgraph *g, uint32_t limit, uint32_t *steps)
{
    bool more = false, found = false;
    uint32_t n = 1;
    choose(&g->choice[0], true);
    g->choice[1] = (struct lg_choice){0};
    while (n) {
        struct lg_choice *k = &g->choice[n];
        bool closed;
        if (++*steps > HDI_LOCK_SEARCH_STEPS || !advance(k, g->choice[n - 1].chain->lock)) {
            choose(&g->choice[--n], false);
            continue;
        }
        if (!fits(g, k, n, &closed))
            continue;
        if (closed) {
            choose(k, true);
            bool writers = writers_for(g, n + 1, 0);
            choose(k, false);
            if (!writers)
                continue;
            found = true;
            give_ring(g, n + 1);
        } else if (n + 1 < limit) {
            choose(k, true);
            n++;
            if (n == g->choices && !choices_grow(g)) {
                choose(&g->choice[--n], false);
                continue;
            }
            g->choice[n] = (struct lg_choice){0};
        } else {
            more = true;
        }
    }
    return more && !found;
}

void lg_search(struct hdi_lockgraph *g, struct lg_chain *c, struct lg_label *l)
{
    if (g->big && g->credit < HDI_LOCK_CREDIT)
        g->credit += HDI_LOCK_CREDIT_EACH;
    if (!usable(c->lock))
        return;
    lg_call_back(g, c);
    if (!lg_class_ring(g, c->parent->lock, c->lock) || !reaches(g, c->lock, c->parent->lock))
        return;
    if (!g->choices && !choices_grow(g))
        return;
    /* without credit: rings of two, and not much looking for them */
    bool poor = g->big && g->credit < 0;
    uint32_t steps = poor ? HDI_LOCK_SEARCH_STEPS - POOR_STEPS : 0, before = steps;
    g->choice[0] = (struct lg_choice){.chain = c, .label = l};
    for (uint32_t limit = 2; rings_within(g, limit, &steps); limit++)
        if (poor) {
            steps = HDI_LOCK_SEARCH_STEPS + 1;
            break;
        }
    if (g->big && !poor)
        g->credit -= steps - before;
    if (steps > HDI_LOCK_SEARCH_STEPS)
        g->stats.cut++;
}

void lg_search_readers(struct hdi_lockgraph *g, struct lg_lock *lock)
{
    for (struct lg_chain *c = lock->tops; c; c = c->same)
        if (c->parent && c->mode & HDI_LOCK_SHARED)
            for (struct lg_label *l = c->labels; l; l = l->next)
                lg_search(g, c, l);
}

/* c's last lock is read while it is read already, and a writer may come between. */
static void reader_again(struct hdi_lockgraph *g, const struct lg_chain *c)
{
    const struct lg_chain *held = c->parent;
    while (held && !(held->lock == c->lock && held->mode & HDI_LOCK_SHARED))
        held = held->parent;
    if (!held || c->lock->traits & HDI_LOCK_FINE)
        return;
    for (const struct lg_label *l = c->labels; l; l = l->next) {
        struct lg_choice reader = {.chain = (struct lg_chain *)(uintptr_t)c,
                                   .label = (struct lg_label *)(uintptr_t)l};
        for (const struct lg_chain *w = c->lock->tops; w; w = w->same) {
            for (const struct lg_label *wl = w->labels; wl; wl = wl->next) {
                if (w->mode & HDI_LOCK_SHARED || !concurrent(g, l, wl))
                    continue;
                bool gate = false;
                choose(&reader, true);
                for (const struct lg_chain *h = w->parent; h; h = h->parent)
                    gate |= h->lock->held_exclusive ||
                            (h->lock->held_shared && !(h->mode & HDI_LOCK_SHARED));
                choose(&reader, false);
                if (gate || !key_new(g, hash_spread(c->lock->serial) ^ hash_spread(c->site + 1)))
                    continue;
                struct hdi_lock_ring ring = {.edges = 2, .filled = 2, .reader_again = true};
                lg_edge_fill(&ring.edge[0], c, held, l);
                lg_edge_fill(&ring.edge[1], w, w, wl);
                give(g, &ring, false);
            }
        }
    }
}

void lg_readers_again(struct hdi_lockgraph *g)
{
    for (uint64_t i = 0; g->chains.slot && i <= g->chains.mask; i++) {
        for (struct lg_node *n = g->chains.slot[i]; n; n = n->next) {
            const struct lg_chain *c = (const struct lg_chain *)n;
            if (c->parent && c->mode & HDI_LOCK_SHARED && c->lock->traits & HDI_LOCK_WRITER_FIRST)
                reader_again(g, c);
        }
    }
}

static bool still_locks(struct hdi_lockgraph *g, const struct hdi_lock_ring *ring)
{
    for (uint32_t i = 0; i < ring->filled; i++) {
        uintptr_t addr = (uintptr_t)ring->edge[i].held;
        for (struct lg_node *n = lg_first(&g->locks, hash_spread(addr)); n; n = n->next)
            if (((struct lg_lock *)n)->addr == addr && ((struct lg_lock *)n)->broken)
                return false;
    }
    return true;
}

void lg_give_deferred(struct hdi_lockgraph *g)
{
    struct lg_deferred *d = g->deferred, *next;
    g->deferred = NULL;
    for (; d; d = next) {
        next = d->next;
        if (still_locks(g, &d->ring))
            give(g, &d->ring, false);
        lg_give(&g->deferred_pool, d);
    }
}
