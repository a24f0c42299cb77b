/* campaign_lockgraph.c - see campaign_lockgraph.h
 *
 * The program writes the region, and may be broken: every index is checked.
 */
#include "campaign_lockgraph.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "util/alloc.h"
#include "wire/hash.h"

#define THREADS_NAMED 16u

struct lock_place {
    uint64_t key;
    struct stack stack;
    UT_hash_handle hh;
};

struct lock_node_entry {
    uint64_t key;
    uint32_t index;
    UT_hash_handle hh;
};

struct ends {
    uint32_t held, took;
    const struct lock_place *held_at, *took_at;
    uint64_t modes;
};

struct lock_arc_entry {
    struct ends ends;
    size_t index;
    UT_hash_handle hh;
};

struct lockgraph *lockgraph_new(void)
{
    return mem_zeroed(1, sizeof(struct lockgraph));
}

static void arc_clear(struct lock_arc *a)
{
    for (size_t i = 0; i < a->threads; i++)
        free(a->thread[i]);
    free(a->thread);
    free(a->gate);
    free(a->symptom);
    free(a->finding);
}

void lockgraph_free(struct lockgraph *g)
{
    struct lock_node_entry *n, *next_node;
    struct lock_arc_entry *a, *next_arc;
    struct lock_place *p, *next_place;
    if (!g)
        return;
    HASH_ITER(hh, g->by_key, n, next_node)
    {
        HASH_DEL(g->by_key, n);
        free(n);
    }
    HASH_ITER(hh, g->by_ends, a, next_arc)
    {
        HASH_DEL(g->by_ends, a);
        free(a);
    }
    HASH_ITER(hh, g->places, p, next_place)
    {
        HASH_DEL(g->places, p);
        stack_clear(&p->stack);
        free(p);
    }
    for (size_t i = 0; i < g->nodes; i++) {
        free(g->node[i].home);
        free(g->node[i].name);
    }
    for (size_t i = 0; i < g->arcs; i++)
        arc_clear(&g->arc[i]);
    free(g->node);
    free(g->arc);
    free(g);
}

/* ---- parts ---- */

const struct lock_place *lockgraph_place(struct lockgraph *g, struct symbols *symbols,
                                         uint64_t site)
{
    struct lock_place *p;
    uint64_t key = site ? symbols_stable(symbols, site) : 0;
    if (!site)
        return NULL;
    HASH_FIND(hh, g->places, &key, sizeof key, p);
    if (!p) {
        p = mem_zeroed(1, sizeof *p);
        p->key = key;
        symbols_frames(symbols, site, true, &p->stack);
        HASH_ADD(hh, g->places, key, sizeof p->key, p);
    }
    return p->stack.count ? p : NULL;
}

const struct stack *lockgraph_stack(const struct lock_place *p)
{
    static const struct stack none;
    return p ? &p->stack : &none;
}

static struct lock_node *find_node(struct lockgraph *g, uint64_t key)
{
    struct lock_node_entry *e;
    HASH_FIND(hh, g->by_key, &key, sizeof key, e);
    return e ? &g->node[e->index] : NULL;
}

