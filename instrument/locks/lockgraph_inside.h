/* lockgraph_inside.h - the structs of the lock-order graph, shared by its files alone.
 *
 * g->lock guards everything but what a thread keeps for itself: its held[], cache and counters. A
 * thread reads chains that it reached through its cache without the lock: chains come from a pool
 * that is never unmapped, and one that is used anew has another id.
 */
#ifndef HEDDLE_LOCKGRAPH_INSIDE_H
#define HEDDLE_LOCKGRAPH_INSIDE_H

#include <stdatomic.h>

#include "lockgraph.h"
#include "wire/hash.h"

struct lg_node { /* of a hash table: first member of what is in it */
    struct lg_node *next;
    uint64_t hash;
};

struct lg_table {
    struct lg_node **slot; /* mask + 1, NULL while empty */
    uint64_t mask, count;
};

struct lg_pool {
    size_t size; /* of one */
    void *free;
    unsigned char *at;
    size_t left;
    uint64_t used;
};

struct lg_lock {
    struct lg_node node;
    uintptr_t addr;
    uint64_t serial;       /* never used twice: a link to an older one is stale */
    uint32_t traits;       /* enum hdi_lock_trait */
    bool broken;           /* a semaphore that is no lock */
    uint8_t kind;          /* enum hd_object, as far as it was told */
    struct lg_chain *tops; /* chains that end with it, linked by `same` */
    struct lg_link *out;   /* locks taken right after it */
    struct lg_lock *next_dead;
    struct lg_class *class;               /* NULL: not known yet */
    uint64_t seen;                        /* stamp of the last walk */
    uint32_t held_exclusive, held_shared; /* by the dependencies chosen so far */
    uint32_t wanted_exclusive, wanted_shared;
};

/* `from` was the last lock held when `to` was taken; over all chains they reach what the
 * dependencies reach. */
struct lg_link {
    struct lg_node node;
    struct lg_lock *from, *to;
    uint64_t to_serial;
    struct lg_link *next; /* of from->out */
};

/* All locks of a kind that were made at one place. */
struct lg_class {
    struct lg_node node;
    uint64_t site;
    uint64_t locks; /* so far */
    struct lg_class_link *out;
    uint64_t seen; /* stamp of the last walk */
    struct lg_class *todo;
    uint8_t kind; /* enum hd_object */
};

struct lg_class_link {
    struct lg_node node;
    struct lg_class *from, *to;
    struct lg_class_link *next; /* of from->out */
    uint32_t version;           /* of the classes' order, when `ring` was found */
    bool ring;                  /* it is part of a ring of classes */
    bool down;                  /* to itself: not always to a higher address */
};

/* Edges of folded chains, by class and place. */
struct lg_shape {
    struct lg_node node;
    struct lg_class *held, *took;
    uint64_t held_site, took_site;
    uint8_t held_mode, took_mode;
    void *owner; /* of a thread that did it */
    uint64_t count;
};

/* A folded dependency that held at most two locks. */
struct lg_ghost {
    uintptr_t addr[3];         /* taken, held before it, held before that or 0 */
    struct lg_shape *shape[2]; /* of (held, taken), as addr[1], addr[2] */
    struct hdi_lock_thread *thread;
    uint32_t forks, joins;
    uint32_t next[2]; /* by (held, taken), as addr[1], addr[2] */
};

/* `thread` took the chain's last lock in its segment (forks, joins). */
struct lg_label {
    struct lg_label *next; /* newest first */
    struct hdi_lock_thread *thread;
    uint32_t forks, joins;
};

struct lg_chain {
    struct lg_node node;
    uintptr_t addr; /* 0: its lock is gone */
    struct lg_chain *parent;
    uint64_t site;
    uint32_t mode;       /* exclusive or shared */
    _Atomic uint32_t id; /* never used twice */
    uint32_t stack;
    uint32_t depth;
    uint32_t label_count;
    struct lg_lock *lock;
    struct lg_label *labels;
    struct lg_chain *child, *sibling, *same;
    struct lg_chain **sibling_at,
        **same_at; /* what points to it: parent->child or ->sibling, ... */
};

