/* lockgraph_class.c - lock classes: all locks made at one place, and what follows from their order.
 *
 * A class says nothing about a single lock, and no deadlock is predicted from classes. They are for
 * two things: a ring of locks is a ring of their classes, so what is no ring of classes need not be
 * looked for among a million locks; and orders that are folded are still counted by class.
 *
 *   C1  once g->big, every link of two locks has a link of their classes, which is never taken back
 *   C2  a class whose links to itself all go up in memory has no ring within itself
 */
#include "lockgraph_inside.h"

#define BIRTH_WINDOW 16u
#define FIRST_BIRTHS 1024u

/* Where a lock was made. Lossy: an entry has its place within a window behind its hash, and the
 * table grows to HDI_LOCK_BIRTHS entries and no further. */
struct lg_birth {
    uintptr_t addr; /* 0: free */
    uint64_t site;
};

static struct lg_birth *birth_window(const struct hdi_lockgraph *g, uintptr_t addr)
{
    return &g->birth[hash_spread(addr) & (g->births - 1)];
}

static void birth_put(struct hdi_lockgraph *g, uintptr_t addr, uint64_t site, bool may_grow);

static bool births_grow(struct hdi_lockgraph *g)
{
    struct lg_birth *old = g->birth;
    uint64_t n = old ? g->births : 0, larger = n ? n * 2 : FIRST_BIRTHS;
    struct lg_birth *birth =
        larger > HDI_LOCK_BIRTHS ? NULL : lg_map(g, (larger + BIRTH_WINDOW) * sizeof *birth);
    if (!birth)
        return false;
    g->birth = birth;
    g->births = larger;
    for (uint64_t i = 0; old && i < n + BIRTH_WINDOW; i++)
        if (old[i].addr)
            birth_put(g, old[i].addr, old[i].site, false);
    lg_unmap(g, old);
    return true;
}

static void birth_put(struct hdi_lockgraph *g, uintptr_t addr, uint64_t site, bool may_grow)
{
    struct lg_birth *at = birth_window(g, addr), *free = NULL;
    for (uint32_t i = 0; i < BIRTH_WINDOW; i++) {
        if (at[i].addr == addr) {
            at[i].site = site;
            return;
        }
        if (!at[i].addr && !free)
            free = &at[i];
    }
    if (!free && may_grow && births_grow(g)) {
        birth_put(g, addr, site, true);
        return;
    }
    free = free ? free : at; /* one is lost: its class will be that of its first use */
    *free = (struct lg_birth){addr, site};
}

void lg_birth(struct hdi_lockgraph *g, uintptr_t addr, uint64_t site)
{
    if (g->birth || births_grow(g))
        birth_put(g, addr, site, true);
}

void lg_birth_forget(struct hdi_lockgraph *g, uintptr_t addr)
{
    struct lg_birth *at = g->birth ? birth_window(g, addr) : NULL;
    for (uint32_t i = 0; at && i < BIRTH_WINDOW; i++)
        if (at[i].addr == addr)
            at[i].addr = 0;
}

static uint64_t birth_site(const struct hdi_lockgraph *g, uintptr_t addr)
{
    const struct lg_birth *at = g->birth ? birth_window(g, addr) : NULL;
    for (uint32_t i = 0; at && i < BIRTH_WINDOW; i++)
        if (at[i].addr == addr)
            return at[i].site;
    return 0;
}

struct lg_class *lg_class_of(struct hdi_lockgraph *g, const struct lg_lock *l, uint64_t first_use)
{
    uint64_t site = g->calls.made ? g->calls.made((const void *)l->addr, g->calls.data)
                                  : birth_site(g, l->addr);
    site = site ? site : first_use;
    uint64_t hash = hash_spread(site + l->kind);
    for (struct lg_node *n = lg_first(&g->classes, hash); n; n = n->next) {
        struct lg_class *c = (struct lg_class *)n;
        if (c->site == site && c->kind == l->kind) {
            c->locks++;
            return c;
        }
    }
    struct lg_class *c = lg_take(g, &g->class_pool);
    if (!c)
        return NULL;
    c->site = site;
    c->kind = l->kind;
    c->locks = 1;
    if (!lg_insert(g, &g->classes, &c->node, hash)) {
        lg_give(&g->class_pool, c);
        return NULL;
    }
    return c;
}

/* ---- the order of classes ---- */

static struct lg_class_link *class_link(struct hdi_lockgraph *g, const struct lg_class *from,
                                        const struct lg_class *to)
{
    uint64_t hash = hash_spread((uintptr_t)from + 0x9e3779b97f4a7c15ull * (uintptr_t)to);
    for (struct lg_node *n = lg_first(&g->class_links, hash); n; n = n->next) {
        struct lg_class_link *k = (struct lg_class_link *)n;
        if (k->from == from && k->to == to)
            return k;
    }
    return NULL;
}

void lg_class_order(struct hdi_lockgraph *g, const struct lg_lock *from, const struct lg_lock *to)
{
    if (!g->big || !from->class || !to->class) {
        g->classless |= g->big;
        return;
    }
    struct lg_class_link *k = class_link(g, from->class, to->class);
    bool down = from->class == to->class && from->addr >= to->addr;
    if (k && (k->down || !down))
        return;
    g->class_version++;
    if (!k) {
        uint64_t hash =
            hash_spread((uintptr_t)from->class + 0x9e3779b97f4a7c15ull * (uintptr_t)to->class);
        k = lg_take(g, &g->class_link_pool);
        if (!k || !lg_insert(g, &g->class_links, &k->node, hash)) {
            g->classless = true; /* out of memory: classes rule nothing out any more */
            return;
        }
        k->from = from->class;
        k->to = to->class;
        k->next = from->class->out;
        from->class->out = k;
    }
    k->down |= down;
}

void lg_classes_start(struct hdi_lockgraph *g)
{
    g->big = true;
    for (uint64_t i = 0; g->links.slot && i <= g->links.mask; i++)
        for (struct lg_node *n = g->links.slot[i]; n; n = n->next) {
            const struct lg_link *k = (const struct lg_link *)n;
            if (k->to_serial == k->to->serial)
                lg_class_order(g, k->from, k->to);
        }
}

/* Can one come from class `at` to `to` over at least one link to another class? */
static bool class_reaches(struct hdi_lockgraph *g, struct lg_class *at, const struct lg_class *to)
{
    uint64_t stamp = ++g->stamp;
    struct lg_class *todo = at;
    at->todo = NULL;
    while (todo) {
        struct lg_class *c = todo;
        todo = c->todo;
        for (struct lg_class_link *k = c->out; k; k = k->next) {
            if (k->to == c || k->to->seen == stamp)
                continue;
            if (k->to == to)
                return true;
            k->to->seen = stamp;
            k->to->todo = todo;
            todo = k->to;
        }
    }
    return false;
}

bool lg_class_ring(struct hdi_lockgraph *g, const struct lg_lock *from, const struct lg_lock *to)
{
    if (!g->big || g->classless || !from->class || !to->class)
        return true;
    struct lg_class_link *k = class_link(g, from->class, to->class);
    if (!k)
        return true;
    if (k->version != g->class_version) {
        k->version = g->class_version;
        k->ring = (k->from == k->to && k->down) || class_reaches(g, k->to, k->from);
    }
    return k->ring;
}