uint32_t lockgraph_node(struct lockgraph *g, const struct hdp_lock *lock,
                        const struct lock_place *created, bool *is_new)
{
    uint64_t of_class = hash_spread(hash_spread(created ? created->key : 0) ^ lock->kind) | 1;
    uint64_t key = lock->id ? hash_spread((uint64_t)lock->id << 32) & ~1ull
                   : lock->addr
                       ? hash_spread(lock->addr + hash_spread(created ? created->key : 0)) & ~1ull
                       : of_class;
    struct lock_node *n = find_node(g, key);
    *is_new = false;
    if (!n && g->nodes >= LOCKGRAPH_LOCKS && key != of_class) {
        key = of_class;
        n = find_node(g, key);
    }
    if (n) {
        if (lock->count > n->count)
            n->count = lock->count;
        if (!n->kind && lock->kind < HD_OB_COUNT)
            n->kind = (enum hd_object)lock->kind;
        return (uint32_t)(n - g->node);
    }
    if (g->nodes >= 2 * LOCKGRAPH_LOCKS) {
        g->locks_dropped++;
        return LOCKGRAPH_NONE;
    }
    struct lock_node_entry *e = mem_zeroed(1, sizeof *e);
    e->key = key;
    e->index = (uint32_t)g->nodes;
    HASH_ADD(hh, g->by_key, key, sizeof e->key, e);
    g->node = mem_grow(g->node, g->nodes, sizeof *g->node);
    n = &g->node[g->nodes++];
    *n = (struct lock_node){.key = key,
                            .id = key == of_class ? 0 : lock->id,
                            .kind =
                                lock->kind < HD_OB_COUNT ? (enum hd_object)lock->kind : HD_OB_NONE,
                            .is_class = key == of_class,
                            .created = created,
                            .count = lock->count ? lock->count : 1};
    *is_new = true;
    return e->index;
}

static void add_thread(struct lock_arc *a, const char *name)
{
    for (size_t i = 0; i < a->threads; i++)
        if (strcmp(a->thread[i], name) == 0)
            return;
    if (a->threads == THREADS_NAMED)
        return;
    a->thread = mem_grow(a->thread, a->threads, sizeof *a->thread);
    a->thread[a->threads++] = mem_copy(name);
}

/* Gates are those of every time. */
static void keep_common(struct lock_arc *a, const struct lock_arc *other)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->gates && other->gate; i++) {
        bool common = false;
        for (size_t k = 0; k < other->gates; k++)
            common |= a->gate[i] == other->gate[k];
        if (common)
            a->gate[kept++] = a->gate[i];
    }
    if (other->gate)
        a->gates = kept;
}

struct lock_arc *lockgraph_arc(struct lockgraph *g, const struct lock_arc *like, const char *thread,
                               uint64_t schedule)
{
    struct lock_arc_entry *e;
    struct ends ends = {like->held, like->took, like->held_at, like->took_at,
                        (uint64_t)like->held_shared << 1 | like->took_shared};
    HASH_FIND(hh, g->by_ends, &ends, sizeof ends, e);
    if (!e && g->arcs >= LOCKGRAPH_EDGES) {
        g->arcs_dropped++;
        return NULL;
    }
    struct lock_arc *a;
    if (e) {
        a = &g->arc[e->index];
        keep_common(a, like);
    } else {
        e = mem_zeroed(1, sizeof *e);
        e->ends = ends;
        e->index = g->arcs;
        HASH_ADD(hh, g->by_ends, ends, sizeof e->ends, e);
        g->arc = mem_grow(g->arc, g->arcs, sizeof *g->arc);
        a = &g->arc[g->arcs++];
        *a = (struct lock_arc){.held = like->held,
                               .took = like->took,
                               .held_shared = like->held_shared,
                               .took_shared = like->took_shared,
                               .held_at = like->held_at,
                               .took_at = like->took_at,
                               .gates = like->gates};
        a->gate = mem_zeroed(like->gates + 1, sizeof *a->gate);
        for (size_t i = 0; i < like->gates; i++)
            a->gate[i] = like->gate[i];
    }
    a->count += like->count;
    if (schedule && a->last != schedule) {
        a->last = schedule;
        a->schedules++;
    }
    if (thread)
        add_thread(a, thread);
    return a;
}

/* ---- one schedule ---- */