struct lg_held {
    uintptr_t addr;
    uint64_t site;
    struct lg_chain *chain; /* valid below `known`, and so is id, the chain's */
    uint32_t id;
    uint32_t mode; /* as given */
    uint32_t stack;
};

/* A chain by its exact key, as long as its lock exists: see cache_check(). */
struct lg_cached {
    uintptr_t addr;
    uint64_t key;        /* site and mode */
    uint32_t parent, id; /* of chains; no parent: 0 */
    struct lg_chain *chain;
    uint32_t epoch; /* segment whose label the chain has; LG_NO_EPOCH: none */
};
#define LG_NO_EPOCH UINT32_MAX
extern struct lg_cached lg_no_cache; /* of a thread that needed none yet: one empty entry */

struct hdi_lock_thread {
    struct hdi_lockgraph *g;
    struct lg_held *held;
    uint32_t depth, known, capacity;
    uint32_t epoch; /* forks + joins */
    struct lg_cached *cache;
    uint32_t cache_mask;
    uint32_t cache_lost; /* entries overwritten since it last grew */
    uint32_t generation; /* of g, when every entry was last known to be good */
    uint32_t checks;     /* of single entries since then */
    bool eager;
    atomic_bool busy; /* inside the graph: a signal handler keeps out */

    /* place in the tree of forks and joins */
    void *owner;
    struct hdi_lock_thread *maker, *joiner;
    struct hdi_lock_thread *children, *next_child;
    uint32_t forks, joins;
    uint32_t made_at, joined_at; /* epoch of maker, of joiner */
    uint32_t labels;             /* that name it */
    bool ended;
    uint64_t seen; /* stamp of a walk, and the earliest epoch that it reached */
    uint32_t seen_at;
    struct hdi_lock_thread *todo;
    bool queued; /* to be walked from */
    bool chosen; /* by the search */
};

/* A dependency that the search has chosen, or tries. */
struct lg_choice {
    struct lg_chain *chain, *top;
    struct lg_label *label;
};

struct lg_deferred {
    struct lg_deferred *next;
    struct hdi_lock_ring ring;
};

struct lg_key { /* of a ring that was given */
    struct lg_node node;
};

struct hdi_lockgraph {
    _Alignas(64) _Atomic uint32_t generation; /* locks with chains destroyed so far; read by all */
    _Alignas(64) _Atomic uint32_t lock;
    struct hdi_lock_calls calls;
    struct lg_table locks, chains, links, rings, classes, class_links, shapes;
    struct lg_pool lock_pool, chain_pool, label_pool, link_pool, key_pool, thread_pool,
        deferred_pool, class_pool, class_link_pool, shape_pool;
    uint64_t serial, stamp;
    uint32_t ids;          /* of chains, given so far */
    struct lg_lock **walk; /* stack of a walk over locks */
    uint64_t walk_capacity;
    struct lg_choice *choice; /* of the search */
    uint32_t choices;
    struct lg_deferred *deferred;
    struct lg_lock *dead_first, **dead_end; /* destroyed, but still gates; oldest first */
    uint32_t dead;
    /* lockgraph_class.c */
    struct lg_birth *birth; /* births + a window */
    uint64_t births;
    bool big;       /* so many locks that the order of classes is kept */
    bool classless; /* it is not whole */
    uint32_t class_version;
    int64_t credit; /* steps that searches of a big graph may still take */

    /* lockgraph_fold.c */
    uint64_t exact, fold_at; /* chains: meant at most; when to fold next */
    uint64_t ghost_room, ghosts_made;
    struct lg_ghost *ghost;
    uint32_t *ghost_first; /* by hash of (held, taken) */
    uint32_t *gone_at;     /* by hash of an address: ghosts made when a lock there was destroyed */