static uint32_t node_of(struct lockgraph *g, const struct scene *scene, const struct hdp_lock *lock)
{
    bool is_new;
    const struct lock_place *created = lockgraph_place(g, scene->symbols, lock->created_site);
    uint32_t i = lockgraph_node(g, lock, created, &is_new);
    if (i != LOCKGRAPH_NONE && is_new) {
        struct hdp_object o = {.id = lock->id,
                               .kind = lock->kind,
                               .addr = g->node[i].is_class ? 0 : lock->addr,
                               .created_site = lock->created_site};
        if (!g->node[i].is_class)
            memcpy(o.label, lock->label, sizeof o.label - 1);
        g->node[i].home = scene_home(scene, &o);
    }
    return i;
}

static void take_edge(struct lockgraph *g, const struct scene *scene, const struct hdp_lock_edge *e,
                      const uint32_t *node, uint32_t locks, uint64_t schedule)
{
    uint32_t gate[HDP_LOCK_GATES];
    struct lock_arc like = {.held_shared = e->held_shared != 0,
                            .took_shared = e->took_shared != 0,
                            .gate = gate,
                            .count = e->count};
    if (e->held >= locks || e->took >= locks || node[e->held] == LOCKGRAPH_NONE ||
        node[e->took] == LOCKGRAPH_NONE)
        return;
    like.held = node[e->held];
    like.took = node[e->took];
    like.held_at = lockgraph_place(g, scene->symbols, e->held_site);
    like.took_at = lockgraph_place(g, scene->symbols, e->took_site);
    for (size_t i = 0; i < HDP_LOCK_GATES; i++)
        if (e->gate[i] && e->gate[i] <= locks && node[e->gate[i] - 1] != LOCKGRAPH_NONE)
            gate[like.gates++] = node[e->gate[i] - 1];
    char *thread = scene_thread(scene, e->thread);
    lockgraph_arc(g, &like, thread, schedule);
    free(thread);
}

void lockgraph_take(struct lockgraph *g, const struct scene *scene, uint64_t schedule)
{
    const struct hdp_lock_graph *from = &scene->region->lock_graph;
    g->schedules++;
    if (!from->valid || from->locks > HDP_LOCKS || from->edges > HDP_LOCK_EDGES) {
        g->without++;
        return;
    }
    uint32_t *node = mem_zeroed(from->locks + 1, sizeof *node);
    for (uint32_t i = 0; i < from->locks; i++)
        node[i] = node_of(g, scene, &from->lock[i]);
    for (uint32_t i = 0; i < from->edges; i++)
        take_edge(g, scene, &from->edge[i], node, from->locks, schedule);
    g->locks_dropped += from->locks_dropped;
    g->arcs_dropped += from->edges_dropped;
    g->forgotten += from->forgotten;
    free(node);
}

static const struct hdp_lock *lock_of(const struct hdp_region *r, uint32_t id)
{
    const struct hdp_lock_graph *from = &r->lock_graph;
    for (uint32_t i = 0; id && i < from->locks && i < HDP_LOCKS; i++)
        if (from->lock[i].id == id)
            return &from->lock[i];
    return NULL;
}

void lockgraph_predicted(struct lockgraph *g, const struct scene *scene,
                         const struct hdp_finding *raw, uint64_t symptom)
{
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES; i++) {
        const struct hdp_note *took = &raw->note[i];
        if (took->role != HD_ROLE_EDGE_TOOK || took->link >= i)
            continue;
        const struct hdp_note *held = &raw->note[took->link];
        const struct hdp_lock *from = lock_of(scene->region, held->object),
                              *to = lock_of(scene->region, took->object);
        if (!from || !to)
            continue;
        struct lock_arc like = {.held = node_of(g, scene, from),
                                .took = node_of(g, scene, to),
                                .held_shared = held->kind == HD_EV_RWLOCK_RDLOCK ||
                                               held->kind == HD_EV_HD_RWMUTEX_RLOCK,
                                .took_shared = took->kind == HD_EV_RWLOCK_RDLOCK ||
                                               took->kind == HD_EV_HD_RWMUTEX_RLOCK,
                                .held_at = lockgraph_place(g, scene->symbols, held->site),
                                .took_at = lockgraph_place(g, scene->symbols, took->site)};
        char *thread = scene_thread(scene, took->thread);
        struct lock_arc *a = like.held == LOCKGRAPH_NONE || like.took == LOCKGRAPH_NONE
                                 ? NULL
                                 : lockgraph_arc(g, &like, thread, 0);
        free(thread);
        bool known = !a;
        for (size_t k = 0; a && k < a->symptoms; k++)
            known |= a->symptom[k] == symptom;
        if (known)
            continue;
        a->symptom = mem_grow(a->symptom, a->symptoms, sizeof *a->symptom);
        a->symptom[a->symptoms++] = symptom;
    }
}

/* ---- the end ---- */

static const struct lockgraph *sorting; /* for qsort; the driver has one thread */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int node_order(const void *a, const void *b)
{
    const struct lock_node *x = &sorting->node[*(const uint32_t *)a],
                           *y = &sorting->node[*(const uint32_t *)b];
    int order = strcmp(x->home ? x->home : "", y->home ? y->home : "");
    if (!order && x->id == y->id)
        order = (x->key > y->key) - (x->key < y->key);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static int place_order(const struct lock_place *x, const struct lock_place *y)
{
    return !x || !y ? (x != NULL) - (y != NULL) : (x->key > y->key) - (x->key < y->key);
}

static int arc_order(const void *a, const void *b)
{
    const struct lock_arc *x = a, *y = b;
    int order = (x->held > y->held) - (x->held < y->held);
    order = order ? order : (x->took > y->took) - (x->took < y->took);
    order = order ? order : place_order(x->held_at, y->held_at);
    order = order ? order : place_order(x->took_at, y->took_at);
    return order ? order
                 : (x->held_shared * 2 + x->took_shared) - (y->held_shared * 2 + y->took_shared);
}

const char *lockgraph_plural(const char *word)
{
    size_t n = strlen(word);
    return n && word[n - 1] == 'x' ? "es" : "s";
}

static void name_node(struct lock_node *n, struct names *objects)
{
    const char *word = n->kind ? object_word(n->kind) : "lock";
    if (n->is_class)
        n->name = mem_format("%llu %s%s %s", (unsigned long long)n->count, word,
                             lockgraph_plural(word), n->home ? n->home : "made somewhere");
    else if (!n->id)
        n->name = mem_format("%s %s", word, n->home ? n->home : "?");
    else if (n->home)
        n->name = mem_format("%s %s (%s)", word, names_object(objects, n->id, n->kind), n->home);
    else
        n->name = mem_format("%s %s", word, names_object(objects, n->id, n->kind));
}

void lockgraph_finish(struct lockgraph *g, struct names *objects)
{
    uint32_t *order = mem_zeroed(g->nodes + 1, sizeof *order),
             *place = mem_zeroed(g->nodes + 1, sizeof *place);
    struct lock_node *sorted = mem_zeroed(g->nodes + 1, sizeof *sorted);
    for (uint32_t i = 0; i < g->nodes; i++)
        order[i] = i;
    sorting = g;
    qsort(order, g->nodes, sizeof *order, node_order);
    for (uint32_t i = 0; i < g->nodes; i++) {
        place[order[i]] = i;
        sorted[i] = g->node[order[i]];
        name_node(&sorted[i], objects);
    }
    free(g->node);
    free(order);
    g->node = sorted;
    for (size_t i = 0; i < g->arcs; i++) {
        struct lock_arc *a = &g->arc[i];
        a->held = place[a->held];
        a->took = place[a->took];
        for (size_t k = 0; k < a->gates; k++)
            a->gate[k] = place[a->gate[k]];
        if (a->threads)
            qsort(a->thread, a->threads, sizeof *a->thread, by_text);
    }
    free(place);
    if (g->arcs)
        qsort(g->arc, g->arcs, sizeof *g->arc, arc_order);
}