    struct lg_mapping *mappings;
    uint64_t bytes;
    struct hdi_lock_stats stats;
};

/* lockgraph_memory.c */
void *lg_map(struct hdi_lockgraph *g, size_t bytes); /* zeroed; NULL when out of memory */
void lg_unmap(struct hdi_lockgraph *g, void *p);
void lg_unmap_all(struct hdi_lockgraph *g);
void *lg_take(struct hdi_lockgraph *g, struct lg_pool *pool); /* zeroed but for what chains keep */
void lg_give(struct lg_pool *pool, void *item);
/* Insert: false when out of memory. */
bool lg_insert(struct hdi_lockgraph *g, struct lg_table *t, struct lg_node *n, uint64_t hash);
void lg_remove(struct lg_table *t, struct lg_node *n);
static inline struct lg_node *lg_first(const struct lg_table *t, uint64_t hash)
{
    return t->slot ? t->slot[hash & t->mask] : NULL;
}
void lg_enter(struct hdi_lockgraph *g);
void lg_leave(struct hdi_lockgraph *g);

/* lockgraph.c: what lockgraph_fast.h leaves to it */
void lg_acquired_slowly(struct hdi_lock_thread *t, const void *lock, uint32_t mode, uint64_t site);
bool lg_released_slowly(struct hdi_lock_thread *t, const void *lock);
/* Give chains to all that t holds, the label to the newest. */
void lg_note(struct hdi_lock_thread *t);

struct lg_chain *lg_chain_get(struct hdi_lockgraph *g, struct lg_chain *parent,
                              const struct lg_held *h); /* NULL when out of memory */
void lg_chain_drop(struct hdi_lockgraph *g, struct lg_chain *c);
void lg_lock_drop(struct hdi_lockgraph *g, struct lg_lock *l);
/* Note that t took c's lock in that segment. NULL: nothing new by it. */
struct lg_label *lg_label_add(struct hdi_lock_thread *t, struct lg_chain *c, uint32_t forks,
                              uint32_t joins);
/* One label less names t. */
void lg_unlabel(struct hdi_lock_thread *t);

/* lockgraph_class.c: g locked */
void lg_birth(struct hdi_lockgraph *g, uintptr_t addr, uint64_t site);
void lg_birth_forget(struct hdi_lockgraph *g, uintptr_t addr);
struct lg_class *lg_class_of(struct hdi_lockgraph *g, const struct lg_lock *l, uint64_t first_use);
/* There are many locks now: keep the order of their classes. */
void lg_classes_start(struct hdi_lockgraph *g);
void lg_class_order(struct hdi_lockgraph *g, const struct lg_lock *from, const struct lg_lock *to);
/* False: no ring of locks goes from the one to the other. */
bool lg_class_ring(struct hdi_lockgraph *g, const struct lg_lock *from, const struct lg_lock *to);

/* lockgraph_fold.c: g locked */
void lg_fold(struct hdi_lockgraph *g);
/* c is new: folded chains that hold what it wants, and took what it holds, come back. */
void lg_call_back(struct hdi_lockgraph *g, const struct lg_chain *c);
void lg_ghosts_destroyed(struct hdi_lockgraph *g, uintptr_t addr);

/* lockgraph_search.c: g locked */
void lg_edge_fill(struct hdi_lock_edge *e, const struct lg_chain *c, const struct lg_chain *held,
                  const struct lg_label *l);
void lg_search(struct hdi_lockgraph *g, struct lg_chain *c, struct lg_label *l);
/* A writer of a writer-first lock is new: readers that read in a ring may now be one. */
void lg_search_readers(struct hdi_lockgraph *g, struct lg_lock *lock);
void lg_readers_again(struct hdi_lockgraph *g);
void lg_give_deferred(struct hdi_lockgraph *g);

#endif /* HEDDLE_LOCKGRAPH_INSIDE_H */
